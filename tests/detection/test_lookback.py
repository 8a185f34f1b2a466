"""What the weeks before tonight add: thin evidence that lasts, of conduct only, and nothing for who has no past."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from fraud.detection.history import AUDIENCE
from fraud.detection.lookback import FEWEST_WINDOWS, Lookback, Pooled, stronger
from fraud.detection.traffic import fit_traffic_model, judge
from fraud.features.table import FeatureTable
from tests.detection.tables import table_of

WEEKS = 8
THIN = {"short_dwell_share": 0.5, "no_script_share": 0.5}


def program(windows: int = WEEKS, rows: int = 200, support: float = 300.0) -> FeatureTable:
    """The same affiliates in several windows, three days each; what each does is its own from window to window."""
    parts = [table_of(rows, seed=100 + number, support=support) for number in range(windows)]
    starts = pd.date_range("2026-01-01", periods=windows, freq="3D", tz="UTC", name="window_start")
    frames = {
        name: pd.concat([getattr(part, name) for part in parts], keys=starts, names=["window_start"]).sort_index()
        for name in ("values", "support", "facts")
    }
    return FeatureTable(**frames, hash=parts[0].hash)


def doing(table: FeatureTable, affiliate: str, values: dict[str, float], support: float) -> FeatureTable:
    """The table with what one affiliate does in every row of its own, resting on so little."""
    changed, resting = table.values.copy(), table.support.copy()
    own = table.values.index.get_level_values("affiliate_id") == affiliate
    changed.loc[own, list(values)] = list(values.values())
    resting.loc[own] = support
    return replace(table, values=changed, support=resting)


def test_thin_evidence_that_lasts_adds_up() -> None:
    lasting = doing(program(), "a3", THIN, support=25.0)
    tonight = doing(table_of(200, seed=7), "a3", THIN, support=25.0)
    with_a_past, without = judge(fit_traffic_model(lasting), tonight), judge(fit_traffic_model(program()), tonight)
    assert with_a_past.evidence_of("a3") > without.evidence_of("a3")  # type: ignore[operator]  # both are known
    strongest = with_a_past.reasons("a3", 1)[0]
    assert strongest.weeks
    assert strongest.feature in THIN
    assert strongest.support == 25.0 * (WEEKS + 1)


def test_an_established_difference_of_the_audience_is_not_looked_back_on() -> None:
    name = "top_agent_share"
    assert name in AUDIENCE
    lookback = Lookback.learn(doing(program(), "a3", {name: 0.99}, support=300.0))
    assert lookback is not None
    _, residuals = lookback.with_tonight(doing(table_of(200, seed=7), "a3", {name: 0.99}, support=300.0))
    assert residuals.z[f"{name}:high"].isna().all()


def test_nobody_without_a_past_gains_or_loses_by_it() -> None:
    lookback = Lookback.learn(program())
    assert lookback is not None
    tonight = table_of(200, seed=7)
    newcomer = replace(tonight, **{name: getattr(tonight, name).rename(index={"a3": "new"}) for name in ("values", "support", "facts")})
    pooled, _ = lookback.with_tonight(newcomer)
    assert pooled.counts.loc["new", "windows"] == 1.0
    assert pooled.counts.loc["a4", "windows"] == WEEKS + 1
    conduct = [column for column in pooled.values.columns if column not in AUDIENCE]
    np.testing.assert_allclose(pooled.values.loc["new", conduct], tonight.values.loc["a3", conduct])


def test_too_few_windows_are_no_past() -> None:
    assert Lookback.learn(program(FEWEST_WINDOWS - 1)) is None
    assert Lookback.learn(program(FEWEST_WINDOWS)) is not None
    assert Lookback.learn(table_of(50)) is None
    assert judge(fit_traffic_model(program(FEWEST_WINDOWS - 1)), table_of(5, seed=3)).weeks is None


def test_a_spread_of_hardly_anything_is_left_out_of_the_weeks() -> None:
    table = table_of(4)
    table.support["delay_log_sd"] = [4.0, 1.0, 4.0, 0.0]
    pooled = Pooled.of(table, table.values.index)
    assert pooled.values["delay_log_sd"].notna().tolist() == [True, False, True, False]
    assert pooled.values["short_dwell_share"].notna().all()


def test_the_larger_of_two_views_counts_and_the_known_one_of_one() -> None:
    tonight = pd.DataFrame({"x": [1.0, np.nan, 3.0, np.nan]})
    weeks = pd.DataFrame({"x": [2.0, 4.0, np.nan, np.nan]})
    np.testing.assert_array_equal(stronger(tonight, weeks)["x"], [2.0, 4.0, 3.0, np.nan])


def test_a_row_is_judged_the_same_alone_and_among_others() -> None:
    model, tonight = fit_traffic_model(program()), table_of(60, seed=9)
    together = judge(model, tonight).evidence
    for name in ("a0", "a17", "a59"):
        assert judge(model, tonight.rows(pd.Index([name], name="affiliate_id"))).evidence[name] == together[name]
