"""Each kind of sink against a real receiver: what arrives, what is a fault, and what is final."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from fraud.domain.outbox import DeliveryFault, EventKind, OutboundEvent
from fraud.errors import InputError
from fraud.sinks.channel import Channel
from fraud.sinks.config import read_sinks
from fraud.sinks.mail import Mailbox
from fraud.sinks.webhook import Webhook
from tests.servers import free_port
from tests.sinks.receivers import MailServer, Receiver, http_receiver, mail_server

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def event(number: int = 1, subject: str = "aff-7", **changes: Any) -> OutboundEvent:
    given: dict[str, Any] = {
        "event_id": f"evt_{number}",
        "program_id": "shoes",
        "kind": EventKind.ALERT_OPENED,
        "subject": subject,
        "created_at": NOON + timedelta(seconds=number),
        "data": {"score": 0.91234, "severity": "high", "reasons": [{"code": "x", "text": "Clicks <too> regular & many."}]},
    }
    return OutboundEvent(**(given | changes))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as started:
        yield started


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with mail_server() as started:
        yield started


def mailbox(mails: MailServer, security: str = "none") -> Mailbox:
    whom = {"sender": "fraud@shop.example", "recipients": ("ada@shop.example",)}
    return Mailbox(name="mail", host="127.0.0.1", port=mails.port, security=security, **whom)  # type: ignore[arg-type]  # the two above


def test_a_webhook_is_signed_over_time_and_body_by_every_secret(receiver: Receiver) -> None:
    Webhook(name="hook", url=receiver.url, secrets=("new", "old")).deliver(event(), NOON)
    ((headers, body),) = receiver.taken
    assert headers["x-fraud-timestamp"] == str(int(NOON.timestamp()))
    signed = headers["x-fraud-timestamp"].encode() + b"." + body
    expected = [f"v1={hmac.new(secret, signed, hashlib.sha256).hexdigest()}" for secret in (b"new", b"old")]
    assert headers["x-fraud-signature"].split(",") == expected
    told = json.loads(body)
    assert (told["id"], told["type"], told["subject"], told["program_id"]) == ("evt_1", "alert.opened", "aff-7", "shoes")
    assert headers["x-fraud-event-id"] == "evt_1"


@pytest.mark.parametrize(
    ("status", "final"), [(400, True), (404, True), (410, True), (301, True), (408, False), (429, False), (500, False), (503, False)]
)
def test_a_refusal_is_final_only_where_trying_again_is_no_use(status: int, final: bool, receiver: Receiver) -> None:
    receiver.answers = [status]
    receiver.headers = {"Retry-After": "120", "Location": "http://elsewhere.example/"}
    with pytest.raises(DeliveryFault, match=f"answered {status}") as fault:
        Webhook(name="hook", url=receiver.url, secrets=("s",)).deliver(event(), NOON)
    assert (fault.value.final, fault.value.wait) == (final, timedelta(seconds=120))


def test_a_receiver_that_is_down_is_a_fault_that_may_pass() -> None:
    with pytest.raises(DeliveryFault, match="no answer") as fault:
        Webhook(name="hook", url=f"http://127.0.0.1:{free_port()}/", secrets=("s",)).deliver(event(), NOON)
    assert not fault.value.final


def test_a_channel_gets_words_and_no_markup(receiver: Receiver) -> None:
    Channel(name="ops", url=receiver.url).deliver(event(subject="<!everyone>"), NOON)
    text = json.loads(receiver.taken[0][1])["text"]
    assert text.splitlines()[0] == "Needs review: &lt;!everyone&gt; (shoes)"
    assert "score: 0.91" in text
    assert "- Clicks &lt;too&gt; regular &amp; many." in text


def test_a_mail_has_an_id_of_its_own_and_one_line_of_subject(mails: MailServer) -> None:
    mailbox(mails).deliver(event(subject="aff-7\r\nBcc: all@shop.example"), NOON)
    (envelope,) = mails.messages
    assert envelope.rcpt_tos == ["ada@shop.example"]
    mail = message_from_bytes(envelope.content if isinstance(envelope.content, bytes) else b"")
    assert mail["Message-ID"] == "<evt_1@shop.example>"
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("Needs review: aff-7")


@pytest.mark.parametrize(("answer", "final"), [("451 later", False), ("552 mailbox full", True)])
def test_what_the_mail_server_says_decides_whether_to_try_again(answer: str, final: bool, mails: MailServer) -> None:
    mails.answer = answer
    with pytest.raises(DeliveryFault) as fault:
        mailbox(mails).deliver(event(), NOON)
    assert fault.value.final is final


def test_encryption_that_the_server_does_not_have_is_not_left_out(mails: MailServer) -> None:
    with pytest.raises(DeliveryFault):
        mailbox(mails, security="starttls").deliver(event(), NOON)
    assert mails.messages == []


def test_a_sink_hears_what_it_asked_for() -> None:
    hook = Webhook(name="h", url="http://x", secrets=("s",), events=frozenset({"commission.hold"}), programs=frozenset({"shoes"}))
    assert not hook.wants(event())
    assert hook.wants(event(kind=EventKind.COMMISSION_HOLD))
    assert not hook.wants(event(kind=EventKind.COMMISSION_HOLD, program_id="hats"))
    assert Channel(name="c", url="http://x").wants(event())


FILE = """
sinks:
  - {kind: webhook, name: erp, url: "https://erp.example/hook", secret_env: [HOOK_NEW, HOOK_OLD], events: [commission.hold]}
  - {kind: channel, name: ops, url_env: OPS_URL}
  - {kind: mail, name: ada, host: mail.example, sender: f@x.example, recipients: [ada@x.example], user: f, password_env: MAIL_PASSWORD}
"""
SECRETS = {"HOOK_NEW": "n", "HOOK_OLD": "o", "OPS_URL": "https://hooks.example/T/1", "MAIL_PASSWORD": "p"}


def test_the_file_of_sinks_names_secrets_by_their_variables_and_never_shows_them(tmp_path: Path) -> None:
    file = tmp_path / "sinks.yaml"
    file.write_text(FILE)
    sinks = read_sinks(file, SECRETS)
    assert [sink.name for sink in sinks] == ["erp", "ops", "ada"]
    shown = repr(sinks)
    assert all(f"'{secret}'" not in shown for secret in SECRETS.values())
    assert read_sinks(tmp_path / "none.yaml", {}) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FILE, "needs the environment variable HOOK_NEW, which is not set"),
        ("sinks: [{kind: pigeon, name: p}]", "Invalid value 'pigeon'"),
        ("sinks: [{kind: channel, name: a, url_env: OPS_URL, colour: red}]", "unknown field `colour`"),
        ("sinks: [{kind: channel, name: a, url_env: X}, {kind: channel, name: a, url_env: X}]", "two sinks called a"),
        ("sinks: [{kind: webhook, name: a, url: u, secret_env: X, events: [alert.closed]}]", "Invalid enum value 'alert.closed'"),
        ("sinks: {", "cannot be used"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "sinks.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        read_sinks(file, {})
