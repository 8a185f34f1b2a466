"""Measuring the scan where the truth is known: a made-up program, scanned like any other, compared with a plain forest."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from fraud.app.parts import App, KeptModels
from fraud.app.scanning import ingest_options
from fraud.domain.actors import DEFAULT_PROGRAM, Actor
from fraud.domain.decisions import Outcome
from fraud.domain.scans import Period, RankedSubject
from fraud.errors import InputError
from fraud.features.catalogue import feature_set_hash
from fraud.features.local import compute
from fraud.features.table import FeatureTable
from fraud.storage.lake import ParquetLake
from fraud.workflows.ingesting import ingest
from fraud.workflows.nightly import ScanRequest, ScanTools, scan
from models.evaluation import RawForestBaseline, average_precision, precision_at_k, recall_at_fpr

Means = tuple[Actor, str, Callable[[str], None]]
TABLES = ("offers", "affiliates", "clicks", "conversions", "calendar")
_ACTED = frozenset({Outcome.REVIEW, Outcome.HOLD, Outcome.SUSPEND})


class RankingQuality(msgspec.Struct, frozen=True, kw_only=True):
    """How well one ranking of affiliates puts the bad ones first. All figures from 0 to 1, higher is better."""

    name: str
    average_precision: float
    recall_at_1_percent: float
    precision_at_bad: float


class KindOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one kind of affiliate, bad or honest."""

    kind: str
    bad: bool
    affiliates: int
    alerted: int
    acted_on: int


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one evaluation."""

    affiliates: int
    bad: int
    alerts: int
    false_alerts: int
    rankings: tuple[RankingQuality, ...]
    kinds: tuple[KindOutcome, ...]


def evaluate_simulation(app: App, truth: Path, data: Path | None, days: int, means: Means) -> Evaluation:
    """Scans a simulated program's folder and compares the ranking with its truth."""
    actor, policy, progress = means
    file = truth / "truth" / "truth.json" if truth.is_dir() else truth
    known = _read_truth(file)
    folder = data or file.parent.parent
    with tempfile.TemporaryDirectory(prefix="evaluation-", dir=app.workspace.root) as temporary:
        lake = ParquetLake(Path(temporary))
        _ingest_all(app, lake, folder, progress)
        now = app.clock.now()
        tools = ScanTools(
            lake=lake,
            models=KeptModels(app.registry, feature_set_hash(), now),
            pack=app.pack(policy),
            actor=actor,
            now=now,
            progress=progress,
        )
        result = scan(ScanRequest(program_id=DEFAULT_PROGRAM, days=days), tools).result
        raw = _raw_ranking(lake, result.window)
    return _measure(result.affiliates, raw, known)


def _ingest_all(app: App, lake: ParquetLake, folder: Path, progress: Callable[[str], None]) -> None:
    for kind in TABLES:
        files = sorted(folder.glob(f"{kind}.*"))
        if files:
            progress(f"Reading {kind}")
            ingest(lake, DEFAULT_PROGRAM, kind, files, ingest_options(app, "auto", progress))


def _raw_ranking(lake: ParquetLake, window: Period) -> pd.Series[float]:
    """The scores of a plain isolation forest on raw aggregates of the window, by affiliate."""
    with lake.connect(DEFAULT_PROGRAM) as events:
        table = compute(events, [window], "affiliate").window(window.start)
    raw = raw_aggregates(table)
    return pd.Series(RawForestBaseline().fit(raw).score_samples(raw), index=table.facts.index)


def raw_aggregates(table: FeatureTable) -> pd.DataFrame:
    """What a scan without residuals would see: counts and features as they are."""
    return pd.concat([table.facts[["clicks", "conversions"]].astype("float64"), table.values], axis=1)


def _measure(ranked: Sequence[RankedSubject], raw: pd.Series[float], known: Mapping[str, Mapping[str, Any]]) -> Evaluation:
    judged = [row for row in ranked if row.affiliate_id in known]
    if not judged:
        raise InputError("None of the scanned affiliates stands in the truth: do the truth and the data belong together?")
    bad = np.array([bool(known[row.affiliate_id]["bad"]) for row in judged])
    scores = {
        "this product": np.array([row.score for row in judged]),
        "isolation forest on raw aggregates": raw.loc[[row.affiliate_id for row in judged]].to_numpy(),
    }
    return Evaluation(
        affiliates=len(judged),
        bad=int(bad.sum()),
        alerts=sum(row.alerted for row in judged),
        false_alerts=sum(row.alerted and not known[row.affiliate_id]["bad"] for row in judged),
        rankings=tuple(_quality(name, bad, score) for name, score in scores.items()),
        kinds=_by_kind(judged, known),
    )


def _quality(name: str, bad: np.ndarray[Any, Any], score: np.ndarray[Any, Any]) -> RankingQuality:
    return RankingQuality(
        name=name,
        average_precision=round(average_precision(bad, score), 4),
        recall_at_1_percent=round(recall_at_fpr(bad, score, 0.01), 4),
        precision_at_bad=round(precision_at_k(bad, score, int(bad.sum())), 4),
    )


def _by_kind(judged: Sequence[RankedSubject], known: Mapping[str, Mapping[str, Any]]) -> tuple[KindOutcome, ...]:
    kinds = sorted({(not known[row.affiliate_id]["bad"], str(known[row.affiliate_id]["kind"])) for row in judged})
    outcomes = []
    for honest, kind in kinds:
        rows = [row for row in judged if known[row.affiliate_id]["kind"] == kind]
        outcomes.append(
            KindOutcome(
                kind=kind,
                bad=not honest,
                affiliates=len(rows),
                alerted=sum(row.alerted for row in rows),
                acted_on=sum(row.outcome in _ACTED for row in rows),
            )
        )
    return tuple(outcomes)


def _read_truth(file: Path) -> dict[str, dict[str, Any]]:
    try:
        told = msgspec.json.decode(file.read_bytes())
        return {row["affiliate_id"]: row for row in told["affiliates"]}
    except OSError as fault:
        raise InputError(
            f"The truth {file} cannot be opened: {fault.strerror}. Name the folder that `fraud simulate --out` wrote."
        ) from fault
    except (msgspec.MsgspecError, KeyError, TypeError) as fault:
        raise InputError(f"{file} is not the truth of a simulated program: it has no list of affiliates.") from fault
