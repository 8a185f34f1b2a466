"""Figures about the service that cost a look into the database: jobs, deliveries, and how far scores have moved."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from fraud.app.parts import App
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.domain.clock import passed
from fraud.domain.decisions import DecisionKind
from fraud.domain.jobs import JobState
from fraud.domain.outbox import DeliveryState
from fraud.errors import StorageError

_log = structlog.get_logger(__name__)

LOOK_AGAIN = timedelta(minutes=1)
"""How long figures serve before the database is asked again, however often they are fetched."""

NEWEST, BEFORE = 1_000, 10_000
"""Scores that are compared: the newest of a program, with those before them."""


class Watch:
    """The figures of one process, looked up at most once a minute."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._looked_at: datetime | None = None
        self._figures: Mapping[str, float] = {}

    def gauges(self) -> Mapping[str, float]:
        """Jobs and deliveries by state, `score_drift` of the program that moved most, what became of baselines, and `database_up`: alone
        while it is 0."""
        now = self._app.clock.now()
        with self._lock:
            if self._looked_at is None or passed(self._looked_at, now) >= LOOK_AGAIN:
                self._looked_at = now
                try:
                    self._figures = {"database_up": 1.0, **self._look()}
                except StorageError as fault:  # the other figures are wanted most when the database is away
                    _log.warning("figures_not_looked_up", detail=fault.message)
                    self._figures = {"database_up": 0.0}
            return self._figures

    def _look(self) -> dict[str, float]:
        stores = self._app.stores
        jobs, deliveries = stores.jobs.counts(), stores.outbox.counts()
        drifts = [drift for program in self._programs() if (drift := score_drift(self._app, program)) is not None]
        return {
            **{f"jobs_{state.value}": float(jobs[state]) for state in (JobState.QUEUED, JobState.RUNNING, JobState.FAILED)},
            **{f"deliveries_{state.value}": float(deliveries[state]) for state in (DeliveryState.PENDING, DeliveryState.DEAD)},
            **({"score_drift": max(drifts)} if drifts else {}),
            **self._baselines(),
        }

    def _baselines(self) -> dict[str, float]:
        """Programs whose newest scan went on with an old baseline because the new one waits for a person, and the largest share of features
        that drifted on a program's newest night."""
        scans = [self._app.stores.scans.latest(program) for program in sorted(self._programs())]
        standings = [scan.baseline for scan in scans if scan is not None and scan.baseline is not None]
        nights = [standing.night.drifted_share for standing in standings if standing.night is not None]
        return {
            **({"baselines_held": float(sum(one.state == "held" for one in standings))} if standings else {}),
            **({"traffic_drift_share": max(nights)} if nights else {}),
        }

    def _programs(self) -> set[str]:
        return {DEFAULT_PROGRAM, *(one.program_id for one in self._app.stores.programs.all())}


def score_drift(app: App, program_id: str) -> float | None:
    """The population stability index of a program's newest click scores against those before them.

    0 is the same; above .25 is usually called a shift (Lewis 1994). `None` while there are too few to compare.
    """
    from models.drift import Reference  # noqa: PLC0415 - brings SciPy, which a process without clicks does not need

    scores = app.stores.decisions.newest_scores(program_id, DecisionKind.SCORE, NEWEST + BEFORE)
    if len(scores) < 2 * NEWEST:
        return None
    return float(Reference.learn(scores[NEWEST:]).compare(scores[:NEWEST]).psi)
