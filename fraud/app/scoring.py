"""Scoring, wired: the click model that the last scan fitted, counters warmed up from the lake, and a scorer for each program."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from fraud.app.affiliates import AffiliateRecords
from fraud.app.parts import App, kept_models, load_model
from fraud.app.recorded import ClickRecords, clicks_before, conversions_before
from fraud.app.remembering import CounterMemory, count_left
from fraud.detection.clicks import MINIMUM_CLICKS, ClickModel, fit_click_model
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.domain.clicks import EventKey
from fraud.domain.clock import passed
from fraud.domain.counting import Counters
from fraud.domain.decisions import Artefact, Decision, DecisionKind
from fraud.domain.events import Click
from fraud.domain.ids import stable_id
from fraud.errors import FraudError, InputError, ModelError, NotFound, StorageError
from fraud.features.realtime import click_feature_set_hash, sightings_of
from fraud.features.realtime_conversions import observe_conversion
from fraud.storage.counters import MemoryCounters
from fraud.storage.lake import ParquetLake
from fraud.workflows.converting import (
    ConversionScorer,
    ConversionTools,
    RecentClicks,
    VisitFinder,
    new_decision_id,
    no_visits,
    shared_decision_id,
)
from fraud.workflows.leftover import Leftover
from fraud.workflows.night import CLOCK_SKEW
from fraud.workflows.offline import click_features_of
from fraud.workflows.scoring import (
    ClickScorer,
    JudgedClicks,
    ScanRisks,
    ScoringTools,
    ServedModel,
    new_decision_ids,
    shared_decision_ids,
)
from models.registry import ArtefactInfo

if TYPE_CHECKING:
    from fraud.storage.counters_redis import RedisCounters

_log = structlog.get_logger(__name__)

MOST_FITTED = 20_000
"""Clicks the click model is fitted on: the newest ones. Replaying as many through the counters takes some seconds."""
LOOK_AGAIN = timedelta(minutes=1)
"""How long a scorer serves before the registry is asked for a newer model."""
WARM_UP = timedelta(hours=24)
"""The longest window of the real-time features: what the counters are warmed up with."""

_LOOKS, _BETWEEN_LOOKS = 20, 0.05
"""How often, and after how many seconds again, a decision of another worker is looked for."""

_ANY_CLICK = Click(click_id="warm-up", clicked_at=datetime(2026, 1, 1, tzinfo=UTC), affiliate_id="warm-up")
"""Counted once in counters of its own, so that no tracker waits for compiled code to be loaded."""


def click_model_name(program_id: str) -> str:
    """What the registry calls a program's click model."""
    return stable_id("clicks", program_id)


def fit_click_model_on(app: App, lake: ParquetLake, program_id: str, as_of: datetime) -> Artefact | None:
    """Fits the click model on the newest clicks before `as_of`, on exactly the features that serving computes.

    `None` when there are too few.
    """
    clicks = clicks_before(lake, program_id, as_of, MOST_FITTED)
    if len(clicks) < MINIMUM_CLICKS:
        return None
    model = fit_click_model(click_features_of(clicks, MemoryCounters()))
    info = app.registry.save(
        click_model_name(program_id),
        model,
        feature_set_hash=click_feature_set_hash(),
        trained_from=clicks[0].clicked_at,
        trained_to=clicks[-1].clicked_at,
        metrics={"clicks": float(len(clicks))},
        created_at=app.clock.now(),
    )
    return Artefact(id=info.name, hash=info.sha256)


def newest_click_model(app: App, program_id: str) -> ArtefactInfo | None:
    """The click model of a program that knows the newest clicks under today's features; `None` when there is none yet.

    A scan of an earlier night (`--as-of`) fits a model too, which must not replace that of a later one.
    """
    fitting = kept_models(app.registry, click_model_name(program_id), click_feature_set_hash())
    return max(fitting, key=lambda info: (info.trained_to, info.created_at), default=None)


def load_served(app: App, info: ArtefactInfo) -> ServedModel:
    """A click model as the scorer takes it; a `ModelError` when the registry refuses it or it is something else."""
    artefact = Artefact(id=info.name, hash=info.sha256)
    model = load_model(app.registry, artefact, click_feature_set_hash())
    if not isinstance(model, ClickModel):
        raise ModelError(f"The model {info.id} is no click model; run `fraud scan` to fit one.")
    return ServedModel(model, artefact)


@dataclass
class _Desk:
    """What serves one program: its counters, its newest clicks, and the scorers over them."""

    counters: Counters
    recent: RecentClicks
    clicks: ClickScorer
    conversions: ConversionScorer
    looked_at: datetime


class Scorers:
    """The scorers of each program, made when its first event comes, and anew with the same counters when a scan has fitted a new model."""

    def __init__(
        self,
        app: App,
        record: Callable[[Decision], None],
        judged: Callable[[JudgedClicks], None] | None = None,
        visits_of: VisitFinder = no_visits,
        left: Leftover | None = None,
    ) -> None:
        """`left` is what an earlier process answered and its journal still holds."""
        self._app = app
        self._record = record
        self._judged = judged
        self._visits_of = visits_of
        self._left = left or Leftover()
        self._records = AffiliateRecords(app.lake, app.clock)
        self._risks = ScanRisks(app.stores.scans, app.clock, self._records.statuses)
        self._desks: dict[str, _Desk] = {}
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._patience = threading.Event()
        self._shared = app.settings.counters_url or None
        self._memory = CounterMemory(app) if app.settings.counters_checkpoint and not self._shared else None

    def of(self, program_id: str) -> ClickScorer:
        """The program's scorer of clicks, or `NotFound` when there is no such program."""
        return (self._at_hand(program_id) or self._desk(program_id)).clicks

    def ready(self, program_id: str) -> ClickScorer | None:
        """The program's scorer of clicks if it is at hand."""
        desk = self._at_hand(program_id)
        return desk.clicks if desk is not None else None

    def _at_hand(self, program_id: str) -> _Desk | None:
        """What serves the program; where it is due for another look, it serves on while that is taken beside it."""
        desk = self._desks.get(program_id)
        if desk is None:
            return None
        if passed(desk.looked_at, self._app.clock.now()) >= LOOK_AGAIN and self._looking.acquire(blocking=False):
            threading.Thread(target=self._look_beside, args=(program_id,), name="scorer", daemon=True).start()
        return desk

    def _look_beside(self, program_id: str) -> None:
        try:
            self._records.refresh(program_id)
            self._desk(program_id)
        except FraudError as fault:
            _log.warning("scorer_not_renewed", program_id=program_id, detail=fault.message)
        finally:
            self._looking.release()

    def conversions_of(self, program_id: str) -> ConversionScorer:
        """The program's scorer of conversions, or `NotFound` when there is no such program."""
        return (self._at_hand(program_id) or self._desk(program_id)).conversions

    def gauges(self) -> dict[str, float]:
        """How many programs are scored, how many with a model, and how full their counters are."""
        desks = list(self._desks.values())
        modelled = sum(desk.clicks.model is not None for desk in desks)
        counted: dict[str, float] = {}
        for desk in desks:
            for name, value in desk.counters.figures().items():
                counted[f"counters_{name}"] = counted.get(f"counters_{name}", 0.0) + value
        return {"scored_programs": float(len(desks)), "scored_programs_with_model": float(modelled), **counted}

    def keep_counters(self) -> None:
        """Takes a checkpoint of the counters of every program served. Raises `StorageError` when one cannot be written."""
        for program_id, desk in list(self._desks.items()):
            if self._memory is not None and isinstance(desk.counters, MemoryCounters):
                self._memory.keep(program_id, desk.counters)

    def close(self) -> None:
        """Takes the last checkpoint and lets another process keep them."""
        try:
            self.keep_counters()
        except StorageError as fault:
            _log.error("counters_not_kept", detail=fault.message)
        finally:
            if self._memory is not None:
                self._memory.close()

    def _desk(self, program_id: str) -> _Desk:
        now = self._app.clock.now()
        with self._lock:
            desk = self._desks.get(program_id)
            if desk is None or passed(desk.looked_at, now) >= LOOK_AGAIN:
                desk = self._desks[program_id] = self._current(program_id, desk)
            return desk

    def _current(self, program_id: str, desk: _Desk | None) -> _Desk:
        if self._app.profile(program_id) is None and program_id != DEFAULT_PROGRAM:
            raise NotFound(f"There is no program {program_id!r}.")
        pack, newest, now = self._app.pack_for(program_id), self._newest(program_id), self._app.clock.now()
        if desk is not None and desk.clicks.pack.hash == pack.hash and _serves(desk.clicks, newest):
            return replace(desk, looked_at=now)
        counters = desk.counters if desk else self._warm(program_id)
        self._risks.refresh(program_id)
        self._records.refresh(program_id)
        recent = desk.recent if desk else RecentClicks()
        served = self._load(newest) if newest else None
        click_tools, conversion_tools = (
            self._click_tools(program_id, counters, recent),
            self._conversion_tools(program_id, counters, recent),
        )
        clicks = ClickScorer(pack, served, click_tools, desk.clicks.given if desk else None)
        conversions = ConversionScorer(pack, conversion_tools, desk.conversions.given if desk else None)
        return _Desk(counters, recent, clicks, conversions, now)

    def _click_tools(self, program_id: str, counters: Counters, recent: RecentClicks) -> ScoringTools:
        return ScoringTools(
            priors=self._risks,
            counters=counters,
            record=self._record,
            judged=self._judged,
            clock=self._app.clock,
            earlier=self._earlier(DecisionKind.SCORE),
            answered=self._answered(program_id, DecisionKind.SCORE),
            seen=recent.remember_all,
            decision_ids=shared_decision_ids if self._shared else new_decision_ids,
        )

    def _conversion_tools(self, program_id: str, counters: Counters, recent: RecentClicks) -> ConversionTools:
        return ConversionTools(
            priors=self._risks,
            counters=counters,
            clicks_of=ClickRecords(self._app, recent, self._decided).find,
            own_identities=self._records.own_identities,
            visits_of=self._visits_of,
            record=self._record,
            clock=self._app.clock,
            earlier=self._earlier(DecisionKind.CONVERSION),
            answered=self._answered(program_id, DecisionKind.CONVERSION),
            decision_id=shared_decision_id if self._shared else new_decision_id,
        )

    def _newest(self, program_id: str) -> ArtefactInfo | None:
        try:
            return newest_click_model(self._app, program_id)
        except ModelError as refused:
            _log.error("models_unreadable", program_id=program_id, reason=refused.message)
            return None

    def _load(self, newest: ArtefactInfo) -> ServedModel | None:
        try:
            return load_served(self._app, newest)
        except ModelError as refused:
            # Rules still answer, and every answer says that it is degraded: that beats not answering a tracker at all.
            _log.error("click_model_refused", model=newest.id, reason=refused.message)
            return None

    def _warm(self, program_id: str) -> Counters:
        MemoryCounters().observe_many(sightings_of([_ANY_CLICK]))  # its compiled code is loaded before anybody waits for it
        counters = MemoryCounters()
        with self._left.still:
            if self._memory is None or not self._memory.restored(program_id, counters, self._left):
                self._warm_up(program_id, counters)
            counters.reserve()
            if self._shared is None:
                return counters
            shared = open_redis(self._shared, counters)
            if shared.is_empty():
                self._warm_up(program_id, shared)
            return shared

    def _warm_up(self, program_id: str, counters: Counters) -> None:
        warm_up(self._app, program_id, counters)
        count_left(self._left, program_id, counters)

    def _answered(self, program_id: str, kind: DecisionKind) -> frozenset[EventKey]:
        since = self._app.clock.now() - WARM_UP
        left = self._left.keys(program_id, kind)  # before the database is asked: what leaves the journal is there
        return frozenset(left).union((program_id, event) for event in self._app.stores.decisions.subjects(program_id, kind, since))

    def _decided(self, program_id: str, kind: DecisionKind, event_id: str) -> Decision | None:
        """The newest decision on an event: where the journal of an earlier process has it no more, the database has."""
        return self._left.decision(program_id, kind, event_id) or self._app.stores.decisions.latest(program_id, kind, event_id)

    def _earlier(self, kind: DecisionKind) -> Callable[[str, str], Decision | None]:
        def earlier(program_id: str, event_id: str) -> Decision | None:
            """With shared counters another worker may have answered a moment ago: its decision is on its way from its journal."""
            for _ in range(_LOOKS if self._shared else 1):
                if (decision := self._decided(program_id, kind, event_id)) is not None:
                    return decision
                self._patience.wait(_BETWEEN_LOOKS if self._shared else 0)
            return None

        return earlier


def open_redis(url: str, fallback: Counters) -> RedisCounters:
    """Counters in Redis; `InputError` when what speaks to it is not installed."""
    try:
        from fraud.storage.counters_redis import RedisCounters  # noqa: PLC0415 - an extra
    except ImportError as fault:
        raise InputError("FRAUD_COUNTERS_URL needs the package redis: pip install 'affiliate-fraud[redis]'.") from fault
    return RedisCounters(url, fallback)


def _serves(scorer: ClickScorer, newest: ArtefactInfo | None) -> bool:
    """Whether the scorer has the newest model, or there is none to have."""
    return newest is None or (scorer.model is not None and scorer.model.artefact.hash == newest.sha256)


def warm_up(app: App, program_id: str, counters: Counters, before: datetime | None = None) -> None:
    """Counts the lake's last day of a program before a time (default: its newest), as if the service had been running through it."""
    newest = app.lake.time_range(program_id, before=app.clock.now() + CLOCK_SKEW)
    if newest is None:
        return
    end = before or newest[1] + timedelta(microseconds=1)
    clicks = clicks_before(app.lake, program_id, end, MOST_FITTED, since=end - WARM_UP)
    click_features_of(clicks, counters)
    known = {click.click_id: click for click in clicks}
    for conversion in conversions_before(app.lake, program_id, end, end - WARM_UP):
        observe_conversion(counters, conversion, known.get(conversion.click_id or ""))
