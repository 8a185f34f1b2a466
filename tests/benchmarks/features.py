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
from typing import TYPE_CHECKING, Any

from tests.benchmarks.day import PROGRAM, make_day
from tests.benchmarks.report import peak_mib, section, table

if TYPE_CHECKING:
    from fraud.features.engines.budget import Budget

BUILD = Path(__file__).parents[2] / "build" / "benchmarks"
COLUMNS = (
    "click_id clicked_at affiliate_id offer_id sub_id ip user_agent device_id country referrer landing_url dwell_ms js_executed"
).split()
START = datetime(2026, 3, 1, tzinfo=UTC)
MOST_FOR_FRAMES = 20_000_000
"""Rows beyond which pandas and Polars are not asked: they hold everything in memory."""

MOST_FOR_OTHERS = 18 << 30
"""Bytes of memory that pandas and Polars may ask for; a size that takes more is left out of the comparison."""

WARM_UP = 20_000
MOST_SCANS, MOST_MIB, MOST_MIB_BEYOND, LEAST_SPEED, MOST_GROWTH = 20.0, 4096, 12_288, 5.0, 1.3
"""What is wanted of the engine: times the bare scan, MiB up to 20,000,000 rows and beyond, times as fast as pandas, and the cost of a
click against that at 20,000,000."""


def bare_scan(lake: Path) -> None:
    """DuckDB merely reads every column the engine needs: it must decode each value to hash it."""
    from fraud.storage.lake import ParquetLake  # noqa: PLC0415 - only the child that measures it imports it

    with closing(ParquetLake(lake).connect(PROGRAM)) as con:
        con.sql(f"SELECT {', '.join(f'bit_xor(hash({column}))' for column in COLUMNS)} FROM clicks").fetchall()


class Steps:
    """Prints to stderr how long each step of the engine took, and the memory it reached so far."""

    def __init__(self) -> None:
        self._step, self._began = "", time.perf_counter()

    def __call__(self, text: str) -> None:
        """Takes the engine's word on what it does now."""
        step = text.split(":", maxsplit=1)[0]
        if step != self._step:
            now = time.perf_counter()
            if self._step:
                print(f"  {self._step}: {now - self._began:.1f} s, at most {peak_mib():.0f} MiB", file=sys.stderr, flush=True)
            self._step, self._began = step, now


def engine(lake: Path) -> None:
    """The whole catalogue at both levels, with learned addresses, conversions and facts."""
    from fraud.domain.scans import Period  # noqa: PLC0415
    from fraud.features.engines.local import compute_levels  # noqa: PLC0415
    from fraud.features.request import FeatureRequest  # noqa: PLC0415
    from fraud.storage.lake import ParquetLake  # noqa: PLC0415

    window = (Period(start=START, end=START + timedelta(days=1)),)
    steps = Steps()
    with closing(ParquetLake(lake).connect(PROGRAM)) as con:
        compute_levels(con, FeatureRequest(affiliate=window, sub_id=window), steps, _budget(lake))
    steps("done")


def with_pandas(lake: Path) -> None:
    """Every aggregate of clicks in pandas."""
    from tests.benchmarks.frames import pandas_features  # noqa: PLC0415

    pandas_features(_files(lake, "clicks"), _files(lake, "conversions"), COLUMNS)


def with_polars(lake: Path) -> None:
    """Most aggregates of clicks in Polars."""
    from tests.benchmarks.frames import polars_features  # noqa: PLC0415

    polars_features(_files(lake, "clicks"))


SUBJECTS: dict[str, Callable[[Path], None]] = {"engine": engine, "polars": with_polars, "pandas": with_pandas}


def _budget(lake: Path) -> Budget:
    """The default; for a larger day 4 GiB, in which millions of conversions are joined and sorted, and disk enough to read clicks once."""
    from fraud.features.engines.budget import Budget  # noqa: PLC0415

    return Budget() if int(lake.name.removeprefix("day-")) <= MOST_FOR_FRAMES else Budget(memory=4 << 30, disk=30 << 30)


def _files(lake: Path, kind: str) -> list[Path]:
    return sorted((lake / kind).rglob("*.parquet"))


def measure(name: str, lake: Path, repeats: int) -> dict[str, Any]:
    """Seconds and processor seconds of the scan and of a subject, in turn, and the peak memory of this process in MiB.

    The engine's compiled code is made, or read from where it is kept, on a small day before."""
    if name == "engine":
        engine(make_day(lake.parent, WARM_UP))
    else:
        resource.setrlimit(resource.RLIMIT_AS, (MOST_FOR_OTHERS, MOST_FOR_OTHERS))
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
        "peak_mib": peak_mib(),
    }


def _timed(subject: Callable[[Path], None], lake: Path) -> tuple[float, float]:
    clock, work = time.perf_counter(), time.process_time()
    subject(lake)
    return time.perf_counter() - clock, time.process_time() - work


def in_a_child(name: str, lake: Path, repeats: int) -> dict[str, Any]:
    """`measure` in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.features", "--child", name, "--lake", str(lake), "--repeats", str(repeats)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def report(rows: int, results: dict[str, dict[str, Any]]) -> str:
    """The section's text."""
    head = ("what", "times the scan", "of processor time", "seconds", "peak MiB", "runs")
    lines = [
        (_named(name, r, rows), f"{r['ratio']:.1f}", f"{r['work_ratio']:.1f}", f"{r['seconds']:.1f}", f"{r['peak_mib']:.0f}", r["repeats"])
        for name, r in results.items()
    ]
    about = (
        f"The whole catalogue for every affiliate and sub-ID of a generated day of {rows:,} clicks, against DuckDB merely reading the same "
        f"columns of the same Parquet ({results['engine']['scan_seconds']:.2f} s). pandas forms every aggregate of clicks that the engine "
        "forms, and a test holds the two equal; what is said of conversions and the facts it leaves out. Polars leaves out the judgement "
        "of addresses, stacked clicks, the pace and the hours' divergence besides."
    )
    others = [name for name in ("pandas", "polars") if name in results]
    times = [f"The engine is {results[name]['of_engine']:.1f} times as fast as {_named(name, results[name], rows)}." for name in others]
    if rows > MOST_FOR_FRAMES:
        times = [f"pandas and Polars, which hold every click in memory, are not asked beyond {MOST_FOR_FRAMES:,} clicks."]
    return "\n\n".join([about, table(head, lines), *times])


def _named(name: str, result: dict[str, Any], rows: int) -> str:
    return name if result.get("rows", rows) == rows else f"{name} with {result['rows']:,} clicks (with more it asked for too much memory)"


def growth(results: dict[int, dict[str, Any]]) -> str:
    """The section on how the engine's cost grows with the clicks."""
    each = {rows: result["seconds"] / rows for rows, result in results.items()}
    base = min(results, key=lambda rows: abs(rows - MOST_FOR_FRAMES))
    lines = [
        (f"{rows:,}", f"{result['ratio']:.1f}", f"{1e6 * each[rows]:.2f}", f"{each[rows] / each[base]:.2f}", f"{result['peak_mib']:.0f}")
        for rows, result in results.items()
    ]
    found = table(("clicks", "times the scan", "seconds a million", f"against {base:,}", "peak MiB"), lines)
    return f"{found}\n\nBeyond {base:,} clicks at most {MOST_GROWTH} times the cost of a click, and {MOST_MIB_BEYOND:,} MiB, are wanted."


def missed(rows: int, results: dict[str, dict[str, Any]]) -> list[str]:
    """What is wanted and was not reached, in words."""
    engine_ = results["engine"]
    found = []
    if engine_["ratio"] > MOST_SCANS:
        found.append(f"{engine_['ratio']:.1f} times the bare scan of {rows:,} clicks; at most {MOST_SCANS:.0f} is wanted")
    most = MOST_MIB if rows <= MOST_FOR_FRAMES else MOST_MIB_BEYOND
    if engine_["peak_mib"] > most:
        found.append(f"{engine_['peak_mib']:.0f} MiB; at most {most} is wanted")
    if "pandas" in results and results["pandas"]["of_engine"] < LEAST_SPEED:
        found.append(f"{results['pandas']['of_engine']:.1f} times as fast as pandas; at least {LEAST_SPEED:.0f} is wanted")
    return found


def at_size(root: Path, rows: int, repeats: int, *, alone: bool = False) -> dict[str, dict[str, Any]]:
    """Every subject that is asked for at this size, over a day kept under `root`; `alone` is the engine without pandas and Polars."""
    results = {"engine": in_a_child("engine", make_day(root, rows), repeats)}
    if rows <= MOST_FOR_FRAMES and not alone:
        for name in ("polars", "pandas"):
            results |= _in_memory(name, root, rows, results["engine"])
    return results


def _in_memory(name: str, root: Path, rows: int, engine_: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A subject that holds every click in memory, with as many of them as it can: half as many again and again, the engine beside it."""
    for some in (rows, rows // 2, rows // 4):
        try:
            result = in_a_child(name, make_day(root, some), 1 if some > MOST_FOR_FRAMES // 10 else engine_["repeats"])
        except subprocess.CalledProcessError:
            print(f"{name} did not end with {some:,} clicks.", file=sys.stderr, flush=True)
            continue
        beside = engine_ if some == rows else in_a_child("engine", make_day(root, some), 1)
        return {name: result | {"rows": some, "of_engine": result["ratio"] / beside["ratio"]}}
    return {}


def main() -> None:
    """Runs the benchmark, or with `--child` one subject of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000_000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--dry", action="store_true", help="print only, and fail when the engine takes too many times the scan")
    parser.add_argument("--alone", action="store_true", help="the engine against the scan, without pandas and Polars")
    parser.add_argument("--child", choices=SUBJECTS)
    parser.add_argument("--lake", type=Path)
    parser.add_argument("--folder", type=Path, default=BUILD, help="where days are made and kept for the next run (200M clicks: 10 GB)")
    asked = parser.parse_args()
    if asked.child:
        print(json.dumps(measure(asked.child, asked.lake, asked.repeats)))
        return
    sizes: dict[int, dict[str, Any]] = {}
    for rows in asked.rows:
        results = at_size(asked.folder, rows, 1 if rows > MOST_FOR_FRAMES else asked.repeats, alone=asked.alone)
        sizes[rows] = results["engine"]
        print(report(rows, results), *missed(rows, results), sep="\n", flush=True)
        if asked.dry and results["engine"]["ratio"] > MOST_SCANS:
            raise SystemExit(1)
        if not asked.dry:
            section(f"Features of {rows:,} clicks", [report(rows, results)])
    if len(sizes) > 1 and not asked.dry:
        section("Features: growth", [growth(sizes)])


if __name__ == "__main__":
    main()
