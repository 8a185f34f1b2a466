"""Reading addresses against tables of the size of the internet's, against the standard library only reading their text.

`python -m tests.benchmarks.networks [--addresses N] [--repeats N]`: the two take turns, so that a busy machine is busy for both."""

from __future__ import annotations

import argparse
import ipaddress
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa

from fraud.enrichment.building import build
from fraud.enrichment.networks import NetworkTables, load
from fraud.enrichment.sources import KeptSource, Source
from tests.benchmarks.report import section

NETWORKS = 500_000
"""Stretches of IPv4 in each of the tables of countries and of AS numbers: the internet has 400,000."""
ONES = 20_000
"""Addresses that are asked one by one."""


def _made_up(gives: str, rng: np.random.Generator) -> tuple[KeptSource, list[bytes]]:
    """A table that cuts the whole of IPv4 into stretches of all sizes."""
    starts = np.unique(np.concatenate([[0], rng.integers(0, 1 << 32, NETWORKS - 1)]))
    ends = np.append(starts[1:] - 1, (1 << 32) - 1)
    said = [f"{number},Example {number % 997}" for number in range(1, len(starts) + 1)] if gives == "asn" else ["US", "DE"] * len(starts)
    rows = zip(starts.tolist(), ends.tolist(), said, strict=False)
    text = "\n".join(f"{ipaddress.IPv4Address(first)},{ipaddress.IPv4Address(last)},{what}" for first, last, what in rows)
    source = Source(id=f"made-up-{gives}", title=gives, gives=gives, licence="none")
    return KeptSource(source=source, origin="", fetched_at=datetime(2026, 1, 1, tzinfo=UTC), sha256=("",)), [text.encode()]


def _tables(folder: Path, rng: np.random.Generator) -> NetworkTables:
    for name, data in build([_made_up("asn", rng), _made_up("country", rng)], datetime(2026, 1, 1, tzinfo=UTC)).files.items():
        (folder / name).write_bytes(data)
    return load(folder)


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _parsed(texts: list[str]) -> list[int]:
    return [int(ipaddress.ip_address(text)) for text in texts]


def measure(addresses: int, repeats: int) -> list[str]:
    """The lines of the section."""
    rng = np.random.default_rng(3)
    texts = [str(ipaddress.IPv4Address(number)) for number in rng.integers(1 << 24, 224 << 24, addresses).tolist()]
    column, few = pa.array(texts), texts[:ONES]
    with tempfile.TemporaryDirectory() as folder:
        tables = _tables(Path(folder), rng)
        tables.lookup(column)
        runs: dict[str, Callable[[], object]] = {
            "column": lambda: tables.lookup(column),
            "text": lambda: _parsed(texts),
            "ones": lambda: [tables.read(text) for text in few],
            "few": lambda: _parsed(few),
        }
        took = [{name: _seconds(run) for name, run in runs.items()} for _ in range(repeats)]
    column_ratio = median(turn["column"] / turn["text"] for turn in took)
    one_ratio = median(turn["ones"] / turn["few"] for turn in took)
    return [
        f"{addresses:,} random IPv4 addresses, tables of {NETWORKS:,} stretches each for countries and AS numbers.",
        "",
        "| reading | against `ipaddress` only reading the text | here |",
        "|---|---|---|",
        f"| a column | {column_ratio:.2f} times | {median(turn['column'] for turn in took):.2f} s |",
        f"| one by one | {one_ratio:.1f} times | {median(turn['ones'] for turn in took) / ONES * 1e6:.0f} µs each |",
    ]


def main() -> None:
    """Measures, prints and writes the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--addresses", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    lines = measure(asked.addresses, asked.repeats)
    sys.stdout.write("\n".join(lines) + "\n")
    section("Networks of addresses", lines)


if __name__ == "__main__":
    main()
