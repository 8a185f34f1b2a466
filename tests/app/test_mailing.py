"""An affiliate's report by mail: the letter that was shown is the letter that is sent, and the record says who sent it and why."""

from __future__ import annotations

import email
import email.policy
from datetime import timedelta

import pytest

from fraud.app.affiliate_reports import make_link, open_link
from fraud.app.mailing import letter_before, mail_link, mail_report, mail_senders
from fraud.app.parts import App
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.errors import InputError, StorageError
from tests.conftest import MORNING
from tests.sinks.receivers import MailServer, mail_server

WHY = (SYSTEM, "Asked for by the affiliate")
TO = "ada@shop.example"


def with_mail(app: App, port: int) -> App:
    said = "host: 127.0.0.1, security: none, sender: us@program.example, recipients: [me@us.example]"
    sink = f"{{kind: mail, name: post, port: {port}, {said}}}"
    (app.workspace.root / "sinks.yaml").write_text(f"sinks:\n  - {sink}\n")
    return app


def read(mails: MailServer) -> str:
    (envelope,) = mails.messages
    assert isinstance(envelope.content, bytes)
    return str(email.message_from_bytes(envelope.content, policy=email.policy.default).get_body().get_content())  # type: ignore[union-attr]  # a letter has a body


def test_the_letter_is_shown_before_a_link_is_made(app: App) -> None:
    with mail_server() as mails:
        shown = letter_before(with_mail(app, mails.port), DEFAULT_PROGRAM, TO, MORNING + timedelta(days=14))
    assert (shown.sender, shown.recipient) == ("us@program.example", TO)
    assert mail_senders(app) == ["us@program.example"]
    assert "made when it is sent" in shown.text
    assert not mails.messages
    assert app.stores.report_links.all(DEFAULT_PROGRAM) == []


def test_the_letter_holds_a_link_that_opens_and_the_record_says_why(app: App) -> None:
    with mail_server() as mails:
        link = mail_report(with_mail(app, mails.port), (DEFAULT_PROGRAM, "a", 14), TO, WHY)
    token = read(mails).partition("/report/")[2].split()[0]
    assert open_link(app, token) == link
    mailed = app.stores.audit.entries(DEFAULT_PROGRAM, 1)[0]
    assert (mailed["action"], mailed["subject"]) == ("report_link.mailed", "a")
    assert mailed["detail"] == {"link_id": link.link_id, "to": "shop.example", "reason": WHY[1]}
    assert TO not in str(app.stores.audit.entries(DEFAULT_PROGRAM, 10))


@pytest.mark.parametrize(("to", "why"), [("nobody", "A reason"), ("a@b.example, c@d.example", "A reason"), (TO, " ")])
def test_what_cannot_be_sent_makes_no_link(app: App, to: str, why: str) -> None:
    with mail_server() as mails, pytest.raises(InputError):
        mail_report(with_mail(app, mails.port), (DEFAULT_PROGRAM, "a", 14), to, (SYSTEM, why))
    assert app.stores.report_links.all(DEFAULT_PROGRAM) == []


def test_a_server_that_refuses_leaves_the_link_and_says_so(app: App) -> None:
    with mail_server() as mails:
        mails.answer = "554 No"
        with pytest.raises(StorageError, match="The link stands"):
            mail_report(with_mail(app, mails.port), (DEFAULT_PROGRAM, "a", 14), TO, WHY)
    assert len(app.stores.report_links.all(DEFAULT_PROGRAM)) == 1
    assert "report_link.mailed" not in {one["action"] for one in app.stores.audit.entries(DEFAULT_PROGRAM, 10)}


def test_mail_takes_a_mail_sink(app: App) -> None:
    link, _ = make_link(app, DEFAULT_PROGRAM, "a", 14, SYSTEM)
    with pytest.raises(InputError, match="No mail sink"):
        mail_link(app, link, TO, WHY)
    assert mail_senders(app) == []
