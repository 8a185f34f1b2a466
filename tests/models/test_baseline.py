"""Residuals against frozen peers: shrunk, one-sided, the same for one row as for many."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.baseline import CLIP, FeatureSpec, Observations, PeerBaseline, Residuals
from tests.models.conftest import SPECS, cell, observations, rows

COLUMNS = ["hosting_share:high", "conversion_ratio:high", "conversion_ratio:low", "clicks_per_minute:high", "gap_regularity:low"]


def same(left: Residuals, right: Residuals) -> bool:
    """Whether two sets of residuals are the same to the last bit."""
    frames = ("z", "peer", "shrunk", "observed", "support")
    return all(getattr(left, name).equals(getattr(right, name)) for name in frames) and left.group.equals(right.group)


def with_value(obs: Observations, entity: str, feature: str, value: float) -> Observations:
    """The observations with one cell changed."""
    values = obs.values.copy()
    values.loc[entity, feature] = value
    return replace(obs, values=values)


def single(feature: str, value: float, clicks: float, group: tuple[str, str] = ("content/us", "content")) -> Observations:
    """One affiliate of whom one feature is known."""
    index = pd.Index(["x"])
    return Observations(
        pd.DataFrame({feature: [value]}, index=index),
        pd.DataFrame({feature: [clicks]}, index=index),
        pd.DataFrame([group], columns=["fine", "type"], index=index),
        pd.Series([clicks], index=index),
    )


def test_each_side_that_can_be_bad_gets_a_column(baseline: PeerBaseline, tonight: Observations) -> None:
    z = baseline.transform(tonight).z
    assert list(z.columns) == COLUMNS
    assert z.min().min() == 0.0
    assert z.max().max() <= CLIP


def test_honest_affiliates_are_near_their_peers(baseline: PeerBaseline, tonight: Observations) -> None:
    assert (baseline.transform(tonight).z.max(axis=1) > 3).mean() < 0.02


def test_a_hosting_share_far_above_the_peers_stands_out(baseline: PeerBaseline, tonight: Observations) -> None:
    big = str(tonight.volume.idxmax())
    residuals = baseline.transform(with_value(tonight, big, "hosting_share", 0.5))
    assert cell(residuals.z, big, "hosting_share:high") > 4
    assert residuals.peer.loc[big, "hosting_share"] == pytest.approx(0.016, abs=0.01)
    assert residuals.shrunk.loc[big, "hosting_share"] == pytest.approx(0.5, abs=0.1)


def test_the_good_direction_is_silent(baseline: PeerBaseline, tonight: Observations) -> None:
    big = str(tonight.volume.idxmax())
    assert cell(baseline.transform(with_value(tonight, big, "hosting_share", 0.0)).z, big, "hosting_share:high") == 0.0


@pytest.mark.parametrize(("value", "side", "other"), [(5.0, "high", "low"), (0.02, "low", "high")])
def test_a_feature_bad_on_both_sides_speaks_on_one(
    baseline: PeerBaseline, tonight: Observations, value: float, side: str, other: str
) -> None:
    big = str(tonight.volume.idxmax())
    z = baseline.transform(with_value(tonight, big, "conversion_ratio", value)).z.loc[big]
    assert z[f"conversion_ratio:{side}"] > 2
    assert z[f"conversion_ratio:{other}"] == 0.0


def test_too_little_support_is_unknown_not_clear(baseline: PeerBaseline) -> None:
    too_few, enough = (baseline.transform(single("hosting_share", 1.0, clicks)).z for clicks in (19, 20))
    assert np.isnan(cell(too_few, "x", "hosting_share:high"))
    assert cell(enough, "x", "hosting_share:high") > 2


def test_the_smaller_sample_weighs_less(baseline: PeerBaseline) -> None:
    z = [cell(baseline.transform(single("hosting_share", 0.2, n)).z, "x", "hosting_share:high") for n in (20, 100, 1_000, 100_000)]
    assert z == sorted(z)


@given(st.integers(min_value=0, max_value=299))
@settings(max_examples=60, deadline=None)
def test_one_row_alone_is_that_row_among_many_to_the_last_bit(baseline: PeerBaseline, tonight: Observations, number: int) -> None:
    entity = str(tonight.values.index[number])
    together, alone = baseline.transform(tonight), baseline.transform(rows(tonight, [entity]))
    for name in ("z", "peer", "shrunk"):
        assert getattr(alone, name).equals(getattr(together, name).loc[[entity]])


def test_swapping_ids_swaps_residuals(baseline: PeerBaseline, tonight: Observations) -> None:
    order = list(np.random.default_rng(0).permutation(tonight.values.index))
    assert baseline.transform(rows(tonight, order)).z.equals(baseline.transform(tonight).z.loc[order])


def test_another_affiliate_changes_nobody(baseline: PeerBaseline, tonight: Observations) -> None:
    average = observations(seed=9, size=1, prefix="new")
    more = Observations(
        pd.concat([tonight.values, average.values]),
        pd.concat([tonight.support, average.support]),
        pd.concat([tonight.groups, average.groups]),
        pd.concat([tonight.volume, average.volume]),
    )
    assert baseline.transform(more).z.loc[tonight.values.index].equals(baseline.transform(tonight).z)


@given(share=st.floats(0.05, 1.0), clicks=st.integers(20, 5_000))
@settings(max_examples=60, deadline=None)
def test_ten_times_the_clicks_at_the_same_rate_only_make_it_surer(baseline: PeerBaseline, share: float, clicks: int) -> None:
    once = cell(baseline.transform(single("hosting_share", share, clicks)).z, "x", "hosting_share:high")
    tenfold = cell(baseline.transform(single("hosting_share", share, 10 * clicks)).z, "x", "hosting_share:high")
    assert once <= tenfold <= CLIP


@given(clicks=st.floats(50, 100_000))
@settings(max_examples=60, deadline=None)
def test_volume_alone_is_never_anomalous(baseline: PeerBaseline, clicks: float) -> None:
    on_the_line = float(np.expm1(0.8 * np.log(clicks) - 1.5))
    assert cell(baseline.transform(single("clicks_per_minute", on_the_line, clicks)).z, "x", "clicks_per_minute:high") < 1


def test_an_unknown_group_falls_back_to_the_one_around_it(baseline: PeerBaseline) -> None:
    groups = [("content/us", "content"), ("content/zz", "content"), ("blimp/zz", "blimp"), (None, "content"), ("content/us", "coupon")]
    used = [baseline.transform(single("hosting_share", 0.1, 100, group)).group["x"] for group in groups]  # type: ignore[arg-type]  # None is an empty cell
    assert used == ["content/us", "content", "all", "content", "coupon"]


def test_a_small_group_leans_on_its_parent(reference: Observations) -> None:
    values = reference.values.copy()
    app = reference.groups["type"] == "app"
    values.loc[app, "gap_regularity"] += 5.0
    baseline = PeerBaseline(SPECS).fit(replace(reference, values=values))
    peer = cell(baseline.transform(single("gap_regularity", 1.0, 100, ("app/us", "app"))).peer, "x", "gap_regularity")
    assert app.sum() < 30
    assert 1.2 < peer < 5.0


def test_a_large_group_stands_on_its_own(reference: Observations) -> None:
    values = reference.values.copy()
    values.loc[reference.groups["type"] == "coupon", "gap_regularity"] += 5.0
    baseline = PeerBaseline(SPECS).fit(replace(reference, values=values))
    peer = cell(baseline.transform(single("gap_regularity", 1.0, 100, ("coupon/zz", "coupon"))).peer, "x", "gap_regularity")
    assert peer == pytest.approx(6.0, abs=0.1)


def test_a_missing_column_is_unknown_and_moves_nothing_else(baseline: PeerBaseline, tonight: Observations) -> None:
    less = replace(tonight, values=tonight.values.drop(columns="hosting_share"))
    z, whole = baseline.transform(less).z, baseline.transform(tonight).z
    assert z["hosting_share:high"].isna().all()
    assert z[COLUMNS[1:]].equals(whole[COLUMNS[1:]])


def test_a_reference_of_one_affiliate_serves() -> None:
    lonely = observations(seed=3, size=1)
    z = PeerBaseline(SPECS).fit(lonely).transform(lonely).z
    assert ((z == 0.0) | z.isna()).to_numpy().all()


def test_a_feature_nobody_knew_is_unknown_for_everybody(reference: Observations, tonight: Observations) -> None:
    blind = PeerBaseline(SPECS).fit(replace(reference, values=reference.values.assign(conversion_ratio=np.nan)))
    residuals = blind.transform(tonight)
    assert residuals.z[["conversion_ratio:high", "conversion_ratio:low"]].isna().all().all()
    assert residuals.z["gap_regularity:low"].notna().any()


@pytest.mark.parametrize("constant", [0.0, 1.0])
def test_a_constant_column_has_finite_residuals(reference: Observations, tonight: Observations, constant: float) -> None:
    flat = reference.values * 0.0 + constant
    residuals = PeerBaseline(SPECS).fit(replace(reference, values=flat)).transform(tonight)
    assert np.isfinite(residuals.z.to_numpy()[residuals.support.to_numpy().min(axis=1) >= 20]).all()
    unmoved = PeerBaseline(SPECS).fit(replace(reference, values=flat)).transform(replace(reference, values=flat))
    assert unmoved.z.drop(columns="clicks_per_minute:high").max().max() < 1


def test_a_window_of_nobody_gives_nobody(baseline: PeerBaseline, tonight: Observations) -> None:
    assert baseline.transform(rows(tonight, [])).z.shape == (0, 5)


def test_without_groups_everybody_is_a_peer(reference: Observations) -> None:
    bare = replace(reference, groups=reference.groups[[]])
    assert set(PeerBaseline(SPECS).fit(bare).transform(bare).group) == {"all"}


def test_a_baseline_survives_pickling(baseline: PeerBaseline, tonight: Observations) -> None:
    assert same(pickle.loads(pickle.dumps(baseline)).transform(tonight), baseline.transform(tonight))


def test_fitting_twice_gives_the_same_baseline(baseline: PeerBaseline, reference: Observations, tonight: Observations) -> None:
    shuffled = rows(reference, list(reference.values.index))
    assert same(PeerBaseline(SPECS).fit(shuffled).transform(tonight), baseline.transform(tonight))


@pytest.mark.parametrize(
    ("feature", "value", "message"),
    [
        ("hosting_share", 1.2, "'a3': 'hosting_share' is a rate but above 1"),
        ("conversion_ratio", -0.1, "is a level but negative"),
        ("clicks_per_minute", np.inf, "is infinite"),
    ],
)
def test_an_impossible_value_is_refused(baseline: PeerBaseline, tonight: Observations, feature: str, value: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        baseline.transform(with_value(tonight, "a3", feature, value))


def test_observations_that_do_not_fit_together_are_refused(tonight: Observations) -> None:
    with pytest.raises(ValueError, match="`volume` must have the same entities"):
        replace(tonight, volume=tonight.volume.iloc[:-1])
    with pytest.raises(ValueError, match="'a0' is repeated"):
        rows(tonight, ["a0", "a0"])


def test_a_baseline_must_be_fitted_and_its_features_distinct(tonight: Observations) -> None:
    with pytest.raises(ValueError, match="not fitted yet"):
        PeerBaseline(SPECS).transform(tonight)
    with pytest.raises(ValueError, match="same name"):
        PeerBaseline([FeatureSpec("a", "rate", "high", 1), FeatureSpec("a", "level", "low", 1)])


@pytest.mark.parametrize("support", [4.0, 25.0, 400.0])
def test_half_the_support_tells_chance_from_difference(support: float) -> None:
    """Honest entities differ by a tenth, chance by 1.5 over the root of the sample: three of these together are news at any size."""
    random = np.random.default_rng(5)
    size = random.uniform(2.0, 500.0, 400)
    spread = np.sqrt(0.1**2 + 1.5**2 / size)
    spec = FeatureSpec(name="haste", kind="statistic", bad="high", minimum_support=1, floor=0.01, half_support=(1.5 / 0.1) ** 2)
    fitted = PeerBaseline([spec]).fit(_plain(random.normal(0.0, spread), size))
    z = fitted.transform(_plain(np.array([3.0 * math.sqrt(0.1**2 + 1.5**2 / support)]), np.array([support]))).z
    assert z["haste:high"].item() == pytest.approx(3.0, rel=0.2)


def _plain(values: NDArray[np.float64], support: NDArray[np.float64]) -> Observations:
    index = pd.RangeIndex(len(values))
    value, n = (pd.DataFrame({"haste": column}, index=index) for column in (values, support))
    return Observations(value, n, groups=pd.DataFrame(index=index), volume=pd.Series(support, index=index))
