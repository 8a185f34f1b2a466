"""One affiliate with most of a day's clicks, in little memory: `python -m tests.benchmarks.one_affiliate`.

The same day is counted under several budgets, each in a process of its own that measures the bare scan beside it. Under the smallest
the affiliate does not fit and is counted in slices of time.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from tests.benchmarks.day import PROGRAM, make_day
from tests.benchmarks.features import BUILD, START, WARM_UP, bare_scan
from tests.benchmarks.report import peak_mib, section, table

READING = "256MB"
"""What DuckDB may use to read: little, so that what counting takes is seen."""


def counted(lake: Path, memory: int) -> None:
    """The whole catalogue at both levels, with so many MiB for clicks."""
    from fraud.domain.scans import Period  # noqa: PLC0415 - only the child that measures it imports it
    from fraud.features.engines.budget import Budget  # noqa: PLC0415
    from fraud.features.engines.local import compute_levels  # noqa: PLC0415
    from fraud.features.request import FeatureRequest  # noqa: PLC0415
    from fraud.storage.lake import ParquetLake  # noqa: PLC0415

    window = (Period(start=START, end=START + timedelta(days=1)),)
    with closing(ParquetLake(lake, memory_limit=READING).connect(PROGRAM)) as con:
        compute_levels(con, FeatureRequest(affiliate=window, sub_id=window), budget=Budget(memory << 20))


def _seconds(subject: Callable[[], None]) -> float:
    began = time.perf_counter()
    subject()
    return time.perf_counter() - began


def measure(lake: Path, memory: int, repeats: int) -> dict[str, float]:
    """Times of the bare scan, seconds and peak MiB of this process, counting a day with so many MiB for clicks."""
    counted(make_day(lake.parent, WARM_UP), memory)
    times = [(_seconds(lambda: bare_scan(lake)), _seconds(lambda: counted(lake, memory))) for _ in range(repeats)]
    return {
        "ratio": statistics.median(own / scan for scan, own in times),
        "seconds": statistics.median(own for _, own in times),
        "peak_mib": peak_mib(),
    }


def main() -> None:
    """Runs the benchmark, or with `--child` one budget of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=6_000_000)
    parser.add_argument("--share", type=float, default=0.4)
    parser.add_argument("--memory", type=int, nargs="+", default=[2048, 256], help="MiB for clicks")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=BUILD)
    parser.add_argument("--dry", action="store_true", help="print only")
    parser.add_argument("--child", type=int)
    asked = parser.parse_args()
    lake = make_day(asked.folder, asked.rows, asked.share)
    if asked.child:
        print(json.dumps(measure(lake, asked.child, asked.repeats)))
        return
    size = ("--rows", asked.rows, "--share", asked.share, "--repeats", asked.repeats, "--folder", asked.folder)
    results = {}
    for memory in asked.memory:
        command = [sys.executable, "-m", "tests.benchmarks.one_affiliate", *map(str, size), "--child", str(memory)]
        results[memory] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])
    lines = [(f"{m:,}", f"{r['ratio']:.1f}", f"{r['seconds']:.1f}", f"{r['peak_mib']:.0f}") for m, r in results.items()]
    about = (
        f"A day of {asked.rows:,} clicks, {asked.share:.0%} of them one affiliate's, counted with so many MiB for clicks and {READING} to "
        "read them. In the least the affiliate does not fit and is counted in slices of time."
    )
    text = [about, table(("MiB for clicks", "times the scan", "seconds", "peak MiB of the process"), lines)]
    print(*text, sep="\n\n")
    if not asked.dry:
        section("Features: one affiliate with most of the clicks", text)


if __name__ == "__main__":
    main()
