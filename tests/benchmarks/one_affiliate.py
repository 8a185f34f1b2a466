"""One affiliate, or one network of addresses, with most of a day's clicks, in little memory: `python -m tests.benchmarks.one_affiliate`.

The same day is counted under several budgets, each in a process of its own that measures the bare scan beside it. Under the smallest
the crowd does not fit and is counted in slices of time, or piece by piece. A third day's affiliate has a sub-ID for every click.
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

from tests.benchmarks.day import PROGRAM, Crowd, make_day
from tests.benchmarks.features import BUILD, START, WARM_UP, bare_scan
from tests.benchmarks.report import peak_mib, section, table

READING = "256MB"
"""What DuckDB may use to read: little, so that what counting takes is seen."""

LEAST_CLICKS = 30
"""Clicks from which a sub-ID has a row: the default policy's."""

CROWDS: dict[Crowd, str] = {
    "affiliate": "one affiliate's",
    "sub-ids": "one affiliate's, whose sub-IDs are the clicks' own numbers",
    "network": "one network's of addresses",
}


def counted(lake: Path, memory: int) -> None:
    """The whole catalogue at both levels, with so many MiB for clicks."""
    from fraud.domain.scans import Period  # noqa: PLC0415 - only the child that measures it imports it
    from fraud.features.engines.budget import Budget  # noqa: PLC0415
    from fraud.features.engines.local import compute_levels  # noqa: PLC0415
    from fraud.features.request import FeatureRequest  # noqa: PLC0415
    from fraud.storage.lake import ParquetLake  # noqa: PLC0415

    window = (Period(start=START, end=START + timedelta(days=1)),)
    with closing(ParquetLake(lake, memory_limit=READING).connect(PROGRAM)) as con:
        request = FeatureRequest(affiliate=window, sub_id=window, least_clicks=LEAST_CLICKS)
        compute_levels(con, request, budget=Budget(memory << 20))


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
    """Runs the benchmark, or with `--child` one budget of one crowd."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=6_000_000)
    parser.add_argument("--share", type=float, default=0.4)
    parser.add_argument("--crowds", nargs="+", choices=CROWDS, default=list(CROWDS))
    parser.add_argument("--memory", type=int, nargs="+", default=[2048, 256], help="MiB for clicks")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=BUILD)
    parser.add_argument("--dry", action="store_true", help="print only")
    parser.add_argument("--child", type=int)
    asked = parser.parse_args()
    if asked.child:
        print(json.dumps(measure(make_day(asked.folder, asked.rows, asked.share, asked.crowds[0]), asked.child, asked.repeats)))
        return
    size = ("--rows", asked.rows, "--share", asked.share, "--repeats", asked.repeats, "--folder", asked.folder)
    lines = []
    for crowd in asked.crowds:
        make_day(asked.folder, asked.rows, asked.share, crowd)
        for memory in asked.memory:
            child = [*size, "--crowds", crowd, "--child", memory]
            command = [sys.executable, "-m", "tests.benchmarks.one_affiliate", *map(str, child)]
            took = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])
            figures = (f"{took['ratio']:.1f}", f"{took['seconds']:.1f}", f"{took['peak_mib']:.0f}")
            lines.append((CROWDS[crowd], f"{memory:,}", *figures))
    about = (
        f"A day of {asked.rows:,} clicks, {asked.share:.0%} of them a crowd's, counted with so many MiB for clicks and {READING} to "
        f"read them; sub-IDs of fewer than {LEAST_CLICKS} clicks have no rows, as in a scan. In the least memory the crowd does not fit "
        "and is counted in slices of time, or piece by piece."
    )
    text = [about, table(("the crowd", "MiB for clicks", "times the scan", "seconds", "peak MiB of the process"), lines)]
    print(*text, sep="\n\n")
    if not asked.dry:
        section("Features: one affiliate with most of the clicks", text)


if __name__ == "__main__":
    main()
