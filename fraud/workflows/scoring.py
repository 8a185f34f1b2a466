"""Scoring clicks while the tracker waits: count them, ask the model, check, decide, record.

A repeated `click_id` gets the answer it got the first time and is counted once. Without a model, or past the deadline, the rules alone
decide and the answer says `degraded`; whether such a click may pass is the policy's `fail_open`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from fraud.checks.clicks.facts import DEADLINE, FUTURE, NO_MODEL, Degraded, ManyClickFacts
from fraud.checks.standing import AffiliateStanding, AgentFacts
from fraud.detection.clicks import ClickModel, ClickScores
from fraud.domain.clicks import Clicks, EventKey, ListedClicks, clicks_of
from fraud.domain.clock import Clock, as_utc, microseconds, moment_at
from fraud.domain.counting import UNKNOWN, Counters
from fraud.domain.decisions import Artefact, Decision
from fraud.domain.events import Click
from fraud.domain.ids import id_of_event, new_ids
from fraud.domain.shared import Shared
from fraud.enrichment.agents import declaration_of
from fraud.features.identities import parts_of
from fraud.features.realtime import CLICK_FEATURE_NAMES, MEASURES, click_feature_set_hash, identified_of, sightings_of, vectors_of
from fraud.policy.pack import Pack
from fraud.workflows.answered import AnsweredClicks, ClickAnswer
from fraud.workflows.answering import AnswerBook
from fraud.workflows.click_decisions import checks_of, click_verdict, decision_on, facts_of, replay_click, replayed_facts
from fraud.workflows.judged import JudgedClick, JudgedClicks, records_of
from fraud.workflows.judging import FEW, ClickJudge
from fraud.workflows.standing import AffiliateRisks, ScanRisks, UnknownRisks

__all__ = [
    "AffiliateRisks",
    "AnsweredClicks",
    "ClickAnswer",
    "ClickScorer",
    "JudgedClick",
    "JudgedClicks",
    "ScanRisks",
    "ScoredClick",
    "ScoringTools",
    "ServedModel",
    "UnknownRisks",
    "checks_of",
    "click_verdict",
    "decision_on",
    "facts_of",
    "replay_click",
    "replayed_facts",
]

DEADLINE_DEFAULT = timedelta(milliseconds=150)
"""Time after which trackers stop waiting (24metrics advises its customers to break the circuit there)."""

AHEAD = timedelta(days=1)
"""How far a click's time may be ahead of this machine's clock (a zone that was left out: at most 14 hours). Counting one from further ahead
would move the windows on, and with them what they know of everybody."""


GROUP = 500
"""Clicks that are counted, judged and recorded in one step: enough to share what a step costs, few enough for others to come between."""


class ScoredClick(msgspec.Struct, frozen=True):
    """The answer, and the decision that was recorded for it; `None` when the click was answered before and its decision already stands."""

    answer: ClickAnswer
    decision: Decision | None


@dataclass(frozen=True)
class ServedModel:
    """A model of clicks and the name and hash under which the registry keeps it."""

    model: ClickModel
    artefact: Artefact


def new_decision_ids(clicks: Clicks, now: datetime) -> list[str]:
    """New names for the decisions on clicks."""
    return new_ids("dec", now, len(clicks))


def shared_decision_ids(clicks: Clicks, now: datetime) -> list[str]:  # whenever it is
    """Names for the decisions on clicks that every worker gives them."""
    return [id_of_event("dec", moment_at(at), *key) for at, key in zip(clicks.at().tolist(), clicks.keys, strict=True)]


@dataclass(frozen=True)
class ScoringTools:
    """What scoring works with, shared by the scorers of all programs.

    `record` keeps a decision, and `judged` what decisions will follow from, without waiting for anything; `earlier` finds the decision on a
    click answered before this process knew it (program and click id), and `answered` holds those that an earlier process answered lately,
    so that a repeat is known after a restart without asking for each click;
    `seen` is told of clicks that were answered for the first time; `decision_ids` names their decisions, anew unless other workers may
    answer the same clicks at the same moment: then as they would (`shared_decision_ids`), and what arrives twice is one decision;
    `deadline` is the time after which the model is no longer asked; `answers` is how many answers are kept for repeats.
    """

    priors: AffiliateRisks
    counters: Counters
    record: Callable[[Decision], None]
    clock: Clock
    judged: Callable[[JudgedClicks], None] | None = None
    earlier: Callable[[str, str], Decision | None] = lambda program_id, click_id: None
    answered: AbstractSet[tuple[str, str]] = frozenset()
    seen: Callable[[Clicks], None] = lambda clicks: None
    decision_ids: Callable[[Clicks, datetime], Sequence[str]] = new_decision_ids
    deadline: timedelta = DEADLINE_DEFAULT
    answers: int = 100_000


@dataclass(frozen=True)
class _Observed:
    """What the counters made of clicks: features (clicks, features), who is `identified` (clicks,), and the places of those that were
    counted before and of those too far `ahead` of the clock to be counted."""

    vectors: NDArray[np.float64]
    identified: NDArray[np.bool_]
    repeated: frozenset[int]
    ahead: frozenset[int]

    def only(self, places: Sequence[int]) -> _Observed:
        """Those at some places, none of which was counted before."""
        ahead = frozenset(new for new, place in enumerate(places) if place in self.ahead)
        return _Observed(self.vectors[places], self.identified[places], frozenset(), ahead)


_NO_CLICK = Click(
    click_id="warm-up",
    clicked_at=datetime(2026, 1, 1, tzinfo=UTC),
    affiliate_id="warm-up",
    ip="192.0.2.1",
    user_agent="Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
)


class ClickScorer:
    """Scores the clicks of programs that share one pack and one model. May be used from any number of threads.

    Raises `ModelError` when the model was fitted on other features than are computed now.
    """

    def __init__(self, pack: Pack, model: ServedModel | None, tools: ScoringTools, given: AnswerBook[ClickAnswer] | None = None) -> None:
        """`given` are the answers of the scorer that this one follows: what it answered is not answered anew."""
        self.pack = pack
        self.model = model
        self._tools = tools
        self._models = (model.artefact,) if model else ()
        self._policy = pack.artefact
        self._checks = checks_of(pack)
        self._judge = ClickJudge(pack, self._checks, lambda facts, signals: click_verdict(pack, facts, signals))
        self._features = click_feature_set_hash()
        self.given: AnswerBook[ClickAnswer] = AnswerBook(tools.answers) if given is None else given
        if model:
            model.model.require_current_features()
        self._warm_up()

    def score(self, click: Click, request_id: str = "") -> ScoredClick:
        """Scores one click as of its own time and records the decision. Raises `StorageError` when the decision cannot be kept."""
        started = self._tools.clock.now()
        key = (click.program_id, click.click_id)
        known = self.given.known(key)
        if known is not None:
            return ScoredClick(known, None)
        if key in self._tools.answered and (earlier := self._tools.earlier(*key)) is not None:
            return self._as_before(key, earlier, started)
        alone = ListedClicks([click])
        seen = self._observed(alone, started)
        if seen.repeated and (earlier := self._tools.earlier(*key)) is not None:
            return self._as_before(key, earlier, started)
        judged = self._judged(self._facts(alone, seen, started), self._tools.decision_ids(alone, started), [request_id], started)
        decision = decision_on(judged.of(0), self.pack, self._checks)
        answer = _answer(decision, milliseconds(self._tools.clock.now() - started))
        scored = ScoredClick(*self.given.settle(key, answer, self._tools.record, decision))
        self._tools.seen(alone)
        return scored

    def answer(self, click: Click, request_id: str = "") -> ClickAnswer:
        """The answer to a click; what was seen is recorded (`ScoringTools.judged`), to be put into words later."""
        given = self.answer_from_memory(click, request_id)
        return given if given is not None else self.score(click, request_id).answer

    def answer_from_memory(self, click: Click, request_id: str = "") -> ClickAnswer | None:
        """`answer`, or `None` where a store would have to be asked first: whether the click was answered before this process knew it."""
        known = self.given.known((click.program_id, click.click_id))
        if known is not None:
            return known
        if self._tools.judged is None or (click.program_id, click.click_id) in self._tools.answered:
            return None
        return next(iter(self._answer_first(ListedClicks([click]), [request_id])))

    def answer_many(self, clicks: Sequence[Click], request_ids: Sequence[str]) -> list[ClickAnswer]:
        """`answer` of each click, in their order; clicks are counted, asked the model about and recorded in groups."""
        return self._all_of(self.answer_many_from_memory(clicks, request_ids), clicks, request_ids)

    def answer_in_groups(self, clicks: Sequence[Click], request_ids: Sequence[str]) -> list[AnsweredClicks | list[ClickAnswer]]:
        """`answer_many` in groups, by column where all clicks of a group are new."""
        starts, some = range(0, len(clicks), GROUP), clicks_of(clicks)
        return [self._answer_group(some[start : start + GROUP], request_ids[start : start + GROUP]) for start in starts]

    def _answer_group(self, clicks: Clicks, request_ids: Sequence[str]) -> AnsweredClicks | list[ClickAnswer]:
        keys = clicks.keys
        new = len(set(keys)) == len(keys) and self.given.knows_none(keys) and self._tools.answered.isdisjoint(keys)
        if not new or self._tools.judged is None:
            return self.answer_many(clicks, request_ids)
        given = self._answer_first(clicks, request_ids)
        if isinstance(given, AnsweredClicks):
            return given
        return self._all_of(given, clicks, request_ids)

    def _all_of(self, given: Iterable[ClickAnswer | None], clicks: Sequence[Click], request_ids: Sequence[str]) -> list[ClickAnswer]:
        """The answers, where some store has to be asked first those too."""
        return [
            found if found is not None else self.answer(click, request_id)
            for found, click, request_id in zip(given, clicks, request_ids, strict=True)
        ]

    def answer_many_from_memory(self, clicks: Sequence[Click], request_ids: Sequence[str]) -> list[ClickAnswer | None]:
        """`answer_from_memory` of each click, in their order; the second of two that are the same is left out too."""
        some = clicks_of(clicks)
        keys = some.keys
        given = [self.given.known(key) for key in keys]
        if self._tools.judged is None:
            return given
        first: dict[EventKey, int] = {}
        for place, key in enumerate(keys):
            if given[place] is None and key not in self._tools.answered:
                first.setdefault(key, place)
        unknown = list(first.values())
        for start in range(0, len(unknown), GROUP):
            group = unknown[start : start + GROUP]
            answers = self._answer_first(some.only(group), [request_ids[place] for place in group])
            for place, answer in zip(group, answers, strict=True):
                given[place] = answer
        return given

    def _answer_first(self, clicks: Clicks, request_ids: Sequence[str]) -> AnsweredClicks | Sequence[ClickAnswer | None]:
        """The answers to clicks that differ; `None` for what was counted before, which some store may know."""
        started = self._tools.clock.now()
        seen = self._observed(clicks, started)
        if not seen.repeated:
            return self._settled(self._facts(clicks, seen, started), request_ids, started)
        kept = [place for place in range(len(clicks)) if place not in seen.repeated]
        if not kept:
            return [None] * len(clicks)
        facts = self._facts(clicks.only(kept), seen.only(kept), started)
        answers = iter(self._settled(facts, [request_ids[place] for place in kept], started))
        return [None if place in seen.repeated else next(answers) for place in range(len(clicks))]

    def _settled(self, facts: ManyClickFacts, request_ids: Sequence[str], started: datetime) -> AnsweredClicks | Sequence[ClickAnswer]:
        """The answers, recorded; where another thread was quicker, the one it gave."""
        judged = self._judged(facts, self._tools.decision_ids(facts.clicks, started), request_ids, started)
        judgements = self._judge.judge_many(facts)
        answered = AnsweredClicks(judged, judgements, milliseconds(self._tools.clock.now() - started))
        keys = facts.clicks.keys
        record = self._tools.judged
        assert record is not None
        if len(facts) >= FEW and self.given.settle_together(keys, answered, lambda: record(judged)):
            self._tools.seen(facts.clicks)
            return answered
        answers = list(answered)
        given = self.given.settle_many(keys, answers, lambda own: record(judged if len(own) == len(judged) else judged.only(own)))
        self._tools.seen(facts.clicks)
        return given

    def _as_before(self, key: EventKey, earlier: Decision, started: datetime) -> ScoredClick:
        return ScoredClick(self.given.keep(key, _answer(earlier, milliseconds(self._tools.clock.now() - started))), None)

    def _observed(self, clicks: Clicks, now: datetime) -> _Observed:
        """The clicks counted; one from the future is not: it would push out what is known of now."""
        parts, future = parts_of(clicks), clicks.at() > microseconds(now + AHEAD)
        identified = identified_of(parts)
        ahead: frozenset[int] = frozenset(future.nonzero()[0].tolist()) if future.any() else frozenset()
        if not ahead:
            answers = self._tools.counters.observe_many(sightings_of(clicks, parts))
            return _Observed(vectors_of(answers.values), identified, answers.repeated, ahead)
        vectors = np.full((len(clicks), len(CLICK_FEATURE_NAMES)), UNKNOWN)
        present = [place for place in range(len(clicks)) if place not in ahead]
        repeated: frozenset[int] = frozenset()
        if present:
            answers = self._tools.counters.observe_many(sightings_of(clicks.only(present), parts[present]))
            vectors[present] = vectors_of(answers.values)
            repeated = frozenset(present[place] for place in answers.repeated)
        return _Observed(vectors, identified, repeated, ahead)

    def _warm_up(self) -> None:
        """Loads compiled code and patterns now, by judging clicks that never were, so that no tracker waits for them."""
        if self.model:
            self.model.model.warm_up()
        now = self._tools.clock.now()
        for clicks in (ListedClicks([_NO_CLICK]), ListedClicks([_NO_CLICK] * FEW)):
            vectors = vectors_of(np.full((len(clicks), len(MEASURES)), UNKNOWN))
            seen = _Observed(vectors, identified_of(parts_of(clicks)), frozenset(), frozenset())
            facts = self._facts(clicks, seen, now)
            judged = self._judged(facts, [""] * len(clicks), [""] * len(clicks), now)
            records_of(judged)
            AnsweredClicks(judged, self._judge.judge_many(facts), 0.0).encoded()

    def _facts(self, clicks: Clicks, seen: _Observed, started: datetime) -> ManyClickFacts:
        """What the checks see of the clicks."""
        late = self._tools.clock.now() - started > self._tools.deadline
        otherwise: Degraded = NO_MODEL if self.model is None else DEADLINE if late else ""
        degraded: list[Degraded] = [otherwise] * len(clicks)
        for place in seen.ahead:
            degraded[place] = FUTURE
        said = self._said(seen, otherwise)
        agents = clicks.column("user_agent")
        return ManyClickFacts(
            clicks=clicks,
            features=seen.vectors,
            identified=seen.identified,
            agents=Shared.by(agents, {text: agent_facts(text) for text in set(agents)}),
            standings=self._standings(clicks),
            scores=said.scores,
            p_values=said.p_values,
            named={place: tuple([part.feature for part in parts]) for place, parts in said.contributions.items()},
            degraded=degraded,
        )

    def _said(self, seen: _Observed, otherwise: Degraded) -> ClickScores:
        """What the model says of the clicks; NaN of those it is not asked about."""
        count = len(seen.vectors)
        if self.model and not otherwise and not seen.ahead:
            return self.model.model.score_columns(seen.vectors)
        scores, p_values = np.full(count, UNKNOWN), np.full(count, UNKNOWN)
        asked = [] if otherwise else [place for place in range(count) if place not in seen.ahead]
        if not self.model or not asked:
            return ClickScores(scores, p_values, {})
        said = self.model.model.score_columns(seen.vectors[asked])
        scores[asked], p_values[asked] = said.scores, said.p_values
        return ClickScores(scores, p_values, {asked[place]: parts for place, parts in said.contributions.items()})

    def _standings(self, clicks: Clicks) -> Shared[AffiliateStanding]:
        program_id, affiliates, sub_ids = clicks.program_id, clicks.column("affiliate_id"), clicks.column("sub_id")
        if program_id is not None:
            return self._tools.priors.standings(program_id, affiliates, sub_ids)
        programs = clicks.column("program_id")
        return Shared.of([self._tools.priors.standing(*one) for one in zip(programs, affiliates, sub_ids, strict=True)])

    def _judged(self, facts: ManyClickFacts, ids: Sequence[str], request_ids: Sequence[str], started: datetime) -> JudgedClicks:
        return JudgedClicks(ids, started, request_ids, facts, self._policy, self._models, self._features)


def is_ahead(moment: datetime, now: datetime) -> bool:
    """Whether an event's time is so far ahead of our clock that counting it would spoil what is known of now."""
    return as_utc(moment) - now > AHEAD


def agent_facts(user_agent: str | None) -> AgentFacts | None:
    """What a user agent declares; `None` when there is none."""
    if not user_agent:
        return None
    why = declaration_of(user_agent)
    return _UNDECLARED if why is None else AgentFacts(declared_bot=True, why=why)


_UNDECLARED = AgentFacts(declared_bot=False)


def _answer(decision: Decision, latency_ms: float) -> ClickAnswer:
    return ClickAnswer(
        request_id=decision.run_id,
        decision_id=decision.decision_id,
        click_id=decision.subject_id,
        decision=decision.verdict.outcome,
        score=decision.verdict.score,
        reasons=decision.verdict.reasons,
        degraded=bool(decision.inputs.get("degraded")),
        policy=decision.policy,
        models=decision.models,
        latency_ms=latency_ms,
    )


def milliseconds(duration: timedelta) -> float:
    """A duration in milliseconds, never below zero."""
    return round(max(duration.total_seconds(), 0.0) * 1000, 3)
