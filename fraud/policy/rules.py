"""A program's own rules: conditions over facts that raise an outcome or hold it down, each with examples that prove it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Literal

import msgspec

from fraud.domain.decisions import OUTCOMES, DecisionKind, Outcome
from fraud.policy.expressions import Expression, ExpressionFault, Facts, Kind, Value, Vocabulary, parse
from fraud.policy.reachability import impossible
from fraud.policy.vocabulary import vocabulary_of

Job = Literal["application", "traffic", "click", "conversion"]
"""What a rule is about, in the words of a pack."""

KINDS: Mapping[Job, DecisionKind] = {
    "application": DecisionKind.VET,
    "traffic": DecisionKind.SCAN,
    "click": DecisionKind.SCORE,
    "conversion": DecisionKind.CONVERSION,
}

ExampleValue = float | str | bool | tuple[str, ...] | None


class Examples(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Facts under which a rule fires, and facts under which it stays quiet: at least one of each."""

    fires: tuple[dict[str, ExampleValue], ...]
    quiet: tuple[dict[str, ExampleValue], ...]


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule. When `when` is true the outcome is `at_least` or `at_most` what is named; exactly one of the two is.

    `public_text` is what an affiliate is told when the rule raised the outcome.
    """

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_.-]{2,80}$")]
    job: Job
    owner: str
    description: str
    when: str
    examples: Examples
    at_least: Outcome | None = None
    at_most: Outcome | None = None
    public_text: str = ""
    enabled: bool = True

    @property
    def kind(self) -> DecisionKind:
        """The job's kind of decision."""
        return KINDS[self.job]


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a pack, and where: the keys and places that lead to it."""

    path: tuple[str | int, ...]
    message: str


def faults_of(rules: Sequence[Rule], switched_off: Collection[str]) -> list[Fault]:
    """Everything that is wrong with a pack's rules; `switched_off` are its checks that are not enabled."""
    seen: dict[str, int] = {}
    faults: list[Fault] = []
    for place, rule in enumerate(rules):
        if rule.id in seen:
            faults.append(Fault(("rules", place, "id"), f"the rule {rule.id!r} is there already, as number {seen[rule.id] + 1}"))
        seen.setdefault(rule.id, place)
        faults += [Fault(("rules", place, *fault.path), f"the rule {rule.id!r}: {fault.message}") for fault in _faults(rule, switched_off)]
    return faults


def fired(rules: Sequence[Rule], kind: DecisionKind, facts: Facts) -> list[Rule]:
    """The rules of a job that are true of these facts, in the pack's order. Every one of them, never only the first."""
    return [rule for rule in rules if rule.enabled and rule.kind is kind and condition(rule).holds(facts)]


def moved(outcome: Outcome, kind: DecisionKind, rules: Sequence[Rule]) -> Outcome:
    """The outcome after the rules that fired: held down first, then raised, so that of two that disagree the graver one stands."""
    order = OUTCOMES[kind]
    place = order.index(outcome)
    place = min([place, *(order.index(rule.at_most) for rule in rules if rule.at_most is not None)])
    return order[max([place, *(order.index(rule.at_least) for rule in rules if rule.at_least is not None)])]


def condition(rule: Rule) -> Expression:
    """A rule's condition; `ExpressionFault` when it is none."""
    return _parsed(rule.when, rule.kind)


@cache
def _parsed(text: str, kind: DecisionKind) -> Expression:
    return parse(text, vocabulary_of(kind))


def _faults(rule: Rule, switched_off: Collection[str]) -> list[Fault]:
    faults = _shape_faults(rule)
    try:
        expression = condition(rule)
    except ExpressionFault as fault:
        return [*faults, Fault(("when",), fault.message)]
    vocabulary = vocabulary_of(rule.kind)
    if why := impossible(rule.when, vocabulary, switched_off):
        faults.append(Fault(("when",), f"it can never fire: {why}"))
    return [*faults, *_example_faults(rule, expression, vocabulary)]


def _shape_faults(rule: Rule) -> list[Fault]:
    faults = []
    if (rule.at_least is None) == (rule.at_most is None):
        faults.append(Fault(("at_least",), "give either at_least or at_most"))
    aim = rule.at_least or rule.at_most
    if aim is not None and aim not in OUTCOMES[rule.kind]:
        choices = ", ".join(outcome.value for outcome in OUTCOMES[rule.kind])
        faults.append(Fault(("at_least" if rule.at_least else "at_most",), f"{aim.value!r} is no outcome of {rule.job}; use {choices}"))
    empty = [name for name in ("owner", "description") if not getattr(rule, name).strip()]
    faults += [Fault((name,), f"{name} is empty; say who answers for the rule and what it is for") for name in empty]
    lacking = [(side, words) for side, words in (("fires", "fires"), ("quiet", "stays quiet")) if not getattr(rule.examples, side)]
    return faults + [Fault(("examples", side), f"there is no example under which it {words}") for side, words in lacking]


def _example_faults(rule: Rule, expression: Expression, vocabulary: Vocabulary) -> list[Fault]:
    faults = []
    for side, wanted in (("fires", True), ("quiet", False)):
        for place, example in enumerate(getattr(rule.examples, side)):
            path = ("examples", side, place)
            wrong = [_mistyped(name, value, vocabulary) for name, value in example.items()]
            faults += [Fault(path, message) for message in wrong if message]
            if any(wrong):
                continue
            if (expression.holds(example_facts(example)) is True) is not wanted:
                faults.append(Fault(path, f"the example {'does not fire it' if wanted else 'fires it'}: {_shown(example)}"))
    return faults


def example_facts(example: Mapping[str, ExampleValue]) -> dict[str, Value]:
    """An example as facts: lists are sets, and numbers are numbers however they are written."""
    return {name: _fact(value) for name, value in example.items()}


def _fact(value: ExampleValue) -> Value:
    if isinstance(value, tuple):
        return frozenset(value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


_TYPES: Mapping[Kind, type[Any]] = {Kind.NUMBER: float, Kind.TEXT: str, Kind.BOOLEAN: bool, Kind.TEXTS: frozenset}


def _mistyped(name: str, value: ExampleValue, vocabulary: Vocabulary) -> str:
    known = vocabulary.get(name)
    if known is None:
        return f"there is no fact {name!r}"
    if value is not None and not isinstance(_fact(value), _TYPES[known.kind]):
        return f"{name} is a {known.kind.value}, and {value!r} is none"
    return ""


def _shown(example: Mapping[str, ExampleValue]) -> str:
    return ", ".join(f"{name} = {value!r}" for name, value in example.items()) or "no facts at all"
