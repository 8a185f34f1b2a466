"""Measuring the scan where the truth is known: a made-up program, scanned like any other, compared with what it has to beat."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from fraud.app.evaluation import baselines, measures
from fraud.app.evaluation.aggregates import raw_aggregates
from fraud.app.evaluation.baselines import Ranking
from fraud.app.evaluation.measures import Evaluation, Known, found_at_fpr
from fraud.app.parts import App, KeptModels
from fraud.app.scanning import feature_engine, ingest_options
from fraud.domain.actors import DEFAULT_PROGRAM, Actor
from fraud.domain.scans import Period, RankedSubject
from fraud.errors import InputError
from fraud.features.catalogue import feature_set_hash
from fraud.policy.pack import Pack
from fraud.storage.lake import ParquetLake
from fraud.workflows.ingesting import ingest
from fraud.workflows.night import ScanOutcome, ScanRequest, ScanTools
from fraud.workflows.nightly import scan

Means = tuple[Actor, str, Callable[[str], None]]
TABLES = ("offers", "affiliates", "clicks", "conversions", "calendar", "labels")


@dataclass(frozen=True)
class Measured:
    """One night's figures, everything the scan knew of each affiliate (one row each), the truth with the kind that each plays, and what
    can be learned from it elsewhere.
    """

    evaluation: Evaluation
    kinds: tuple[str, ...]
    matrix: pd.DataFrame
    bad: measures.Bools
    learnable: baselines.Learnable


def evaluate_simulation(app: App, truth: Path, data: Path | None, days: int, means: Means) -> Evaluation:
    """Scans a simulated program's folder and compares the ranking with its truth."""
    return measure_simulation(app, truth, data, days, means).evaluation


def measure_simulation(app: App, truth: Path, data: Path | None, days: int, means: Means) -> Measured:
    """`evaluate_simulation`, with what can be learned from it. Nothing stays in the workspace but the fitted model."""
    file = truth / "truth" / "truth.json" if truth.is_dir() else truth
    known = read_truth(file)
    with ingested(app, data or file.parent.parent, means[2]) as lake:
        outcome = scan_lake(app, lake, days, means)
        means[2]("Measuring the baselines")
        return _measure(lake, outcome, known, app.pack_of(outcome.result.policy))


@contextmanager
def ingested(app: App, folder: Path, progress: Callable[[str], None]) -> Iterator[ParquetLake]:
    """A lake of its own with the tables of a simulated program, which is thrown away afterwards."""
    with tempfile.TemporaryDirectory(prefix="evaluation-", dir=app.workspace.root) as temporary:
        lake = ParquetLake(Path(temporary))
        for kind in TABLES:
            files = sorted(folder.glob(f"{kind}.*"))
            if files:
                progress(f"Reading {kind}")
                ingest(lake, DEFAULT_PROGRAM, kind, files, ingest_options(app, "auto", progress))
        yield lake


def scan_lake(app: App, lake: ParquetLake, days: int, means: Means, as_of: datetime | None = None) -> ScanOutcome:
    """A scan of this lake as the product would make it, of which nothing is kept."""
    actor, policy, progress = means
    now = app.clock.now()
    tools = ScanTools(
        lake=lake,
        models=KeptModels(app.registry, feature_set_hash(), now),
        pack=app.pack(policy),
        actor=actor,
        now=now,
        progress=progress,
        features=feature_engine(app),
    )
    return scan(ScanRequest(program_id=DEFAULT_PROGRAM, days=days, as_of=as_of), tools)


def _measure(lake: ParquetLake, outcome: ScanOutcome, known: Known, pack: Pack) -> Measured:
    judged = judged_rows(outcome, known)
    bad = np.array([bool(known[row.affiliate_id]["bad"]) for row in judged])
    scores = np.array([row.score for row in judged], dtype=float)
    matrix = baselines.matrix_of(outcome.decisions, [row.affiliate_id for row in judged])
    product = Ranking(measures.PRODUCT, scores, np.array([row.alerted for row in judged]))
    others = _baselines(lake, outcome.result.window, judged)
    rankings = [product, *others, *([baselines.ceiling_on(matrix, bad)] if 1 < bad.sum() < len(bad) - 1 else [])]
    evaluation = Evaluation(
        affiliates=len(judged),
        bad=int(bad.sum()),
        mode=outcome.result.mode,
        alerts=sum(row.alerted for row in judged),
        false_alerts=sum(row.alerted and not known[row.affiliate_id]["bad"] for row in judged),
        rankings=tuple(measures.quality_of(bad, ranking) for ranking in rankings) if bad.any() else (),
        kinds=measures.kinds_of(judged, known, found_at_fpr(bad, scores), found_at_fpr(bad, others[0].scores)),
        calibration=measures.calibration_of(bad, scores),
        money=measures.money_of(judged, known),
    )
    kinds = tuple(str(known[row.affiliate_id]["kind"]) for row in judged)
    learnable = baselines.learnable_of(outcome.decisions, [row.affiliate_id for row in judged], bad, pack)
    return Measured(evaluation, kinds, matrix, bad, learnable)


def judged_rows(outcome: ScanOutcome, known: Mapping[str, Any]) -> tuple[RankedSubject, ...]:
    """The scanned affiliates that stand in the truth; an `InputError` when none does."""
    judged = tuple(row for row in outcome.result.affiliates if row.affiliate_id in known)
    if not judged:
        raise InputError("None of the scanned affiliates stands in the truth: do the truth and the data belong together?")
    return judged


def _baselines(lake: ParquetLake, window: Period, judged: tuple[RankedSubject, ...]) -> list[Ranking]:
    affiliates = [row.affiliate_id for row in judged]
    with lake.connect(DEFAULT_PROGRAM, until=window.end) as events:
        aggregates = raw_aggregates(events, window).reindex(affiliates)
        business = baselines.business_rules_on(events, window, affiliates)
    return [baselines.forest_on(aggregates), baselines.two_sd_on(aggregates), business]


def read_truth(file: Path) -> dict[str, dict[str, Any]]:
    """The truth about each affiliate; an `InputError` when the file is none."""
    try:
        told = msgspec.json.decode(file.read_bytes())
        return {row["affiliate_id"]: row for row in told["affiliates"]}
    except OSError as fault:
        raise InputError(
            f"The truth {file} cannot be opened: {fault.strerror}. Name the folder that `fraud simulate --out` wrote."
        ) from fault
    except (msgspec.MsgspecError, KeyError, TypeError) as fault:
        raise InputError(f"{file} is not the truth of a simulated program: it has no list of affiliates.") from fault
