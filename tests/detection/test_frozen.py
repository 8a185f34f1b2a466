"""A frozen baseline beside later windows: chance, volume and a few oddities are no drift; a change of everybody's conduct is."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from fraud.detection.frozen import DriftLimits, FrozenBaseline
from fraud.detection.traffic import fit_traffic_model, judge
from fraud.features.table import FeatureTable
from fraud.policy.pack import DriftPolicy
from tests.detection.tables import NAMES, habitual
from tests.detection.test_context import windows_of

POLICY = DriftPolicy()
LIMITS = DriftLimits(POLICY.feature_psi, POLICY.evidence_psi, POLICY.feature_share, POLICY.chance)
REFERENCE = windows_of(6, 200)


@cache
def frozen() -> FrozenBaseline:
    """The reference's baseline, frozen when the first test asks for it."""
    return FrozenBaseline.freeze(fit_traffic_model(REFERENCE), REFERENCE, 72.0, frozenset())


def night(seed: int, rows: int = 200) -> FeatureTable:
    """Another window of the same affiliates, by window and affiliate as a scan has it."""
    table = habitual(rows, seed=seed)
    index = pd.MultiIndex.from_product([[pd.Timestamp("2026-04-01", tz="UTC")], table.values.index], names=["window_start", "affiliate_id"])
    return FeatureTable(table.values.set_axis(index), table.support.set_axis(index), table.facts.set_axis(index), table.hash)


def moved(table: FeatureTable, names: list[str], rows: int) -> FeatureTable:
    """The table with some features of its first rows far from what they were."""
    values = table.values.copy()
    values.loc[values.index[:rows], names] = 0.9
    return replace(table, values=values)


@pytest.mark.parametrize("seed", [30, 31, 32])
def test_the_same_affiliates_on_another_night_have_not_drifted(seed: int) -> None:
    report = frozen().drift(night(seed), LIMITS)
    assert not report.large
    assert report.drifted <= 1
    assert report.compared > 20
    assert report.affiliates == 200


def test_what_most_affiliates_do_differently_is_drift_and_is_named() -> None:
    names = NAMES[:20]
    report = frozen().drift(moved(night(33), names, 120), LIMITS)
    assert report.large
    assert {one.feature for one in report.features} <= set(names)
    assert all(abs(one.moved) > 1.0 for one in report.features)


def test_a_few_odd_affiliates_are_no_drift_of_the_program() -> None:
    assert not frozen().drift(moved(night(34), NAMES, 6), LIMITS).large


def test_volume_is_no_drift() -> None:
    table = night(35)
    assert not frozen().drift(replace(table, facts=table.facts.assign(clicks=10 * table.facts["clicks"])), LIMITS).large


def test_a_handful_of_affiliates_cannot_show_drift_by_chance() -> None:
    """Twenty affiliates in six windows are twenty witnesses, not a hundred and twenty."""
    small = windows_of(6, 20)
    frozen = FrozenBaseline.freeze(fit_traffic_model(small), small, 72.0, frozenset())
    assert not any(frozen.drift(night(seed, rows=20), LIMITS).large for seed in range(40, 46))


def test_what_is_unknown_drifts_nowhere() -> None:
    table = night(36)
    report = frozen().drift(replace(table, values=table.values * np.nan), LIMITS)
    assert (report.compared, report.drifted, report.large) == (0, 0, False)


def test_it_serves_with_the_newest_past_and_the_frozen_rest() -> None:
    newer = windows_of(6, 200)
    newer.values["short_dwell_share"] = 0.4
    serving = frozen().serving(newer, newer)
    assert serving.baseline is frozen().model.baseline
    assert serving.tail is frozen().model.tail
    assert serving.lookback is not None
    lookback = frozen().model.lookback
    assert lookback is not None
    assert serving.lookback.baseline is lookback.baseline
    assert (serving.lookback.past.values["short_dwell_share"] == 0.4).all()


def test_serving_on_its_own_reference_judges_as_the_model_itself() -> None:
    serving = frozen().serving(REFERENCE, REFERENCE)
    tonight = habitual(200, seed=37)
    pd.testing.assert_series_equal(judge(serving, tonight).evidence, judge(frozen().model, tonight).evidence)


def test_the_references_own_rows_look_as_those_of_a_night_do() -> None:
    """Habits learned with the row itself would make the reference look calmer than any night can be."""
    later = [frozen().drift(night(seed), LIMITS).evidence_psi for seed in range(60, 66)]
    assert np.mean(later) < 0.12
