"""The second world differs from the first in every law, and its tables have the same shape."""

from __future__ import annotations

import numpy as np
import pytest

from fraud.simulation.laws import HAWKES, LOGNORMAL, laws_of
from fraud.simulation.program import SimulatedProgram, SimulationSpec, simulate
from fraud.simulation.randomness import stream


@pytest.fixture(scope="module")
def other() -> SimulatedProgram:
    """Two hundred honest affiliates under the second laws."""
    return simulate(SimulationSpec(seed=5, affiliates=200, days=10, bad_share=0.0, hard_share=0.0, laws="hawkes"))


def dispersion(program: SimulatedProgram) -> float:
    """Variance over mean of clicks in ten minutes, median over affiliates: 1 for independent visits of constant rate."""
    clicks = program.clicks
    bins = clicks.groupby([clicks["affiliate_id"].astype("str"), clicks["clicked_at"].dt.floor("10min")]).size()
    counts = bins.unstack(fill_value=0)
    busy = counts[counts.mean(axis=1) > 0.3]
    return float((busy.var(axis=1) / busy.mean(axis=1)).median())


def test_names_and_short_names() -> None:
    assert laws_of("a") is laws_of("lognormal") is LOGNORMAL
    assert laws_of("B") is laws_of("hawkes") is HAWKES


def test_no_offer_is_in_both_worlds(other: SimulatedProgram, honest: SimulatedProgram) -> None:
    assert not set(other.offers["name"]) & set(honest.offers["name"])
    assert not set(other.offers["offer_id"]) & set(honest.offers["offer_id"])
    assert list(other.clicks.columns) == list(honest.clicks.columns)


def test_volumes_have_a_heavier_tail() -> None:
    drawn = [np.sort(laws.volumes(stream(1, laws.name), 50_000)) for laws in (LOGNORMAL, HAWKES)]
    top = [volumes[-500:].sum() / volumes.sum() for volumes in drawn]
    assert drawn[1].min() >= 18.0
    assert top[1] > top[0]
    assert HAWKES.typical_volume == pytest.approx(drawn[1].mean(), rel=0.1)


def test_visits_set_off_further_visits(other: SimulatedProgram, honest: SimulatedProgram) -> None:
    assert dispersion(other) > dispersion(honest) + 0.15


def test_a_mean_that_is_asked_for_is_met_in_either_world() -> None:
    spec = SimulationSpec(seed=2, affiliates=300, days=4, clicks_per_day=20, bad_share=0, hard_share=0, laws="hawkes", even_volume=True)
    program = simulate(spec)
    assert len(program.clicks) / 300 / 4 == pytest.approx(20 * 1.1, rel=0.1), "double clicks and a weekend come on top"


def test_delays_are_weibull(other: SimulatedProgram) -> None:
    drawn = HAWKES.prompt_delays(stream(3, "delays"), np.full(50_000, 600.0))
    assert np.median(drawn) == pytest.approx(600.0, rel=0.05)
    logs = np.log(drawn)
    skew = float(np.mean(((logs - logs.mean()) / logs.std()) ** 3))
    assert skew < -0.8, "a log-normal would be symmetric"


def test_types_and_places_are_mixed_otherwise(other: SimulatedProgram, honest: SimulatedProgram) -> None:
    for column, table in (("affiliate_type", "affiliates"), ("country", "clicks")):
        shares = [getattr(program, table)[column].value_counts(normalize=True) for program in (other, honest)]
        assert (shares[0] - shares[1]).abs().max() > 0.08


def test_the_same_kinds_are_played(program: SimulatedProgram) -> None:
    spec = SimulationSpec(seed=11, affiliates=200, days=6, clicks_per_day=15, bad_share=0.3, hard_share=0.2, laws="hawkes")
    assert {one.kind for one in simulate(spec).truth.affiliates} == {one.kind for one in program.truth.affiliates}
