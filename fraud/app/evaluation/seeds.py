"""Several made-up programs in one go, each simulated, scanned and measured in a process of its own: means, spreads, kinds pooled.

Seeds 1 to 20 are for tuning; seeds from 1000 up are for final reports only, so that what is reported was never looked at while tuning.
"""

from __future__ import annotations

import multiprocessing
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from fraud.app.evaluation import baselines, corpus, measures
from fraud.app.evaluation.measures import Evaluation, KindOutcome
from fraud.app.evaluation.nights import NightsToDetection, nights_to_detection
from fraud.app.evaluation.simulated import Measured, measure_simulation
from fraud.app.parts import App
from fraud.domain.actors import SYSTEM
from fraud.settings import load_settings
from fraud.simulation.program import simulate
from fraud.simulation.spec import SimulationSpec
from fraud.simulation.writing import write
from models.evaluation import average_precision

Progress = Callable[[str], None]

METRICS = (
    "average_precision",
    "recall_at_1_percent",
    "precision_at_bad",
    "precision_at_10",
    "precision_at_20",
    "alerts",
    "false_discovery_share",
)
"""What is averaged of each ranking."""


@dataclass(frozen=True)
class SeedsRequest:
    """What to measure. `specs` are the programs (one for each seed); `null_nights` scans each of them once more with nobody cheating,
    `leave_out` measures what each kind costs that the labels of the ceiling lack, `nights` how long fraud stays unnoticed at 50 clicks a
    day. `jobs` processes work at once.
    """

    specs: tuple[SimulationSpec, ...]
    window_days: int = 3
    policy: str = ""
    null_nights: bool = False
    leave_out: bool = False
    nights: bool = False
    jobs: int = 2


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure over the seeds: mean, standard deviation between seeds (`None` for one seed), and each seed's in order."""

    name: str
    mean: float
    sd: float | None
    seeds: tuple[float, ...]


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """By how much the ceiling's average precision falls when its labels hold no affiliate of this kind; mean over the seeds."""

    kind: str
    cost: float


class SeedsEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """Several seeds, measured. `rankings` holds a figure for each method and metric, `kinds` counts over all seeds, `null_alerts` the
    alerts on each night without fraud. `corpus` is the hash of the programs themselves.
    """

    seeds: tuple[int, ...]
    laws: str
    intensity: float
    affiliates: int
    days: int
    corpus: str
    rankings: tuple[Figure, ...]
    alerting: tuple[Figure, ...]
    kinds: tuple[KindOutcome, ...]
    null_alerts: tuple[int, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    nights: NightsToDetection | None = None
    evaluations: tuple[Evaluation, ...] = ()


@dataclass(frozen=True)
class _SeedDone:
    """One seed as its process hands it back."""

    corpus: str
    evaluation: Evaluation
    learnable: baselines.Learnable
    left_out: dict[str, float]
    null_alerts: int | None


def evaluate_seeds(request: SeedsRequest, progress: Progress) -> SeedsEvaluation:
    """Simulates and measures every program of the request; raises `InputError` for a spec that cannot be simulated."""
    done = _all_done(request, progress)
    evaluations = [one.evaluation for one in done]
    first = request.specs[0]
    return SeedsEvaluation(
        seeds=tuple(spec.seed for spec in request.specs),
        laws=first.laws,
        intensity=first.intensity,
        affiliates=first.affiliates,
        days=first.days,
        corpus=corpus.joined([one.corpus for one in done]),
        rankings=(*_rankings(evaluations), *_taught(done)),
        alerting=_alerting(evaluations),
        kinds=_pooled([kind for one in evaluations for kind in one.kinds]),
        null_alerts=tuple(one.null_alerts for one in done if one.null_alerts is not None),
        left_out=_left_out([one.left_out for one in done]),
        nights=_nights(request, progress) if request.nights else None,
        evaluations=tuple(evaluations),
    )


def _all_done(request: SeedsRequest, progress: Progress) -> list[_SeedDone]:
    total, done = len(request.specs), 0
    progress(f"Measuring {total} programs")
    if min(request.jobs, total) == 1:
        return [_one_seed(spec, request, progress) for spec in request.specs]
    # A process for each seed: DuckDB and scikit-learn do not survive a fork.
    with ProcessPoolExecutor(min(request.jobs, total), multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        waiting = [pool.submit(_one_seed, spec, request, _quiet) for spec in request.specs]
        for _ in as_completed(waiting):
            done += 1
            progress(f"Measuring {total} programs: {done} done")
        return [one.result() for one in waiting]


def _quiet(_: str) -> None:
    return


def _one_seed(spec: SimulationSpec, request: SeedsRequest, progress: Progress) -> _SeedDone:
    with workbench() as (app, folder):
        hashed, measured = _measured(app, spec, request, folder, progress)
        alerts = None
        if request.null_nights:
            honest = replace(spec, bad_share=0.0, kinds=())
            alerts = _measured(app, honest, request, folder, progress)[1].evaluation.alerts
    costs = _costs(measured) if request.leave_out else {}
    return _SeedDone(hashed, measured.evaluation, measured.learnable, costs, alerts)


@contextmanager
def workbench() -> Iterator[tuple[App, Path]]:
    """A product on an empty workspace and a folder beside it, both thrown away afterwards."""
    with tempfile.TemporaryDirectory(prefix="fraud-evaluation-") as folder:
        app = App(load_settings(workspace=Path(folder) / "workspace", database_url=""))
        try:
            yield app, Path(folder) / "program"
        finally:
            app.close()


def _measured(app: App, spec: SimulationSpec, request: SeedsRequest, folder: Path, progress: Progress) -> tuple[str, Measured]:
    """Simulates into the folder (emptied first) and measures; the hash of what was simulated comes along."""
    shutil.rmtree(folder, ignore_errors=True)
    progress(f"Simulating seed {spec.seed}")
    program = simulate(spec)
    write(program, folder)
    hashed = corpus.hash_of(program)
    del program
    return hashed, measure_simulation(app, folder, None, request.window_days, (SYSTEM, request.policy, progress))


def _rankings(evaluations: Sequence[Evaluation]) -> tuple[Figure, ...]:
    by_name: dict[str, list[measures.RankingQuality]] = {}
    for ranking in (ranking for one in evaluations for ranking in one.rankings):
        by_name.setdefault(ranking.name, []).append(ranking)
    return tuple(
        figure(f"{name}: {metric}", [getattr(one, metric) for one in rankings])
        for name, rankings in by_name.items()
        for metric in METRICS
        if all(getattr(one, metric) is not None for one in rankings)
    )


def _taught(done: Sequence[_SeedDone]) -> tuple[Figure, ...]:
    """What 120 labels of the seed before teach about each seed; nothing with one seed, or where the labels are all alike."""
    qualities = []
    for teacher, learner in zip([*done[-1:], *done[:-1]], done, strict=True):
        if len(done) < 2:
            continue
        ranking = baselines.taught_by(teacher.learnable, learner.learnable)
        if learner.learnable.bad.any() and not np.isnan(ranking.scores).all():
            qualities.append(measures.quality_of(learner.learnable.bad, ranking))
    return tuple(
        figure(f"{baselines.TAUGHT}: {metric}", [getattr(one, metric) for one in qualities]) for metric in METRICS[:3] if qualities
    )


def _alerting(evaluations: Sequence[Evaluation]) -> tuple[Figure, ...]:
    """What is measured of the scan alone."""
    taken: dict[str, list[float | None]] = {
        "Brier score": [one.calibration.brier for one in evaluations],
        "Brier score of the base rate": [one.calibration.brier_of_base_rate for one in evaluations],
        "reliability gap": [one.calibration.reliability_gap for one in evaluations],
        "fraud commission saved": [one.money.saved for one in evaluations],
        "fraud commission saved by a 30-day hold": [one.money.saved_by_hold for one in evaluations],
        "honest commission delayed": [one.money.honest_delayed for one in evaluations],
    }
    return tuple(figure(name, [v for v in values if v is not None]) for name, values in taken.items() if any(v is not None for v in values))


def figure(name: str, values: Sequence[float]) -> Figure:
    """Mean and spread of one figure."""
    sd = round(float(np.std(values, ddof=1)), 4) if len(values) > 1 else None
    return Figure(name=name, mean=round(float(np.mean(values)), 4), sd=sd, seeds=tuple(round(float(value), 4) for value in values))


def _pooled(kinds: Sequence[KindOutcome]) -> tuple[KindOutcome, ...]:
    names = dict.fromkeys((not kind.bad, kind.kind) for kind in kinds)
    counts = ("affiliates", "alerted", "acted_on", "found", "found_by_raw_forest")
    return tuple(
        KindOutcome(kind=name, bad=not honest, **{c: sum(getattr(one, c) for one in kinds if one.kind == name) for c in counts})
        for honest, name in sorted(names)
    )


def _costs(measured: Measured) -> dict[str, float]:
    """What each kind of fraud costs the ceiling's average precision when its labels lack it."""
    bad, kinds = measured.bad, measured.kinds
    if not bad.any():
        return {}
    usual = average_precision(bad, baselines.ceiling_on(measured.matrix, bad).scores)
    played = sorted({kind for kind, is_bad in zip(kinds, bad.tolist(), strict=True) if is_bad})
    return {kind: usual - average_precision(bad, baselines.without_kind(measured.matrix, bad, kinds, kind)) for kind in played}


def _left_out(costs: Sequence[dict[str, float]]) -> tuple[LeftOut, ...]:
    kinds = sorted({kind for one in costs for kind in one})
    return tuple(LeftOut(kind=kind, cost=round(float(np.mean([one[kind] for one in costs if kind in one])), 4)) for kind in kinds)


def _nights(request: SeedsRequest, progress: Progress) -> NightsToDetection:
    """One program of this world at 50 clicks a day, scanned night by night."""
    with workbench() as (app, folder):
        return nights_to_detection(app, request.specs[0], folder, (request.window_days, (SYSTEM, request.policy, progress)))
