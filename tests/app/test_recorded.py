"""Events on record are found again, however many there are."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from fraud.app.recorded import clicks_before, conversions_before
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.storage.lake import ParquetLake
from tests.conftest import MORNING

NAIVE = MORNING.replace(tzinfo=None)


def lake_of(root: Path, clicks: int) -> ParquetLake:
    """Clicks a second apart up to the morning, with long agents."""
    lake = ParquetLake(root)
    seconds = np.arange(clicks, 0, -1)
    table = pa.table(
        {
            "click_id": [f"c{number}" for number in range(clicks)],
            "clicked_at": pa.array(np.datetime64(NAIVE, "us") - seconds.astype("timedelta64[s]")),
            "affiliate_id": ["a-1"] * clicks,
            "user_agent": [
                f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{number}.0 Safari/537.36" for number in range(clicks)
            ],
        }
    )
    lake.append("clicks", DEFAULT_PROGRAM, table, MORNING)
    return lake


def test_the_newest_clicks_come_oldest_first(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, 10)
    assert [click.click_id for click in clicks_before(lake, DEFAULT_PROGRAM, MORNING, 3)] == ["c7", "c8", "c9"]
    before = MORNING - timedelta(seconds=1)
    assert [click.click_id for click in clicks_before(lake, DEFAULT_PROGRAM, before, 2)] == ["c7", "c8"], (
        "a click at the end is not before it"
    )
    since = MORNING - timedelta(seconds=2)
    assert [click.click_id for click in clicks_before(lake, DEFAULT_PROGRAM, MORNING, 5, since)] == ["c8", "c9"]
    assert clicks_before(lake, DEFAULT_PROGRAM, MORNING - timedelta(days=9), 5) == []
    assert conversions_before(lake, DEFAULT_PROGRAM, MORNING, since) == []


def test_clicks_of_one_second_are_told_apart_by_their_ids(tmp_path: Path) -> None:
    lake = ParquetLake(tmp_path)
    names = ["c3", "c1", "c2"]
    lake.append("clicks", DEFAULT_PROGRAM, pa.table({"click_id": names, "clicked_at": [NAIVE] * 3, "affiliate_id": ["a"] * 3}), MORNING)
    found = clicks_before(lake, DEFAULT_PROGRAM, MORNING + timedelta(seconds=1), 2)
    assert [click.click_id for click in found] == ["c2", "c1"]


def test_the_newest_of_many_clicks_need_little_memory(tmp_path: Path) -> None:
    lake_of(tmp_path, 1_000_000)
    assert len(clicks_before(ParquetLake(tmp_path, "40MB"), DEFAULT_PROGRAM, MORNING, 20_000)) == 20_000
