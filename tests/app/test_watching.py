"""Figures of jobs, deliveries and drift."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from fraud.app import watching
from fraud.app.parts import App
from fraud.app.watching import LOOK_AGAIN, Watch, score_drift
from fraud.domain.actors import SYSTEM
from fraud.domain.clock import FixedClock
from fraud.domain.decisions import DecisionKind
from fraud.domain.drift import DriftReport
from fraud.domain.jobs import JobState
from fraud.domain.scans import BaselineStanding, Period
from fraud.errors import StorageError
from tests.conftest import MORNING
from tests.storage.samples import decision, scan, verdict


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "NEWEST", 50)
    monkeypatch.setattr(watching, "BEFORE", 200)


def score(app: App, name: str, scores: list[float]) -> None:
    click = decision(kind=DecisionKind.SCORE, program_id="default")
    app.stores.decisions.add(
        [msgspec.structs.replace(click, decision_id=f"{name}{place}", verdict=verdict(one)) for place, one in enumerate(scores)]
    )


def test_jobs_are_counted_at_most_once_a_minute(app: App, clock: FixedClock) -> None:
    watch = Watch(app)
    assert watch.gauges()["jobs_queued"] == 0
    app.stores.jobs.enqueue("shoes", "vet", {}, SYSTEM, clock.now())
    assert watch.gauges()["jobs_queued"] == 0
    clock.move_to(MORNING + LOOK_AGAIN)
    found = {"jobs_queued": 1, "jobs_running": 0, "jobs_failed": 0, "deliveries_pending": 0, "deliveries_dead": 0}
    assert watch.gauges() == {"database_up": 1, **found}


def test_without_its_database_a_process_still_has_figures(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> dict[JobState, int]:
        raise StorageError("The database cannot be reached.")

    monkeypatch.setattr(app.stores.jobs, "counts", away)
    assert Watch(app).gauges() == {"database_up": 0}


def test_scores_that_stay_do_not_drift_and_scores_that_move_do(app: App, clock: FixedClock) -> None:
    everyday = [(place % 20) / 20 for place in range(200)]
    score(app, "before", everyday)
    assert score_drift(app, "shoes") is None
    score(app, "same", everyday[:50])
    still = score_drift(app, "default")
    assert still is not None
    assert still < 0.1
    score(app, "moved", [0.9] * 50)
    assert (score_drift(app, "default") or 0) > 1
    clock.move_to(MORNING + timedelta(days=1))
    assert Watch(app).gauges()["score_drift"] > 1


def test_too_few_scores_are_no_drift_and_not_none_of_it(app: App) -> None:
    score(app, "few", [0.5] * 99)
    assert score_drift(app, "default") is None
    assert "score_drift" not in Watch(app).gauges()


def test_a_baseline_that_waits_for_a_person_is_a_figure(app: App) -> None:
    night = DriftReport(
        affiliates=90,
        evidence_psi=0.4,
        evidence_p_value=0.0,
        compared=40,
        drifted=10,
        features=(),
        large=True,
        why="10 of 40 features drifted.",
    )
    trained = Period(start=MORNING - timedelta(days=30), end=MORNING - timedelta(days=3))
    held = BaselineStanding(state="held", model_id="baseline-1", trained=trained, night=night, refit=night, held_model_id="baseline-2")
    app.stores.scans.add(scan(program_id="default", baseline=held))
    figures = Watch(app).gauges()
    assert figures["baselines_held"] == 1.0
    assert figures["traffic_drift_share"] == 0.25
