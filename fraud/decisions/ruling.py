"""The program's own rules, applied: what they may see of a case, and how they move its outcome before the guards speak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fraud.decisions.weighing import conclusive, findings
from fraud.domain.decisions import DecisionKind, Outcome
from fraud.domain.signals import Severity, Signal, Status
from fraud.policy.expressions import Facts, Value
from fraud.policy.pack import Pack
from fraud.policy.rules import Rule, fired, moved

NO_FACTS: Facts = {}


@dataclass(frozen=True)
class Case:
    """What is decided: the kind of decision, its signals, and the facts of its own that rules may speak of."""

    kind: DecisionKind
    signals: Sequence[Signal]
    facts: Facts


@dataclass(frozen=True)
class Ruling:
    """The outcome after the rules, and those that fired."""

    outcome: Outcome
    rules: tuple[Rule, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the rules that fired."""
        return tuple(rule.id for rule in self.rules)

    def public_texts(self, outcome: Outcome) -> list[str]:
        """What an affiliate is told of the rules that raised the outcome to where it stands."""
        return [rule.public_text for rule in self.rules if rule.at_least is outcome and rule.public_text]


def rule_on(pack: Pack, case: Case, outcome: Outcome, score: float, coverage: float) -> Ruling:
    """The outcome moved by every rule of the pack that is true of the case."""
    if not any(rule.enabled and rule.kind is case.kind for rule in pack.rules):
        return Ruling(outcome)
    facts = {**common_facts(case.signals, outcome, score, coverage), **case.facts}
    rules = tuple(fired(pack.rules, case.kind, facts))
    return Ruling(moved(outcome, case.kind, rules), rules)


def common_facts(signals: Sequence[Signal], outcome: Outcome, score: float, coverage: float) -> dict[str, Value]:
    """The facts that every job knows (`fraud.policy.vocabulary.COMMON`)."""
    found = findings(signals)
    return {
        "score": score,
        "coverage": coverage,
        "outcome": outcome.value,
        "findings": frozenset(signal.check_id for signal in found),
        "conclusive": frozenset(signal.check_id for signal in conclusive(found, Severity.INFO)),
        "inconclusive": frozenset(signal.check_id for signal in signals if signal.status is Status.INCONCLUSIVE),
        "families": frozenset(signal.family.value for signal in found),
        "typologies": frozenset(typology for signal in found for typology in signal.typologies),
    }
