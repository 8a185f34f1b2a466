"""The graph of a program, brought up to date day by day: always what a rebuild gives."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from fraud.links.incremental import counted_days, program_edges, shared_edges
from fraud.storage.lake import ParquetLake
from fraud.storage.link_days import LinkDays
from tests.features.programs import DAY, START, Rows, clicks, conversions


def append(lake: ParquetLake, kind: str, rows: Rows, nights: int) -> None:
    columns = {name: [row.get(name) for row in rows] for name in dict.fromkeys(name for row in rows for name in row)}
    lake.append(kind, "p", pa.table(columns), START + nights * DAY)


@dataclass
class Graph:
    """A program's edges, what of them can link anybody, and the days that were counted for it."""

    edges: pd.DataFrame
    shared: pd.DataFrame
    counted: tuple[date, ...]


def edges_of(lake: ParquetLake, kept: Path, egress: list[str] | None = None) -> Graph:
    with closing(lake.connect("p")) as events:
        days = counted_days(events, "p", LinkDays(kept))
        return Graph(program_edges(events, days), shared_edges(events, days, egress or []).to_pandas(), days.counted)


def night(number: int) -> Rows:
    rows = clicks("a", 20, every=600, device_id=lambda n: f"d{n % 7}", ip="73.0.0.1") + clicks("b", 10, device_id=lambda n: f"d{n}")
    return [row | {"click_id": f"{number}-{row['click_id']}", "clicked_at": row["clicked_at"] + number * DAY} for row in rows]


def test_a_new_night_counts_that_night_alone_and_equals_a_rebuild(tmp_path: Path) -> None:
    lake = ParquetLake(tmp_path / "lake")
    append(lake, "clicks", night(0), 0)
    append(lake, "affiliates", [{"affiliate_id": "a", "tax_id": "t"}], 0)
    assert edges_of(lake, tmp_path / "kept").counted == (date(2026, 3, 1),)
    append(lake, "clicks", night(1), 1)
    append(lake, "conversions", conversions("a", 3, customer_id="k", click_id=lambda n: f"0-a-{n}"), 1)
    append(lake, "affiliates", [{"affiliate_id": "b", "tax_id": "t"}], 1)
    updated, rebuilt = edges_of(lake, tmp_path / "kept"), edges_of(lake, tmp_path / "new")
    assert (updated.counted, rebuilt.counted) == ((date(2026, 3, 2),), (date(2026, 3, 1), date(2026, 3, 2)))
    pd.testing.assert_frame_equal(updated.edges, rebuilt.edges)
    pd.testing.assert_frame_equal(updated.shared, rebuilt.shared)
    assert updated.edges.set_index(["affiliate_id", "kind", "entity"]).loc[("a", "ip", "73.0.0.1"), "count"] == 40
    assert edges_of(lake, tmp_path / "kept").counted == ()


def test_late_clicks_of_an_old_day_are_counted_there(tmp_path: Path) -> None:
    lake = ParquetLake(tmp_path / "lake")
    append(lake, "clicks", night(0) + night(1), 0)
    edges_of(lake, tmp_path / "kept")
    append(lake, "clicks", [row | {"click_id": f"late-{row['click_id']}", "device_id": "late"} for row in night(0)], 2)
    updated = edges_of(lake, tmp_path / "kept")
    assert updated.counted == (date(2026, 3, 1),)
    pd.testing.assert_frame_equal(updated.edges, edges_of(lake, tmp_path / "new").edges)
    assert len(list((tmp_path / "kept" / "p").glob("2026-03-01_*"))) == 1


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=30), st.integers(1, 29))
@settings(max_examples=10, deadline=None)
def test_any_order_of_arrival_equals_a_rebuild(seen: list[tuple[int, int, int]], cut: int) -> None:
    import tempfile  # noqa: PLC0415 - hypothesis allows no fixture here

    rows = [
        {
            "click_id": f"c{number}",
            "clicked_at": START + day * DAY + timedelta(seconds=number),
            "affiliate_id": f"a{who}",
            "device_id": f"d{device}",
        }
        for number, (day, who, device) in enumerate(seen)
    ]
    with tempfile.TemporaryDirectory() as folder:
        lake, kept = ParquetLake(Path(folder) / "lake"), Path(folder) / "kept"
        for nights, part in enumerate((rows[:cut], rows[cut:])):
            if part:
                append(lake, "clicks", part, nights)
                updated = edges_of(lake, kept)
        rebuilt = edges_of(lake, Path(folder) / "new")
        pd.testing.assert_frame_equal(updated.edges, rebuilt.edges)
        pd.testing.assert_frame_equal(updated.shared, rebuilt.shared)
        owners = updated.edges.groupby(["kind", "entity"])["affiliate_id"].transform("size")
        assert set(updated.edges[owners > 1].index) <= set(
            updated.edges.merge(updated.shared, how="left", indicator=True).query("_merge == 'both'").index
        )
        assert set(updated.shared["affiliate_id"]) == set(updated.edges["affiliate_id"])
        assert int(updated.edges["count"].sum()) == len(rows)
        assert not np.any(updated.edges["first_seen"] > updated.edges["last_seen"])


def test_what_can_link_nobody_is_left_out_and_nobody_is_forgotten(tmp_path: Path) -> None:
    lake = ParquetLake(tmp_path / "lake")
    append(lake, "clicks", night(0) + clicks("c", 2, device_id="alone", ip="73.0.0.2"), 0)
    append(lake, "affiliates", [{"affiliate_id": "d", "tax_id": "own"}], 0)
    shared = edges_of(lake, tmp_path / "kept", egress=["73.0.0.1"]).shared
    assert set(shared.loc[shared["affiliate_id"] == "a", "kind"]) == {"device"}
    assert shared.loc[shared["affiliate_id"] == "c", "entity"].tolist() == ["alone"]
    assert shared.loc[shared["affiliate_id"] == "d", "kind"].tolist() == ["tax_id"]
