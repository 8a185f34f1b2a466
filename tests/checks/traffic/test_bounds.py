from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.checks.traffic.bounds import lower_bound, poisson_at_least, poisson_at_most, upper_bound


@given(st.integers(0, 500), st.integers(0, 500))
def test_bounds_enclose_the_share_they_bound(successes: int, failures: int) -> None:
    n = successes + failures
    low, high = lower_bound(successes, n), upper_bound(successes, n)
    assert 0 <= low < high <= 1
    if successes and failures:
        assert low < successes / n < high


@given(st.integers(1, 50))
def test_more_of_the_same_narrows_the_bounds(times: int) -> None:
    assert lower_bound(3 * times, 10 * times) <= lower_bound(3 * (times + 1), 10 * (times + 1))


def test_tails_of_the_poisson_law() -> None:
    assert poisson_at_most(0, 2.0) == pytest.approx(math.exp(-2))
    assert poisson_at_least(0, 2.0) == 1.0
    assert poisson_at_most(4, 7.0) + poisson_at_least(5, 7.0) == pytest.approx(1.0)
