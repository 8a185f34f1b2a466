"""The ranker on the publishers of FDMA 2012: everything chosen on `train` by nested cross-validation, one look at `validation`.

Usage: `FRAUD_TEST_DATA=DIR python -m tests.benchmarks.publishers [--nested-only]`. Without the option the program of features that
cross-validation on the whole of `train` chooses is fitted with ten seeds and scored on `validation`, beside a default random forest.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedKFold

from models import RiskRanker
from models.arrays import FloatArray, IntArray
from models.evaluation import average_precision
from tests.benchmarks.report import section, table
from tests.models.publishers import PROGRAMS, first_table, joined, rows_of

SEEDS = 10
OUTER, INNER = 5, 4
TREES, TREES_TO_CHOOSE = 300, 100
DRAWS = 2_000
"""Times that publishers are drawn anew for the paired interval."""


def main() -> None:
    """Measures and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nested-only", action="store_true", help="stay on `train`")
    asked = parser.parse_args()
    columns, bad = joined("train")
    nested = nested_precision(columns, bad, seed=0)
    chosen, by_program = choose(columns, bad, seed=0)
    lines = [
        f"On `train` alone, nested cross-validation ({OUTER} folds, the program of features chosen inside each by {INNER} more): average "
        f"precision {nested[0]:.3f} (mean of folds), a default random forest on the first table {nested[1]:.3f}. By program, on all of "
        "`train`: " + ", ".join(f"{name} {figure:.3f}" for name, figure in by_program.items()) + f"; chosen: {chosen}.",
    ]
    if not asked.nested_only:
        lines += ["", *on_validation(chosen, columns, bad)]
    print("\n".join(lines))
    if not asked.nested_only:
        section("Ranker: publishers of FDMA 2012", lines)


def choose(columns: pd.DataFrame, bad: IntArray, seed: int) -> tuple[str, dict[str, float]]:
    """The program of features with the best mean average precision over folds of these rows, and each program's."""
    folds = list(StratifiedKFold(INNER, shuffle=True, random_state=seed).split(columns, bad))
    figures = {}
    for name in PROGRAMS:
        rows = rows_of(name, columns)
        figures[name] = float(np.mean([average_precision(bad[out], _ranked(rows, bad, (a, out), seed)) for a, out in folds]))
    return max(figures, key=lambda name: figures[name]), figures


def _ranked(rows: FloatArray, bad: IntArray, fold: tuple[IntArray, IntArray], seed: int, trees: int = TREES_TO_CHOOSE) -> FloatArray:
    learned, held_out = fold
    ranker = RiskRanker(trees, random_state=seed, n_jobs=2).fit(rows[learned], bad[learned])
    return np.asarray(ranker.predict_proba(rows[held_out])[:, 1], dtype=np.float64)


def nested_precision(columns: pd.DataFrame, bad: IntArray, seed: int) -> tuple[float, float]:
    """Mean average precision over outer folds, of the ranker with the program chosen inside each, and of the default forest."""
    figures = []
    for learned, held_out in StratifiedKFold(OUTER, shuffle=True, random_state=seed).split(columns, bad):
        chosen, _ = choose(columns.iloc[learned], bad[learned], seed)
        ours = _ranked(rows_of(chosen, columns), bad, (learned, held_out), seed, TREES)
        given = first_table(columns).to_numpy(dtype=np.float64)
        forest = RandomForestClassifier(random_state=seed, n_jobs=2).fit(given[learned], bad[learned])
        theirs = forest.predict_proba(given[held_out])[:, 1]
        figures.append([average_precision(bad[held_out], score) for score in (ours, theirs)])
        print(f"outer fold: {chosen}, {figures[-1][0]:.3f} against {figures[-1][1]:.3f}", flush=True)
    ours_mean, theirs_mean = np.mean(figures, axis=0)
    return float(ours_mean), float(theirs_mean)


def on_validation(program: str, columns: pd.DataFrame, bad: IntArray) -> list[str]:
    """The one look: ten seeds of the ranker and of default forests on `validation`, and the paired intervals of the difference."""
    others, truth = joined("validation")
    rows, held_out = rows_of(program, columns), rows_of(program, others)
    given = first_table(columns).to_numpy(dtype=np.float64), first_table(others).to_numpy(dtype=np.float64)
    scores = {
        "ranker": [RiskRanker(TREES, random_state=s, n_jobs=2).fit(rows, bad).predict_proba(held_out)[:, 1] for s in range(SEEDS)],
        "default forest, first table": [_forest(given[0], bad, given[1], s) for s in range(SEEDS)],
        "default forest, the ranker's features": [_forest(rows, bad, held_out, s) for s in range(SEEDS)],
    }
    figures = {name: [average_precision(truth, one) for one in found] for name, found in scores.items()}
    body = [[name, f"{np.mean(f):.3f}", f"{np.std(f, ddof=1):.3f}", f"{min(f):.3f} to {max(f):.3f}"] for name, f in figures.items()]
    return [
        f"`validation` ({len(truth):,} publishers, {int(truth.sum())} bad), {SEEDS} seeds:",
        "",
        table(["", "average precision", "sd of seeds", "range"], body),
        "",
        *(f"Ranker less {name}: {_interval(scores['ranker'], scores[name], truth)}" for name in list(scores)[1:]),
    ]


def _forest(rows: FloatArray, bad: IntArray, others: FloatArray, seed: int) -> FloatArray:
    forest = RandomForestClassifier(random_state=seed, n_jobs=2).fit(rows, bad)
    return np.asarray(forest.predict_proba(others)[:, 1], dtype=np.float64)


def _interval(ours: Sequence[FloatArray], theirs: Sequence[FloatArray], truth: IntArray) -> str:
    """The mean difference over the seeds, and its 95% interval when publishers (the same for both) are drawn anew."""
    rng = np.random.default_rng(0)
    differences = []
    for draw in range(DRAWS):
        rows, seed = rng.integers(0, len(truth), len(truth)), draw % len(ours)
        differences.append(average_precision(truth[rows], ours[seed][rows]) - average_precision(truth[rows], theirs[seed][rows]))
    mean = np.mean([average_precision(truth, a) - average_precision(truth, b) for a, b in zip(ours, theirs, strict=True)])
    low, high = np.quantile(differences, (0.025, 0.975))
    return f"{mean:+.3f} (95%: {low:+.3f} to {high:+.3f}, publishers drawn anew {DRAWS:,} times)."


if __name__ == "__main__":
    main()
