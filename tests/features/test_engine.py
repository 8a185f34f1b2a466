"""The local engine: however the clicks are cut into parts, and whatever order they come in, the features are the same bits."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fraud.domain.scans import Period
from fraud.errors import InputError
from fraud.features.definition import Level
from fraud.features.engines import engine, local
from fraud.features.engines.budget import Budget
from fraud.features.request import FeatureRequest
from fraud.features.spool import Spool
from fraud.features.table import FeatureTable
from fraud.storage.lake import ParquetLake

from .programs import DAY, START, Rows, chance_program, clicks, lake_of

WINDOWS = tuple(Period(start=START + n * DAY, end=START + (n + 1) * DAY) for n in range(3))


REQUEST = FeatureRequest(affiliate=WINDOWS, sub_id=WINDOWS[1:])


def _tables(lake: ParquetLake) -> Mapping[Level, FeatureTable]:
    with closing(lake.connect("p")) as con:
        return engine("local")(con, REQUEST)


def _identical(some: Mapping[Level, FeatureTable], others: Mapping[Level, FeatureTable]) -> None:
    for level, table in some.items():
        for left, right in ((table.values, others[level].values), (table.support, others[level].support)):
            assert left.index.equals(right.index)
            assert left.to_numpy().tobytes() == right.to_numpy().tobytes()
        pd.testing.assert_frame_equal(table.facts, others[level].facts)


def test_the_same_events_give_the_same_bits(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, **chance_program(seed=6, days=3))
    _identical(_tables(lake), _tables(lake))


BUDGETS = {
    "small parts": Budget(most_rows=50),
    "waiting on disk": Budget(memory=20_000, most_rows=50),
    "scanned in turns": Budget(memory=20_000, disk=9_000, most_rows=50),
    "no room at all": Budget(memory=0, disk=0),
}


@pytest.mark.parametrize("name", BUDGETS)
def test_however_little_memory_and_disk_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    lake = lake_of(tmp_path, **crowded(chance_program(seed=7, days=3)))
    whole = _tables(lake)
    monkeypatch.setattr(local, "BATCH_ROWS", 100)
    before = set(tmp_path.rglob("*"))
    with closing(lake.connect("p")) as con:
        _identical(whole, local.compute_levels(con, REQUEST, budget=BUDGETS[name]))
    assert set(tmp_path.rglob("*")) == before


def crowded(program: dict[str, Rows]) -> dict[str, Rows]:
    """The program with one affiliate that has a third of all clicks, and one address, in another third."""
    made = [
        row | ({"affiliate_id": "a0"} if number % 3 == 0 else {"ip": "192.0.2.77"} if number % 3 == 1 else {})
        for number, row in enumerate(program["clicks"])
    ]
    return program | {"clicks": made}


def test_the_order_of_arrival_changes_nothing(tmp_path: Path) -> None:
    program = chance_program(seed=8, days=3)
    whole = _tables(lake_of(tmp_path / "whole", **program))
    lake = lake_of(tmp_path / "parts", **{kind: rows for kind, rows in program.items() if kind != "clicks"})
    for part in range(3):
        lake_of(tmp_path / "parts", clicks=program["clicks"][2 - part :: 3])
    _identical(whole, _tables(lake))


def test_both_levels_in_one_go_are_each_level_alone(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, **chance_program(seed=9, days=3))
    together = _tables(lake)
    with closing(lake.connect("p")) as con:
        alone: dict[Level, FeatureTable] = {
            "affiliate": local.compute(con, WINDOWS, "affiliate"),
            "sub_id": local.compute(con, WINDOWS[1:], "sub_id"),
        }
    _identical(alone, together)


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    with closing(lake_of(tmp_path, clicks=clicks("a", 5)).connect("p")) as con:
        local.compute(con, WINDOWS, "affiliate", told.append)
    assert any("clicks" in one for one in told)


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(InputError, match="no feature engine 'abacus'"):
        engine("abacus")


def _plain(rows: Rows, affiliate: str) -> dict[str, float]:
    """The click features of an affiliate in the first window, counted the long way."""
    frame = pd.DataFrame([row for row in rows if row["affiliate_id"] == affiliate and START <= row["clicked_at"] < START + DAY])
    frame = frame.sort_values("clicked_at")
    seconds = (frame["clicked_at"] - START).dt.total_seconds()
    client_gap = seconds.groupby([frame["offer_id"], frame["device_id"]]).diff()
    minutes = frame.groupby(["offer_id", "ip", "user_agent", seconds // 60])["click_id"].transform("size")
    agents = frame["user_agent"].value_counts().to_numpy()
    gaps = seconds.diff().dropna()
    return {
        "duplicate_click_share": float((client_gap <= 20).mean()),
        "spiky_click_share": float((minutes >= 3).mean()),
        "declared_bot_share": float(frame["user_agent"].str.startswith("curl").mean()),
        "top_agent_share": agents.max() / len(frame),
        "agent_entropy": float(-(agents / len(frame) * np.log(agents / len(frame))).sum() + (len(agents) - 1) / (2 * len(frame))),
        "short_dwell_share": float((frame["dwell_ms"] < 2000).mean()),
        "no_script_share": float((~frame["js_executed"].astype(bool)).mean()),
        "gap_variation": float(gaps.std(ddof=0) / gaps.mean()),
        "clicks_per_device": len(frame) / frame["device_id"].nunique(),
        "sub_ids_per_click": frame["sub_id"].nunique() / len(frame),
        "referrer_diversity": 2.0,
    }


@pytest.mark.parametrize("seed", [10, 11, 12])
def test_the_kernels_count_what_one_would_count_by_hand(tmp_path: Path, seed: int) -> None:
    program = chance_program(seed, days=1)
    crowded = [row | {"device_id": f"d{int(row['device_id'][1:]) % 5}"} for row in program["clicks"]]
    values = _tables(lake_of(tmp_path, **program | {"clicks": crowded}))["affiliate"].window(START).values
    for affiliate in values.index:
        expected = _plain(crowded, affiliate)
        assert values.loc[affiliate, list(expected)].to_dict() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("limit", [0, 1 << 20])
def test_a_spool_gives_back_each_partitions_rows_in_order(tmp_path: Path, limit: int) -> None:
    rng = np.random.default_rng(1)
    with closing(Spool((np.int64, np.uint8), 4, tmp_path, limit)) as spool:
        added: list[tuple[Any, Any]] = []
        for _ in range(5):
            place, numbers = rng.integers(-1, 3, 100).astype(np.int32), rng.integers(0, 9, 100)
            spool.add(place, (numbers, numbers % 7))
            added.append((place, numbers))
        for partition in range(4):
            expected = np.concatenate([numbers[place == partition] for place, numbers in added])
            numbers, rests = spool.take(partition)
            assert spool.rows(partition) == len(expected)
            assert numbers.tolist() == expected.tolist()
            assert rests.tolist() == (expected % 7).tolist()
        assert (spool.written > 0) == (limit == 0)
    assert list(tmp_path.iterdir()) == []
