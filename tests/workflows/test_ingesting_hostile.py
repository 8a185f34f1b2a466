"""Ingestion under attack: damaged files, and a process that is killed at any moment."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from fraud.errors import InputError
from fraud.storage.lake import ParquetLake
from fraud.workflows.ingesting import IngestOptions, ingest
from fraud.workflows.quarantine import quarantine_report, retry

SAMPLES = Path(__file__).parents[1] / "events" / "samples"
OPTIONS = IngestOptions(pepper=b"pepper", ingested_at=datetime(2026, 3, 2, tzinfo=UTC))
KINDS = ("clicks", "conversions")
ROWS = 200_000

Damage = Callable[[random.Random, bytes], bytes]


NASTY = (b"\0", b'"', b"\x1e", b"\xff\xfe", b"\xed\xa0\x80", b"\r", b"\\u0000", b"\\ud800", b"[{", b"}]", b"\n\n", b"9" * 400)


def _flip(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 12)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _cut(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data))]


def _drop_lines(rng: random.Random, data: bytes) -> bytes:
    return b"".join(line for line in data.splitlines(keepends=True) if rng.random() > 0.3)


def _repeat_lines(rng: random.Random, data: bytes) -> bytes:
    return b"".join(line * rng.choice((1, 1, 2, 3)) for line in data.splitlines(keepends=True))


def _shuffle_columns(rng: random.Random, data: bytes) -> bytes:
    rows = [line.split(b",") for line in data.splitlines()]
    order = list(range(len(rows[0])))
    rng.shuffle(order)
    return b"\n".join(b",".join(row[at] for at in order if at < len(row)) for row in rows) + b"\n"


def _insert_nasty(rng: random.Random, data: bytes) -> bytes:
    nasty = rng.choice(NASTY)
    at = rng.randrange(len(data))
    return data[:at] + nasty * rng.choice((1, 1, 5, 200)) + data[at:]


DAMAGES: tuple[Damage, ...] = (_flip, _cut, _drop_lines, _repeat_lines, _shuffle_columns, _insert_nasty)


def _damaged(folder: Path, seed: int) -> tuple[Path, ParquetLake]:
    """A damaged sample, often with its rows several times over so that not only its head is hit, and a lake of its own."""
    rng = random.Random(seed)
    sample = rng.choice(sorted(SAMPLES.iterdir()))
    file = folder / sample.name
    file.write_bytes(rng.choice(DAMAGES)(rng, _longer(rng, sample)))
    return file, ParquetLake(folder / f"lake{seed}")


def _longer(rng: random.Random, sample: Path) -> bytes:
    head, *rows = sample.read_bytes().splitlines(keepends=True)
    return head + b"".join(rows * rng.choice((1, 1, 4, 30))) if sample.suffix in {".csv", ".ndjson", ".log"} else sample.read_bytes()


def _kind_of(file: Path, seed: int) -> str:
    """The table that a sample is an export of; the other one now and then."""
    sold = any(word in file.name for word in ("conversions", "export", "appsflyer", "impact-brand", "impact-partner", "tune"))
    return KINDS[sold != (seed % 5 == 0)]


def _records(file: Path) -> int | None:
    """The records of a file by counting its lines, where that is all there is to it; `None` where it takes more."""
    try:
        lines = file.read_bytes().decode("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        return None
    plain = all(line.replace("\t", " ").isprintable() for line in lines)
    if not plain or file.suffix == ".json" or (file.suffix == ".csv" and any('"' in line for line in lines)):
        return None
    return sum(bool(line.strip()) for line in lines) - (file.suffix == ".csv")


def _taken(lake: ParquetLake, kind: str, file: Path, times: int) -> bool:
    """Ingests a file so many times: only an `InputError` may come of it (and false), every row is accounted for, repeats add nothing."""
    try:
        reports = [ingest(lake, "p", kind, [file], OPTIONS) for _ in range(times)]
    except InputError:
        return False
    for counts in (counts for report in reports for counts in report.kinds.values()):
        assert counts.rows == counts.kept + counts.duplicates + counts.rejected
    assert reports[0].rows_read + reports[0].passed_over == (_records(file) or reports[0].rows_read + reports[0].passed_over)
    assert all((again.kept, again.rows_read) == (0, reports[0].rows_read) for again in reports[1:])
    return True


def _retried(lake: ParquetLake) -> None:
    """Tries what was set aside again: still nothing of it can be read, and all of it is there."""
    before = quarantine_report(lake, "p").rows
    tried = retry(lake, "p", OPTIONS)
    assert tried.rows == tried.kept + tried.duplicates + tried.set_aside
    assert (tried.rows, tried.kept) == (before, 0)


@pytest.mark.parametrize("block", range(6))
def test_damaged_files_cost_what_is_damaged_and_never_the_process(tmp_path: Path, block: int) -> None:
    for seed in range(block * 50, block * 50 + 50):
        file, lake = _damaged(tmp_path, seed)
        for kind in KINDS:
            _taken(lake, kind, file, times=2)
        _retried(lake)


@pytest.mark.long
@pytest.mark.parametrize("block", range(100))
def test_ten_thousand_damaged_files(tmp_path: Path, block: int) -> None:
    """As one table each, every eighth twice; about half of them have rows that can be used."""
    used = 0
    for seed in range(1_000 + block * 100, 1_000 + block * 100 + 100):
        file, lake = _damaged(tmp_path, seed)
        used += _taken(lake, _kind_of(file, seed), file, times=1 + (seed % 8 == 0))
        _retried(lake)
        shutil.rmtree(lake.root, ignore_errors=True)
    assert used > 25


@pytest.fixture(scope="module")
def big_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clicks of nine days, some of them twice, some of them changed, one line torn."""
    file = tmp_path_factory.mktemp("big") / "clicks.csv"
    with duckdb.connect() as con:
        con.execute(
            f"COPY (SELECT 'c' || (i % {ROWS - 500}) AS click_id, TIMESTAMP '2026-03-01' + to_seconds(4 * i) AS clicked_at, "
            f"'a' || (i % 97) AS affiliate_id, '203.0.113.' || (i % 250) AS ip FROM range({ROWS}) t(i)) "
            f"TO '{file}' (HEADER)"
        )
    with file.open("a", encoding="utf-8") as stream:
        stream.write("torn,2026-03\n")
    return file


def _content(lake: ParquetLake) -> list[tuple[object, ...]]:
    with lake.connect("p") as con:
        return con.sql(
            "SELECT count(*), count(DISTINCT click_id), bit_xor(hash(click_id, clicked_at, affiliate_id, ip)) FROM clicks"
        ).fetchall()


def _started(lake: Path, file: Path, last: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.workflows.ingestion_runs", str(lake), str(file), str(last)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert process.stdout is not None
    process.stdout.readline()
    return process


def _killed_at(lake: Path, file: Path, after: float) -> None:
    with _started(lake, file) as process:
        time.sleep(after)
        process.kill()


def _survives(big_file: Path, folder: Path, seed: int) -> None:
    whole = ParquetLake(folder / "undisturbed")
    with _started(whole.root, big_file):
        started = time.monotonic()
    duration = time.monotonic() - started
    rng = random.Random(seed)
    for number in range(5):
        lake = folder / f"killed{number}"
        _killed_at(lake, big_file, rng.uniform(0, duration))
        disturbed = ParquetLake(lake)
        assert _content(disturbed)[0][0] in {0, _content(whole)[0][0]}
        report = ingest(disturbed, "p", "clicks", [big_file], OPTIONS)
        assert report.rows_read == report.kept + report.duplicates + report.rejected == ROWS + 1
        _is_whole(disturbed, _content(whole))


def _is_whole(lake: ParquetLake, content: list[tuple[object, ...]]) -> None:
    """Whether a lake holds what an undisturbed one does, and nothing is left of what was stopped."""
    assert _content(lake) == content
    assert quarantine_report(lake, "p").rows == 1
    assert list((lake.root / "tmp").glob("append-*")) == list((lake.root / "tmp").glob("commit-*")) == []


def test_a_killed_ingestion_is_made_good_by_repeating_it(big_file: Path, tmp_path: Path) -> None:
    _survives(big_file, tmp_path, 0)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 11))
def test_fifty_killed_ingestions(big_file: Path, tmp_path: Path, seed: int) -> None:
    _survives(big_file, tmp_path, seed)


def _two_days(folder: Path) -> tuple[Path, Path]:
    """Two files of clicks of two days: the second repeats some of the first, changes some, brings new ones, and has a torn line."""
    head = "click_id,clicked_at,affiliate_id,ip\n"
    lines = [f"c{n},2026-03-0{1 + n % 2}T10:00:{n:02},a{n % 3},203.0.113.{n}\n" for n in range(40)]
    changed = [line.replace("203.0.113", "198.51.100") for line in lines[5:15]]
    files = folder / "first.csv", folder / "second.csv"
    files[0].write_text(head + "".join(lines[:30]), encoding="utf-8")
    files[1].write_text(head + "".join([*lines[10:], *changed]) + "torn,2026-03\n", encoding="utf-8")
    return files


@pytest.mark.parametrize("steps", [6, pytest.param(None, marks=pytest.mark.long)])
def test_killed_before_any_one_change_of_files_a_lake_holds_all_of_an_ingestion_or_nothing(tmp_path: Path, steps: int | None) -> None:
    """Readers see the lake as it was or as it will be, and a repeat completes it; tried with some of the changes, or with each."""
    first, second = _two_days(tmp_path)
    before, after = ParquetLake(tmp_path / "before"), ParquetLake(tmp_path / "after")
    for lake in (before, after):
        ingest(lake, "p", "clicks", [first], OPTIONS)
    with _started(after.root, second) as process:
        assert process.stdout is not None
        changes = int(process.stdout.read())
    states = {False: _content(before), True: _content(after)}
    seen = set()
    for last in range(1, changes + 1) if steps is None else random.Random(1).sample(range(1, changes + 1), steps):
        lake = ParquetLake(tmp_path / f"killed{last}")
        shutil.copytree(before.root, lake.root)
        with _started(lake.root, second, last) as process:
            assert process.wait() == -signal.SIGKILL
        seen.add(_content(lake) == states[True])
        assert _content(lake) == states[_content(lake) == states[True]]
        ingest(lake, "p", "clicks", [second], OPTIONS)
        _is_whole(lake, states[True])
    assert steps is not None or seen == {False, True}
