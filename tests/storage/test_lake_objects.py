"""The lake in an object store: the same rows as in a folder, whole or not at all, from any number of machines."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from fraud.errors import InputError, StorageError
from fraud.storage import lake_append, lake_log
from fraud.storage.lake import Appended, ParquetLake
from fraud.storage.lake_objects import ObjectFiles
from fraud.storage.objects import Objects
from tests.storage.object_servers import new_bucket, object_server
from tests.storage.test_lake_upkeep import DAY, LATER, add, content, fill

Machine = Callable[[str], ParquetLake]


@pytest.fixture(scope="module", autouse=True)
def _server() -> Iterator[None]:
    with object_server():
        yield


@pytest.fixture
def url() -> str:
    return new_bucket()


@pytest.fixture
def machine(url: str, tmp_path: Path) -> Machine:
    """A lake at the same URL, seen from a machine with a disk of its own."""

    def _machine(name: str) -> ParquetLake:
        return lake_at(url, tmp_path / name)

    return _machine


def lake_at(url: str, root: Path) -> ParquetLake:
    return ParquetLake(root, files=ObjectFiles(url, root))


def few(lake: ParquetLake) -> None:
    """Three appends to two days, the last of which changes a row."""
    for number, day in ((1, 0), (2, 2), (1, 2)):
        row = {"click_id": f"c{number}", "clicked_at": DAY + timedelta(days=day), "affiliate_id": f"a{day}"}
        add(lake, [row], DAY + timedelta(days=day))


def objects(url: str) -> set[str]:
    return {entry.name for entry in Objects(url).listed() if entry.name.endswith(".parquet")}


def days_from_now(days: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def test_it_says_what_a_lake_in_a_folder_says_on_every_machine(machine: Machine, tmp_path: Path) -> None:
    folder, here, there = ParquetLake(tmp_path / "folder"), machine("here"), machine("there")
    fill(folder)
    fill(here)
    for as_of in (None, DAY + timedelta(hours=6), DAY + timedelta(days=4, hours=4)):
        assert content(here, as_of) == content(there, as_of) == content(folder, as_of)
    assert there.programs() == ["p"]
    assert there.time_range("p") == folder.time_range("p")
    assert add(there, [{"click_id": "c1", "clicked_at": DAY + timedelta(hours=1), "affiliate_id": "a1"}], LATER) == Appended(0, 1)


def test_only_the_days_that_are_asked_for_are_fetched(machine: Machine) -> None:
    few(machine("here"))
    there = machine("there")
    with there.connect("p", since=DAY + timedelta(days=1)) as con:
        assert con.sql("SELECT count(*) FROM clicks").fetchall() == [(2,)]
    fetched = {file.parent.name for file in (there.root / "clicks").rglob("*.parquet")}
    assert fetched == {"day=2026-03-03"}


def test_small_files_are_merged_and_a_day_later_the_old_objects_go(machine: Machine, url: str) -> None:
    here, there = machine("here"), machine("there")
    fill(here)
    before, many = content(here), objects(url)
    with there.connect("p") as con:
        count = "SELECT count(*), bit_xor(hash(click_id)) FROM clicks"
        seen = con.sql(count).fetchall()
        assert here.compact(LATER, most_files=2).after == 3
        assert con.sql(count).fetchall() == seen
    assert objects(url) > many
    assert content(here) == content(there) == before
    there.compact(days_from_now(2), most_files=2)
    assert len(objects(url)) == 4
    assert len(objects(url) & many) == 1, "the one file that was alone of its kind"
    assert content(here) == content(there) == content(machine("new")) == before


def test_old_days_are_removed_and_told(machine: Machine) -> None:
    here, there = machine("here"), machine("there")
    few(here)
    there.quarantine("clicks", "p", [{"file": "x", "line": 1, "reason": "r", "raw": "old"}], DAY)
    (removed,) = there.remove_before(date(2026, 3, 2))
    assert (removed.program_id, removed.kind, removed.days, removed.rows) == ("p", "clicks", 1, 1)
    assert here.count("clicks", "p") == 2
    assert here.quarantined("p") == []


def test_rows_set_aside_on_one_machine_are_read_again_on_another(machine: Machine) -> None:
    here, there = machine("here"), machine("there")
    rows: list[dict[str, object]] = [{"file": "x", "line": line, "reason": "r", "raw": f"row {line}"} for line in (1, 2)]
    here.quarantine("clicks", "p", rows, DAY, {"file": "x"})
    here.quarantine("clicks", "p", rows, DAY, {"file": "x"})
    (file,) = there.quarantined("p")
    assert (file.origin, [row["raw"] for row in file.rows]) == ({"file": "x"}, ["row 1", "row 2"])
    there.release(file, rows[1:], LATER)
    (left,) = here.quarantined("p")
    assert [row["raw"] for row in left.rows] == ["row 2"]
    here.release(left, [], LATER)
    assert there.quarantined("p") == []


def test_whoever_is_erased_is_gone_from_every_machine(machine: Machine) -> None:
    here, there = machine("here"), machine("there")
    few(here)
    content(there)
    assert here.erase("p", "clicks", (("click_id",), "c1"), LATER) == 2
    assert here.rows_about("p", "clicks", ("click_id",), "c1") == there.rows_about("p", "clicks", ("click_id",), "c1")
    assert content(here) == content(there)


def test_two_machines_that_add_the_same_rows_at_once_add_them_once(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = machine("here"), machine("there")
    rows = [{"click_id": f"c{number}", "clicked_at": DAY, "affiliate_id": "a"} for number in range(5)]
    writing, turns = lake_append.write_new, iter([True])

    def overtaken(*given: Any) -> tuple[int, int]:
        if next(turns, False):
            assert add(there, rows[:3], DAY) == Appended(3, 0)
        return writing(*given)

    monkeypatch.setattr(lake_append, "write_new", overtaken)
    assert add(here, rows, DAY) == Appended(2, 3)
    assert here.count("clicks", "p") == there.count("clicks", "p") == 5


def test_writers_of_different_programs_do_not_wait_for_each_other(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = machine("here"), machine("there")
    row, writing, calls = {"click_id": "c", "clicked_at": DAY, "affiliate_id": "a"}, lake_append.write_new, []

    def beside(*given: Any) -> tuple[int, int]:
        calls.append(1)
        if len(calls) == 1:
            there.append("clicks", "other", pa.Table.from_pylist([row]), DAY)
        return writing(*given)

    monkeypatch.setattr(lake_append, "write_new", beside)
    assert add(here, [row], DAY) == Appended(1, 0)
    assert len(calls) == 2
    assert here.count("clicks", "other") == there.count("clicks", "p") == 1


def test_a_commit_whose_answer_was_lost_counts_once(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    create = Objects.create

    def lost(self: Objects, name: str, data: bytes) -> bool:
        create(self, name, data)
        return False

    here = machine("here")
    monkeypatch.setattr(Objects, "create", lost)
    few(here)
    assert here.count("clicks", "p") == machine("there").count("clicks", "p") == 2


def test_who_comes_later_begins_at_a_checkpoint(machine: Machine, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake_log, "CHECKPOINT_EVERY", 2)
    few(machine("here"))
    asked: list[str] = []
    get = Objects.get

    def noting(self: Objects, name: str) -> bytes | None:
        asked.append(name)
        return get(self, name)

    monkeypatch.setattr(Objects, "get", noting)
    there = machine("there")
    assert there.count("clicks", "p") == 2
    assert len([name for name in asked if name != lake_log.CHECKPOINT]) < 4


def test_a_store_that_was_emptied_is_noticed(machine: Machine, url: str) -> None:
    few(machine("here"))
    store = Objects(url)
    store.delete([entry.name for entry in store.listed()])
    again = machine("here")
    assert again.count("clicks", "p") == 0
    assert add(again, [{"click_id": "c1", "clicked_at": DAY, "affiliate_id": "a1"}], LATER) == Appended(1, 0)


def test_an_object_of_another_length_is_named(machine: Machine, url: str) -> None:
    few(machine("here"))
    name = sorted(objects(url))[0]
    Objects(url).put(name, b"short")
    with pytest.raises(StorageError, match=f"{Path(name).name} at {url} has not the length"):
        machine("there").count("clicks", "p")


def test_what_cannot_be_reached_is_named(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fraud.storage.objects._RETRIES", 0)
    with pytest.raises(InputError, match=r"FRAUD_LAKE_URL 'ftp://x/y' cannot be used.*Write s3://BUCKET"):
        ObjectFiles("ftp://x/y", tmp_path)
    with pytest.raises(StorageError, match=r"The lake at s3://no-such-bucket-here/lake cannot be used.*Check the address"):
        few(lake_at("s3://no-such-bucket-here/lake", tmp_path / "none"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StorageError, match="cannot be used"):
        lake_at(url, tmp_path / "away").count("clicks", "p")


KILLED = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from fraud.storage.lake import ParquetLake
from fraud.storage.lake_objects import ObjectFiles
from tests.storage.test_lake_objects import batch
root = Path(sys.argv[2])
lake = ParquetLake(root, files=ObjectFiles(sys.argv[1], root))
print("begun", flush=True)
batch(lake)
"""


def batch(lake: ParquetLake) -> Appended:
    """Rows of five days, some said twice."""
    rows = [{"click_id": f"c{number // 2}", "clicked_at": DAY + timedelta(hours=number // 2), "affiliate_id": "a"} for number in range(240)]
    return add(lake, rows, DAY)


def _killed(url: str, root: Path, wait: float) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED, url, str(root)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(wait)
        os.kill(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("kills", [3, pytest.param(25, marks=pytest.mark.long)])
def test_killed_while_appending_the_lake_is_as_before_and_a_repeat_completes_it(tmp_path: Path, kills: int) -> None:
    undisturbed = ParquetLake(tmp_path / "folder")
    batch(undisturbed)
    chance = random.Random(kills)
    for number in range(kills):
        url = new_bucket()
        _killed(url, tmp_path / f"killed{number}", chance.uniform(0, 0.4))
        for name in (f"killed{number}", f"other{number}"):
            rows = lake_at(url, tmp_path / name).count("clicks", "p")
            assert rows in {0, 120}
        lake = lake_at(url, tmp_path / f"killed{number}")
        assert sum((done := batch(lake)).__dict__.values()) == 240
        assert done.kept in {0, 120}
        assert content(lake) == content(lake_at(url, tmp_path / f"fresh{number}")) == content(undisturbed)
        lake.compact(days_from_now(2), most_files=100)
        assert len(objects(url)) == 5


@pytest.mark.parametrize("step", ["send", "create"])
def test_stopped_at_any_step_nothing_counts_and_what_was_sent_is_cleared_away(
    machine: Machine, url: str, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    class Stopped(BaseException):
        pass

    def stop(*_: object, **__: object) -> None:
        raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(Objects, step, stop)
        with pytest.raises(Stopped):
            batch(machine("here"))
    assert machine("here").count("clicks", "p") == machine("there").count("clicks", "p") == 0
    assert len(objects(url)) == (5 if step == "create" else 0)
    machine("there").compact(days_from_now(2))
    assert objects(url) == set()
    assert batch(machine("here")) == Appended(120, 120)
