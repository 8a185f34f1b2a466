"""The forest: scikit-learn's scores, its conventions, and what it says of unknown cells."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.utils.estimator_checks import parametrize_with_checks

from models.arrays import FloatArray
from models.evaluation import average_precision
from models.isolation import AnomalyDetector, Method
from models.views import HALFWAY

ROOT = Path(__file__).parents[2]
METHODS: tuple[Method, ...] = ("ensemble", "forest", "extended")


def residual_like(seed: int, size: int, columns: int = 6) -> FloatArray:
    """One-sided residuals of honest rows."""
    return np.random.default_rng(seed).normal(0, 1, (size, columns)).clip(0, 8)


@pytest.fixture(scope="module", params=METHODS)
def detector(request: pytest.FixtureRequest) -> AnomalyDetector:
    """A detector fitted on honest rows."""
    method: Method = request.param
    return AnomalyDetector(method, n_estimators=120, max_samples=256).fit(residual_like(0, 600))


@parametrize_with_checks([AnomalyDetector(method, n_estimators=6, max_samples=32) for method in METHODS])  # type: ignore[untyped-decorator]  # scikit-learn ships no types
def test_it_is_a_scikit_learn_estimator(estimator: AnomalyDetector, check: Callable[[AnomalyDetector], None]) -> None:
    check(estimator)


@pytest.mark.parametrize(("size", "max_samples"), [(600, 256), (50, 512), (2, 512)])
def test_scores_equal_scikit_learns(size: int, max_samples: int) -> None:
    rows = residual_like(1, size)
    ours = AnomalyDetector("forest", n_estimators=60, max_samples=max_samples, random_state=7).fit(rows)
    theirs = IsolationForest(n_estimators=60, max_samples=min(size, max_samples), random_state=7).fit(rows)
    probe = np.vstack([rows, residual_like(2, 200) * 3])
    np.testing.assert_allclose(ours.score_samples(probe), -theirs.score_samples(probe), rtol=0, atol=1e-12)


def test_one_row_scores_the_same_alone(detector: AnomalyDetector) -> None:
    rows = residual_like(3, 50) * 2
    rows[::7, 2] = np.nan
    together = detector.score_samples(rows)
    assert [detector.score_row(row) for row in rows] == together.tolist()
    explained = [detector.explain_row(row) for row in rows]
    np.testing.assert_allclose([score for score, _ in explained], together, rtol=1e-12)
    assert [reasons for _, reasons in explained] == detector.explain(rows)
    assert [float(detector.score_samples(row.reshape(1, -1))[0]) for row in rows] == together.tolist()


@pytest.mark.parametrize("method", ["ensemble", "forest"])
def test_planted_rows_rank_above_honest_ones_as_well_as_scikit_learns(method: Method) -> None:
    rng = np.random.default_rng(4)
    honest, planted = residual_like(5, 570), residual_like(6, 30)
    for _ in range(3):
        planted[np.arange(30), rng.integers(0, 6, 30)] = rng.uniform(4, 8, 30)
    rows, truth = np.vstack([honest, planted]), np.repeat([0, 1], [570, 30])
    reference = residual_like(7, 1_000)
    ours = average_precision(truth, AnomalyDetector(method).fit(reference).score_samples(rows))
    theirs = average_precision(truth, -IsolationForest(random_state=0).fit(reference).score_samples(rows))
    assert ours >= theirs - 0.01
    assert ours > 0.8


def test_the_explanation_names_what_was_planted_and_adds_up(detector: AnomalyDetector) -> None:
    rows = residual_like(8, 40)
    rows[:, 3] = 8.0
    explained = detector.explain(rows, top=6)
    assert sum(reasons[0][0] == 3 for reasons in explained) >= 38
    sums = np.array([sum(share for _, share in reasons) for reasons in explained])
    shown = detector.score_samples(rows)
    evidence = HALFWAY * (2 * shown - 1) / (1 - np.abs(2 * shown - 1)) if detector.method == "ensemble" else np.log2(shown)
    np.testing.assert_allclose(evidence - sums, evidence[0] - sums[0], atol=1e-4)


def test_a_frames_columns_are_named(detector: AnomalyDetector) -> None:
    frame = pd.DataFrame(residual_like(0, 300, 3), columns=["hosting:high", "gap:low", "refund:high"])
    named = AnomalyDetector(n_estimators=30).fit(frame)
    probe = frame.iloc[:2].assign(**{"gap:low": 8.0})
    assert named.explain(probe, top=1)[0][0][0] == "gap:low"
    assert [name for name, _ in detector.explain(residual_like(1, 1), top=2)[0]] != []


def test_an_unknown_cell_counts_as_ordinary_and_is_never_a_reason(detector: AnomalyDetector) -> None:
    rows = residual_like(9, 100)
    without = rows.copy()
    without[:, 0] = np.nan
    median = rows.copy()
    median[:, 0] = detector.medians_[0]
    assert [detector.explain_row(row)[0] for row in without] == detector.score_samples(without).tolist()
    assert all(name != 0 for row in without for name, _ in detector.explain_row(row, top=6)[1])
    assert detector.score_samples(without).tolist() == detector.score_samples(median).tolist()
    assert all(name != 0 for reasons in detector.explain(without, top=6) for name, _ in reasons)


def test_losing_a_column_moves_no_score_by_a_fifth(detector: AnomalyDetector) -> None:
    rows = residual_like(10, 300)
    for column in range(rows.shape[1]):
        without = rows.copy()
        without[:, column] = np.nan
        assert np.abs(detector.score_samples(without) - detector.score_samples(rows)).max() < 0.2


@pytest.mark.parametrize("method", METHODS)
def test_a_column_unknown_to_the_reference_says_nothing(method: Method) -> None:
    rows = residual_like(0, 200)
    rows[:, 1] = np.nan
    detector = AnomalyDetector(method, n_estimators=50).fit(rows)
    loud = rows.copy()
    loud[:, 1] = 8.0
    assert detector.score_samples(loud).tolist() == detector.score_samples(rows).tolist()


def test_swapping_rows_swaps_scores_and_another_row_changes_none(detector: AnomalyDetector) -> None:
    rows = residual_like(11, 80)
    order = np.random.default_rng(0).permutation(80)
    scores = detector.score_samples(rows)
    assert detector.score_samples(rows[order]).tolist() == scores[order].tolist()
    assert detector.score_samples(np.vstack([rows, rows.mean(axis=0)]))[:80].tolist() == scores.tolist()


@pytest.mark.parametrize("method", METHODS)
def test_one_training_row_and_constant_columns_serve(method: Method) -> None:
    assert AnomalyDetector(method, n_estimators=6).fit(np.ones((1, 3))).score_samples(np.ones((2, 3))).tolist() == [0.5, 0.5]
    flat = AnomalyDetector(method, n_estimators=6).fit(np.ones((50, 3)))
    assert flat.score_samples(np.zeros((1, 3))) == flat.score_samples(np.ones((1, 3)))


def test_cloning_and_pickling_keep_it(detector: AnomalyDetector) -> None:
    rows = residual_like(12, 20)
    again = clone(detector).fit(residual_like(0, 600))
    assert again.score_samples(rows).tolist() == detector.score_samples(rows).tolist()
    assert pickle.loads(pickle.dumps(detector)).score_samples(rows).tolist() == detector.score_samples(rows).tolist()


def test_settings_that_make_no_forest_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        AnomalyDetector(n_estimators=0).fit(np.ones((4, 2)))
    with pytest.raises(ValueError, match="'ensemble', 'forest' or 'extended'"):
        AnomalyDetector("oracle").fit(np.ones((4, 2)))  # type: ignore[arg-type]  # the refusal is the test


@pytest.mark.parametrize("method", METHODS)
def test_units_do_not_matter_and_two_threads_give_the_same_bits(method: Method) -> None:
    rows = np.random.default_rng(2).lognormal(0, 1, (3_000, 4))
    one = AnomalyDetector(method, n_estimators=60).fit(rows).score_samples(rows)
    assert AnomalyDetector(method, n_estimators=60, n_jobs=2).fit(rows).score_samples(rows).tolist() == one.tolist()
    scaled = AnomalyDetector(method, n_estimators=60).fit(rows * 1024.0).score_samples(rows * 1024.0)
    np.testing.assert_allclose(scaled, one, atol=1e-6)


def test_awkward_columns_give_scores_within_bounds() -> None:
    rng = np.random.default_rng(3)
    rows = np.column_stack(
        [rng.integers(0, 3, 400), np.zeros(400), rng.pareto(0.3, 400) * 1e100, np.repeat(5.0, 400), rng.normal(1e9, 1, 400)]
    )
    rows[:200] = rows[200:]
    rows[::9, 0] = np.nan
    scores = AnomalyDetector().fit(rows).score_samples(np.vstack([rows, [1e300, -1e300, 0.0, 9.0, -1.0]]))
    assert ((scores > 0) & (scores < 1)).all()
    assert len(np.unique(scores)) > 150


def test_a_cluster_of_odd_combinations_is_found_where_single_columns_look_ordinary() -> None:
    rng = np.random.default_rng(4)
    base = rng.normal(0, 1, 2_000)
    honest = np.column_stack([base, base + rng.normal(0, 0.1, 2_000), rng.normal(0, 1, (2_000, 4))])
    odd = np.column_stack([rng.normal(1.2, 0.1, 40), rng.normal(-1.2, 0.1, 40), rng.normal(0, 1, (40, 4))])
    rows, truth = np.vstack([honest, odd]), np.repeat([0, 1], [2_000, 40])
    ours = average_precision(truth, AnomalyDetector().fit(rows).score_samples(rows))
    assert ours > 2 * average_precision(truth, AnomalyDetector("forest").fit(rows).score_samples(rows))


SCORES = """
import numpy as np
from models import AnomalyDetector
rows = np.random.default_rng(0).normal(0, 1, (300, 5))
print(AnomalyDetector(n_estimators=40).fit(rows).score_samples(rows).tobytes().hex())
"""


def test_two_processes_with_one_seed_give_one_answer() -> None:
    answers = {
        subprocess.run(
            [sys.executable, "-c", SCORES], cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1
