"""The feature engine against a bare scan, pandas and Polars: `make bench-features ROWS=20000000`.

Every subject runs in a process of its own, which measures the bare scan before each of its repeats, so a ratio compares moments that lie
beside each other; peak memory is the process's. Seconds of processor time are noted beside the clock's: on a busy machine they tell more.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.benchmarks.day import PROGRAM, make_day
from tests.benchmarks.report import section, table

BUILD = Path(__file__).parents[2] / "build" / "benchmarks"
COLUMNS = (
    "click_id clicked_at affiliate_id offer_id sub_id ip user_agent device_id country referrer landing_url dwell_ms js_executed"
).split()
START = datetime(2026, 3, 1, tzinfo=UTC)
MOST_FOR_FRAMES = 20_000_000
"""Rows beyond which pandas and Polars are not asked: they hold everything in memory."""


def bare_scan(lake: Path) -> None:
    """DuckDB merely reads every column the engine needs: it must decode each value to hash it."""
    from fraud.storage.lake import ParquetLake  # noqa: PLC0415 - only the child that measures it imports it

    with closing(ParquetLake(lake).connect(PROGRAM)) as con:
        con.sql(f"SELECT {', '.join(f'bit_xor(hash({column}))' for column in COLUMNS)} FROM clicks").fetchall()


def engine(lake: Path) -> None:
    """The whole catalogue at both levels, with learned addresses, conversions and facts."""
    from fraud.domain.scans import Period  # noqa: PLC0415
    from fraud.features.engines.local import compute_levels  # noqa: PLC0415
    from fraud.features.request import FeatureRequest  # noqa: PLC0415
    from fraud.storage.lake import ParquetLake  # noqa: PLC0415

    window = (Period(start=START, end=START + timedelta(days=1)),)
    with closing(ParquetLake(lake).connect(PROGRAM)) as con:
        compute_levels(con, FeatureRequest(affiliate=window, sub_id=window))


def with_pandas(lake: Path) -> None:
    """Every aggregate of clicks in pandas."""
    from tests.benchmarks.frames import pandas_features  # noqa: PLC0415

    pandas_features(_files(lake, "clicks"), _files(lake, "conversions"), COLUMNS)


def with_polars(lake: Path) -> None:
    """Most aggregates of clicks in Polars."""
    from tests.benchmarks.frames import polars_features  # noqa: PLC0415

    polars_features(_files(lake, "clicks"))


SUBJECTS: dict[str, Callable[[Path], None]] = {"engine": engine, "polars": with_polars, "pandas": with_pandas}


def _files(lake: Path, kind: str) -> list[Path]:
    return sorted((lake / kind).rglob("*.parquet"))


def measure(name: str, lake: Path, repeats: int) -> dict[str, Any]:
    """Seconds and processor seconds of the scan and of a subject, in turn, and the peak memory of this process in MiB."""
    times: dict[str, list[tuple[float, float]]] = {"scan": [], name: []}
    for _ in range(repeats):
        times["scan"].append(_timed(bare_scan, lake))
        times[name].append(_timed(SUBJECTS[name], lake))
    wall = [subject[0] / scan[0] for scan, subject in zip(times["scan"], times[name], strict=True)]
    work = [subject[1] / scan[1] for scan, subject in zip(times["scan"], times[name], strict=True)]
    return {
        "repeats": repeats,
        "seconds": statistics.median(pair[0] for pair in times[name]),
        "scan_seconds": statistics.median(pair[0] for pair in times["scan"]),
        "ratio": statistics.median(wall),
        "work_ratio": statistics.median(work),
        "cpu_seconds": statistics.median(pair[1] for pair in times[name]),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _timed(subject: Callable[[Path], None], lake: Path) -> tuple[float, float]:
    clock, work = time.perf_counter(), time.process_time()
    subject(lake)
    return time.perf_counter() - clock, time.process_time() - work


def in_a_child(name: str, lake: Path, repeats: int) -> dict[str, Any]:
    """`measure` in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.features", "--child", name, "--lake", str(lake), "--repeats", str(repeats)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def report(rows: int, results: dict[str, dict[str, Any]]) -> str:
    """The section's text."""
    head = ("what", "times the scan", "of processor time", "seconds", "peak MiB", "runs")
    lines = [
        (name, f"{r['ratio']:.1f}", f"{r['work_ratio']:.1f}", f"{r['seconds']:.1f}", f"{r['peak_mib']:.0f}", r["repeats"])
        for name, r in results.items()
    ]
    about = (
        f"The whole catalogue for every affiliate and sub-ID of a generated day of {rows:,} clicks, against DuckDB merely reading the same "
        f"columns of the same Parquet ({results['engine']['scan_seconds']:.2f} s). pandas forms every aggregate of clicks that the engine "
        "forms, and a test holds the two equal; what is said of conversions and the facts it leaves out. Polars leaves out the judgement "
        "of addresses, stacked clicks, the pace and the hours' divergence besides."
    )
    others = [name for name in ("pandas", "polars") if name in results]
    times = [f"The engine is {results[name]['ratio'] / results['engine']['ratio']:.1f} times as fast as {name}." for name in others]
    return "\n\n".join([about, table(head, lines), *times])


def main() -> None:
    """Runs the benchmark, or with `--child` one subject of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--child", choices=SUBJECTS)
    parser.add_argument("--lake", type=Path)
    asked = parser.parse_args()
    if asked.child:
        print(json.dumps(measure(asked.child, asked.lake, asked.repeats)))
        return
    lake = make_day(BUILD, asked.rows)
    results = {"engine": in_a_child("engine", lake, asked.repeats)}
    print("engine", results["engine"], flush=True)
    if asked.rows <= MOST_FOR_FRAMES:
        for name in ("polars", "pandas"):
            results[name] = in_a_child(name, lake, 1 if asked.rows > MOST_FOR_FRAMES // 10 else asked.repeats)
            print(name, results[name], flush=True)
    section(f"Features of {asked.rows:,} clicks", [report(asked.rows, results)])


if __name__ == "__main__":
    main()
