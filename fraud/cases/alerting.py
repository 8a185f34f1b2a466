"""Which subjects of a night a person is asked to look at: absolute evidence always, statistics within the reviewers' budget."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
import numpy as np

from fraud.decisions.weighing import conclusive, findings, worth_a_look
from fraud.domain.alerts import Alert, Known
from fraud.domain.decisions import Decision, Outcome, SubjectKind
from fraud.domain.ids import stable_id
from fraud.domain.scans import Ring
from fraud.domain.signals import Severity, Tier
from fraud.policy.pack import ScanPolicy
from models.calibration import benjamini_hochberg

_OPENING = frozenset({Outcome.REVIEW, Outcome.HOLD, Outcome.SUSPEND})


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A decided subject that may become an alert. `subject` is its place in the feature table, `exposure` the central
    estimate of what it may cost, `evidence` the fused -log10 p of its statistics, `p_value` their conformal p (`None`: nothing known)."""

    decision: Decision
    subject: str | tuple[str, str]
    exposure: float
    evidence: float = 0.0
    p_value: float | None = None

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


def discoveries(candidates: Sequence[Candidate], q: float) -> frozenset[str]:
    """The subjects that stand out at a share `q` of false discoveries (Benjamini-Hochberg on conformal p-values, section 4.4)."""
    p_values = np.array([math.nan if one.p_value is None else one.p_value for one in candidates])
    found = benjamini_hochberg(p_values, q) if len(p_values) else np.zeros(0, bool)
    return frozenset(one.decision.subject_id for one, is_found in zip(candidates, found, strict=True) if is_found)


def choose(
    policy: ScanPolicy,
    candidates: Sequence[Candidate],
    budget: int,
    quiet: Collection[str] = (),
    found: Collection[str] | None = None,
) -> list[Candidate]:
    """The candidates to alert on, riskiest first. Absolute evidence has a storm limit of its own and takes nothing from the budget.

    `quiet` are the subjects that people have dealt with, or asked not to be told of, and of whom nothing is new: they make room for others
    (`seen_again` counts them). An alert that is still open keeps its place, so that the same night twice alerts on the same subjects.
    With `found` (FDR mode) those alert on statistics, and nobody else.
    """
    ranked = sorted((c for c in candidates if c.decision.subject_id not in quiet), key=_by_risk)
    absolute = [c for c in ranked if c.absolute][: policy.absolute_alert_limit]
    worthy = [c for c in ranked if not c.absolute and c.above_floor][: max(budget, 0)]
    statistical = worthy if found is None else [c for c in ranked if not c.absolute and c.decision.subject_id in found]
    chosen = {c.decision.decision_id for c in (*absolute, *statistical)}
    return [c for c in ranked if c.decision.decision_id in chosen]


def seen_again(candidates: Sequence[Candidate], known: Collection[str], chosen: Sequence[Candidate]) -> list[Candidate]:
    """The candidates above the floor about whom there is an alert already and that are not chosen anew: counted, and nothing more."""
    taken = {c.decision.decision_id for c in chosen}
    standing = (c for c in candidates if c.decision.subject_id in known and c.decision.decision_id not in taken)
    return sorted((c for c in standing if c.absolute or c.above_floor), key=_by_risk)


def _by_risk(candidate: Candidate) -> tuple[float, str]:
    return -candidate.decision.verdict.score, candidate.decision.subject_id


class RingCase(msgspec.Struct, frozen=True, kw_only=True):
    """A ring to alert on as one: `candidate` is its riskiest member, `members` all that are active."""

    ring: Ring
    candidate: Candidate
    members: tuple[Candidate, ...]


def by_ring(candidates: Sequence[Candidate], rings: Sequence[Ring]) -> tuple[list[Candidate], dict[str, RingCase]]:
    """The candidates with one for each ring, the riskiest, in place of its members; and the rings by that candidate's decision.

    A member with absolute evidence of its own stays a case of its own besides. Only what the graph says counts a member in: somebody who
    is not above the floor is no part of the case.
    """
    by_subject = {candidate.decision.subject_id: candidate for candidate in candidates}
    cases: dict[str, RingCase] = {}
    gone: set[str] = set()
    for ring in rings:
        members = [by_subject[one] for one in ring.affiliate_ids if one in by_subject and by_subject[one].decision.decision_id not in gone]
        concerned = [one for one in members if one.above_floor and not one.absolute]
        if concerned:
            first = min(concerned, key=lambda c: (-c.decision.verdict.score, c.decision.subject_id))
            cases[first.decision.decision_id] = RingCase(ring=ring, candidate=first, members=tuple(members))
            gone |= {one.decision.decision_id for one in concerned if one is not first}
    return [candidate for candidate in candidates if candidate.decision.decision_id not in gone], cases


def ring_alert(case: RingCase, now: datetime) -> Alert:
    """The one alert of a ring: what its riskiest member shows, what all of them may cost. Its id follows from the ring's members."""
    alert = alert_of(case.candidate, now)
    typologies = {name for member in case.members for name in member.decision.verdict.typologies}
    loss = round(sum(member.exposure for member in case.members), 2)
    return msgspec.structs.replace(
        alert,
        alert_id=alert_id_of(alert.program_id, SubjectKind.RING, case.ring.ring_id),
        subject_kind=SubjectKind.RING,
        subject_id=case.ring.ring_id,
        typologies=tuple(sorted(typologies)),
        expected_loss=loss,
        known=msgspec.structs.replace(alert.known, expected_loss=loss),
        members=case.ring.affiliate_ids,
    )


def alert_of(candidate: Candidate, now: datetime) -> Alert:
    """The alert that asks a person to look. Its id follows from program and subject: one subject is one alert."""
    decision = candidate.decision
    weighty = [reason for reason in decision.verdict.reasons if reason.severity.rank >= Severity.MEDIUM.rank] or list(
        decision.verdict.reasons
    )
    families = sorted({reason.family.value for reason in weighty if reason.tier is not Tier.CIRCUMSTANTIAL}) or ["statistics"]
    loss = round(candidate.exposure, 2)
    return Alert(
        alert_id=alert_id_of(decision.program_id, decision.subject_kind, decision.subject_id),
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
        expected_loss=loss,
        families=tuple(families),
        evidence=candidate.evidence,
        known=Known(families=tuple(families), evidence=candidate.evidence, expected_loss=loss),
    )


def alert_id_of(program_id: str, kind: SubjectKind, subject_id: str) -> str:
    """The id of the one alert on a subject."""
    return stable_id("alert", program_id, kind.value, subject_id)
