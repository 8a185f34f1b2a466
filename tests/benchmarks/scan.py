"""A night's scan after its features exist: models, checks, decisions. Bars: ten seconds and a gigabyte (`make bench-scan`).

The features and the graph of the made-up program are computed once and handed to every repetition, so what is timed is what a scan adds to
them. Memory is the process's growth over the moment the models begin, sampled while they and the decisions run.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import duckdb

from fraud.app.evaluation.seeds import workbench
from fraud.app.evaluation.simulated import ingested
from fraud.app.parts import App, KeptModels
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.features.catalogue import feature_set_hash
from fraud.features.definition import Level
from fraud.features.engines import engine
from fraud.features.request import FeatureRequest
from fraud.features.table import FeatureTable
from fraud.links.evidence import GraphNight, graph_night
from fraud.simulation.program import simulate
from fraud.simulation.spec import SimulationSpec
from fraud.simulation.writing import write
from fraud.storage.lake import ParquetLake
from fraud.workflows import nightly
from fraud.workflows.night import Progress, ScanRequest, ScanTools
from tests.benchmarks.report import section, table

BEGINS = "Fitting and applying the models"
"""The progress message from which on features exist."""
SAMPLE_S = 0.02
MEGABYTE = 1e6
Tables = Mapping[Level, FeatureTable]


@dataclass
class Stopwatch:
    """When each stage of a scan began, and the most memory (bytes) the process had from `BEGINS` on, over what it had then."""

    began: dict[str, float] = field(default_factory=dict)
    at_first: int = 0
    most: int = 0
    done: bool = False

    def __call__(self, stage: str) -> None:
        self.began[stage] = time.perf_counter()
        if stage == BEGINS:
            self.at_first = self.most = resident()
            threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self.done:
            self.most = max(self.most, resident())
            time.sleep(SAMPLE_S)


def resident() -> int:
    """The process's resident memory, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


@dataclass
class Cached:
    """The features of a program, computed at the first call and given again at the next ones."""

    tables: Tables | None = None

    def __call__(self, con: duckdb.DuckDBPyConnection, request: FeatureRequest, progress: Progress | None = None) -> Tables:
        if self.tables is None:
            self.tables = engine("local")(con, request, progress)
        return self.tables


def measure(affiliates: int, days: int, repeats: int) -> list[str]:
    """The lines of the section, from a program of this size."""
    with workbench() as (app, _), tempfile.TemporaryDirectory() as folder:
        program = simulate(SimulationSpec(seed=1, affiliates=affiliates, days=days))
        clicks = len(program.clicks)
        write(program, Path(folder))
        del program
        with ingested(app, Path(folder), lambda _: None) as lake:
            runs = scans(app, lake, repeats)
    seconds, decided, memory = (statistics.median(run[place] for run in runs) for place in range(3))
    rows = [
        ["models fitted and applied", f"{seconds - decided:.1f} s"],
        ["checks, decisions, ranking", f"{decided:.1f} s"],
        ["together (bar: 10 s)", f"{seconds:.1f} s"],
        ["memory on top of the features (bar: 1 GB)", f"{memory / MEGABYTE:,.0f} MB"],
    ]
    told = f"{affiliates:,} affiliates, {days} days, {clicks:,} clicks; medians of {repeats}; features and graph exist already."
    return [told, "", table(["", ""], rows)]


def scans(app: App, lake: ParquetLake, repeats: int) -> list[tuple[float, float, float]]:
    """For each repetition after a first one: seconds in all, seconds of deciding, bytes of memory."""
    features = Cached()
    known: list[GraphNight] = []

    def once(*asked: object, **named: object) -> GraphNight:
        if not known:
            known.append(graph_night(*asked, **named))  # type: ignore[arg-type]  # handed through as it was asked
        return known[0]

    with patch("fraud.workflows.nightly.graph_night", once):
        return [_one(app, lake, features) for _ in range(repeats + 1)][1:]


def _one(app: App, lake: ParquetLake, features: Cached) -> tuple[float, float, float]:
    watch, now = Stopwatch(), app.clock.now()
    models = KeptModels(app.registry, feature_set_hash(), now)
    tools = ScanTools(lake=lake, models=models, pack=app.pack(""), actor=SYSTEM, now=now, progress=watch, features=features)
    nightly.scan(ScanRequest(program_id=DEFAULT_PROGRAM, days=3), tools)
    ended = time.perf_counter()
    watch.done = True
    return ended - watch.began[BEGINS], ended - watch.began["Deciding"], float(watch.most - watch.at_first)


def main() -> None:
    """Measures, prints and writes the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--affiliates", type=int, default=1_200)
    parser.add_argument("--days", type=int, default=31)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    lines = measure(asked.affiliates, asked.days, asked.repeats)
    sys.stdout.write("\n".join(lines) + "\n")
    section("A night's scan after its features exist", lines)


if __name__ == "__main__":
    main()
