"""p-values that fall as scores rise, are uniform when nothing is wrong, and keep the promised rate of false discoveries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import genpareto, kstest

from models.arrays import FloatArray
from models.calibration import SHAPE_LIMITS, TailCalibrator, benjamini_hochberg, conformal_p, needed_calibration

SCORES = st.lists(st.floats(-50, 50), min_size=2, max_size=60)


def exponential(seed: int, size: int) -> FloatArray:
    """Scores with an exponential tail."""
    return np.random.default_rng(seed).exponential(1.0, size)


@given(reference=st.lists(st.floats(-5, 5), min_size=0, max_size=400), scores=SCORES)
@settings(deadline=None)
def test_a_higher_score_never_has_a_higher_p(reference: list[float], scores: list[float]) -> None:
    p = TailCalibrator().fit(reference).p_value(np.sort(scores))
    assert (np.diff(p) <= 0).all()
    assert ((p > 0) & (p <= 1)).all()


@given(scores=SCORES, seed=st.integers(0, 20))
@settings(deadline=None, max_examples=50)
def test_a_fitted_tail_never_rises_and_never_ends(scores: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    reference = genpareto.rvs(c=rng.uniform(-0.6, 0.6), size=500, random_state=rng)
    calibrator = TailCalibrator().fit(reference)
    evidence = calibrator.evidence(np.sort(np.abs(scores)))
    assert calibrator.tail_ is not None
    assert SHAPE_LIMITS[0] <= calibrator.tail_.shape <= SHAPE_LIMITS[1]
    assert np.isfinite(evidence).all()
    assert (np.diff(evidence) >= 0).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_p_is_uniform_on_a_null_night(seed: int) -> None:
    p = TailCalibrator().fit(exponential(seed, 2_400)).p_value(exponential(seed + 100, 600))
    assert kstest(p, "uniform").pvalue > 0.01
    assert 0.02 < (p < 0.05).mean() < 0.08


def test_the_tail_reaches_beyond_the_reference() -> None:
    ten, fourteen = TailCalibrator().fit(exponential(0, 2_000)).evidence([10.0, 14.0])
    assert ten == pytest.approx(-np.log10(np.exp(-10)), abs=1.0)
    assert fourteen > ten + 0.5


def test_a_bounded_tail_keeps_its_order_past_its_end() -> None:
    calibrator = TailCalibrator().fit(np.random.default_rng(0).uniform(0, 1, 1_000))
    evidence = calibrator.evidence([0.99, 1.2, 1.5, 2.0])
    assert (np.diff(evidence) > 1).all()


def test_a_small_reference_counts_and_no_more() -> None:
    calibrator = TailCalibrator().fit([1.0, 2.0, 3.0])
    assert calibrator.tail_ is None
    assert calibrator.p_value([0.0, 2.0, 99.0]).tolist() == [1.0, 0.75, 0.25]


def test_ties_throughout_the_tail_are_counted() -> None:
    p = TailCalibrator().fit([1.0] * 500 + [2.0] * 50).p_value([1.0, 2.0, 3.0])
    assert p[0] == 1.0
    assert p[1] == pytest.approx(51 / 551)
    assert p[2] <= p[1]


def test_the_unknown_stays_unknown() -> None:
    calibrator = TailCalibrator().fit([1.0, np.nan, 2.0])
    assert calibrator.reference_.size == 2
    assert np.isnan(calibrator.p_value([np.nan])).all()
    assert np.isnan(conformal_p([1.0], [np.nan])).all()


def test_evidence_is_minus_log10_p() -> None:
    calibrator = TailCalibrator().fit(exponential(0, 1_000))
    scores = np.linspace(0, 12, 50)
    np.testing.assert_allclose(10.0 ** -calibrator.evidence(scores), calibrator.p_value(scores), rtol=1e-12)


def test_a_calibrator_needs_a_finite_reference() -> None:
    with pytest.raises(ValueError, match="infinite"):
        TailCalibrator().fit([1.0, np.inf])
    with pytest.raises(ValueError, match="not fitted"):
        TailCalibrator().p_value([1.0])


def test_conformal_p_counts_who_scored_as_high() -> None:
    assert conformal_p([1.0, 2.0, 3.0, 4.0], [0.0, 3.0, 5.0]).tolist() == [1.0, 0.6, 0.2]
    assert conformal_p([], [3.0]).tolist() == [1.0]


def test_the_published_example_has_four_discoveries() -> None:
    """Benjamini & Hochberg 1995, section 3.2: fifteen endpoints, four rejected at .05."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert benjamini_hochberg(p, 0.05).tolist() == [True] * 4 + [False] * 11
    assert benjamini_hochberg(p[::-1], 0.05).sum() == 4


def test_the_unknown_is_not_tested() -> None:
    assert benjamini_hochberg([0.01, np.nan, 0.9], 0.05).tolist() == [True, False, False]
    assert benjamini_hochberg([], 0.05).tolist() == []


@given(st.lists(st.floats(0, 1), max_size=30))
def test_what_is_found_strictly_is_found_loosely(p: list[float]) -> None:
    assert (benjamini_hochberg(p, 0.05) <= benjamini_hochberg(p, 0.2)).all()


def test_no_discovery_on_null_nights() -> None:
    reference = exponential(0, 4_000)
    found = [benjamini_hochberg(conformal_p(reference, exponential(seed, 500)), 0.1).sum() for seed in range(1, 21)]
    assert sum(count > 0 for count in found) <= 5


@pytest.mark.parametrize("q", [0.05, 0.1, 0.2])
def test_the_share_of_false_discoveries_is_as_promised(q: float) -> None:
    """Sixty planted entities among 1,200, p-values from a slice of the reference that the scorer did not see."""
    shares = []
    for seed in range(40):
        scores = np.r_[exponential(seed, 1_140), exponential(seed + 500, 60) + 7.0]
        found = benjamini_hochberg(conformal_p(exponential(seed + 1_000, 6_000), scores), q)
        shares.append(found[:1_140].sum() / max(found.sum(), 1))
        assert found[1_140:].mean() > 0.5
    assert np.mean(shares) <= q + 0.02


@pytest.mark.parametrize("p", [[-0.1], [1.1]])
def test_what_is_no_p_value_is_refused(p: list[float]) -> None:
    with pytest.raises(ValueError, match="outside 0 to 1"):
        benjamini_hochberg(p, 0.1)


def test_the_resolution_rule() -> None:
    assert needed_calibration(hypotheses=1_200, q=0.1, discoveries=5) == 2_400
