"""What is told to others, from what happened: each event's id follows from the decision behind it, so that a repeat is no second event."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fraud.domain.alerts import Alert, AlertState
from fraud.domain.decisions import Decision, DecisionKind, Outcome, SubjectKind, Verdict
from fraud.domain.ids import stable_id
from fraud.domain.outbox import EventKind, OutboundEvent
from fraud.domain.scans import RankedSubject, ScanResult


def alert_events(alerts: Iterable[Alert]) -> list[OutboundEvent]:
    """One `alert.opened` for each alert that was opened, or opened again, by its last sighting; one that only stands is no news."""
    return [
        OutboundEvent(
            event_id=stable_id("evt", alert.program_id, "alert", alert.alert_id, alert.opened_at.isoformat()),
            program_id=alert.program_id,
            kind=EventKind.ALERT_OPENED,
            subject=alert.subject_id,
            created_at=alert.last_seen_at,
            data=msgspec.to_builtins(alert),
        )
        for alert in alerts
        if _is_news(alert)
    ]


def _is_news(alert: Alert) -> bool:
    """Whether its last sighting opened the alert, for the first time or again."""
    reopened = alert.reopened > 0 and alert.opened_at == alert.last_seen_at
    return alert.state is AlertState.OPEN and not alert.suppressed_by and (alert.times_seen == 1 or reopened)


def scan_events(result: ScanResult) -> list[OutboundEvent]:
    """Holds and recommended caps of a scan, affiliate by affiliate."""
    return [event for subject in result.affiliates for event in _of_subject(result, subject)]


def _of_subject(result: ScanResult, subject: RankedSubject) -> list[OutboundEvent]:
    events = []
    if subject.outcome in {Outcome.HOLD, Outcome.SUSPEND}:
        data = {
            "affiliate_id": subject.affiliate_id,
            "outcome": subject.outcome.value,
            "amount": msgspec.to_builtins(subject.commission_at_risk),
            "reasons": [reason.text for reason in subject.reasons],
        }
        events.append(_scanned(result, subject, EventKind.COMMISSION_HOLD, data))
    if subject.recommended_cap is not None:
        data = {"affiliate_id": subject.affiliate_id, "cap": subject.recommended_cap, "per": "day", "outcome": subject.outcome.value}
        events.append(_scanned(result, subject, EventKind.CAP_RECOMMENDED, data))
    return events


def _scanned(result: ScanResult, subject: RankedSubject, kind: EventKind, data: dict[str, object]) -> OutboundEvent:
    return OutboundEvent(
        event_id=stable_id("evt", result.program_id, kind.value, subject.decision_id),
        program_id=result.program_id,
        kind=kind,
        subject=subject.affiliate_id,
        created_at=result.as_of,
        data={**data, "decision_id": subject.decision_id, "scan_id": result.scan_id},
    )


def decision_events(decision: Decision) -> list[OutboundEvent]:
    """`decision.made`, and `application.decided` for one on an applicant."""
    kinds = [EventKind.DECISION_MADE]
    if decision.kind is DecisionKind.VET and decision.subject_kind is SubjectKind.APPLICATION:
        kinds.append(EventKind.APPLICATION_DECIDED)
    return [
        OutboundEvent(
            event_id=stable_id("evt", decision.program_id, kind.value, decision.decision_id),
            program_id=decision.program_id,
            kind=kind,
            subject=decision.subject_id,
            created_at=decision.decided_at,
            data={
                "decision_id": decision.decision_id,
                "subject_kind": decision.subject_kind.value,
                "decided_by": decision.decided_by,
                **_of_verdict(decision.verdict),
            },
        )
        for kind in kinds
    ]


def _of_verdict(verdict: Verdict) -> dict[str, object]:
    return {
        "outcome": verdict.outcome.value,
        "score": verdict.score,
        "typologies": list(verdict.typologies),
        "reasons": [reason.text for reason in verdict.reasons],
        "public_reason": verdict.public_reason,
    }
