"""The traffic model on tables of features: fitted once and frozen, one row at a time, the same whoever is in the table beside it."""

from __future__ import annotations

import math
import pickle

import pandas as pd
import pytest

from fraud.detection.observations import peer_groups, specs, volume_band
from fraud.detection.traffic import FOREST_ROWS, SEPARATE_ROWS, Judgement, fit_traffic_model, judge
from fraud.features.catalogue import FEATURES
from fraud.features.table import FeatureTable
from tests.detection.tables import NAMES, table_of


def changed(table: FeatureTable, subject: str, **values: float) -> FeatureTable:
    copied = table.values.copy()
    copied.loc[subject, list(values)] = list(values.values())
    return FeatureTable(copied, table.support, table.facts, table.hash)


def suspicious(name: str) -> float:
    """A value far on the side where a feature is suspicious."""
    return 0.0001 if next(feature for feature in FEATURES if feature.name == name).bad == "low" else 0.97


def evidence(judged: Judgement) -> dict[str, float]:
    return {str(name): value for name, value in judged.evidence.items()}


REFERENCE = table_of(SEPARATE_ROWS)


def test_every_feature_of_the_catalogue_is_compared_on_its_own_side() -> None:
    assert [spec.name for spec in specs()] == NAMES
    assert {(spec.name, spec.bad) for spec in specs()} == {(feature.name, feature.bad) for feature in FEATURES}


def test_few_rows_are_judged_by_the_tail_alone() -> None:
    small = fit_traffic_model(table_of(FOREST_ROWS - 1))
    assert small.forest is None
    assert fit_traffic_model(table_of(FOREST_ROWS)).forest is not None
    judged = judge(small, table_of(30, seed=2))
    assert judged.forest_evidence.isna().all()
    assert judged.evidence.notna().all()


def test_who_stands_out_in_many_features_comes_first_and_is_explained_by_them() -> None:
    model = fit_traffic_model(REFERENCE)
    odd = [name for name in NAMES if name not in {"conversion_level"}][:6]
    night = changed(table_of(60, seed=3), "a7", **{name: suspicious(name) for name in odd})
    judged = judge(model, night)
    assert judged.evidence.idxmax() == "a7"
    assert {reason.feature for reason in judged.reasons("a7", 3)} <= set(odd)


def test_ordinary_rows_are_seldom_unusual() -> None:
    """Of a night like the reference about one row in ten has evidence above one, and one in a hundred above two."""
    judged = judge(fit_traffic_model(table_of(800, seed=5)), table_of(2_000, seed=6))
    assert 0.05 < float((judged.tail_evidence > 1).mean()) < 0.2
    assert float((judged.tail_evidence > 2).mean()) < 0.03


def test_an_unusual_value_on_the_harmless_side_is_none() -> None:
    model = fit_traffic_model(REFERENCE)
    night = table_of(40, seed=4)
    one_sided = [feature for feature in FEATURES if feature.bad in {"low", "high"} and feature.kind == "rate"]
    harmless = {feature.name: 0.97 if feature.bad == "low" else 0.0001 for feature in one_sided}
    assert evidence(judge(model, changed(night, "a1", **harmless)))["a1"] <= evidence(judge(model, night))["a1"]


def test_who_is_no_worse_than_the_peers_in_anything_has_no_evidence() -> None:
    """To be best in everything at once is rare, and no reason: a forest that knows no sides finds the corner of the data."""
    model, tonight = fit_traffic_model(REFERENCE), table_of(20)
    best = {one.name: tonight.values[one.name].median() for one in FEATURES if one.bad == "both"}
    best |= {one.name: {"low": 0.97, "high": 0.0001}[one.bad] for one in FEATURES if one.bad != "both"}
    judged = judge(model, changed(tonight, str(tonight.values.index[0]), **best))
    assert judged.forest_evidence.iloc[0] < 0.3
    assert judged.evidence.iloc[0] < 0.5


def test_a_row_is_judged_alone() -> None:
    """Frozen baselines: nobody's evidence depends on who else is in the table, or in what order."""
    model = fit_traffic_model(REFERENCE)
    night = table_of(50, seed=7)
    together = evidence(judge(model, night))
    alone = {name: evidence(judge(model, night.rows(pd.Index([name]))))[name] for name in list(together)[:10]}
    assert alone == {name: together[name] for name in alone}
    assert evidence(judge(model, night.rows(night.values.index[::-1]))) == together


def test_what_is_unknown_counts_neither_for_nor_against() -> None:
    model = fit_traffic_model(REFERENCE)
    night = table_of(30, seed=8)
    nothing = changed(night, "a0", **dict.fromkeys(NAMES, math.nan))
    judged = judge(model, nothing)
    assert judged.evidence_of("a0") is None
    assert judged.reasons("a0", 5) == []
    assert {name: value for name, value in evidence(judged).items() if name != "a0"} == {
        name: value for name, value in evidence(judge(model, night)).items() if name != "a0"
    }


def test_too_little_to_rest_on_is_unknown() -> None:
    model = fit_traffic_model(REFERENCE)
    judged = judge(model, table_of(5, seed=9, support=0.0))
    assert judged.evidence.isna().all()


def test_an_empty_table_has_nothing_to_say() -> None:
    assert judge(fit_traffic_model(REFERENCE), table_of(0)).evidence.empty


def test_the_same_reference_gives_the_same_model() -> None:
    night = table_of(40, seed=10)
    first, second = fit_traffic_model(REFERENCE, seed=3), fit_traffic_model(REFERENCE, seed=3)
    assert evidence(judge(first, night)) == evidence(judge(second, night))


def test_a_model_that_was_kept_says_the_same() -> None:
    model = fit_traffic_model(REFERENCE)
    night = table_of(40, seed=11)
    kept = pickle.loads(pickle.dumps(model))
    assert evidence(judge(kept, night)) == evidence(judge(model, night))


def test_peers_are_of_the_same_kind_country_and_size() -> None:
    facts = pd.DataFrame(
        {
            "affiliate_type": ["coupon", "coupon", None],
            "main_country": ["DE", "FR", None],
            "vertical": [None, None, None],
            "clicks": [100, 100, 10_000],
        },
        index=["a", "b", "c"],
    )
    groups = peer_groups(facts)
    assert list(groups.columns) == ["kind_vertical_country_size", "kind_country_size", "kind_size", "kind"]
    assert groups["kind_size"].tolist() == ["coupon|size4", "coupon|size4", "unknown|size8"]
    assert groups["kind_country_size"].nunique() == 3


@pytest.mark.parametrize(("clicks", "same"), [((100, 300), True), ((100, 400), False), ((0, 1), True), ((1, 10_000), False)])
def test_sizes_are_bands_of_a_factor_of_three(clicks: tuple[int, int], same: bool) -> None:
    one, other = volume_band(pd.Series(clicks, dtype="float64"))
    assert (one == other) is same
