"""An affiliate's report by mail: the letter as it will read, and sent. Who sent it and why is audited; the address is kept nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage

from fraud.app.affiliate_reports import REPORTED_DAYS, address_of, make_link, token_of
from fraud.app.parts import App
from fraud.domain.actors import Actor
from fraud.domain.outbox import DeliveryFault
from fraud.domain.report_links import ReportLink
from fraud.errors import InputError, StorageError
from fraud.sinks.mail import Mailbox, letter

_NO_SINK = "No mail sink is set up to send it: add one to sinks.yaml in the workspace, or pass the link on yourself."
_LATER = "(the link, made when it is sent)"

Why = tuple[Actor, str]
"""Who sends it, and for what reason."""


@dataclass(frozen=True)
class Letter:
    """What is sent: from whom, to whom, and its words. `text` holds the link, or a word in its place before it is made."""

    sender: str
    recipient: str
    subject: str
    text: str


def mail_senders(app: App) -> list[str]:
    """The addresses that reports can be mailed from; the first is used. `InputError` when the file of sinks cannot be read."""
    return [box.sender for box in _boxes(app, "")]


def letter_before(app: App, program_id: str, recipient: str, ends: datetime) -> Letter:
    """The letter as it would be sent, without a link made for it; `InputError` without a mail sink or for an address that is none."""
    box = _box(app, "")
    subject, text = _words(app, program_id, _LATER, ends)
    _message(box, recipient, (subject, text), app.clock.now())
    return Letter(box.sender, recipient, subject, text)


def mail_report(app: App, link: tuple[str, str, int], recipient: str, why: Why) -> ReportLink:
    """Makes a link (`link` is its program, its affiliate and the days it lasts) and mails it.

    Raises like `mail_link`; the address and the reason are looked at before the link is made.
    """
    program_id, affiliate_id, days = link
    _require_reason(why)
    letter_before(app, program_id, recipient, app.clock.now())
    made, _ = make_link(app, program_id, affiliate_id, days, why[0])
    mail_link(app, made, recipient, why)
    return made


def mail_link(app: App, link: ReportLink, recipient: str, why: Why, sink: str = "") -> None:
    """Sends a link by mail through a mail sink of the workspace; the address is kept nowhere, only the host it lies at.

    `InputError` without a mail sink, without a reason or with an address that is none, `StorageError` when the server did not take it.
    """
    _require_reason(why)
    box, now = _box(app, sink), app.clock.now()
    message = _message(box, recipient, _words(app, link.program_id, address_of(app, token_of(app, link)), link.expires_at), now)
    try:
        box.send(message)
    except DeliveryFault as fault:
        raise StorageError(f"The report was not sent: {fault.message}. The link stands; try again, or pass it on yourself.") from fault
    detail = {"link_id": link.link_id, "to": recipient.rpartition("@")[2], "reason": why[1].strip()}
    app.stores.audit.record(why[0], link.program_id, "report_link.mailed", link.affiliate_id, now, detail)


def _boxes(app: App, sink: str) -> list[Mailbox]:
    return [one for one in app.sinks if isinstance(one, Mailbox) and sink in {"", one.name}]


def _box(app: App, sink: str) -> Mailbox:
    boxes = _boxes(app, sink)
    if not boxes:
        raise InputError(_NO_SINK)
    return boxes[0]


def _message(box: Mailbox, recipient: str, words: tuple[str, str], at: datetime) -> EmailMessage:
    try:
        return letter(box.sender, recipient, words, at)
    except ValueError as fault:
        raise InputError(f"The report cannot be sent: {fault}.") from fault


def _require_reason(why: Why) -> None:
    if not why[1].strip():
        raise InputError("Say why it is sent, in a few words; it stands in the record.")


def _words(app: App, program_id: str, address: str, ends: datetime) -> tuple[str, str]:
    """Subject and text of the letter."""
    profile = app.profile(program_id)
    program = profile.name if profile else program_id
    text = (
        f"Hello,\n\nhere is your report for the program {program}: your figures of the last {REPORTED_DAYS} days, and whatever we would\n"
        f"like you to look at.\n\n{address}\n\nThe link is yours alone and works until {ends:%Y-%m-%d} (UTC). On the page you can also\n"
        "tell us what we got wrong; a person reads it.\n"
    )
    return f"Your report: {program}", text
