"""Development data that is not part of the project, read where `FRAUD_TEST_DATA` says, and what is measured on it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from fraud.features.sessions import session_features
from models import AnomalyDetector, RiskRanker
from models.arrays import FloatArray, IntArray
from models.evaluation import average_precision, recall_at_fpr

_LOG_LINE = re.compile(r'^\S+ \S+ \[([^\]]+)\] "(\S+) (\S*)[^"]*" (\d+) (\S+) "([^"]*)" (\S+) "')
Scorer = Callable[[FloatArray, int], FloatArray]


def folder(name: str) -> Path:
    """A folder of the development data; the test is skipped where there is none."""
    root = os.environ.get("FRAUD_TEST_DATA", "")
    if not root or not (Path(root) / name).is_dir():
        pytest.skip(f"FRAUD_TEST_DATA names no folder with {name}")
    return Path(root) / name


@dataclass(frozen=True)
class Comparison:
    """One set: average precision and area under ROC of ours and of scikit-learn's forest, means over the seeds."""

    name: str
    ours: tuple[float, float]
    theirs: tuple[float, float]


def anomaly_sets(at_most: int | None = None) -> Iterator[tuple[str, FloatArray, IntArray]]:
    """The benchmark sets (name, rows, truth), of each a random part of `at_most` rows."""
    for file in sorted(folder("anomaly_benchmarks").glob("*.npz")):
        held = np.load(file)
        rows, truth = held["X"].astype(np.float64), held["y"].ravel().astype(np.int64)
        if at_most is not None and len(rows) > at_most:
            part = np.random.default_rng(0).choice(len(rows), at_most, replace=False)
            rows, truth = rows[part], truth[part]
        yield file.stem, rows, truth


def compare_on_sets(seeds: Sequence[int], at_most: int | None = None) -> list[Comparison]:
    """Ours beside scikit-learn's forest as it comes, both fitted on a set's rows without labels and scoring them."""
    return [
        Comparison(name, _figures(our_scores, rows, truth, seeds), _figures(forest_scores, rows, truth, seeds))
        for name, rows, truth in anomaly_sets(at_most)
    ]


def our_scores(rows: FloatArray, seed: int) -> FloatArray:
    """The default detector's scores of the rows it was fitted on."""
    return AnomalyDetector(random_state=seed).fit(rows).score_samples(rows)


def forest_scores(rows: FloatArray, seed: int) -> FloatArray:
    """Those of scikit-learn's forest, turned so that higher is riskier."""
    return np.asarray(-IsolationForest(random_state=seed).fit(rows).score_samples(rows), dtype=np.float64)


def _figures(scorer: Scorer, rows: FloatArray, truth: IntArray, seeds: Sequence[int]) -> tuple[float, float]:
    scores = [scorer(rows, seed) for seed in seeds]
    precision = np.mean([average_precision(truth, score) for score in scores])
    return float(precision), float(np.mean([roc_auc_score(truth, score) for score in scores]))


def publishers(part: str) -> tuple[FloatArray, IntArray]:
    """FDMA 2012: the 118 features and the status of the publishers in `train` or `validation`."""
    table = pd.read_csv(folder("fdma2012") / f"{part}.csv")
    return table.drop(columns="status").to_numpy(dtype=np.float64), table["status"].to_numpy(dtype=np.int64)


def ranked_publishers(seed: int, trees: int = 300) -> tuple[float, float]:
    """Average precision on `validation` of the ranker and of a default random forest, both trained on `train` alone."""
    (rows, status), (others, truth) = publishers("train"), publishers("validation")
    ranker = RiskRanker(trees, random_state=seed).fit(rows, status)
    forest = RandomForestClassifier(random_state=seed).fit(rows, status)
    return average_precision(truth, ranker.predict_proba(others)[:, 1]), average_precision(truth, forest.predict_proba(others)[:, 1])


def cross_validated_publishers(seed: int, trees: int = 300) -> tuple[float, float]:
    """The same two on `train` alone, by five-fold cross-validation: mean average precision of the folds."""
    rows, status = publishers("train")
    figures = []
    for learned, held_out in StratifiedKFold(5, shuffle=True, random_state=seed).split(rows, status):
        ranker = RiskRanker(trees, random_state=seed).fit(rows[learned], status[learned])
        forest = RandomForestClassifier(random_state=seed).fit(rows[learned], status[learned])
        figures.append([average_precision(status[held_out], model.predict_proba(rows[held_out])[:, 1]) for model in (ranker, forest)])
    ours, theirs = np.mean(figures, axis=0)
    return float(ours), float(theirs)


def unusual_publishers(seed: int) -> tuple[float, float]:
    """Average precision on `validation` without labels, ours and scikit-learn's forest's, both fitted on the rows of `train`."""
    (rows, _), (others, truth) = publishers("train"), publishers("validation")
    ours = AnomalyDetector(random_state=seed).fit(rows).score_samples(others)
    theirs = -IsolationForest(random_state=seed).fit(rows).score_samples(others)
    return average_precision(truth, ours), average_precision(truth, theirs)


def bot_sessions(kind: str) -> tuple[pd.DataFrame, IntArray]:
    """Features of the labelled human and `kind` sessions (`moderate_bot`, `advanced_bot`) that the logs have, and which are bots."""
    root = folder("web_bots") / "phase1"
    labels = dict(
        line.split() for file in sorted(root.glob("annotations_full/*/*")) for line in file.read_text().splitlines() if line.strip()
    )
    rows = [
        (match[7], match[1], match[2], match[3], match[4], match[5], match[6])
        for file in sorted(root.glob("data/web_logs/*/*.log"))
        for match in map(_LOG_LINE.match, file.read_text(errors="replace").splitlines())
        if match and labels.get(match[7]) in {"human", kind}
    ]
    requests = pd.DataFrame(rows, columns=["session", "time", "method", "path", "status", "bytes", "referrer"])
    requests["time"] = pd.to_datetime(requests["time"], format="%d/%b/%Y:%H:%M:%S %z")
    features = session_features(requests)
    return features, np.array([labels[str(session)] == kind for session in features.index], dtype=np.int64)


def told_apart(kind: str, seed: int, trees: int = 300) -> tuple[float, float]:
    """Area under ROC, and recall where 2% of humans are flagged, of the ranker on held-out sessions (five folds, grouped by session)."""
    features, bot = bot_sessions(kind)
    rows, groups, score = features.to_numpy(), np.arange(len(bot)), np.empty(len(bot))
    for learned, held_out in StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(rows, bot, groups):
        score[held_out] = RiskRanker(trees, random_state=seed).fit(rows[learned], bot[learned]).predict_proba(rows[held_out])[:, 1]
    return float(roc_auc_score(bot, score)), recall_at_fpr(bot, score, 0.02)
