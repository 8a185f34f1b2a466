"""The priors behind the residuals, on numbers that can be checked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models.arrays import FloatArray
from models.shrinkage import PSEUDO_EVENTS, TRANSFORMS, Sample


def sample(value: list[float], support: list[float], volume: list[float] | None = None) -> Sample:
    """A sample from plain lists."""
    size = np.array(support if volume is None else volume, dtype=np.float64)
    return Sample(np.array(value, dtype=np.float64), np.array(support, dtype=np.float64), np.log(np.maximum(size, 1.0)))


def drawn_rates(strength: float, size: int = 2_000) -> Sample:
    """Rates around .2 whose true Beta prior has this strength."""
    rng = np.random.default_rng(0)
    clicks = np.full(size, 400.0)
    rates = rng.beta(0.2 * strength, 0.8 * strength, size)
    return sample((rng.binomial(400, rates) / 400).tolist(), clicks.tolist())


def test_the_beta_prior_finds_the_strength_it_was_drawn_with() -> None:
    mean, strength = TRANSFORMS["rate"].prior(drawn_rates(15.0), None)
    assert mean == pytest.approx(0.2, abs=0.01)
    assert strength == pytest.approx(15.0, rel=0.15)


def test_a_homogeneous_reference_is_worth_four_events_at_most() -> None:
    mean, strength = TRANSFORMS["rate"].prior(sample([0.01] * 50, [1_000] * 50), None)
    assert strength * mean * (1 - mean) == pytest.approx(PSEUDO_EVENTS)


def test_a_divided_reference_is_worth_two_observations_at_least() -> None:
    assert TRANSFORMS["rate"].prior(sample([0.0, 1.0] * 20, [500] * 40), None)[1] == 2.0


def test_a_shrunk_rate_lies_between_the_entity_and_its_peers() -> None:
    prior: FloatArray = np.array([0.1, 40.0])
    assert TRANSFORMS["rate"].shrink(sample([0.5], [40]), prior)[0] == pytest.approx(0.3)


def test_rates_at_the_ends_have_finite_residuals() -> None:
    residual = TRANSFORMS["rate"].residual(sample([0.0, 1.0], [1e12, 1e12]), np.array([0.5, 2.0]))
    assert np.isfinite(residual).all()
    assert residual[0] == pytest.approx(-residual[1])


def test_no_conversion_among_few_is_not_far_from_the_peers() -> None:
    prior = TRANSFORMS["level"].prior(sample([0.9, 1.0, 1.1], [50, 50, 50]), None)
    few, many = TRANSFORMS["level"].residual(sample([0.0, 0.0], [0.5, 50.0]), prior)
    assert few == pytest.approx(np.log(4 / 4.5))
    assert many == pytest.approx(np.log(4 / 54))


def test_a_level_without_conversions_anywhere_has_a_prior_above_zero() -> None:
    prior = TRANSFORMS["level"].prior(sample([0.0] * 30, [300.0] * 30), None)
    small, large = TRANSFORMS["level"].residual(sample([0.0, 0.0], [1.0, 900.0]), prior)
    assert prior[0] > 0
    assert small - large < 0.2


def test_the_line_of_a_magnitude_ignores_outliers() -> None:
    rng = np.random.default_rng(0)
    volume = rng.lognormal(6, 1, 200)
    value = np.expm1(0.7 * np.log(volume) + rng.normal(0, 0.1, 200))
    value[:10] *= 100
    _, slope = TRANSFORMS["magnitude"].prior(sample(value.tolist(), volume.tolist()), None)
    assert slope == pytest.approx(0.7, abs=0.05)


def test_a_group_of_one_volume_takes_its_parents_slope() -> None:
    alike = sample([10.0] * 40, [300.0] * 40)
    assert TRANSFORMS["magnitude"].prior(alike, np.array([0.0, 0.6]))[1] == pytest.approx(0.6)
    assert TRANSFORMS["magnitude"].prior(alike, None)[1] == 0.0


def test_the_floor_of_a_statistic_follows_its_scale() -> None:
    floor = TRANSFORMS["statistic"].floor
    spread = np.linspace(-1, 1, 101)
    assert floor(sample((spread * 1e-4).tolist(), [9] * 101)) == pytest.approx(1e-4 * floor(sample(spread.tolist(), [9] * 101)))
    assert floor(sample([0.0] * 5, [9] * 5)) == 0.05
