"""The aggregates of clicks, formed anew in plain pandas by the benchmark: the engine must give the same."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fraud.domain.scans import Period
from fraud.features.definition import Level
from fraud.features.engines.local import compute_levels
from fraud.features.request import FeatureRequest
from fraud.features.table import FeatureTable
from fraud.storage.lake import ParquetLake
from tests.benchmarks.day import PROGRAM, make_day
from tests.benchmarks.features import COLUMNS, START
from tests.benchmarks.frames import pandas_features

AS_PLAINLY: dict[str, Callable[[pd.DataFrame], Any]] = {
    "duplicate_click_share": lambda out: out.duplicate / out.timed,
    "spiky_click_share": lambda out: out.spiky / out.paired,
    "declared_bot_share": lambda out: out.bot / out.with_user_agent,
    "hosting_like_share": lambda out: out.hosting_like / out.with_ip,
    "top_ip_share": lambda out: out.top_address.fillna(0) / out.with_ip,
    "distinct_ip_ratio": lambda out: out.addresses / out.address_clicks,
    "top_agent_share": lambda out: out.top_agent / out.with_user_agent,
    "agent_entropy": lambda out: (
        np.log(out.with_user_agent) - out.agent_logs / out.with_user_agent + (out.agents - 1) / (2 * out.with_user_agent)
    ),
    "short_dwell_share": lambda out: out.short / out.with_dwell_ms,
    "no_script_share": lambda out: out.no_script / out.with_js_executed,
    "referrer_diversity": lambda out: out.distinct_domain.replace(0, np.nan),
    "gap_variation": lambda out: out.gap_sd / out.gap_mean,
    "hour_divergence": lambda out: out.hour_divergence,
    "pace_evenness": lambda out: np.log((out.pace_jumps + 0.5) / (out.pace_pairs + 0.5)),
    "stacked_click_share": lambda out: out.stacked / out.with_device_id,
    "clicks_per_device": lambda out: out.with_device_id / out.distinct_device_id,
}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[Level, tuple[FeatureTable, pd.DataFrame]]:
    """A made-up day, as the engine and as plain pandas see it."""
    lake = make_day(tmp_path_factory.mktemp("day"), 30_000)
    window = (Period(start=START, end=START + timedelta(days=1)),)
    with closing(ParquetLake(lake).connect(PROGRAM)) as con:
        tables = compute_levels(con, FeatureRequest(affiliate=window, sub_id=window))
    files = [sorted((lake / kind).rglob("*.parquet")) for kind in ("clicks", "conversions")]
    affiliates, subs = pandas_features(files[0], files[1], COLUMNS)
    return {"affiliate": (tables["affiliate"].window(START), affiliates), "sub_id": (tables["sub_id"].window(START), subs)}


@pytest.mark.parametrize("level", ["affiliate", "sub_id"])
@pytest.mark.parametrize("feature", AS_PLAINLY)
def test_the_engine_gives_what_plain_pandas_gives(both: dict[Level, tuple[FeatureTable, pd.DataFrame]], level: Level, feature: str) -> None:
    table, plain = both[level]
    expected = pd.Series(AS_PLAINLY[feature](plain), plain.index).reindex(table.values.index).to_numpy(dtype=float)
    assert np.isfinite(expected).sum() > 100
    np.testing.assert_allclose(table.values[feature].to_numpy(), expected, rtol=1e-9, atol=1e-12)
