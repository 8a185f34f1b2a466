"""Ingestion under attack: damaged files, and a process that is killed at any moment."""

from __future__ import annotations

import random
import shutil
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


NASTY = (*(b"\0", b'"', b"\x1e", b"\xff\xfe", b"\xed\xa0\x80", b"\r"), *(b"\\u0000", b"\\ud800", b"[{", b"}]", b"\n\n", b"9" * 400))


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
    nasty = rng.choice(
        (b"\0", b'"', b"\x1e", b"\xff\xfe", b"\xed\xa0\x80", b"\r", b"\\u0000", b"\\ud800", b"[{", b"}]", b"\n\n", b"9" * 400)
    )
    at = rng.randrange(len(data))
    return data[:at] + nasty * rng.choice((1, 1, 5, 200)) + data[at:]


DAMAGES: tuple[Damage, ...] = (_flip, _cut, _drop_lines, _repeat_lines, _shuffle_columns, _insert_nasty)


def _damaged(folder: Path, seed: int) -> tuple[Path, ParquetLake]:
    """A damaged sample, and a lake of its own."""
    rng = random.Random(seed)
    sample = rng.choice(sorted(SAMPLES.iterdir()))
    file = folder / sample.name
    file.write_bytes(rng.choice(DAMAGES)(rng, sample.read_bytes()))
    return file, ParquetLake(folder / f"lake{seed}")


def _taken(lake: ParquetLake, kind: str, file: Path, times: int) -> None:
    """Ingests a file so many times: only an `InputError` may come of it, every row is accounted for, and repeats add nothing."""
    try:
        reports = [ingest(lake, "p", kind, [file], OPTIONS) for _ in range(times)]
    except InputError:
        return
    for counts in (counts for report in reports for counts in report.kinds.values()):
        assert counts.rows == counts.kept + counts.duplicates + counts.rejected
    assert all((again.kept, again.rows_read) == (0, reports[0].rows_read) for again in reports[1:])


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
    """As one table each, every eighth twice."""
    for seed in range(1_000 + block * 100, 1_000 + block * 100 + 100):
        file, lake = _damaged(tmp_path, seed)
        _taken(lake, KINDS[seed // 8 % 2], file, times=1 + (seed % 8 == 0))
        _retried(lake)
        shutil.rmtree(lake.root, ignore_errors=True)


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


def _killed_at(lake: Path, file: Path, after: float) -> None:
    command = [sys.executable, "-m", "tests.workflows.ingestion_runs", str(lake), str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(after)
        process.kill()


def _survives(big_file: Path, folder: Path, seed: int) -> None:
    whole = ParquetLake(folder / "undisturbed")
    started = time.monotonic()
    ingest(whole, "p", "clicks", [big_file], OPTIONS)
    duration = time.monotonic() - started
    rng = random.Random(seed)
    for number in range(5):
        lake = folder / f"killed{number}"
        _killed_at(lake, big_file, rng.uniform(0, duration * 1.2))
        disturbed = ParquetLake(lake)
        report = ingest(disturbed, "p", "clicks", [big_file], OPTIONS)
        assert report.rows_read == report.kept + report.duplicates + report.rejected == ROWS + 1
        assert _content(disturbed) == _content(whole)
        assert quarantine_report(disturbed, "p").rows == 1
        assert list((lake / "tmp").glob("append-*")) == list((lake / "tmp").glob("commit-*")) == []


def test_a_killed_ingestion_is_made_good_by_repeating_it(big_file: Path, tmp_path: Path) -> None:
    _survives(big_file, tmp_path, 0)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 11))
def test_fifty_killed_ingestions(big_file: Path, tmp_path: Path, seed: int) -> None:
    _survives(big_file, tmp_path, seed)
