"""Drift: none among samples of one law, much after a shift, and a common shift that single outliers cannot make."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from models.drift import Reference, common_shift, drift


def test_under_no_drift_the_p_values_are_uniform() -> None:
    rng = np.random.default_rng(0)
    p = [drift(rng.lognormal(0, 1, 900), rng.lognormal(0, 1, 600)).p_value for _ in range(400)]
    assert kstest(p, "uniform").pvalue > 0.01


def test_a_shift_is_seen_and_grows() -> None:
    rng = np.random.default_rng(1)
    reference = Reference.learn(rng.normal(0, 1, 2_000))
    found = [reference.compare(rng.normal(shift, 1, 1_000)) for shift in (0.0, 0.2, 0.5, 1.5)]
    assert [one.psi for one in found] == sorted(one.psi for one in found)
    assert found[0].p_value > 0.05
    assert found[1].p_value < 0.05
    assert found[2].p_value < 1e-6
    assert found[3].psi > 0.25


@given(st.lists(st.integers(-3, 3), max_size=60), st.lists(st.one_of(st.none(), st.integers(-9, 9)), max_size=60))
def test_any_sample_gives_a_finite_drift_that_no_unit_changes(before: list[int], after: list[int | None]) -> None:
    now = np.array([np.nan if value is None else value for value in after], dtype=np.float64)
    here = drift(np.array(before, dtype=np.float64), now)
    assert np.isfinite(here.psi)
    assert here.psi >= 0.0
    assert 0.0 <= here.p_value <= 1.0
    assert drift(np.array(before, dtype=np.float64) * 1024, now * 1024) == here


def test_nothing_known_is_no_drift_and_infinity_is_refused() -> None:
    assert drift([1.0, 2.0], [np.nan]).p_value == 1.0
    assert drift([], [1.0]).psi == 0.0
    with pytest.raises(ValueError, match="must be finite"):
        drift([1.0], [np.inf])


def test_a_common_shift_is_everyones_and_not_that_of_a_few() -> None:
    rng = np.random.default_rng(2)
    residuals = rng.normal(0, 1, (400, 3))
    residuals[:, 0] += 2.0
    residuals[:60, 1] = 8.0
    residuals[25:, 2] = np.nan
    shift = common_shift(residuals)
    assert shift[0] == pytest.approx(2.0, abs=0.2)
    assert abs(shift[1]) < 0.4
    assert np.isnan(shift[2])
