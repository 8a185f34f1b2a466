"""What is known beforehand is taken into account: declared events, shifts of whole offers, reviews, and the own past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from fraud.detection.context import (
    DeclaredEvent,
    review_coverage,
    with_declared_events,
    without_common_shifts,
    without_confirmed_bad,
)
from fraud.detection.history import LEAST_LEFT, OwnHistory
from fraud.detection.kinds import families_of, largest_by_family
from fraud.detection.observations import observations, specs
from fraud.detection.traffic import fit_traffic_model, judge
from fraud.features.table import FeatureTable
from models.baseline import PeerBaseline
from models.calibration import benjamini_hochberg
from tests.detection.tables import habitual, table_of

START = datetime(2026, 3, 1, tzinfo=UTC)


def cell(frame: pd.DataFrame, row: str, column: str) -> float:
    return float(frame[column].to_numpy()[list(frame.index).index(row)])


def windows_of(count: int, rows: int) -> FeatureTable:
    """A reference of several windows of the same affiliates."""
    tables = [habitual(rows, seed=seed) for seed in range(count)]
    starts = [pd.Timestamp(START + timedelta(days=3 * number)) for number in range(count)]

    def joined(name: str) -> pd.DataFrame:
        whole: pd.DataFrame = pd.concat(
            {start: getattr(table, name) for start, table in zip(starts, tables, strict=True)}, names=["window_start"]
        )
        return whole

    return FeatureTable(joined("values"), joined("support"), joined("facts"), tables[0].hash)


def test_a_declared_promotion_excuses_many_sales_and_not_refunds() -> None:
    table = table_of(3)
    table.values.loc["a0", "conversion_level"] = 8.0
    seen = with_declared_events(table, (DeclaredEvent("promotion", affiliate_id="a0"),))
    assert seen.facts["declared"].tolist() == ["promotion", None, None]
    assert np.isnan(cell(seen.values, "a0", "conversion_level"))
    assert cell(seen.values, "a0", "reversal_share") == cell(table.values, "a0", "reversal_share")
    assert seen.values.iloc[1:].equals(table.values.iloc[1:])


def test_an_event_of_an_offer_concerns_those_who_advertise_it() -> None:
    table = table_of(3)
    table.facts["main_offer"] = ["o1", "o2", "o1"]
    seen = with_declared_events(table, (DeclaredEvent("feature", offer_id="o1"),))
    assert seen.facts["declared"].tolist() == ["feature", None, "feature"]


def test_what_a_whole_offer_shares_accuses_nobody() -> None:
    baseline = PeerBaseline(specs()).fit(observations(table_of(300)))
    table = table_of(40, seed=5)
    table.facts["main_offer"] = ["o1"] * 20 + ["o2"] * 20
    table.values.loc[table.values.index[:20], "delay_log_median"] += 3.0
    seen, notes = without_common_shifts(table, baseline)
    assert seen.values["delay_log_median"].isna().tolist() == [True] * 20 + [False] * 20
    assert len(notes) == 1
    assert "o1" in notes[0]


def test_who_was_found_bad_is_no_part_of_what_is_usual() -> None:
    reference = windows_of(2, 5)
    kept = without_confirmed_bad(reference, {"a1": True, "a2": False})
    assert set(kept.values.index.get_level_values("affiliate_id")) == {"a0", "a2", "a3", "a4"}


def test_coverage_counts_reviewed_windows() -> None:
    reference = windows_of(2, 4)
    assert review_coverage(reference, {}) == 0.0
    assert review_coverage(reference, {"a0": False, "a1": True}) == 0.5


def test_an_established_audience_is_forgiven_and_conduct_is_not() -> None:
    """The app whose one browser is as old as its account; short visits stay what they are, however long they have been short."""
    reference = windows_of(6, 60)
    for name, value in (("top_agent_share", 0.95), ("short_dwell_share", 0.95)):
        reference.values.loc[(slice(None), "a7"), name] = value
    model = fit_traffic_model(reference)
    night = table_of(60, seed=9)
    night.values.loc[["a7", "a8"], ["top_agent_share", "short_dwell_share"]] = 0.95
    z = judge(model, night).residuals.z
    peers = model.baseline.transform(observations(night)).z
    assert cell(z, "a7", "top_agent_share:high") < 0.5 * cell(peers, "a7", "top_agent_share:high")
    assert cell(z, "a7", "top_agent_share:high") >= LEAST_LEFT * cell(peers, "a7", "top_agent_share:high")
    assert cell(z, "a8", "top_agent_share:high") > 0.7 * cell(peers, "a8", "top_agent_share:high")
    assert cell(z, "a7", "short_dwell_share:high") == cell(peers, "a7", "short_dwell_share:high")


def test_without_a_past_nothing_is_tempered() -> None:
    z = pd.DataFrame({"top_agent_share:high": [3.0]}, index=["a1"])
    signed = pd.DataFrame({"top_agent_share": [3.0]}, index=["a1"])
    assert OwnHistory.learn(signed).temper(z, signed).equals(z)


def test_features_of_one_family_count_once() -> None:
    z = pd.DataFrame({"top_agent_share:high": [3.0, np.nan], "agent_entropy:low": [5.0, np.nan], "gap_variation:low": [1.0, 2.0]})
    assert families_of(list(z.columns)) == ["device", "timing"]
    assert np.array_equal(largest_by_family(z), [[5.0, 1.0], [np.nan, 2.0]], equal_nan=True)


def test_what_is_only_shown_ranks_nobody() -> None:
    z = pd.DataFrame({"excess_earnings_share:high": [8.0], "conversion_level:high": [1.0]})
    assert families_of(list(z.columns)) == ["conversion"]
    assert largest_by_family(z).tolist() == [[1.0]]


@pytest.mark.parametrize("seed", [20, 21, 22])
def test_a_night_like_the_reference_has_uniform_p_values_and_no_discoveries(seed: int) -> None:
    judged = judge(fit_traffic_model(windows_of(6, 300)), habitual(300, seed=seed))
    p = judged.p_value.to_numpy()
    assert 0.02 <= float((p < 0.05).mean()) <= 0.09
    assert benjamini_hochberg(p, 0.1).sum() <= 2
