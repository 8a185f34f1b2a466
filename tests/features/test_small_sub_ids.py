"""Sub-IDs that are too small for rows of their own: they have none, and nothing else changes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fraud.domain.scans import Period
from fraud.features.definition import Level
from fraud.features.engines import local
from fraud.features.engines.budget import WORKING_BYTES, Budget
from fraud.features.request import FeatureRequest
from fraud.features.table import FeatureTable
from fraud.storage.lake import ParquetLake

from .programs import DAY, START, Rows, chance_program, lake_of
from .test_engine import _identical

LEAST = 12
WINDOWS = tuple(Period(start=START + n * DAY, end=START + (n + 2) * DAY) for n in range(2))
BUDGETS = {
    "whole": Budget(),
    "small parts": Budget(most_rows=50),
    "in slices": Budget(memory=2 * 150 * WORKING_BYTES, most_rows=60),
    "no room at all": Budget(memory=0, disk=0),
}


def program(seed: int) -> dict[str, Rows]:
    """A program in which many clicks of some affiliates have the click's own number for a sub-ID, and some none."""
    draw = np.random.default_rng(seed)
    made = chance_program(seed, days=3)
    for number, click in enumerate(made["clicks"]):
        click["affiliate_id"] = "a0" if draw.random() < 0.4 else click["affiliate_id"]
        click["sub_id"] = [click["sub_id"], click["sub_id"], f"s{draw.integers(60)}", f"n{number}", None][draw.integers(5)]
    by_id = {click["click_id"]: click for click in made["clicks"]}
    for sold in made["conversions"]:
        named = by_id.get(sold["click_id"])
        sold["sub_id"] = named["sub_id"] if named and draw.random() < 0.8 else f"never-clicked-{draw.integers(9)}"
    return made


def _computed(lake: ParquetLake, least: int, budget: Budget | None = None) -> Mapping[Level, FeatureTable]:
    with closing(lake.connect("p")) as con:
        return local.compute_levels(con, FeatureRequest(affiliate=WINDOWS, sub_id=WINDOWS, least_clicks=least), budget=budget)


def _without_hours(table: FeatureTable) -> FeatureTable:
    return FeatureTable(table.values.drop(columns="hour_divergence"), table.support, table.facts, table.hash)


@pytest.mark.parametrize("seed", range(2))
def test_large_sub_ids_have_the_same_features_with_and_without_the_small_ones(tmp_path: Path, seed: int) -> None:
    """To the last bit; the hours of everybody else alone are added up in another order."""
    lake = lake_of(tmp_path, **program(seed))
    everything, large = _computed(lake, 0), _computed(lake, LEAST)
    wanted = everything["sub_id"].rows(everything["sub_id"].facts.index[everything["sub_id"].facts["clicks"] >= LEAST])
    assert 0 < len(wanted) < len(everything["sub_id"]) / 5
    assert wanted.facts["conversions"].sum() > 0
    _identical({"affiliate": everything["affiliate"]}, large)
    _identical({"sub_id": _without_hours(wanted)}, {"sub_id": _without_hours(large["sub_id"])})
    pd.testing.assert_series_equal(wanted.values["hour_divergence"], large["sub_id"].values["hour_divergence"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", BUDGETS)
def test_however_they_are_counted_they_are_the_same_bits(tmp_path: Path, name: str) -> None:
    lake = lake_of(tmp_path, **program(3))
    _identical(_computed(lake, LEAST), _computed(lake, LEAST, BUDGETS[name]))


def test_with_a_bound_that_nobody_reaches_there_is_no_row(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, **program(4))
    assert _computed(lake, 1_000)["sub_id"].facts.empty
