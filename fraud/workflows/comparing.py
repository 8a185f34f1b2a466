"""What another policy would change: the last nights and the open applications decided again from what was stored with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from fraud.checks.running import PreparedChecks, run_applicant_checks
from fraud.checks.traffic.facts import TrafficFacts
from fraud.decisions.deciding import decide_application
from fraud.decisions.facts import application_facts
from fraud.decisions.traffic import TrafficInputs, prepared_checks, verdict_of
from fraud.domain.decisions import OUTCOMES, Artefact, Decision, DecisionKind, Outcome, SubjectKind, Verdict
from fraud.errors import ReplayError
from fraud.policy.pack import Pack
from fraud.workflows import vetting

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


def compare(decisions: Iterable[Decision], pack: Pack, progress: Callable[[int], None] = lambda done: None) -> PolicyDiff:
    """Decides scans and vettings again under a pack; `progress` is told how many are done. Nothing is kept."""
    comparison = _Comparison(pack, prepared_checks(pack))
    for done, decision in enumerate(decisions, start=1):
        comparison.take(decision)
        progress(done)
    return comparison.result()


@dataclass
class _Comparison:
    """One run over decisions: what was counted so far."""

    pack: Pack
    checks: PreparedChecks[TrafficFacts]
    decisions: int = 0
    erased: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    changed: list[Changed] = field(default_factory=list)

    def take(self, decision: Decision) -> None:
        self.decisions += 1
        try:
            now, money = self._again(decision)
        except ReplayError:
            self.erased += 1
            return
        self.rules.update(now.rules)
        if now.outcome is not decision.verdict.outcome:
            self.changed.append(_changed(decision, now, money))

    def _again(self, decision: Decision) -> tuple[Verdict, tuple[Decimal | None, str | None]]:
        if decision.kind is DecisionKind.VET:
            facts = vetting.facts_of(decision)
            signals = run_applicant_checks(self.pack, facts)
            return decide_application(self.pack, signals, application_facts(facts.application)), (None, None)
        try:
            inputs = msgspec.convert(decision.inputs, TrafficInputs)
        except msgspec.ValidationError as fault:
            raise ReplayError(f"The inputs of decision {decision.decision_id} are not whole ({fault}).") from fault
        signals = self.checks.run(inputs.facts.subject, inputs.facts)
        counts = inputs.facts.counts
        return verdict_of(self.pack, inputs, signals), (counts.pending_commission, counts.currency)

    def result(self) -> PolicyDiff:
        ranked = sorted(self.changed, key=lambda one: (-(one.commission or 0), one.job, one.subject_id, one.decision_id))
        return PolicyDiff(
            policy=self.pack.artefact,
            decisions=self.decisions,
            changed=len(self.changed),
            erased=self.erased,
            moves=_moves(self.changed),
            rules={rule.id: self.rules[rule.id] for rule in self.pack.rules if rule.enabled},
            examples=tuple(ranked[:SHOWN]),
        )


def _changed(decision: Decision, now: Verdict, money: tuple[Decimal | None, str | None]) -> Changed:
    order = OUTCOMES[decision.kind]
    # An affiliate's commission already holds that of its sub-IDs.
    commission = money[0] if decision.subject_kind is SubjectKind.AFFILIATE else None
    return Changed(
        job=decision.kind,
        subject_id=decision.subject_id,
        decision_id=decision.decision_id,
        then=decision.verdict.outcome,
        now=now.outcome,
        graver=order.index(now.outcome) > order.index(decision.verdict.outcome),
        rules=now.rules,
        commission=commission,
        currency=money[1] if commission is not None else None,
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
