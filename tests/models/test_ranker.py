"""The ranker: scikit-learn's conventions, its stages, and probabilities that mean what they say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from models import RiskRanker
from models.arrays import BoolArray, FloatArray
from models.calibration import corrected_probability, platt
from models.evaluation import average_precision


def reviewed(seed: int, size: int, share: float = 0.3) -> tuple[FloatArray, BoolArray]:
    """Residual-like rows, of which the bad ones are raised in two of six columns."""
    rng = np.random.default_rng(seed)
    bad = np.zeros(size, dtype=bool)
    bad[rng.choice(size, int(size * share), replace=False)] = True
    rows = rng.normal(0, 1, (size, 6))
    rows[bad, :2] += rng.gamma(2, 0.8, (int(bad.sum()), 2))
    return rows, bad


@parametrize_with_checks([RiskRanker(n_estimators=5)])  # type: ignore[untyped-decorator]  # scikit-learn ships no types
def test_it_is_a_scikit_learn_classifier(estimator: RiskRanker, check: Callable[[RiskRanker], None]) -> None:
    check(estimator)


@pytest.mark.parametrize(
    ("size", "share", "stage"),
    [(30, 0.4, "blend"), (100, 0.1, "blend"), (80, 0.3, "logistic"), (119, 0.3, "logistic"), (120, 0.3, "trees")],
)
def test_the_stage_follows_the_labels(size: int, share: float, stage: str) -> None:
    rows, bad = reviewed(0, size, share)
    ranker = RiskRanker(n_estimators=10).fit(rows, bad)
    assert ranker.stage_ == stage
    assert ranker.weight_ == (size / (size + 60) if stage == "blend" else 1.0)


@pytest.mark.parametrize("size", [30, 80, 400])
def test_it_ranks_other_rows_better_than_chance_at_every_stage(size: int) -> None:
    rows, bad = reviewed(1, size)
    others, truth = reviewed(2, 600, 0.1)
    score = RiskRanker(n_estimators=20).fit(rows, bad).predict_proba(others)[:, 1]
    assert average_precision(truth, score) > 2.5 * truth.mean()


def test_probabilities_are_calibrated_on_rows_it_never_saw() -> None:
    rows, bad = reviewed(3, 1_000)
    others, truth = reviewed(4, 3_000)
    probability = RiskRanker(n_estimators=30).fit(rows, bad).predict_proba(others)[:, 1]
    for low, high in ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0)):
        bin_ = (probability > low) & (probability <= high)
        assert abs(probability[bin_].mean() - truth[bin_].mean()) < 0.08


def test_unlabelled_rows_are_not_taken_for_good_ones() -> None:
    rows, bad = reviewed(5, 1_200, 0.3)
    rows[bad, :2] += 2.0
    labelled = bad & (np.random.default_rng(0).random(1_200) < 0.4)
    naive = RiskRanker(n_estimators=20).fit(rows, labelled)
    corrected = RiskRanker(n_estimators=20, unlabelled=True).fit(rows, labelled)
    others, truth = reviewed(6, 2_000, 0.3)
    others[truth, :2] += 2.0
    assert abs(corrected.predict_proba(others)[:, 1].mean() - 0.3) < abs(naive.predict_proba(others)[:, 1].mean() - 0.3)
    assert 0.2 < corrected.label_frequency_ < 0.6
    order = [np.argsort(ranker.predict_proba(others)[:, 1], kind="stable").tolist() for ranker in (naive, corrected)]
    assert order[0] == order[1]


def test_unknown_cells_are_read_and_moved_no_further_than_an_ordinary_value() -> None:
    rows, bad = reviewed(7, 300)
    rows[::5, 4] = np.nan
    ranker = RiskRanker(n_estimators=20).fit(rows, bad)
    without, median = rows.copy(), rows.copy()
    assert ranker.detector_ is not None
    without[:, 0], median[:, 0] = np.nan, ranker.detector_.medians_[0]
    assert ranker.predict_proba(without).tolist() == ranker.predict_proba(median).tolist()


def test_it_serves_in_a_pipeline_and_is_cloned_with_its_settings() -> None:
    rows, bad = reviewed(8, 100)
    line = make_pipeline(StandardScaler(), RiskRanker(n_estimators=7, unlabelled=True)).fit(rows, bad)
    assert line.predict_proba(rows).shape == (100, 2)
    assert clone(line[-1]).get_params() == {"n_estimators": 7, "unlabelled": True, "order": None, "random_state": 0, "n_jobs": None}


def test_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match="two classes, good and bad, not 1"):
        RiskRanker().fit(np.ones((5, 2)), np.zeros(5))


def test_platts_line_undoes_a_stretch_and_keeps_the_order_of_noise() -> None:
    rng = np.random.default_rng(9)
    odds = rng.normal(0, 2, 20_000)
    bad = rng.random(20_000) < 1 / (1 + np.exp(-odds))
    slope, intercept = platt(3 * odds + 1, bad)
    assert (slope, intercept) == pytest.approx((1 / 3, -1 / 3), abs=0.03)
    assert platt(odds, rng.random(20_000) < 0.1)[0] > 0


def test_the_correction_divides_and_never_reaches_certainty() -> None:
    assert corrected_probability([0.1, 0.2], 0.5).tolist() == [0.2, 0.4]
    sure = corrected_probability([0.6, 0.7], 0.5)
    assert sure[0] < sure[1] < 1.0
    with pytest.raises(ValueError, match="must lie above 0"):
        corrected_probability([0.1], 0.0)


@pytest.mark.parametrize("size", [40, 200])
def test_a_given_order_takes_the_place_of_its_own_detector(size: int) -> None:
    """Below 60 labels it leans on the column that holds the order; an unknown order is an ordinary one."""
    rows, bad = reviewed(5, size, 0.3)
    ordered = np.column_stack([bad + np.random.default_rng(6).normal(0, 0.4, size), rows])
    ordered[::7, 0] = np.nan
    ranker = RiskRanker(n_estimators=10, order=0).fit(ordered, bad)
    assert ranker.detector_ is None
    score = ranker.predict_proba(ordered)[:, 1]
    assert np.isfinite(score).all()
    assert (
        average_precision(bad, score) > average_precision(bad, RiskRanker(n_estimators=10).fit(rows, bad).predict_proba(rows)[:, 1]) - 0.1
    )
    assert ranker.out_of_fold_.shape == (size,)
    assert average_precision(bad, ranker.out_of_fold_) > 0.6
