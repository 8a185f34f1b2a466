"""What the nights together tell: who is watched, in one digest, and whose commission is free again, once the nights have been calm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from fraud.cases.caps import CapState, Night, next_state
from fraud.domain.decisions import Outcome
from fraud.domain.ids import stable_id
from fraud.domain.nights import SubjectLine
from fraud.domain.outbox import EventKind, OutboundEvent
from fraud.domain.scans import RankedSubject, ScanResult
from fraud.policy.pack import CapPolicy

MOST_LISTED = 50
"""Affiliates that a digest names, the largest risk first; it counts them all."""


def watch_digest(result: ScanResult, before: ScanResult | None) -> list[OutboundEvent]:
    """One event for everybody on *watch* tonight, who is new there and who is gone since the scan before; none when nobody is, or was."""
    watched = [one for one in result.affiliates if one.outcome is Outcome.WATCH]
    earlier = {one.affiliate_id for one in before.affiliates if one.outcome is Outcome.WATCH} if before else set()
    names = {one.affiliate_id for one in watched}
    if not names and not earlier:
        return []
    data = {
        "scan_id": result.scan_id,
        "watched": len(watched),
        "new": sorted(names - earlier)[:MOST_LISTED],
        "gone": sorted(earlier - names)[:MOST_LISTED],
        "affiliates": [_listed(one) for one in watched[:MOST_LISTED]],
    }
    event_id = stable_id("evt", result.program_id, "watch", result.scan_id)
    return [
        OutboundEvent(
            event_id=event_id,
            program_id=result.program_id,
            kind=EventKind.WATCH_DIGEST,
            subject="watched affiliates",
            created_at=result.as_of,
            data=data,
        )
    ]


def releases(result: ScanResult, histories: Mapping[str, Sequence[SubjectLine]], policy: CapPolicy) -> list[OutboundEvent]:
    """One event for each affiliate whose hold ends tonight: after as many calm nights as the policy asks, so that noise frees nothing.

    `histories` are the nights of those who were held lately, newest first, tonight's among them.
    """
    freed = [name for name, nights in sorted(histories.items()) if _is_freed(nights, policy)]
    return [
        OutboundEvent(
            event_id=stable_id("evt", result.program_id, EventKind.COMMISSION_RELEASE.value, result.as_of.date().isoformat(), name),
            program_id=result.program_id,
            kind=EventKind.COMMISSION_RELEASE,
            subject=name,
            created_at=result.as_of,
            data={"affiliate_id": name, "scan_id": result.scan_id, "calm_nights": policy.calm_nights},
        )
        for name in freed
    ]


def _is_freed(nights: Sequence[SubjectLine], policy: CapPolicy) -> bool:
    state, before = CapState(), CapState()
    for night in _one_a_day(nights):
        before = state
        state = next_state(state, Night(outcome=night.outcome, recommended=None, usual=float(night.conversions)), policy)
    return before.held and not state.held


def _one_a_day(nights: Sequence[SubjectLine]) -> list[SubjectLine]:
    """The nights oldest first, of two scans of one day the later: scanning again makes nobody calmer."""
    return list({night.as_of.date(): night for night in reversed(nights)}.values())


def _listed(subject: RankedSubject) -> dict[str, Any]:
    return {
        "affiliate_id": subject.affiliate_id,
        "score": subject.score,
        "commission": msgspec.to_builtins(subject.commission),
        "decision_id": subject.decision_id,
        "reasons": [reason.text for reason in subject.reasons[:2]],
    }
