"""What a scan says of every subject: its rank, its reasons, what is at stake, and charts of those at the head of the queue."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from fraud.decisions.traffic import recommended_cap
from fraud.detection.comparisons import PeerSpread
from fraud.domain.decisions import Decision
from fraud.domain.scans import RankedSubject
from fraud.domain.signals import Reason, reason_of
from fraud.policy.pack import Pack
from fraud.workflows.candidates import DecidedSubject

AS_USUAL = "peers.as_usual"
TOO_SMALL_TO_STAND_OUT = "Little traffic: what is small cannot stand out."
"""The reason of those who have none, and what else it may mean."""
CHARTED = 20
"""Subjects at the head of the ranking that get charts whether they alert or not."""


def ranked(pack: Pack, subjects: Sequence[DecidedSubject], alerted: set[str], days: float, spread: PeerSpread) -> tuple[RankedSubject, ...]:
    """The subjects of a night of so many days, riskiest first, then by what is at stake; `alerted` names those who alert."""
    ordered = sorted(subjects, key=_order)
    return tuple(
        _row(pack, one, rank, one.candidate.decision.subject_id in alerted, days, spread) for rank, one in enumerate(ordered, start=1)
    )


def _order(one: DecidedSubject) -> tuple[float, float, str]:
    candidate = one.candidate
    return -candidate.decision.verdict.score, -candidate.exposure, candidate.decision.subject_id


def _row(pack: Pack, one: DecidedSubject, rank: int, alerted: bool, days: float, spread: PeerSpread) -> RankedSubject:
    decision, facts, subject = one.candidate.decision, one.facts, one.candidate.subject
    affiliate, sub_id = subject if isinstance(subject, tuple) else (subject, msgspec.UNSET)
    return RankedSubject(
        affiliate_id=affiliate,
        sub_id=sub_id,
        rank=rank,
        score=decision.verdict.score,
        outcome=decision.verdict.outcome,
        alerted=alerted,
        decision_id=decision.decision_id,
        typologies=decision.verdict.typologies,
        reasons=decision.verdict.reasons or _as_usual(decision),
        clicks=facts.counts.clicks,
        conversions=facts.counts.conversions,
        commission=facts.counts.commission,
        commission_at_risk=one.at_risk,
        recommended_cap=recommended_cap(pack, facts, decision.verdict.outcome, days),
        peers=spread.of(subject) if alerted or rank <= CHARTED else (),
    )


def _as_usual(decision: Decision) -> tuple[Reason, ...]:
    """Why a subject ranks low when nothing was found: what the comparison with its peers said."""
    compared = (reason_of(signal) for signal in decision.signals if signal.check_id == "traffic.peer_residuals")
    return tuple(msgspec.structs.replace(reason, code=AS_USUAL, also_explained_by=TOO_SMALL_TO_STAND_OUT) for reason in compared)
