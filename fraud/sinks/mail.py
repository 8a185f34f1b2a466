"""Mail by SMTP: one message an event, with an id of its own so that a second copy is told from a second event."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from fraud.domain.outbox import DeliveryFault, OutboundEvent
from fraud.sinks.audience import Audience
from fraud.sinks.words import text_of, title_of

TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Mailbox(Audience):
    """A server and the people it is to reach. `security` is `starttls`, `tls` or `none`."""

    host: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    user: str = ""
    password: str = field(default="", repr=False)
    security: str = "starttls"

    def deliver(self, event: OutboundEvent, at: datetime) -> None:
        """Sends it once."""
        self.send(message(event, self.sender, self.recipients, at))

    def send(self, mail: EmailMessage) -> None:
        """Hands a message to the server, or raises a `DeliveryFault`."""
        try:
            with self._connected() as server:
                server.send_message(mail)
        except smtplib.SMTPResponseException as fault:
            final = fault.smtp_code >= 500
            raise DeliveryFault(f"the mail server answered {fault.smtp_code}", final=final) from fault
        except smtplib.SMTPRecipientsRefused as fault:
            codes = [code for code, _ in fault.recipients.values()]
            raise DeliveryFault("the mail server refused the recipients", final=all(code >= 500 for code in codes)) from fault
        except (OSError, smtplib.SMTPException) as fault:
            raise DeliveryFault(f"the mail server could not be used ({type(fault).__name__})") from fault

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_SECONDS, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)
        try:
            if self.security == "starttls":
                server.starttls(context=context)
            if self.user:
                server.login(self.user, self.password)
        except BaseException:
            server.close()
            raise
        return server


def message(event: OutboundEvent, sender: str, recipients: tuple[str, ...], at: datetime) -> EmailMessage:
    """The event as a plain text message."""
    mail = EmailMessage()
    mail["Subject"] = " ".join(title_of(event).split())
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{event.event_id}@{sender.rpartition('@')[2] or 'localhost'}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text_of(event))
    return mail


def letter(sender: str, recipient: str, words: tuple[str, str], at: datetime) -> EmailMessage:
    """A message to one person: `words` are its subject and its text. An address that is none is a `ValueError`."""
    if recipient.count("@") != 1 or any(sign in recipient for sign in " ,;<>\r\n"):
        raise ValueError(f"{recipient[:80]!r} is no e-mail address")
    mail = EmailMessage()
    mail["Subject"] = " ".join(words[0].split())
    mail["From"] = sender
    mail["To"] = recipient
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2] or "localhost")
    mail.set_content(words[1])
    return mail
