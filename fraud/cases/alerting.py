"""Which subjects of a night a person is asked to look at: absolute evidence always, statistics within the reviewers' budget."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

import msgspec

from fraud.decisions.weighing import conclusive, findings, worth_a_look
from fraud.domain.alerts import Alert
from fraud.domain.decisions import Decision, Outcome
from fraud.domain.ids import stable_id
from fraud.domain.signals import Severity, Tier
from fraud.policy.pack import ScanPolicy

_OPENING = frozenset({Outcome.REVIEW, Outcome.HOLD, Outcome.SUSPEND})


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A decided subject that may become an alert. `subject` is its place in the feature table, `exposure` the central
    estimate of what it may cost."""

    decision: Decision
    subject: str | tuple[str, str]
    exposure: float

    @property
    def absolute(self) -> bool:
        """Whether it alerts on evidence that stands alone, outside any budget."""
        return bool(conclusive(findings(self.decision.signals))) and self.decision.verdict.outcome in _OPENING

    @property
    def above_floor(self) -> bool:
        """Whether statistics may alert on it at all."""
        return worth_a_look(findings(self.decision.signals))


def budget_of(policy: ScanPolicy, active: int, asked: int | None) -> int:
    """How many subjects may alert on statistics: what was asked for, else the smaller of the pack's maximum and share of the active."""
    return asked if asked is not None else min(policy.budget_maximum, math.ceil(policy.budget_share * active))


def choose(policy: ScanPolicy, candidates: Sequence[Candidate], budget: int) -> list[Candidate]:
    """The candidates to alert on, riskiest first. Absolute evidence has a storm limit of its own and takes nothing from the budget."""
    ranked = sorted(candidates, key=lambda c: (-c.decision.verdict.score, c.decision.subject_id))
    absolute = [c for c in ranked if c.absolute][: policy.absolute_alert_limit]
    statistical = [c for c in ranked if not c.absolute and c.above_floor][: max(budget, 0)]
    chosen = {c.decision.decision_id for c in (*absolute, *statistical)}
    return [c for c in ranked if c.decision.decision_id in chosen]


def alert_of(candidate: Candidate, now: datetime) -> Alert:
    """The alert that asks a person to look. Its id follows from program, subject and families: the same news is the same alert."""
    decision = candidate.decision
    weighty = [reason for reason in decision.verdict.reasons if reason.severity.rank >= Severity.MEDIUM.rank] or list(
        decision.verdict.reasons
    )
    families = sorted({reason.family.value for reason in weighty if reason.tier is not Tier.CIRCUMSTANTIAL}) or ["statistics"]
    return Alert(
        alert_id=stable_id("alert", decision.program_id, decision.subject_kind.value, decision.subject_id, *families),
        program_id=decision.program_id,
        subject_kind=decision.subject_kind,
        subject_id=decision.subject_id,
        severity=max((reason.severity for reason in weighty), key=lambda severity: severity.rank, default=Severity.LOW),
        score=decision.verdict.score,
        typologies=decision.verdict.typologies,
        reasons=decision.verdict.reasons,
        decision_id=decision.decision_id,
        opened_at=now,
        last_seen_at=now,
        expected_loss=round(candidate.exposure, 2),
    )
