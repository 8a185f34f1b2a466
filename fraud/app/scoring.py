"""Scoring, wired: the click model that the last scan fitted, counters warmed up from the lake, and a scorer for each program."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import structlog

from fraud.app.parts import App, kept_models, load_model
from fraud.app.statuses import AffiliateStatuses
from fraud.detection.clicks import MINIMUM_CLICKS, ClickModel, fit_click_model
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.domain.clock import as_utc
from fraud.domain.decisions import Artefact, Decision, DecisionKind
from fraud.domain.events import Click
from fraud.domain.ids import stable_id
from fraud.errors import ModelError, NotFound
from fraud.features.realtime import click_feature_set_hash
from fraud.storage.counters import MemoryCounters
from fraud.storage.lake import ParquetLake
from fraud.workflows.nightly import CLOCK_SKEW
from fraud.workflows.scoring import ClickScorer, ScanRisks, ScoringTools, ServedModel, click_features_of
from models.registry import ArtefactInfo

_log = structlog.get_logger(__name__)

MOST_FITTED = 20_000
"""Clicks the click model is fitted on: the newest ones. Replaying as many through the counters takes some seconds."""
LOOK_AGAIN = timedelta(minutes=1)
"""How long a scorer serves before the registry is asked for a newer model."""
WARM_UP = timedelta(hours=24)
"""The longest window of the real-time features: what the counters are warmed up with."""


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


def clicks_before(lake: ParquetLake, program_id: str, as_of: datetime, most: int, since: datetime | None = None) -> list[Click]:
    """The newest clicks of a program before a time, oldest first."""
    columns = ", ".join(name for name in Click.__struct_fields__ if name != "program_id")
    query = (
        f"select {columns} from clicks where clicked_at < $as_of and clicked_at >= $since order by clicked_at desc, click_id limit {most:d}"  # noqa: S608 - names of our own columns
    )
    bounds = {"as_of": as_of.replace(tzinfo=None), "since": (since or datetime.min).replace(tzinfo=None)}  # noqa: DTZ901 - an open beginning
    with lake.connect(program_id) as events:
        rows = events.sql(query, params=bounds).to_arrow_table().to_pylist()
    return [msgspec.convert({**row, "clicked_at": as_utc(row["clicked_at"]), "program_id": program_id}, Click) for row in reversed(rows)]


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


class Scorers:
    """A scorer for each program, made when its first click comes, and anew with the same counters when a scan has fitted a new model."""

    def __init__(self, app: App, record: Callable[[Decision], None]) -> None:
        self._app = app
        self._record = record
        self._risks = ScanRisks(app.stores.scans, app.clock, AffiliateStatuses(app.lake, app.clock))
        self._scorers: dict[str, ClickScorer] = {}
        self._counters: dict[str, MemoryCounters] = {}
        self._looked_at: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def of(self, program_id: str) -> ClickScorer:
        """The program's scorer, or `NotFound` when there is no such program."""
        now = self._app.clock.now()
        scorer = self._scorers.get(program_id)
        if scorer is not None and now - self._looked_at[program_id] < LOOK_AGAIN:
            return scorer
        with self._lock:
            self._scorers[program_id] = self._current(program_id, self._scorers.get(program_id))
            self._looked_at[program_id] = now
            return self._scorers[program_id]

    def gauges(self) -> dict[str, float]:
        """How many programs are scored, and with a model."""
        scorers = list(self._scorers.values())
        return {"scored_programs": float(len(scorers)), "scored_programs_with_model": float(sum(s.model is not None for s in scorers))}

    def _current(self, program_id: str, scorer: ClickScorer | None) -> ClickScorer:
        if self._app.profile(program_id) is None and program_id != DEFAULT_PROGRAM:
            raise NotFound(f"There is no program {program_id!r}.")
        pack, newest = self._app.pack_for(program_id), self._newest(program_id)
        if scorer is not None and scorer.pack.hash == pack.hash and _serves(scorer, newest):
            return scorer
        tools = ScoringTools(
            priors=self._risks,
            counters=self._warm(program_id),
            record=self._record,
            clock=self._app.clock,
            earlier=self._earlier,
            answered=self._answered(program_id),
        )
        return ClickScorer(pack, self._load(newest) if newest else None, tools)

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

    def _warm(self, program_id: str) -> MemoryCounters:
        if program_id not in self._counters:
            self._counters[program_id] = MemoryCounters()
            warm_up(self._app, program_id, self._counters[program_id])
        return self._counters[program_id]

    def _answered(self, program_id: str) -> frozenset[tuple[str, str]]:
        since = self._app.clock.now() - WARM_UP
        return frozenset((program_id, click_id) for click_id in self._app.stores.decisions.subjects(program_id, DecisionKind.SCORE, since))

    def _earlier(self, program_id: str, click_id: str) -> Decision | None:
        return self._app.stores.decisions.latest(program_id, DecisionKind.SCORE, click_id)


def _serves(scorer: ClickScorer, newest: ArtefactInfo | None) -> bool:
    """Whether the scorer has the newest model, or there is none to have."""
    return newest is None or (scorer.model is not None and scorer.model.artefact.hash == newest.sha256)


def warm_up(app: App, program_id: str, counters: MemoryCounters, before: datetime | None = None) -> None:
    """Counts the lake's last day of a program before a time (default: its newest), as if the service had been running through it."""
    newest = app.lake.time_range(program_id, before=app.clock.now() + CLOCK_SKEW)
    if newest is None:
        return
    end = before or newest[1] + timedelta(microseconds=1)
    click_features_of(clicks_before(app.lake, program_id, end, MOST_FITTED, since=end - WARM_UP), counters)
