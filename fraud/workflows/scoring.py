"""Scoring a click while the tracker waits: count it, ask the model, check, decide, freeze; and the same again for a replay.

A repeated `click_id` gets the answer it got the first time and is counted once. Without a model, or past the deadline, the rules alone
decide and the answer says `degraded`; whether such a click may pass is the policy's `fail_open`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fraud.checks.clicks import CLICK_CHECK_FUNCTIONS
from fraud.checks.clicks.facts import DEADLINE, FUTURE, NO_MODEL, ClickFacts, Degraded, ModelView
from fraud.checks.running import PreparedChecks, prepare
from fraud.checks.standing import AgentFacts
from fraud.decisions.deciding import decide_event
from fraud.decisions.facts import click_facts
from fraud.decisions.ruling import Case
from fraud.detection.clicks import ClickModel
from fraud.domain.actors import SYSTEM
from fraud.domain.clock import Clock, as_utc
from fraud.domain.counting import UNKNOWN, Counters
from fraud.domain.decisions import Artefact, Decision, DecisionKind, Outcome, SubjectKind, Verdict
from fraud.domain.events import Click
from fraud.domain.ids import new_id, new_ids
from fraud.domain.signals import Reason, Signal
from fraud.enrichment.agents import declaration_of
from fraud.errors import ReplayError
from fraud.features.realtime import (
    CLICK_FEATURE_NAMES,
    click_feature_set_hash,
    is_identified,
    observe_click,
    sightings_of,
    unobserved,
    vectors_of,
)
from fraud.policy.pack import Pack
from fraud.workflows.answering import AnswerBook, EventKey
from fraud.workflows.judging import ClickJudge, Judgement
from fraud.workflows.standing import AffiliateRisks, ScanRisks, UnknownRisks

__all__ = [
    "AffiliateRisks",
    "ClickAnswer",
    "ClickScorer",
    "ScanRisks",
    "ScoredClick",
    "ScoringTools",
    "ServedModel",
    "UnknownRisks",
    "click_features_of",
    "replay_click",
    "score_offline",
]

DEADLINE_DEFAULT = timedelta(milliseconds=150)
"""Time after which trackers stop waiting (24metrics advises its customers to break the circuit there)."""

AHEAD = timedelta(days=1)
"""How far a click's time may be ahead of this machine's clock (a zone that was left out: at most 14 hours). Counting one from further ahead
would move the windows on, and with them what they know of everybody."""


GROUP = 256
"""Clicks that are counted, judged and recorded in one step: enough to share what a step costs, few enough for others to come between."""


class ClickAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a click (CONTRACT 4). `score` is 0..1, higher is riskier; `latency_ms` is the time until it was known.

    `live` stands in answers to keys in shadow: the decision that a live key would have been told.
    """

    request_id: str
    decision_id: str
    click_id: str
    decision: Outcome
    score: float
    reasons: tuple[Reason, ...]
    degraded: bool
    policy: Artefact
    models: tuple[Artefact, ...]
    latency_ms: float
    live: Outcome | msgspec.UnsetType = msgspec.UNSET


class ScoredClick(msgspec.Struct, frozen=True):
    """The answer, and the decision that was recorded for it; `None` when the click was answered before and its decision already stands."""

    answer: ClickAnswer
    decision: Decision | None


class JudgedClick(msgspec.Struct, frozen=True, array_like=True):
    """What was seen when a click was answered: all that its decision follows from (`decision_on`), small and quick to write down."""

    decision_id: str
    decided_at: datetime
    request_id: str
    facts: ClickFacts
    policy: Artefact
    models: tuple[Artefact, ...]
    feature_set_hash: str


@dataclass(frozen=True)
class ServedModel:
    """A model of clicks and the name and hash under which the registry keeps it."""

    model: ClickModel
    artefact: Artefact


@dataclass(frozen=True)
class ScoringTools:
    """What scoring works with, shared by the scorers of all programs.

    `record` keeps a decision, and `judged` what decisions will follow from, without waiting for anything; `earlier` finds the decision on a
    click answered before this process knew it (program and click id), and `answered` holds those that an earlier process answered lately,
    so that a repeat is known after a restart without asking for each click;
    `seen` is told of each click that was answered for the first time;
    `deadline` is the time after which the model is no longer asked; `answers` is how many answers are kept for repeats.
    """

    priors: AffiliateRisks
    counters: Counters
    record: Callable[[Decision], None]
    clock: Clock
    judged: Callable[[Sequence[JudgedClick]], None] | None = None
    earlier: Callable[[str, str], Decision | None] = lambda program_id, click_id: None
    answered: AbstractSet[tuple[str, str]] = frozenset()
    seen: Callable[[Click], None] = lambda click: None
    deadline: timedelta = DEADLINE_DEFAULT
    answers: int = 100_000


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

    def __init__(self, pack: Pack, model: ServedModel | None, tools: ScoringTools) -> None:
        self.pack = pack
        self.model = model
        self._tools = tools
        self._models = (model.artefact,) if model else ()
        self._policy = pack.artefact
        self._checks = checks_of(pack)
        self._judge = ClickJudge(pack, self._checks, lambda facts, signals: click_verdict(pack, facts, signals))
        self._features = click_feature_set_hash()
        self._given: AnswerBook[ClickAnswer] = AnswerBook(tools.answers)
        if model:
            model.model.require_current_features()
        self._warm_up()

    def score(self, click: Click, request_id: str = "") -> ScoredClick:
        """Scores one click as of its own time and records the decision. Raises `StorageError` when the decision cannot be kept."""
        started = self._tools.clock.now()
        key = (click.program_id, click.click_id)
        known = self._given.known(key)
        if known is not None:
            return ScoredClick(known, None)
        if key in self._tools.answered and (earlier := self._tools.earlier(*key)) is not None:
            return self._as_before(key, earlier, started)
        vector, repeated = self._observed(click, started)
        if repeated and (earlier := self._tools.earlier(*key)) is not None:
            return self._as_before(key, earlier, started)
        judged = self._judged(self._facts(click, vector, started), new_id("dec", started), request_id, started)
        decision = decision_on(judged, self.pack, self._checks)
        answer = _answer(decision, milliseconds(self._tools.clock.now() - started))
        scored = ScoredClick(*self._given.settle(key, answer, self._tools.record, decision))
        self._tools.seen(click)
        return scored

    def answer(self, click: Click, request_id: str = "") -> ClickAnswer:
        """The answer to a click; what was seen is recorded (`ScoringTools.judged`), to be put into words later."""
        given = self.answer_from_memory(click, request_id)
        return given if given is not None else self.score(click, request_id).answer

    def answer_from_memory(self, click: Click, request_id: str = "") -> ClickAnswer | None:
        """`answer`, or `None` where a store would have to be asked first: whether the click was answered before this process knew it."""
        known = self._given.known((click.program_id, click.click_id))
        if known is not None:
            return known
        if self._tools.judged is None or (click.program_id, click.click_id) in self._tools.answered:
            return None
        return self._answer_first([click], [request_id])[0]

    def answer_many(self, clicks: Sequence[Click], request_ids: Sequence[str]) -> list[ClickAnswer]:
        """`answer` of each click, in their order; clicks are counted, asked the model about and recorded in groups."""
        given = self.answer_many_from_memory(clicks, request_ids)
        return [
            found if found is not None else self.answer(click, request_id)
            for found, click, request_id in zip(given, clicks, request_ids, strict=True)
        ]

    def answer_many_from_memory(self, clicks: Sequence[Click], request_ids: Sequence[str]) -> list[ClickAnswer | None]:
        """`answer_from_memory` of each click, in their order; the second of two that are the same is left out too."""
        keys = [(click.program_id, click.click_id) for click in clicks]
        given = [self._given.known(key) for key in keys]
        if self._tools.judged is None:
            return given
        first: dict[EventKey, int] = {}
        for place, key in enumerate(keys):
            if given[place] is None and key not in self._tools.answered:
                first.setdefault(key, place)
        unknown = list(first.values())
        for start in range(0, len(unknown), GROUP):
            group = unknown[start : start + GROUP]
            answers = self._answer_first([clicks[place] for place in group], [request_ids[place] for place in group])
            for place, answer in zip(group, answers, strict=True):
                given[place] = answer
        return given

    def _answer_first(self, clicks: Sequence[Click], request_ids: Sequence[str]) -> list[ClickAnswer | None]:
        """The answers to clicks that differ; `None` for what was counted before, which some store may know."""
        started = self._tools.clock.now()
        vectors, repeated = self._observed_many(clicks, started)
        kept = [place for place in range(len(clicks)) if place not in repeated]
        if not kept:
            return [None] * len(clicks)
        facts = self._facts_of_many([clicks[place] for place in kept], vectors[kept], started)
        answers = iter(self._settled(facts, [request_ids[place] for place in kept], started))
        return [None if place in repeated else next(answers) for place in range(len(clicks))]

    def _settled(self, facts: Sequence[ClickFacts], request_ids: Sequence[str], started: datetime) -> list[ClickAnswer]:
        """The answers, recorded; where another thread was quicker, the one it gave."""
        ids = new_ids("dec", started, len(facts))
        judged = [self._judged(*one, started) for one in zip(facts, ids, request_ids, strict=True)]
        judgements = [self._judge.judge(one) for one in facts]
        latency = milliseconds(self._tools.clock.now() - started)
        answers = [self._answer(*one, latency) for one in zip(judged, judgements, strict=True)]
        keys = [(one.click.program_id, one.click.click_id) for one in facts]
        assert self._tools.judged is not None
        given = self._given.settle_many(keys, answers, self._tools.judged, judged)
        for one in facts:
            self._tools.seen(one.click)
        return given

    def _answer(self, judged: JudgedClick, judgement: Judgement, latency_ms: float) -> ClickAnswer:
        return ClickAnswer(
            request_id=judged.request_id,
            decision_id=judged.decision_id,
            click_id=judged.facts.click.click_id,
            decision=judgement.outcome,
            score=judgement.score,
            reasons=judgement.reasons,
            degraded=bool(judged.facts.degraded),
            policy=self._policy,
            models=judged.models,
            latency_ms=latency_ms,
        )

    def _as_before(self, key: EventKey, earlier: Decision, started: datetime) -> ScoredClick:
        return ScoredClick(self._given.keep(key, _answer(earlier, milliseconds(self._tools.clock.now() - started))), None)

    def _observed(self, click: Click, now: datetime) -> tuple[NDArray[np.float64], bool]:
        """The click's features, and the click counted; one from the future is not: it would push out what is known of now.

        Also whether it was counted before.
        """
        if is_ahead(click.clicked_at, now):
            return unobserved(), False
        seen = observe_click(self._tools.counters, click)
        return seen.vector, seen.repeated

    def _observed_many(self, clicks: Sequence[Click], now: datetime) -> tuple[NDArray[np.float64], frozenset[int]]:
        """`_observed` of many clicks: their features (clicks, features), and the places of those counted before."""
        limit = now + AHEAD
        present = [place for place, click in enumerate(clicks) if click.clicked_at <= limit]
        if len(present) == len(clicks):
            answers = self._tools.counters.observe_many(sightings_of(clicks))
            return vectors_of(answers.values), answers.repeated
        vectors = np.full((len(clicks), len(CLICK_FEATURE_NAMES)), UNKNOWN)
        if not present:
            return vectors, frozenset()
        vectors[present], repeated = self._observed_many([clicks[place] for place in present], now)
        return vectors, frozenset(present[place] for place in repeated)

    def _warm_up(self) -> None:
        """Loads compiled code and patterns now, by judging a click that never was, so that no tracker waits for them."""
        if self.model:
            self.model.model.warm_up()
        now = self._tools.clock.now()
        (facts,) = self._facts_of_many([_NO_CLICK], np.full((1, len(CLICK_FEATURE_NAMES)), UNKNOWN), now)
        self._answer(self._judged(facts, "", "", now), self._judge.judge(facts), 0.0)

    def _facts(self, click: Click, vector: NDArray[np.float64], started: datetime) -> ClickFacts:
        return self._facts_of_many([click], vector.reshape(1, -1), started)[0]

    def _facts_of_many(self, clicks: Sequence[Click], vectors: NDArray[np.float64], started: datetime) -> list[ClickFacts]:
        """What the checks see of each click, from the features of all (clicks, features)."""
        late, limit = self._tools.clock.now() - started > self._tools.deadline, started + AHEAD
        otherwise: Degraded = NO_MODEL if self.model is None else DEADLINE if late else ""
        degraded = [FUTURE if click.clicked_at > limit else otherwise for click in clicks]
        asked = [place for place, why in enumerate(degraded) if not why]
        views: list[ModelView | None] = [None] * len(clicks)
        if self.model and asked:
            for place, view in zip(asked, views_of(self.model.model, vectors[asked]), strict=True):
                views[place] = view
        known = vectors.astype(object)
        known[np.isnan(vectors)] = None
        standing = self._tools.priors.standing
        return [
            ClickFacts(
                click=click,
                features=dict(zip(CLICK_FEATURE_NAMES, values, strict=True)),
                identified=is_identified(click),
                agent=agent_facts(click.user_agent),
                standing=standing(click.program_id, click.affiliate_id, click.sub_id),
                model=view,
                degraded=why,
            )
            for click, values, view, why in zip(clicks, known.tolist(), views, degraded, strict=True)
        ]

    def _judged(self, facts: ClickFacts, decision_id: str, request_id: str, started: datetime) -> JudgedClick:
        return JudgedClick(decision_id, started, request_id, facts, self._policy, self._models if facts.model else (), self._features)


def decision_on(judged: JudgedClick, pack: Pack, checks: PreparedChecks[ClickFacts] | None = None) -> Decision:
    """The decision on a click in full, from what was seen when it was answered; `pack` is the one it was answered under."""
    facts = judged.facts
    signals = (checks or checks_of(pack)).run(facts.click.click_id, facts)
    return Decision(
        decision_id=judged.decision_id,
        program_id=facts.click.program_id,
        kind=DecisionKind.SCORE,
        subject_kind=SubjectKind.CLICK,
        subject_id=facts.click.click_id,
        as_of=as_utc(facts.click.clicked_at),
        decided_at=judged.decided_at,
        decided_by=SYSTEM.actor_id,
        verdict=click_verdict(pack, facts, signals),
        signals=signals,
        policy=judged.policy,
        models=judged.models,
        feature_set_hash=judged.feature_set_hash,
        inputs=msgspec.to_builtins(facts),
        run_id=judged.request_id,
    )


def checks_of(pack: Pack) -> PreparedChecks[ClickFacts]:
    """The checks of a click that the pack has switched on, ready to run over many clicks."""
    return prepare(pack, DecisionKind.SCORE, CLICK_CHECK_FUNCTIONS)


def click_verdict(pack: Pack, facts: ClickFacts, signals: tuple[Signal, ...]) -> Verdict:
    """Allow, review or block; a click judged without the model passes only where the pack fails open."""
    return decide_event(pack, Case(DecisionKind.SCORE, signals, click_facts(facts)), degraded=bool(facts.degraded))


def view_of(model: ClickModel, vector: NDArray[np.float64]) -> ModelView:
    """What the model says of one click's features (features,)."""
    scored = model.score(vector)
    return ModelView(score=scored.score, p_value=scored.p_value, features=tuple(part.feature for part in scored.contributions))


def views_of(model: ClickModel, vectors: NDArray[np.float64]) -> list[ModelView]:
    """`view_of` of many clicks' features (clicks, features)."""
    return [
        ModelView(score=one.score, p_value=one.p_value, features=tuple([part.feature for part in one.contributions]))
        for one in model.score_many(vectors)
    ]


def replay_click(decision: Decision, pack: Pack, model: ClickModel | None = None) -> Verdict:
    """The verdict on a click again, from what was stored with it: the same under the same pack and model, what-if under others.

    With a model its answer is computed anew, unless the click was judged without one; with none the stored answer is used.
    Raises `ReplayError` when the stored inputs are not those of a click, `ModelError` when the model needs other features.
    """
    facts = replayed_facts(decision, model)
    return click_verdict(pack, facts, checks_of(pack).run(facts.click.click_id, facts))


def replayed_facts(decision: Decision, model: ClickModel | None) -> ClickFacts:
    """The stored facts of a click, with the model's answer computed anew where it was asked and is given."""
    facts = facts_of(decision)
    if model is None or facts.model is None:
        return facts
    features = (facts.features.get(name) for name in CLICK_FEATURE_NAMES)
    vector = np.array([UNKNOWN if value is None else value for value in features], dtype=np.float64)
    return msgspec.structs.replace(facts, model=view_of(model.require_current_features(), vector))


def facts_of(decision: Decision) -> ClickFacts:
    """What the checks saw when a click was decided. Raises `ReplayError` when that was erased or belongs to another job."""
    if decision.kind is not DecisionKind.SCORE or decision.subject_kind is not SubjectKind.CLICK:
        raise ReplayError(f"The decision {decision.decision_id} is not about a click; replay it as the {decision.kind.value} that it is.")
    try:
        return msgspec.convert(decision.inputs, ClickFacts)
    except msgspec.ValidationError as fault:
        raise ReplayError(f"What the decision {decision.decision_id} was based on is no longer complete ({fault}).") from fault


def score_offline(clicks: Iterable[Click], scorer: ClickScorer) -> Iterator[ScoredClick]:
    """Scores clicks in the order of their times (then ids), as the API would have with the same counters."""
    for click in in_event_order(clicks):
        yield scorer.score(click)


def click_features_of(clicks: Iterable[Click], counters: Counters) -> pd.DataFrame:
    """The features of clicks (rows, by `click_id`, in event order; each once) as serving would compute them.

    `counters` should be fresh ones, and are left with the clicks counted.
    """
    ordered = in_event_order(clicks)
    observed = [(click.click_id, observe_click(counters, click)) for click in ordered]
    first = [(click_id, seen.vector) for click_id, seen in observed if not seen.repeated]
    rows = np.vstack([vector for _, vector in first]) if first else np.empty((0, len(CLICK_FEATURE_NAMES)))
    return pd.DataFrame(rows, columns=list(CLICK_FEATURE_NAMES), index=pd.Index([click_id for click_id, _ in first], name="click_id"))


def in_event_order(clicks: Iterable[Click]) -> list[Click]:
    """Clicks by time, then by id, so that the order never depends on the file's."""
    return sorted(clicks, key=lambda click: (click.clicked_at, click.click_id))


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
