"""A click's answer from how its checks end: the verdict of each pattern of ends is worked out once, and words are made only for findings.

It is the verdict that `decide_event` gives; packs with rules of their own for clicks, and checks that break off, are asked in full.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import structlog

from fraud.checks.clicks import CLICK_CHECK_FUNCTIONS, CLICK_CODES, CLICK_GRADES, ClickCheck, ClickGrade
from fraud.checks.clicks.facts import ClickFacts, ManyClickFacts
from fraud.checks.grades import GRADES, Grade, is_finding
from fraud.checks.running import PreparedChecks, run_check
from fraud.decisions.weighing import findings
from fraud.domain.catalogue import CheckSpec, Limits
from fraud.domain.decisions import DecisionKind, Outcome, Verdict
from fraud.domain.shared import Shared
from fraud.domain.signals import Reason, Signal, Status, reason_of
from fraud.policy.pack import Pack

FullVerdict = Callable[[ClickFacts, tuple[Signal, ...]], Verdict]

FEW = 10
"""Clicks below which each is graded by itself: grading by column has its own price, paid once a group."""

_MOST_PATTERNS = 4_096
_PLACES = np.int64(len(GRADES)) ** np.arange(int(62 / math.log2(len(GRADES))), dtype=np.int64)
"""What the grade of each check counts in the number of a pattern: enough for many more checks than there are."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Judgement:
    """What an answer says of a click."""

    outcome: Outcome
    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class _Settled:
    """The judgement of one pattern of ends without its reasons, and the checks to put into words for those."""

    judgement: Judgement
    found: tuple[tuple[CheckSpec, ClickCheck, Limits], ...]


_NOT_YET = Judgement(Outcome.ALLOW, 0.0, ())
"""Stands for judgements that each click gets for itself, until it has."""


class ClickJudge:
    """Judges clicks under one pack. May be used from any number of threads."""

    def __init__(self, pack: Pack, checks: PreparedChecks[ClickFacts], full: FullVerdict) -> None:
        self._checks, self._full = checks, full
        self._grades: tuple[tuple[ClickGrade, Limits], ...] = tuple(
            (CLICK_GRADES[spec.check_id], limits) for spec, _, limits in checks.steps
        )
        self._codes = tuple((CLICK_CODES[spec.check_id], limits) for spec, _, limits in checks.steps)
        self._ruled = any(rule.enabled and rule.kind is DecisionKind.SCORE for rule in pack.rules)
        self._settled: dict[tuple[bool, tuple[Grade, ...]], _Settled] = {}
        self._by_codes: dict[tuple[bool, bytes], _Settled] = {}

    def judge(self, facts: ClickFacts) -> Judgement:
        """What the answer says of this click."""
        if self._ruled:
            return self._in_full(facts)
        try:
            grades = tuple([grade(facts, limits) for grade, limits in self._grades])
        except Exception:
            # Asked in full the check breaks off again, and is logged and recorded as an error.
            return self._in_full(facts)
        return self._told(self._settled.get((bool(facts.degraded), grades)) or self._settle(facts, grades), facts)

    def judge_many(self, many: ManyClickFacts) -> Shared[Judgement]:
        """`judge` of each click; with enough of them the checks are graded by column, and facts are made only for those with findings."""
        if self._ruled or len(many) < FEW:
            return self._each(many)
        try:
            codes = np.array([grade(many, limits) for grade, limits in self._codes], dtype=np.uint8)
        except Exception:
            # One by one, the click on which a check breaks off is asked in full, and the others are judged.
            _log.exception("clicks_not_graded_together", clicks=len(many))
            return self._each(many)
        patterns = np.vstack([codes, np.array([bool(why) for why in many.degraded], np.uint8)])
        _, first, kinds = np.unique(_PLACES[: len(patterns)] @ patterns, return_index=True, return_inverse=True)
        alike = [(bool(patterns[-1, place]), patterns[:-1, place].tobytes()) for place in first.tolist()]
        settled = [self._by_codes.get(pattern) for pattern in alike]
        different = [_NOT_YET if one is None or one.found else one.judgement for one in settled]
        which = kinds.tolist()
        alone = np.array([one is _NOT_YET for one in different])
        for place in alone[kinds].nonzero()[0].tolist():
            different.append(self._by_pattern(many, place, alike[which[place]]))
            which[place] = len(different) - 1
        return Shared(different, which)

    def _each(self, many: ManyClickFacts) -> Shared[Judgement]:
        return Shared([self.judge(many.of(place)) for place in range(len(many))], range(len(many)))

    def _by_pattern(self, many: ManyClickFacts, place: int, pattern: tuple[bool, bytes]) -> Judgement:
        settled = self._by_codes.get(pattern)
        if settled is not None and not settled.found:
            return settled.judgement
        facts = many.of(place)
        if settled is None:
            grades = tuple([GRADES[code] for code in pattern[1]])
            settled = self._settled.get((pattern[0], grades)) or self._settle(facts, grades)
            if (pattern[0], grades) in self._settled:
                self._by_codes[pattern] = settled
        return self._told(settled, facts)

    def _told(self, settled: _Settled, facts: ClickFacts) -> Judgement:
        """The judgement with its reasons."""
        if not settled.found:
            return settled.judgement
        told = [signal for step in settled.found for signal in run_check(step[0], step[1], facts.click.click_id, facts, step[2])]
        if not all(signal.found for signal in told):
            return self._in_full(facts)
        return replace(settled.judgement, reasons=tuple(reason_of(signal) for signal in findings(told)))

    def _in_full(self, facts: ClickFacts) -> Judgement:
        verdict = self._full(facts, self._checks.run(facts.click.click_id, facts))
        return Judgement(verdict.outcome, verdict.score, verdict.reasons)

    def _settle(self, facts: ClickFacts, grades: tuple[Grade, ...]) -> _Settled:
        signals = self._checks.run(facts.click.click_id, facts)
        verdict = self._full(facts, signals)
        found = tuple(
            (spec, CLICK_CHECK_FUNCTIONS[spec.check_id], limits)
            for (spec, _, limits), grade in zip(self._checks.steps, grades, strict=True)
            if is_finding(grade)
        )
        settled = _Settled(Judgement(verdict.outcome, verdict.score, ()), found)
        if len(self._settled) < _MOST_PATTERNS and not any(signal.status is Status.ERROR for signal in signals):
            self._settled[bool(facts.degraded), grades] = settled
        return settled
