from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from fraud.domain.tables import TABLES
from fraud.errors import StorageError
from fraud.storage.lake import Appended, ParquetLake

DAY = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> ParquetLake:
    return ParquetLake(tmp_path / "lake")


def click(name: str, at: datetime = DAY, **values: Any) -> dict[str, Any]:
    return {"click_id": name, "clicked_at": at, "affiliate_id": "a"} | values


def conversion(name: str, **values: Any) -> dict[str, Any]:
    return {"conversion_id": name, "converted_at": DAY, "affiliate_id": "a"} | values


def add(lake: ParquetLake, kind: str, rows: list[dict[str, Any]], at: datetime = DAY, program: str = "p") -> Appended:
    return lake.append(kind, program, pa.Table.from_pylist(rows), at)


def rows(lake: ParquetLake, sql: str, program: str = "p", **bounds: Any) -> list[Any]:
    with lake.connect(program, **bounds) as con:
        return con.sql(sql).fetchall()


def test_files_lie_by_program_and_day_and_appear_whole(lake: ParquetLake) -> None:
    add(lake, "clicks", [click("1"), click("2", DAY + timedelta(days=1))], program="a/b c")
    add(lake, "offers", [{"offer_id": "o"}], program="a/b c")
    days = sorted(str(path.parent.relative_to(lake.root)) for path in lake.root.rglob("*.parquet"))
    assert days == ["clicks/program=a%2Fb%20c/day=2026-03-01", "clicks/program=a%2Fb%20c/day=2026-03-02", "offers/program=a%2Fb%20c"]
    assert lake.programs() == ["a/b c"]
    assert list((lake.root / "tmp").iterdir()) == []


def test_every_column_is_there_and_typed_even_in_an_empty_lake(lake: ParquetLake) -> None:
    with lake.connect("p") as con:
        for table in TABLES.values():
            types = {name: kind for name, kind, *_ in con.sql(f"DESCRIBE {table.kind}").fetchall()}
            wanted = {column.name: column.sql_type.replace("DECIMAL(18, 4)", "DECIMAL(18,4)") for column in table.columns}
            assert types == wanted | {"ingested_at": "TIMESTAMP"}
            assert con.sql(f"SELECT count(*) FROM {table.kind}").fetchall() == [(0,)]
    assert lake.time_range("p") is None


def test_the_same_rows_twice_add_nothing(lake: ParquetLake) -> None:
    batch = [click("1"), click("2"), click("1")]
    assert add(lake, "clicks", batch) == Appended(2, 1)
    assert add(lake, "clicks", batch, DAY + timedelta(days=1)) == Appended(0, 3)
    assert lake.count("clicks", "p") == 2
    assert add(lake, "labels", [{"affiliate_id": "a", "label": "bad"}] * 2) == Appended(1, 1)


def test_a_changed_row_is_a_new_version_known_from_its_ingestion(lake: ParquetLake) -> None:
    add(lake, "conversions", [conversion("c", status="pending")], DAY)
    assert add(lake, "conversions", [conversion("c", status="refunded")], DAY + timedelta(days=9)) == Appended(1, 0)
    status = "SELECT status FROM conversions"
    assert rows(lake, status) == [("refunded",)]
    assert rows(lake, status, as_of=DAY + timedelta(days=5)) == [("pending",)]
    assert rows(lake, status, as_of=DAY + timedelta(days=9)) == [("refunded",)]
    assert lake.count("conversions", "p") == 1


def test_of_two_versions_in_one_batch_the_later_stands(lake: ParquetLake) -> None:
    batch = [{"offer_id": "o", "name": "old", "ordinal": 0}, {"offer_id": "o", "name": "new", "ordinal": 1}]
    assert add(lake, "offers", batch) == Appended(2, 0)
    assert rows(lake, "SELECT name FROM offers") == [("new",)]


def test_a_version_that_moved_to_another_day_replaces_the_first(lake: ParquetLake) -> None:
    add(lake, "clicks", [click("1", DAY)])
    add(lake, "clicks", [click("1", DAY + timedelta(days=3))], DAY + timedelta(days=4))
    assert rows(lake, "SELECT count(*) FROM clicks", until=DAY + timedelta(days=1)) == [(0,)]
    assert rows(lake, "SELECT count(*) FROM clicks") == [(1,)]


def test_a_refund_never_leaks_into_the_past(lake: ParquetLake) -> None:
    refund = DAY + timedelta(days=20)
    add(lake, "conversions", [conversion("c", status="refunded", status_changed_at=refund)], DAY + timedelta(days=30))
    seen = "SELECT status, status_changed_at FROM conversions"
    assert rows(lake, seen, until=DAY + timedelta(days=10)) == [("pending", None)]
    assert rows(lake, seen, until=refund + timedelta(seconds=1))[0][0] == "refunded"


def test_bounds_are_half_open_and_in_event_time(lake: ParquetLake) -> None:
    add(lake, "clicks", [click(str(hour), DAY + timedelta(hours=hour)) for hour in range(48)])
    since, until = DAY + timedelta(hours=5), DAY + timedelta(hours=30)
    assert rows(lake, "SELECT count(*), min(clicked_at), max(clicked_at) FROM clicks", since=since, until=until) == [
        (25, since.replace(tzinfo=None), (until - timedelta(hours=1)).replace(tzinfo=None))
    ]
    assert lake.time_range("p") == (DAY, DAY + timedelta(hours=47))


def test_programs_never_meet(lake: ParquetLake) -> None:
    add(lake, "clicks", [click("1", sub_id="secret")], program="one")
    add(lake, "clicks", [click("1")], program="two")
    assert rows(lake, "SELECT program_id, sub_id FROM clicks", program="two") == [("two", None)]
    assert rows(lake, "SELECT * FROM clicks", program="three") == []
    assert rows(lake, "SELECT * FROM clicks", program="*") == []


@pytest.mark.parametrize("program", ["..", "../../x", "a'b", "ä\n", "*", "a=b?", "%2e"])
def test_any_name_of_a_program_stays_in_its_place(lake: ParquetLake, program: str) -> None:
    add(lake, "clicks", [click("1")], program=program)
    assert rows(lake, "SELECT program_id FROM clicks", program=program) == [(program,)]
    assert lake.programs() == [program]


def test_relations_of_another_connection_are_taken(lake: ParquetLake) -> None:
    with duckdb.connect() as con:
        given = con.sql("SELECT 'x' AS click_id, TIMESTAMP '2026-03-01' AS clicked_at, 'a' AS affiliate_id")
        assert lake.append("clicks", "p", given, DAY) == Appended(1, 0)


def test_rejected_rows_are_kept_for_the_owner_alone(lake: ParquetLake) -> None:
    path = lake.quarantine("clicks", "p", [{"line": 3, "raw": "\udcff"}], DAY)
    assert path.stat().st_mode & 0o077 == 0
    assert path.read_bytes().count(b"\n") == 1


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be made"):
        ParquetLake(tmp_path / "file" / "lake").count("clicks", "p")


def test_an_append_that_was_stopped_counts_wholly_or_not_at_all(lake: ParquetLake, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = [click("1"), click("2", DAY + timedelta(days=1)), click("1", DAY + timedelta(days=2), ordinal=9)]

    class Stopped(BaseException):
        pass

    def stop(*_: object) -> None:
        raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr("fraud.storage.lake_append._move", stop)  # after the renaming: it counts
        with pytest.raises(Stopped):
            add(lake, "clicks", batch)
    assert rows(lake, "SELECT click_id, clicked_at FROM clicks ORDER BY ALL") == [
        ("1", datetime(2026, 3, 3)),  # noqa: DTZ001 - the lake's times are UTC without a zone
        ("2", datetime(2026, 3, 2)),  # noqa: DTZ001
    ]
    with monkeypatch.context() as patch:
        patch.setattr("fraud.storage.lake_append.commit", stop)  # before it: it does not
        with pytest.raises(Stopped):
            add(lake, "clicks", [click("3")])
    assert lake.count("clicks", "p") == 2
    assert add(lake, "clicks", [*batch, click("3")]) == Appended(1, 3)


def test_what_a_killed_process_left_behind_is_removed(lake: ParquetLake) -> None:
    abandoned = lake.root / "tmp" / "append-gone"
    abandoned.mkdir(parents=True)
    (abandoned / "half.parquet").write_bytes(b"half")
    add(lake, "clicks", [click("1")])
    assert list((lake.root / "tmp").iterdir()) == []


def test_a_record_that_goes_back_to_what_it_was_is_a_new_version(lake: ParquetLake) -> None:
    """Active, suspended, active again: who was reinstated must not stay suspended because their first record looked the same."""
    for hour, status in enumerate(["active", "active", "suspended", "suspended", "active", "active"]):
        lake.append("affiliates", "p", pa.table({"affiliate_id": ["a"], "status": [status]}), DAY + timedelta(hours=hour))
    with closing(lake.connect("p")) as con:
        assert con.sql("select status from affiliates").fetchall() == [("active",)]
    assert lake.append("affiliates", "p", pa.table({"affiliate_id": ["a"], "status": ["active"]}), DAY + timedelta(days=1)).kept == 0


def test_a_conversion_that_goes_back_to_what_it_was_is_a_new_version(lake: ParquetLake) -> None:
    """Approved, rejected, approved again, by a tracker that tells no times of change: the last word counts."""
    for hour, status in enumerate(["approved", "approved", "rejected", "rejected", "approved", "approved"]):
        add(lake, "conversions", [conversion("c", status=status)], DAY + timedelta(hours=hour))
    assert rows(lake, "SELECT status FROM conversions") == [("approved",)]
    assert rows(lake, "SELECT status FROM conversions", as_of=DAY + timedelta(hours=3)) == [("rejected",)]
    assert add(lake, "conversions", [conversion("c", status="approved")], DAY + timedelta(days=1)) == Appended(0, 1)


def test_back_and_forth_within_one_file_ends_with_the_last_row_and_repeats_as_a_whole(lake: ParquetLake) -> None:
    batch = [conversion("c", status=status, ordinal=place) for place, status in enumerate(["approved", "rejected", "rejected", "approved"])]
    assert add(lake, "conversions", batch) == Appended(3, 1)
    assert rows(lake, "SELECT status FROM conversions") == [("approved",)]
    assert add(lake, "conversions", batch, DAY + timedelta(days=1)) == Appended(0, 4)
    assert rows(lake, "SELECT status FROM conversions") == [("approved",)]


def test_a_state_with_its_time_is_a_repeat_whatever_came_since(lake: ParquetLake) -> None:
    first = conversion("c", status="approved", status_changed_at=DAY + timedelta(hours=1))
    second = conversion("c", status="rejected", status_changed_at=DAY + timedelta(hours=2))
    for batch in ([first], [second]):
        assert add(lake, "conversions", batch) == Appended(1, 0)
    assert add(lake, "conversions", [first], DAY + timedelta(days=1)) == Appended(0, 1)
    assert rows(lake, "SELECT status FROM conversions", until=DAY + timedelta(days=1)) == [("rejected",)]


def test_rows_in_any_order_of_days_are_written_by_day_and_sorted(lake: ParquetLake) -> None:
    batch = [click(str(n), DAY + timedelta(days=n * 7 % 40), affiliate_id=f"a{n % 3}", ordinal=n) for n in range(400)]
    assert add(lake, "clicks", batch) == Appended(400, 0)
    files = sorted((lake.root / "clicks").rglob("*.parquet"))
    assert len(files) == 40
    for file in files:
        with duckdb.connect() as con:
            kept = con.execute("SELECT affiliate_id, clicked_at FROM read_parquet(?)", [str(file)]).fetchall()
        assert kept == sorted(kept)
        assert {f"day={at.date()}" for _, at in kept} == {file.parent.name}


def test_large_files_are_sorted_by_affiliate_so_that_readers_leave_row_groups_out(
    lake: ParquetLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fraud.storage.lake_append.SORTED_FROM", 3)
    add(lake, "clicks", [click("3", affiliate_id="b"), click("2"), click("1")])
    (file,) = lake.root.rglob("*.parquet")
    assert [row[0] for row in duckdb.connect().execute(f"SELECT click_id FROM '{file}'").fetchall()] == ["1", "2", "3"]
