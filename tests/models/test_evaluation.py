"""Metrics on rankings that can be checked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation import (
    RawForestBaseline,
    average_precision,
    brier,
    calibration_error,
    false_discovery_share,
    nights_to_detection,
    precision_at_k,
    recall_at_fpr,
    reliability,
)

TRUTH = [0, 1, 0, 1, 0]
SCORE = [0.1, 0.9, 0.8, 0.7, 0.2]


def test_average_precision_by_hand() -> None:
    assert average_precision(TRUTH, SCORE) == pytest.approx((1 / 1 + 2 / 3) / 2)


def test_recall_within_a_false_positive_rate() -> None:
    assert recall_at_fpr(TRUTH, SCORE, fpr=0.01) == 0.5
    assert recall_at_fpr(TRUTH, SCORE, fpr=0.34) == 1.0


def test_precision_at_k_averages_over_ties() -> None:
    assert precision_at_k(TRUTH, SCORE, 1) == 1.0
    assert precision_at_k(TRUTH, SCORE, 3) == pytest.approx(2 / 3)
    assert precision_at_k([1, 0, 0, 0], [1.0] * 4, 2) == pytest.approx(0.25)


def test_an_unknown_score_ranks_last() -> None:
    assert precision_at_k([1, 0], [np.nan, -5.0], 1) == 0.0
    assert average_precision([1, 0], [np.nan, np.nan]) == 0.5


@pytest.mark.parametrize(("truth", "score", "message"), [([0, 0], [1, 2], "at least one positive"), ([1], [1, 2], "1 labels but 2 scores")])
def test_what_cannot_be_measured_is_refused(truth: list[int], score: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        average_precision(truth, score)


def test_edges_of_the_question_are_refused() -> None:
    with pytest.raises(ValueError, match="between 1 and the 5 rows"):
        precision_at_k(TRUTH, SCORE, 6)
    with pytest.raises(ValueError, match="at least one negative"):
        recall_at_fpr([1, 1], [1, 2])


def test_the_usual_recipe_alerts_on_one_in_twenty_though_nothing_is_wrong() -> None:
    rows = np.random.default_rng(0).lognormal(3, 1, (400, 5))
    rows[0, 0] = np.nan
    usual = RawForestBaseline().fit(rows)
    assert usual.alerts(rows).sum() == 20
    assert ((usual.score_samples(rows) > 0) & (usual.score_samples(rows) < 1)).all()


def test_the_share_of_false_alerts() -> None:
    assert false_discovery_share([1, 0, 1, 0], [1, 1, 0, 0]) == 0.5
    assert false_discovery_share([1, 0], [0, 0]) == 0.0
    with pytest.raises(ValueError, match="2 labels but 1 alerts"):
        false_discovery_share([1, 0], [1])


def test_probabilities_are_measured_against_what_turned_out() -> None:
    assert brier([1, 0], [1.0, 0.5]) == 0.125
    bins = reliability([0, 0, 1, 1, 0], [0.05, 0.05, 0.95, 1.0, np.nan])
    assert [(one.rows, one.observed) for one in bins] == [(2, 0.0), (2, 1.0)]
    assert calibration_error([0, 0, 1, 1], [0.05, 0.05, 0.95, 1.0]) == pytest.approx((0.05 + 0.025) / 2)
    with pytest.raises(ValueError, match="between 0 and 1"):
        brier([1], [1.2])


def test_honest_probabilities_have_little_calibration_error() -> None:
    rng = np.random.default_rng(0)
    probability = rng.random(50_000)
    truth = rng.random(50_000) < probability
    assert calibration_error(truth, probability) < 0.01
    assert calibration_error(truth, probability**3) > 0.1


def test_nights_are_counted_from_the_onset_and_censored_at_the_end() -> None:
    waited = nights_to_detection([0, 3, 3, 5, 9], [0, 4, np.nan, 2, 9], nights=7)
    assert waited[:4].tolist() == [1.0, 2.0, np.inf, np.inf]
    assert np.isnan(waited[4])
    assert np.nanmedian(waited[:3]) == 2.0
