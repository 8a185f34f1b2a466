"""Ingestion of a CSV of clicks, strict and with bad rows set aside, against DuckDB's own copy of the same file to Parquet.

`python -m tests.benchmarks.ingest [--rows N] [--repeats N]`: the three take turns, so that a busy machine is busy for all of them."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import duckdb

from fraud.storage.lake import ParquetLake
from fraud.workflows.ingesting import IngestOptions, ingest
from tests.benchmarks.report import section

DAYS = 30
BAD_EVERY = 10_000
REPEAT_EVERY = 1_000

_CLICKS = """
SELECT CASE WHEN i % {repeat} = 1 THEN md5((i - 1)::VARCHAR) ELSE md5(i::VARCHAR) END AS click_id,
  CASE WHEN i % {bad} = 7 THEN 'yesterday' ELSE strftime(moment, '%Y-%m-%dT%H:%M:%S.%gZ') END AS clicked_at,
  'aff' || hash(n) % 2000 AS affiliate_id, 'offer' || hash(n, 1) % 50 AS offer_id, 's' || hash(n, 2) % 300 AS sub_id,
  concat_ws('.', hash(n, 3) % 223 + 1, hash(n, 4) % 256, hash(n, 5) % 256, hash(n, 6) % 256) AS ip,
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/' || (100 + hash(n, 7) % 40)
    || '.0.0.0 Safari/537.36' AS user_agent,
  md5((hash(n, 8) % 1000000)::VARCHAR) AS device_id,
  CASE hash(n, 9) % 5 WHEN 0 THEN 'DE' WHEN 1 THEN 'US' WHEN 2 THEN 'FR' WHEN 3 THEN 'GB' END AS country,
  CASE hash(n, 10) % 3 WHEN 0 THEN 'de-DE' WHEN 1 THEN 'en-US' ELSE 'fr' END AS language,
  'https://blog' || hash(n, 11) % 500 || '.example/post/' || hash(n, 12) % 1000 AS referrer,
  'https://shop.example/p/' || hash(n, 13) % 1000 AS landing_url,
  CASE WHEN hash(n, 14) % 3 > 0 THEN hash(n, 15) % 60000 END AS dwell_ms,
  hash(n, 16) % 10 > 0 AS js_executed,
  CASE hash(n, 17) % 3 WHEN 0 THEN '390x844' WHEN 1 THEN '1920x1080' ELSE '1366x768' END AS viewport
FROM (SELECT i, i - (i % {repeat} = 1)::INT AS n, TIMESTAMP '2026-03-01' + to_microseconds(n * {gap}) AS moment FROM range({rows}) t(i))
"""


def write_clicks(file: Path, rows: int) -> None:
    """A month of clicks in order of time with every usual column; one in 10,000 without a time, one in 10,000 cut short, one in 1,000
    said twice."""
    gap = DAYS * 86_400_000_000 // rows
    with duckdb.connect() as con:
        con.execute(f"COPY ({_CLICKS.format(repeat=REPEAT_EVERY, bad=BAD_EVERY, gap=gap, rows=rows)}) TO '{file}' (HEADER)")
    with file.open("a", encoding="utf-8") as stream:
        stream.writelines(f"cut short {number},2026-03-30\n" for number in range(rows // BAD_EVERY))


def _plain(file: Path, folder: Path) -> None:
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT * FROM read_csv('{file}', ignore_errors = true)) TO '{folder}/all.parquet' (FORMAT parquet)")


def _by_day(file: Path, folder: Path) -> None:
    with duckdb.connect() as con:
        con.execute(
            f"COPY (SELECT *, try_cast(clicked_at AS DATE) AS day FROM read_csv('{file}', ignore_errors = true)) "
            f"TO '{folder}' (FORMAT parquet, PARTITION_BY (day), OVERWRITE_OR_IGNORE)"
        )


def _ingest(file: Path, folder: Path) -> None:
    options = IngestOptions(pepper=b"pepper", ingested_at=datetime(2026, 5, 1, tzinfo=UTC))
    report = ingest(ParquetLake(folder), "p", "clicks", [file], options)
    if report.rows_read != report.kept + report.duplicates + report.rejected or not (report.rejected and report.duplicates):
        raise SystemExit(f"The counts do not add up: {report}")


WAYS: dict[str, Callable[[Path, Path], None]] = {"plain": _plain, "by day": _by_day, "ingestion": _ingest}


def _measured(file: Path, repeats: int) -> dict[str, list[tuple[float, float]]]:
    """Wall and processor seconds of each way, in turns."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in WAYS}
    for number in range(repeats):
        for name, way in WAYS.items():
            with tempfile.TemporaryDirectory(dir=file.parent) as folder:
                wall, work = time.perf_counter(), time.process_time()
                way(file, Path(folder))
                taken[name].append((time.perf_counter() - wall, time.process_time() - work))
            sys.stderr.write(f"{number + 1}/{repeats} {name}: {taken[name][-1][0]:.1f} s ({taken[name][-1][1]:.1f} s of processors)\n")
    return taken


def _lines(taken: dict[str, list[tuple[float, float]]], rows: int, size: int) -> list[str]:
    walls, works = ({name: median(pair[part] for pair in pairs) for name, pairs in taken.items()} for part in (0, 1))
    speed = {name: f"{walls[name] / walls['ingestion']:.2f}" for name in ("plain", "by day")}
    effort = {name: f"{works[name] / works['ingestion']:.2f}" for name in ("plain", "by day")}
    return [
        f"{rows:,} clicks of {DAYS} days, {size / 1e9:.2f} GB of CSV with 15 columns; {2 * rows // BAD_EVERY:,} rows set aside with line",
        "and reason, every thousandth a repeat that is counted; DuckDB's own copies skip what they cannot read.",
        "",
        "| DuckDB's own copy | ingestion's speed against it, by the clock | by the processors' time |",
        "|---|---|---|",
        *(f"| {words} | {speed[name]} | {effort[name]} |" for name, words in (("plain", "one file"), ("by day", "a file a day"))),
        "",
        f"The processors had {os.getloadavg()[0]:.0f} runnable processes a minute before the end. At least 0.5 is wanted against one file.",
    ]


def main() -> None:
    """Measures, prints and writes the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=None, help="where to write (several times the CSV's size); the system's by default")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        file = Path(folder) / "clicks.csv"
        write_clicks(file, given.rows)
        lines = _lines(_measured(file, given.repeats), given.rows, file.stat().st_size)
    sys.stdout.write("\n".join(lines) + "\n")
    section("Ingestion", lines)


if __name__ == "__main__":
    main()
