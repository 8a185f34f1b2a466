"""Scoring a conversion while the tracker waits: find its click, count it, check, decide, freeze; and the same again for a replay.

No model speaks: what makes a single conversion suspect is its click, its customer and the affiliate behind it. A repeated `conversion_id`
gets the answer it got the first time and is counted once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

import msgspec

from fraud.checks.conversions import CONVERSION_CHECK_FUNCTIONS
from fraud.checks.conversions.facts import CLICKS_UNREADABLE, FUTURE, ClickState, ConversionFacts, Degraded
from fraud.checks.running import PreparedChecks, prepare
from fraud.decisions.deciding import decide_event
from fraud.decisions.facts import conversion_facts
from fraud.decisions.ruling import Case
from fraud.domain.actors import SYSTEM
from fraud.domain.clicks import Clicks, EventKey, ListedClicks
from fraud.domain.clock import Clock, as_utc
from fraud.domain.counting import Counters
from fraud.domain.decisions import Artefact, Decision, DecisionKind, Outcome, SubjectKind, Verdict
from fraud.domain.events import Click, Conversion, Visit
from fraud.domain.ids import id_of_event, new_id
from fraud.domain.newest import Newest
from fraud.domain.signals import Reason, Signal
from fraud.errors import ReplayError, StorageError
from fraud.features.realtime_conversions import (
    COUNTED_FEATURE_NAMES,
    ObservedConversion,
    conversion_feature_set_hash,
    observe_conversion,
    visit_features,
)
from fraud.policy.pack import Pack
from fraud.workflows.answering import AnswerBook
from fraud.workflows.scoring import agent_facts, is_ahead, milliseconds
from fraud.workflows.standing import AffiliateRisks

ClickFinder = Callable[[str, Sequence[str]], Mapping[str, Click]]
"""Program and click ids to those of the clicks that are on record; a `StorageError` when the records cannot be read.

To ask for many at once costs little more than to ask for one.
"""

_Found = tuple[ClickState, Click | None]

OwnIdentities = Callable[[Conversion], tuple[str, ...] | None]
"""The kinds of identity that a conversion's customer shares with its affiliate's own record; `None` when nothing can be compared."""

VisitFinder = Callable[[str, str], tuple[Visit, ...]]
"""Program and click id to the reports of the landing pages' tag that have come in on that click."""


def no_visits(program_id: str, click_id: str) -> tuple[Visit, ...]:
    """Where no tag reports."""
    return ()


class RecentClicks:
    """The newest clicks by program and id, for the conversions that follow while their decisions are still on the way to the store."""

    def __init__(self, most: int = 100_000) -> None:
        self._clicks: Newest[EventKey, Clicks] = Newest(most)
        self._lock = threading.Lock()

    def remember(self, click: Click) -> None:
        """Keeps a click, and lets the oldest go when there are too many."""
        self.remember_all(ListedClicks([click]))

    def remember_all(self, clicks: Clicks) -> None:
        """`remember` each."""
        with self._lock:
            if self._clicks.keys().isdisjoint(clicks.keys):
                self._clicks.add(clicks.keys, clicks)
            else:
                self._add_each(clicks)

    def _add_each(self, clicks: Clicks) -> None:
        """The newest of those that are the same counts."""
        for place, key in enumerate(clicks.keys):
            if self._clicks.get(key) is not None:
                self._clicks.drop((key,))
            self._clicks.add((key,), clicks[place : place + 1])

    def find(self, program_id: str, click_id: str) -> Click | None:
        """The click, if it came lately."""
        key = (program_id, click_id)
        of = self._clicks.get(key)
        return of.one(of.keys.index(key)) if of is not None else None


class ConversionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a conversion. `score` is 0..1, higher is riskier; `click_found` says whether its click is on record.

    `live` stands in answers to keys in shadow: the decision that a live key would have been told.
    """

    request_id: str
    decision_id: str
    conversion_id: str
    decision: Outcome
    score: float
    reasons: tuple[Reason, ...]
    degraded: bool
    policy: Artefact
    models: tuple[Artefact, ...]
    click_found: bool
    latency_ms: float
    live: Outcome | msgspec.UnsetType = msgspec.UNSET


def shared_decision_id(conversion: Conversion, now: datetime) -> str:  # whenever it is
    """The name that every worker gives the decision on a conversion."""
    return id_of_event("dec", as_utc(conversion.converted_at), conversion.program_id, "conversion", conversion.conversion_id)


class ScoredConversion(msgspec.Struct, frozen=True):
    """The answer, and the decision that was recorded for it; `None` when it was answered before."""

    answer: ConversionAnswer
    decision: Decision | None


def new_decision_id(conversion: Conversion, now: datetime) -> str:  # whichever conversion it is
    """A new name for the decision on a conversion."""
    return new_id("dec", now)


@dataclass(frozen=True)
class ConversionTools:
    """What scoring conversions works with; `earlier` finds the decision on one that was answered before this process knew it, and
    `answered` holds those that an earlier process answered lately. `decision_id` names a decision, anew or as other workers would."""

    priors: AffiliateRisks
    counters: Counters
    clicks_of: ClickFinder
    own_identities: OwnIdentities
    record: Callable[[Decision], None]
    clock: Clock
    earlier: Callable[[str, str], Decision | None] = lambda program_id, conversion_id: None
    answered: AbstractSet[EventKey] = frozenset()
    answers: int = 100_000
    visits_of: VisitFinder = no_visits
    decision_id: Callable[[Conversion, datetime], str] = new_decision_id


class ConversionScorer:
    """Scores the conversions of programs that share one pack. May be used from any number of threads."""

    def __init__(self, pack: Pack, tools: ConversionTools, given: AnswerBook[ConversionAnswer] | None = None) -> None:
        """`given` are the answers of the scorer that this one follows."""
        self.pack = pack
        self._tools = tools
        self._checks = conversion_checks_of(pack)
        self._features = conversion_feature_set_hash()
        self.given: AnswerBook[ConversionAnswer] = AnswerBook(tools.answers) if given is None else given

    def score_many(self, conversions: Sequence[Conversion], request_id: str = "") -> list[ScoredConversion]:
        """`score` of each conversion of one program, in their order; their clicks are looked up together."""
        found = self._look_up([one for one in conversions if self.given.known((one.program_id, one.conversion_id)) is None])
        return [self.score(conversion, request_id, found) for conversion in conversions]

    def score(
        self, conversion: Conversion, request_id: str = "", found: Mapping[str, Click] | StorageError | None = None
    ) -> ScoredConversion:
        """Scores one conversion as of its own time and records the decision; `found` has its click if that was looked up already.

        Raises `StorageError` when the decision cannot be kept.
        """
        started = self._tools.clock.now()
        key = (conversion.program_id, conversion.conversion_id)
        if (known := self.given.known(key)) is not None:
            return ScoredConversion(known, None)
        if key in self._tools.answered and (earlier := self._tools.earlier(*key)) is not None:
            return self._as_before(key, earlier, started)
        state, click = _state_of(conversion, self._look_up([conversion]) if found is None else found)
        observed = self._observed(conversion, click, started)
        if observed.repeated and (earlier := self._tools.earlier(*key)) is not None:
            return self._as_before(key, earlier, started)
        facts = self._facts(conversion, (state, click), observed, started)
        decision = self._decide(facts, started, request_id)
        answer = _answer(decision, facts, milliseconds(self._tools.clock.now() - started))
        return ScoredConversion(*self.given.settle(key, answer, self._tools.record, decision))

    def _as_before(self, key: EventKey, earlier: Decision, started: datetime) -> ScoredConversion:
        answer = _answer(earlier, conversion_facts_of(earlier), milliseconds(self._tools.clock.now() - started))
        return ScoredConversion(self.given.keep(key, answer), None)

    def _look_up(self, conversions: Sequence[Conversion]) -> Mapping[str, Click] | StorageError:
        """The clicks of conversions of one program, or why they cannot be read: the conversions are answered all the same; the answers say
        `degraded`, and their checks `inconclusive`."""
        named = [one.click_id for one in conversions if one.click_id]
        try:
            return self._tools.clicks_of(conversions[0].program_id, list(dict.fromkeys(named))) if named else {}
        except StorageError as fault:
            return fault

    def _observed(self, conversion: Conversion, click: Click | None, now: datetime) -> ObservedConversion:
        if is_ahead(conversion.converted_at, now):
            return ObservedConversion(dict.fromkeys(COUNTED_FEATURE_NAMES), repeated=False)
        return observe_conversion(self._tools.counters, conversion, click)

    def _facts(self, conversion: Conversion, found: _Found, observed: ObservedConversion, now: datetime) -> ConversionFacts:
        state, click = found
        visits = self._tools.visits_of(click.program_id, click.click_id) if click else ()
        unread: Degraded = CLICKS_UNREADABLE if state == "unreadable" else ""
        sub_id = conversion.sub_id or (click.sub_id if click else None)
        return ConversionFacts(
            conversion=conversion,
            features=observed.features | visit_features(click, visits),
            visits=visits,
            click_state=state,
            click=click,
            agent=agent_facts((click.user_agent if click else None) or conversion.user_agent),
            standing=self._tools.priors.standing(conversion.program_id, conversion.affiliate_id, sub_id),
            own_identities=self._tools.own_identities(conversion),
            degraded=FUTURE if is_ahead(conversion.converted_at, now) else unread,
        )

    def _decide(self, facts: ConversionFacts, started: datetime, request_id: str) -> Decision:
        conversion = facts.conversion
        signals = self._checks.run(conversion.conversion_id, facts)
        return Decision(
            decision_id=self._tools.decision_id(conversion, started),
            program_id=conversion.program_id,
            kind=DecisionKind.CONVERSION,
            subject_kind=SubjectKind.CONVERSION,
            subject_id=conversion.conversion_id,
            as_of=as_utc(conversion.converted_at),
            decided_at=started,
            decided_by=SYSTEM.actor_id,
            verdict=conversion_verdict(self.pack, facts, signals),
            signals=signals,
            policy=self.pack.artefact,
            feature_set_hash=self._features,
            inputs=msgspec.to_builtins(facts),
            run_id=request_id,
        )


def _state_of(conversion: Conversion, found: Mapping[str, Click] | StorageError) -> _Found:
    if not conversion.click_id:
        return "unnamed", None
    if isinstance(found, StorageError):
        return "unreadable", None
    click = found.get(conversion.click_id)
    return ("found", click) if click is not None else ("missing", None)


def conversion_checks_of(pack: Pack) -> PreparedChecks[ConversionFacts]:
    """The checks of a conversion that the pack has switched on, ready to run over many."""
    return prepare(pack, DecisionKind.CONVERSION, CONVERSION_CHECK_FUNCTIONS)


def conversion_verdict(pack: Pack, facts: ConversionFacts, signals: tuple[Signal, ...]) -> Verdict:
    """Allow, review or block; one judged with less than usual passes only where the pack fails open."""
    return decide_event(pack, Case(DecisionKind.CONVERSION, signals, conversion_facts(facts)), degraded=bool(facts.degraded))


def conversion_facts_of(decision: Decision) -> ConversionFacts:
    """What the checks saw when a conversion was decided. Raises `ReplayError` when that was erased or belongs to another job."""
    if decision.kind is not DecisionKind.CONVERSION:
        raise ReplayError(f"The decision {decision.decision_id} is not about a conversion; replay it as the {decision.kind.value} it is.")
    try:
        return msgspec.convert(decision.inputs, ConversionFacts)
    except msgspec.ValidationError as fault:
        raise ReplayError(f"What the decision {decision.decision_id} was based on is no longer complete ({fault}).") from fault


def _answer(decision: Decision, facts: ConversionFacts, latency_ms: float) -> ConversionAnswer:
    return ConversionAnswer(
        request_id=decision.run_id,
        decision_id=decision.decision_id,
        conversion_id=decision.subject_id,
        decision=decision.verdict.outcome,
        score=decision.verdict.score,
        reasons=decision.verdict.reasons,
        degraded=bool(facts.degraded),
        policy=decision.policy,
        models=decision.models,
        click_found=facts.click_state == "found",
        latency_ms=latency_ms,
    )
