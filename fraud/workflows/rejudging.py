"""Stored decisions judged again under another pack: for comparing packs, for a pack in shadow, for backtests.

A signal follows from facts and thresholds alone, so what a check said stands wherever both packs treat it with the same thresholds; only
checks that differ are run again. That isolates what the pack changes, and makes ninety thousand decisions a matter of seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from fraud.checks.running import PreparedChecks, run_applicant_checks
from fraud.checks.traffic.facts import TrafficCounts, TrafficFacts
from fraud.decisions.deciding import decide_application
from fraud.decisions.facts import application_facts
from fraud.decisions.inputs import TrafficInputs
from fraud.decisions.traffic import prepared_checks, ruling_of
from fraud.domain.decisions import Artefact, Decision, DecisionKind, Outcome, SubjectKind
from fraud.domain.signals import Signal
from fraud.errors import ReplayError
from fraud.policy.pack import Pack
from fraud.workflows import vetting
from fraud.workflows.click_decisions import replay_click
from fraud.workflows.converting import conversion_checks_of, conversion_facts_of, conversion_verdict

FindPack = Callable[[Artefact], Pack]
"""The pack that a decision names; a `ReplayError` when it is no longer kept."""


@dataclass(frozen=True)
class Rejudged:
    """What another pack says of a stored decision. `commission` is pending, and an affiliate's alone: it holds that of its sub-IDs."""

    outcome: Outcome
    score: float
    rules: tuple[str, ...]
    guards: tuple[str, ...]
    commission: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True)
class _Plan:
    """How the signals of decisions under one pack become those of another: run what differs, keep the rest, in the catalogue's order."""

    again: PreparedChecks[TrafficFacts]
    kept: frozenset[str]
    order: dict[str, int]

    def signals(self, decision: Decision, facts: TrafficFacts) -> tuple[Signal, ...]:
        kept = [signal for signal in decision.signals if signal.check_id in self.kept]
        if not self.again.steps:
            return tuple(kept)
        return tuple(sorted((*kept, *self.again.run(facts.subject, facts)), key=lambda signal: self.order[signal.check_id]))


@dataclass
class Rejudge:
    """Judges decisions again under one pack, of many under few others."""

    pack: Pack
    find_pack: FindPack
    _checks: PreparedChecks[TrafficFacts] = field(init=False)
    _plans: dict[str, _Plan] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._checks = prepared_checks(self.pack)

    def __call__(self, decision: Decision) -> Rejudged:
        """What the pack says of it; `ReplayError` when its inputs were erased."""
        if decision.kind is DecisionKind.VET:
            return self._application(decision)
        if decision.kind is DecisionKind.SCAN:
            return self._traffic(decision)
        return self._event(decision)

    def _event(self, decision: Decision) -> Rejudged:
        if decision.kind is DecisionKind.SCORE:
            verdict = replay_click(decision, self.pack)
        else:
            facts = conversion_facts_of(decision)
            signals = conversion_checks_of(self.pack).run(facts.conversion.conversion_id, facts)
            verdict = conversion_verdict(self.pack, facts, signals)
        return Rejudged(verdict.outcome, verdict.score, verdict.rules, verdict.guards)

    def _application(self, decision: Decision) -> Rejudged:
        facts = vetting.facts_of(decision)
        stated = application_facts(facts.application, self.pack.profile_under(facts.profile))
        verdict = decide_application(self.pack, run_applicant_checks(self.pack, facts), stated)
        return Rejudged(verdict.outcome, verdict.score, verdict.rules, verdict.guards)

    def _traffic(self, decision: Decision) -> Rejudged:
        inputs = stored_inputs(decision)
        ruled = ruling_of(self.pack, inputs, self._plan(decision.policy).signals(decision, inputs.facts))
        money = pending(decision.subject_kind, inputs.facts.counts)
        return Rejudged(ruled.ruling.outcome, round(ruled.score, 6), ruled.ruling.ids, ruled.guards, *money)

    def _plan(self, policy: Artefact) -> _Plan:
        if policy.hash not in self._plans:
            self._plans[policy.hash] = _planned(self.pack, self._found(policy), self._checks)
        return self._plans[policy.hash]

    def _found(self, policy: Artefact) -> Pack | None:
        try:
            return self.find_pack(policy)
        except ReplayError:
            return None  # every check is run again then


def stored_inputs(decision: Decision) -> TrafficInputs:
    """What a scan's decision stored of its subject; `ReplayError` when it was erased or is not whole."""
    try:
        return msgspec.convert(decision.inputs, TrafficInputs)
    except msgspec.ValidationError as fault:
        raise ReplayError(
            f"The inputs of decision {decision.decision_id} have been erased or are not whole ({fault}), so it cannot be computed again."
        ) from fault


def pending(kind: SubjectKind, counts: TrafficCounts) -> tuple[Decimal | None, str | None]:
    """An affiliate's pending commission and its currency; nothing for a sub-ID, whose commission is its affiliate's."""
    if kind is not SubjectKind.AFFILIATE or counts.pending_commission is None:
        return None, None
    return counts.pending_commission, counts.currency


def _planned(pack: Pack, before: Pack | None, checks: PreparedChecks[TrafficFacts]) -> _Plan:
    same = set() if before is None else {spec.check_id for spec, _, _ in checks.steps if _treated_alike(spec.check_id, before, pack)}
    again = PreparedChecks(tuple(step for step in checks.steps if step[0].check_id not in same))
    return _Plan(again, frozenset(same), {spec.check_id: place for place, (spec, _, _) in enumerate(checks.steps)})


def _treated_alike(check_id: str, before: Pack, now: Pack) -> bool:
    known = before.checks.get(check_id)
    return known is not None and known.enabled and before.limits(check_id) == now.limits(check_id)
