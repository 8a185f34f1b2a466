"""The sum of the largest tails."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from models.tail import TopTail

Z = st.lists(st.floats(0, 8) | st.just(float("nan")), min_size=6, max_size=6)


def test_it_is_the_sum_of_the_k_largest_log_tails() -> None:
    z = np.array([[0.0, 1.0, 5.0, 3.0, 2.0, 4.0]])
    expected = -np.log10(norm.sf([2.0, 3.0, 4.0, 5.0])).sum()
    assert TopTail(k=4).score_samples(z)[0] == pytest.approx(expected, rel=1e-12)


def test_enormous_residuals_stay_apart() -> None:
    scores = TopTail(k=1).score_samples([[40.0], [41.0], [400.0]])
    assert np.isfinite(scores).all()
    assert scores[0] < scores[1] < scores[2]


def test_unknown_residuals_are_left_out_and_a_row_of_them_is_unknown() -> None:
    scores = TopTail(k=2).score_samples([[3.0, np.nan, 2.0], [3.0, 2.0, 0.0], [np.nan] * 3])
    assert scores[0] == scores[1]
    assert np.isnan(scores[2])


@given(st.lists(Z, min_size=1, max_size=5))
def test_a_row_scores_the_same_alone(rows: list[list[float]]) -> None:
    together = TopTail().score_samples(rows)
    alone = np.array([TopTail().score_samples([row])[0] for row in rows])
    assert np.array_equal(together, alone, equal_nan=True)


@given(Z, st.integers(0, 5))
def test_losing_a_column_never_raises_the_score(row: list[float], column: int) -> None:
    less = [value if number != column else float("nan") for number, value in enumerate(row)]
    before, after = TopTail().score_samples([row, less])
    assert np.isnan(after) or after <= before


def test_there_is_no_tail_of_nothing() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        TopTail(k=0)
    with pytest.raises(ValueError, match="rows and columns"):
        TopTail().score_samples([1.0, 2.0])
