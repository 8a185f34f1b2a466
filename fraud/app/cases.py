"""Cases, wired: reviews and labels behind decisions, suspensions into the program's records."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from fraud.app.keeping import adding
from fraud.app.parts import App
from fraud.cases.lifecycle import expired, snoozed, under
from fraud.domain.actors import Actor
from fraud.domain.alerts import Alert, AlertState
from fraud.domain.ids import new_id
from fraud.domain.suppressions import Suppression
from fraud.errors import InputError
from fraud.events.formats import CONTRACT
from fraud.workflows.appending import append_body
from fraud.workflows.casework import CaseTools
from fraud.workflows.ingesting import IngestOptions
from fraud.workflows.reviewing import ReviewTools


def review_tools(app: App) -> ReviewTools:
    """What taking down a person's word works with, on this workspace."""
    return ReviewTools(
        reviews=app.stores.reviews,
        alerts=app.stores.alerts,
        applications=app.stores.applications,
        decisions=app.stores.decisions,
        audit=app.stores.audit,
        label=lambda program_id, row: append_row(app, program_id, "labels", row),
        tell=app.tell,
        clock=app.clock,
    )


def case_tools(app: App) -> CaseTools:
    """What work on cases needs, on this workspace."""

    def suspend(program_id: str, affiliate_id: str, reason: str) -> None:
        append_row(app, program_id, "affiliates", {"affiliate_id": affiliate_id, "status": "suspended"})

    return CaseTools(cases=app.stores.cases, reviewing=review_tools(app), suspend=suspend)


def append_row(app: App, program_id: str, kind: str, row: dict[str, str]) -> None:
    """Appends one row to a table of the lake, through the same strict reading as a file."""
    options = IngestOptions(format=CONTRACT, pepper=app.pepper, ingested_at=app.clock.now())
    with adding(f"A row of {kind} of {program_id}"):
        append_body(app.lake, program_id, kind, msgspec.json.encode([row]), options)


def snooze(app: App, program_id: str, alert_id: str, days: float, why: tuple[Actor, str]) -> Alert:
    """Keeps an alert from the queue for so many days, unless there is news."""
    actor, reason = why
    _require_reason(reason)
    now = app.clock.now()
    changed = app.stores.alerts.change(program_id, alert_id, lambda standing: snoozed(standing, now + timedelta(days=days)))
    app.stores.audit.record(actor, program_id, "alert.snoozed", alert_id, now, {"days": days, "reason": reason.strip()})
    return changed


def suppress(app: App, wanted: Suppression, actor: Actor, *, preview: bool = False) -> list[Alert]:
    """Keeps alerts about a subject or resting on one kind of evidence from the queue until an end, and counts on.

    Returns the standing alerts that it covers; with `preview` that is all. `InputError` without a reason, a scope, or an end ahead.
    """
    now = app.clock.now()
    _require_reason(wanted.reason)
    if not wanted.subject_id and not wanted.reason_code:
        raise InputError("Say what to suppress: a subject, a reason code, or both; everything at once is not offered.")
    if wanted.expires_at <= now:
        raise InputError(f"The end {wanted.expires_at:%Y-%m-%d %H:%M} UTC is past; a suppression needs an end ahead.")
    covered = [alert for alert in app.stores.alerts.standing(wanted.program_id) if wanted.covers(alert, now)]
    if preview:
        return covered
    app.stores.suppressions.save(wanted)
    detail = {"subject_id": wanted.subject_id, "reason_code": wanted.reason_code, "reason": wanted.reason, "covers": len(covered)}
    app.stores.audit.record(actor, wanted.program_id, "alerts.suppressed", wanted.suppression_id, now, detail)
    return _apply(app, wanted.program_id, now)


def lift(app: App, program_id: str, suppression_id: str, why: tuple[Actor, str]) -> list[Alert]:
    """Ends a suppression now; the alerts it covered are back in the queue."""
    actor, reason = why
    _require_reason(reason)
    now = app.clock.now()
    found = next((one for one in app.stores.suppressions.active(program_id, now) if one.suppression_id == suppression_id), None)
    if found is None:
        raise InputError(f"There is no suppression {suppression_id!r} in force; list them first.")
    app.stores.suppressions.save(msgspec.structs.replace(found, expires_at=now))
    app.stores.audit.record(actor, program_id, "alerts.unsuppressed", suppression_id, now, {"reason": reason.strip()})
    return _apply(app, program_id, now)


def expire_alerts(app: App, program_id: str) -> int:
    """Ends open alerts whose evidence is gone; how many. The nightly run calls it."""
    now, policy = app.clock.now(), app.pack_for(program_id).scan.alerts
    gone = [alert for alert in app.stores.alerts.standing(program_id) if expired(alert, now, policy)]
    for alert in gone:
        app.stores.alerts.change(program_id, alert.alert_id, lambda standing: msgspec.structs.replace(standing, state=AlertState.EXPIRED))
    return len(gone)


def new_suppression(app: App, program_id: str, scope: tuple[str, str], days: float, why: tuple[Actor, str]) -> Suppression:
    """A suppression of a subject and a reason code (either may be empty) from now for so many days."""
    actor, reason = why
    now = app.clock.now()
    subject_id, reason_code = scope
    return Suppression(
        suppression_id=new_id("sup", now),
        program_id=program_id,
        reason=reason.strip(),
        created_by=actor.name,
        created_at=now,
        expires_at=now + timedelta(days=days),
        subject_id=subject_id,
        reason_code=reason_code,
    )


def _apply(app: App, program_id: str, now: datetime) -> list[Alert]:
    """Brings every standing alert in line with the suppressions in force; those that changed."""
    active = app.stores.suppressions.active(program_id, now)
    changed = [alert for alert in app.stores.alerts.standing(program_id) if under(alert, active, now) != alert]
    return [app.stores.alerts.change(program_id, alert.alert_id, lambda standing: under(standing, active, now)) for alert in changed]


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise InputError("reason: Say why, in a few words; it stands in the record for whoever asks later.")
