"""What another policy would change: the last nights and the open applications decided again from what was stored with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from fraud.domain.decisions import OUTCOMES, Artefact, Decision, DecisionKind, Outcome
from fraud.errors import ReplayError
from fraud.workflows.rejudging import Rejudge, Rejudged

SHOWN = 20
"""Changed subjects that are named, those with most at stake first."""


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """How many decisions of one job would go from one outcome to another, and the pending commission behind them by currency."""

    job: DecisionKind
    then: Outcome
    now: Outcome
    decisions: int
    subjects: int
    commission: dict[str, Decimal]


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """One decision that would come out otherwise."""

    job: DecisionKind
    subject_id: str
    decision_id: str
    then: Outcome
    now: Outcome
    graver: bool
    rules: tuple[str, ...]
    commission: Decimal | None = None
    currency: str | None = None


class PolicyDiff(msgspec.Struct, frozen=True, kw_only=True):
    """What a pack would change. `rules` counts how often each rule of the pack would fire; `erased` decisions could not be made again."""

    policy: Artefact
    decisions: int
    changed: int
    erased: int
    moves: tuple[Move, ...]
    rules: dict[str, int]
    examples: tuple[Changed, ...]


def compare(decisions: Iterable[Decision], rejudge: Rejudge, progress: Callable[[int], None] = lambda done: None) -> PolicyDiff:
    """Judges scans and vettings again under a pack; `progress` is told how many are done. Nothing is kept."""
    comparison = _Comparison(rejudge)
    for done, decision in enumerate(decisions, start=1):
        comparison.take(decision)
        progress(done)
    return comparison.result()


@dataclass
class _Comparison:
    """One run over decisions: what was counted so far."""

    rejudge: Rejudge
    decisions: int = 0
    erased: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    changed: list[Changed] = field(default_factory=list)

    def take(self, decision: Decision) -> None:
        self.decisions += 1
        try:
            now = self.rejudge(decision)
        except ReplayError:
            self.erased += 1
            return
        self.rules.update(now.rules)
        if now.outcome is not decision.verdict.outcome:
            self.changed.append(_changed(decision, now))

    def result(self) -> PolicyDiff:
        pack = self.rejudge.pack
        rules = {rule.id: self.rules[rule.id] for rule in pack.rules if rule.enabled}
        return msgspec.structs.replace(diff_of(pack.artefact, self.decisions, self.changed, rules), erased=self.erased)


def diff_of(policy: Artefact, decisions: int, changed: Sequence[Changed], rules: dict[str, int]) -> PolicyDiff:
    """What so many decisions come to when these of them would come out otherwise."""
    ranked = sorted(changed, key=lambda one: (-(one.commission or 0), one.job, one.subject_id, one.decision_id))
    return PolicyDiff(
        policy=policy,
        decisions=decisions,
        changed=len(changed),
        erased=0,
        moves=_moves(changed),
        rules=rules,
        examples=tuple(ranked[:SHOWN]),
    )


def _changed(decision: Decision, now: Rejudged) -> Changed:
    order = OUTCOMES[decision.kind]
    return Changed(
        job=decision.kind,
        subject_id=decision.subject_id,
        decision_id=decision.decision_id,
        then=decision.verdict.outcome,
        now=now.outcome,
        graver=order.index(now.outcome) > order.index(decision.verdict.outcome),
        rules=now.rules,
        commission=now.commission,
        currency=now.currency,
    )


def _moves(changed: Sequence[Changed]) -> tuple[Move, ...]:
    groups: dict[tuple[DecisionKind, Outcome, Outcome], list[Changed]] = {}
    for one in changed:
        groups.setdefault((one.job, one.then, one.now), []).append(one)
    moves = [_move(key, members) for key, members in groups.items()]
    return tuple(sorted(moves, key=lambda move: (move.job, -move.decisions, move.then, move.now)))


def _move(key: tuple[DecisionKind, Outcome, Outcome], members: Sequence[Changed]) -> Move:
    commission: dict[str, Decimal] = {}
    for one in members:
        if one.commission is not None:
            currency = one.currency or ""
            commission[currency] = commission.get(currency, Decimal(0)) + one.commission
    job, then, now = key
    subjects = len({one.subject_id for one in members})
    return Move(job=job, then=then, now=now, decisions=len(members), subjects=subjects, commission=commission)
