"""Backlinks at size: a domain-ranks file searched beside `cat`, `wc -l` and `zcat`, and an export read in flat memory.

`python -m tests.benchmarks.backlinks [--lines N] [--rows N] [--repeats N]`: the searches and the plain readings take turns.
"""

from __future__ import annotations

import argparse
import gzip
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from crawlers.backlinks.commoncrawl import ranks
from tests.benchmarks.report import section, table

WANTED = 1_000
STEP = 100_000
_READ = (
    "import sys; from pathlib import Path; from crawlers.backlinks.profile import About, read_profile; "
    "found = read_profile(Path(sys.argv[1]), About(domains=frozenset({'trailnotes.example'}))); "
    "print(found.links, next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
)


def _ranks_file(path: Path, lines: int) -> None:
    with gzip.open(path, "wb", compresslevel=1) as packed, path.with_suffix("").open("wb") as plain:
        for start in range(0, lines, STEP):
            numbers = range(start, start + STEP)
            lines_of = (f"{n}\t{1e7 / (n + 1):.5g}\t{n}\t{1 / (n + 2):.5g}\tcom.site{n}\t{n % 9}\n" for n in numbers)
            text = "".join(lines_of)
            packed.write(text.encode())
            plain.write(text.encode())


def _export(path: Path, rows: int) -> None:
    with path.open("w") as file:
        file.write("source_url,target_url,anchor_text,title,rel,first_seen,ip\n")
        for n in range(rows):
            file.write(f"https://s{n % 300_000}.com/{n},https://trailnotes.example/,text {n % 977},title {n},,2024-05-06,9.8.{n % 250}.6\n")


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _kept(path: Path) -> tuple[int, int]:
    """The links of an export and the peak of memory in KiB, in a process of its own."""
    links, peak = subprocess.run([sys.executable, "-c", _READ, str(path)], check=True, capture_output=True, text=True).stdout.split()
    return int(links), int(peak)


def _program(*arguments: str) -> Callable[[], object]:
    return lambda: subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Measure and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        packed, export, small = Path(folder, "ranks.txt.gz"), Path(folder, "links.csv"), Path(folder, "small.csv")
        _ranks_file(packed, asked.lines)
        plain = packed.with_suffix("")
        wanted = [f"site{n * 2 * asked.lines // WANTED}.com" for n in range(WANTED)]
        works: dict[str, Callable[[], object]] = {
            "plain file: `cat`": _program("cat", str(plain)),
            "plain file: `wc -l`": _program("wc", "-l", str(plain)),
            "plain file searched": lambda: ranks(plain, wanted),
            "gzip file: `zcat`": _program("zcat", str(packed)),
            "gzip file searched": lambda: ranks(packed, wanted),
        }
        assert len(ranks(plain, wanted)) == WANTED // 2
        times = {name: list[float]() for name in works}
        for _ in range(asked.repeats):
            for name, work in works.items():
                times[name].append(_timed(work))
        _export(export, asked.rows)
        _export(small, asked.rows // 4)
        seconds = _timed(lambda: _kept(export))
        peaks = [_kept(path)[1] / 1024 for path in (small, export)]
        sizes = [path.stat().st_size / 1e6 for path in (plain, packed)]
    took = {name: median(all_times) for name, all_times in times.items()}
    rows = [(name, f"{took[name]:.2f}", f"{sizes['gzip' in name] / took[name]:.0f}") for name in took]
    slower = took["gzip file searched"] / took["gzip file: `zcat`"], took["plain file searched"] / took["plain file: `cat`"]
    searched = (
        f"Searching takes {slower[0]:.2f} times as long as `zcat`, and {slower[1]:.1f} times as long as `cat` on "
        "the plain one, which lies in the system's cache."
    )
    read = (
        f"An export of {asked.rows:,} rows is read into a profile in {seconds:.0f} s, peak {peaks[1]:.0f} MiB; a quarter of it takes "
        f"{peaks[0]:.0f} MiB."
    )
    head = f"A domain-ranks file of {asked.lines:,} lines ({sizes[0]:.0f} MB, {sizes[1]:.0f} MB packed) searched for {WANTED:,} names:"
    lines = [head, "", table(("what", "seconds", "MB of the file per second"), rows), "", searched, "", read]
    section("Backlinks", lines)


if __name__ == "__main__":
    main()
