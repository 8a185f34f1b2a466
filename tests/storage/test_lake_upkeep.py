"""Small files merged, old days removed, damage named: what readers see never changes but by what was asked for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from fraud.errors import StorageError
from fraud.storage.lake import Appended, ParquetLake

DAY = datetime(2026, 3, 1, tzinfo=UTC)
LATER = DAY + timedelta(days=10)


@pytest.fixture
def lake(tmp_path: Path) -> ParquetLake:
    """Twelve appends to one day, one of them changed later, and three to another; affiliates with states."""
    lake = ParquetLake(tmp_path / "lake")
    fill(lake)
    return lake


def fill(lake: ParquetLake) -> None:
    for number in range(12):
        at = DAY + timedelta(days=number // 12, hours=number)
        add(lake, [{"click_id": f"c{number}", "clicked_at": at, "affiliate_id": f"a{number % 3}"}], at)
        lake.append("affiliates", "p", pa.table({"affiliate_id": ["a"], "status": [f"state {number}"]}), at)
    for number in (3, 4, 5):
        changed = {"click_id": f"c{number}", "clicked_at": DAY + timedelta(days=3), "affiliate_id": "changed"}
        add(lake, [changed], DAY + timedelta(days=4, hours=number))


def add(lake: ParquetLake, rows: list[dict[str, Any]], at: datetime) -> Appended:
    return lake.append("clicks", "p", pa.Table.from_pylist(rows), at)


def content(lake: ParquetLake, as_of: datetime | None = None) -> list[Any]:
    with lake.connect("p", as_of=as_of) as con:
        return [con.sql(f"SELECT * FROM {kind} ORDER BY ALL").fetchall() for kind in ("clicks", "affiliates")]


def files(lake: ParquetLake) -> int:
    return len(list(lake.root.rglob("*.parquet")))


def test_merged_files_say_the_same_at_any_time(lake: ParquetLake) -> None:
    times = [None, DAY + timedelta(hours=6), DAY + timedelta(days=4, hours=4)]
    before = [content(lake, as_of) for as_of in times]
    done = lake.compact(LATER, most_files=2)
    assert (done.before, done.after) == (12 + 3 + 12 - 1, 3)
    assert [content(lake, as_of) for as_of in times] == before
    assert add(lake, [{"click_id": "c1", "clicked_at": DAY + timedelta(hours=1), "affiliate_id": "a1"}], LATER) == Appended(0, 1)


def test_whoever_reads_goes_on_reading_and_a_day_later_the_old_files_go(lake: ParquetLake) -> None:
    with lake.connect("p") as con:
        count = "SELECT count(*), bit_xor(hash(click_id)) FROM clicks"
        before = con.sql(count).fetchall()
        lake.compact(LATER, most_files=2)
        assert con.sql(count).fetchall() == before
    standing, seen = files(lake), content(lake)
    lake.compact(datetime.now(UTC) + timedelta(days=2), most_files=2)
    assert files(lake) < standing
    assert content(lake) == seen
    assert list(lake.root.rglob("*.replaces")) == []


def test_few_files_are_left_alone(lake: ParquetLake) -> None:
    assert lake.compact(LATER, most_files=12).folders == 0


@pytest.mark.parametrize("step", ["fraud.storage.lake_upkeep.write_whole", "pathlib.Path.replace", "pathlib.Path.unlink"])
def test_stopped_at_any_step_nothing_is_lost_or_doubled(lake: ParquetLake, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    class Stopped(BaseException):
        pass

    def stop(*_: object, **__: object) -> None:
        raise Stopped

    before = content(lake)
    if step.endswith("unlink"):
        lake.compact(LATER, most_files=2)
    with monkeypatch.context() as patch:
        patch.setattr(step, stop)
        with pytest.raises(Stopped):
            lake.compact(datetime.now(UTC) + timedelta(days=2), most_files=2)
    assert content(lake) == before
    lake.compact(datetime.now(UTC) + timedelta(days=2), most_files=2)
    assert content(lake) == before


def test_killed_while_merging_the_lake_says_the_same(lake: ParquetLake) -> None:
    before = content(lake)
    code = (
        "import sys; from pathlib import Path; from datetime import datetime, UTC; from fraud.storage.lake import ParquetLake\n"
        "lake = ParquetLake(Path(sys.argv[1])); print('begun', flush=True)\n"
        "lake.compact(datetime(2026, 3, 11, tzinfo=UTC), most_files=1)\n"
    )
    for wait in (0.0, 0.01, 0.03, 0.06, 0.1):
        with subprocess.Popen([sys.executable, "-c", code, str(lake.root)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(wait)
            os.kill(process.pid, signal.SIGKILL)
        assert content(lake) == before
    lake.compact(LATER, most_files=1)
    assert content(lake) == before


def test_old_days_are_removed_and_told(lake: ParquetLake) -> None:
    lake.quarantine("clicks", "p", [{"file": "x", "line": 1, "reason": "r", "raw": "old"}], DAY)
    lake.quarantine("clicks", "p", [{"file": "x", "line": 1, "reason": "r", "raw": "new"}], LATER)
    (removed,) = lake.remove_before(date(2026, 3, 2))
    assert (removed.program_id, removed.kind, removed.days, removed.rows) == ("p", "clicks", 1, 12)
    assert lake.count("clicks", "p") == 3
    assert lake.count("affiliates", "p") == 1
    assert [row["raw"] for file in lake.quarantined("p") for row in file.rows] == ["new"]
    assert lake.remove_before(date(2026, 3, 2)) == []


@pytest.mark.parametrize("damage", [b"", b"garbage", "footer", "page"])
def test_a_damaged_file_is_named_with_what_to_do(lake: ParquetLake, damage: bytes | str) -> None:
    file = sorted((lake.root / "clicks").rglob("*.parquet"))[0]
    whole = file.read_bytes()
    broken = {"footer": whole[: len(whole) // 2], "page": whole[:4] + bytes(60) + whole[64:]}.get(str(damage), damage)
    assert isinstance(broken, bytes)
    file.write_bytes(broken)
    with pytest.raises(StorageError, match=f"{file.name} is damaged.*Restore it"):
        lake.connect("p").sql("SELECT 1") if damage != "page" else lake.compact(LATER, most_files=1)
    assert lake.count("affiliates", "p") == 1 if damage == "page" else True


def test_late_events_are_read_with_their_day(lake: ParquetLake) -> None:
    """A click that arrives a week late lands in the day it happened, and a later scan of that day reads it."""
    day = {"since": DAY, "until": DAY + timedelta(days=1)}
    with lake.connect("p", **day) as con:
        before = con.sql("SELECT count(*) FROM clicks").fetchall()[0][0]
    add(lake, [{"click_id": "late", "clicked_at": DAY + timedelta(hours=5), "affiliate_id": "a"}], LATER)
    assert any(file.parent.name == "day=2026-03-01" for file in lake.root.rglob(f"{LATER:%Y%m%d}T*.parquet"))
    with lake.connect("p", **day) as con:
        assert con.sql("SELECT count(*) FROM clicks").fetchall() == [(before + 1,)]
    with lake.connect("p", as_of=LATER - timedelta(hours=1), **day) as con:
        assert con.sql("SELECT count(*) FROM clicks").fetchall() == [(before,)]
