"""Affiliates' own reports behind links, wired: made, opened, answered and revoked; every opening stands in the audit log."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta

import msgspec

from fraud.app.cases import case_tools
from fraud.app.parts import App
from fraud.app.performing import notices_for, performances
from fraud.app.targets import progress
from fraud.domain.actors import Actor, ActorKind, Role
from fraud.domain.ids import new_id
from fraud.domain.performance import Performance
from fraud.domain.report_links import ReportLink
from fraud.domain.scans import Period
from fraud.errors import InputError, NotFound
from fraud.reports.performance import AffiliateReport
from fraud.workflows.contesting import Contested, contest

LONGEST_DAYS = 90
"""A link lasts at most so long: what it shows moves on, and so does who reads the mailbox it went to."""
REPORTED_DAYS = 30
"""Days of a report, up to yesterday; the 30 before stand beside them."""

_GONE = "This link has ended or is not whole. Please ask the program for a new one."


def make_link(app: App, program_id: str, affiliate_id: str, days: int, actor: Actor) -> tuple[ReportLink, str]:
    """A new link and its token. `InputError` when it is to last longer than allowed, or for an affiliate without a name."""
    if not affiliate_id.strip():
        raise InputError("Say whose report the link is to show.")
    if not 1 <= days <= LONGEST_DAYS:
        raise InputError(f"A report link lasts between 1 and {LONGEST_DAYS} days; {days} was asked for.")
    now = app.clock.now()
    link = ReportLink(
        link_id=new_id("lnk", now),
        program_id=program_id,
        affiliate_id=affiliate_id,
        created_at=now,
        created_by=actor.name,
        expires_at=now + timedelta(days=days),
    )
    app.stores.report_links.save(link)
    app.stores.audit.record(actor, program_id, "report_link.made", affiliate_id, now, {"link_id": link.link_id, "days": days})
    return link, token_of(app, link)


def token_of(app: App, link: ReportLink) -> str:
    """What stands in the address: program and link, and a signature over all that the link opens and until when."""
    named = f"{link.program_id}\n{link.link_id}"
    return f"{_text(named.encode())}.{_text(_signature(app, link))}"


def address_of(app: App, token: str) -> str:
    """The whole address of a link."""
    return f"{(app.settings.public_url or 'http://127.0.0.1:8000').rstrip('/')}/report/{token}"


def open_link(app: App, token: str) -> ReportLink:
    """The link behind a token; the same `NotFound` for one that was altered, has ended or was revoked."""
    try:
        program_id, _, link_id = _bytes(token.partition(".")[0]).decode().partition("\n")
        link = app.stores.report_links.get(program_id, link_id)
    except (ValueError, InputError, NotFound):
        raise NotFound(_GONE) from None
    whole = hmac.compare_digest(token_of(app, link).encode(), token.encode(errors="replace"))
    if not whole or not link.is_open(app.clock.now()):
        raise NotFound(_GONE)
    return link


def read_report(app: App, link: ReportLink) -> AffiliateReport:
    """The report behind a link, and a line in the audit log that it was read."""
    report = report_of(app, link.program_id, link.affiliate_id)
    note_reading(app, link)
    return report


def note_reading(app: App, link: ReportLink) -> None:
    """A line in the audit log that the report behind a link was read."""
    _record(app, link, "report.read", {})


def report_of(app: App, program_id: str, affiliate_id: str, period: Period | None = None) -> AffiliateReport:
    """One affiliate's report of a period, beside the one before that is as long; of the last 30 days unless one is given."""
    end = app.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    period = period or Period(start=end - timedelta(days=REPORTED_DAYS), end=end)
    earlier = Period(start=period.start - (period.end - period.start), end=period.start)
    now = _figures(app, program_id, affiliate_id, period) or Performance(
        affiliate_id=affiliate_id, period=period, clicks=0, conversions=0, reversed=0
    )
    profile = app.profile(program_id)
    return AffiliateReport(
        program=profile.name if profile and profile.name else program_id,
        now=now,
        before=_figures(app, program_id, affiliate_id, earlier),
        notices=notices_for(app, program_id, affiliate_id),
        targets=progress(app, program_id, affiliate_id),
    )


def answer_report(app: App, link: ReportLink, text: str) -> Contested:
    """What the affiliate says to it: into its case, to be read by somebody else than who decided."""
    contested = contest(case_tools(app), link.program_id, link.affiliate_id, text)
    _record(app, link, "report.answered", {"case_id": contested.case.case_id, "step": contested.action.value})
    return contested


def revoke_link(app: App, program_id: str, link_id: str, why: tuple[Actor, str]) -> ReportLink:
    """Ends a link now; `InputError` without a reason, `NotFound` when there is no such link."""
    actor, reason = why
    if not reason.strip():
        raise InputError("Say why with --reason; it stands in the record.")
    link, now = app.stores.report_links.get(program_id, link_id), app.clock.now()
    revoked = link if link.revoked_at else msgspec.structs.replace(link, revoked_at=now, revoked_by=actor.name)
    app.stores.report_links.save(revoked)
    app.stores.audit.record(
        actor, program_id, "report_link.revoked", link.affiliate_id, now, {"link_id": link_id, "reason": reason.strip()}
    )
    return revoked


def _figures(app: App, program_id: str, affiliate_id: str, period: Period) -> Performance | None:
    return next(iter(performances(app, program_id, period, affiliate_id)), None) if affiliate_id else None


def _record(app: App, link: ReportLink, action: str, detail: dict[str, str]) -> None:
    reader = Actor(actor_id=f"affiliate:{link.affiliate_id}", kind=ActorKind.PERSON, name="the affiliate", role=Role.SCORE, programs=())
    app.stores.audit.record(reader, link.program_id, action, link.affiliate_id, app.clock.now(), {"link_id": link.link_id, **detail})


def _signature(app: App, link: ReportLink) -> bytes:
    key = hmac.digest(app.secret_key, b"affiliate reports", "sha256")
    signed = (link.program_id, link.link_id, link.affiliate_id, link.expires_at.isoformat())
    return hmac.digest(key, msgspec.json.encode(signed), hashlib.sha256)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
