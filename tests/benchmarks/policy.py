"""How long `fraud policy diff` takes over thirty nights of a thousand affiliates.

One night of a made-up program is scanned for real; its decisions, under new names and earlier dates, stand for the other twenty-nine.
Two packs are compared with what decided then: one with a rule more, and one whose every traffic threshold differs, so that every check
has to be run again.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import yaml

from fraud.app.parts import App, open_app
from fraud.app.policies import diff_policy
from fraud.app.scanning import ingest_files, ingest_options, scan_workspace
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.decisions import Decision, DecisionKind
from fraud.domain.ids import new_id
from fraud.policy.loading import load_pack
from fraud.settings import load_settings
from fraud.simulation.program import simulate
from fraud.simulation.spec import SimulationSpec
from fraud.simulation.writing import write
from fraud.workflows.night import ScanRequest
from tests.benchmarks.report import section, table

RULE = {
    "id": "many.clicks",
    "job": "traffic",
    "owner": "benchmark",
    "description": "Busy affiliates are looked at.",
    "when": "clicks > 1000 and score > 0.1",
    "at_least": "review",
    "examples": {"fires": [{"clicks": 2000, "score": 0.2}], "quiet": [{"clicks": 10, "score": 0.2}]},
}


def main() -> None:
    """Builds the nights, compares five times, reports the median."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--affiliates", type=int, default=1_000)
    arguments.add_argument("--nights", type=int, default=30)
    arguments.add_argument("--repeats", type=int, default=5)
    given = arguments.parse_args()
    packs = _packs()
    with tempfile.TemporaryDirectory() as folder, open_app(load_settings(workspace=Path(folder) / "workspace")) as app:
        decisions = _nights(app, Path(folder), given.affiliates, given.nights)
        measured = {
            name: _measured(app, _written(Path(folder) / f"{name}.yaml", changes), given.repeats) for name, changes in packs.items()
        }
    section(
        "Policy diff",
        [
            f"`make bench-policy`: {given.affiliates:,} affiliates, {given.nights} nights, {decisions:,} decisions with their sub-IDs.",
            "",
            table(
                ["pack", "come out otherwise", f"seconds (median of {given.repeats})", "processor seconds"],
                [[name, f"{one.changed:,}", f"{one.seconds:.1f}", f"{one.busy:.1f}"] for name, one in measured.items()],
            ),
        ],
    )
    for name, one in measured.items():
        print(f"{name}: {decisions:,} decisions, {one.changed:,} otherwise, median {one.seconds:.2f} s, of the processor {one.busy:.2f} s")


@dataclass(frozen=True)
class _Measured:
    """Medians of comparisons: by the wall clock, and of this process's own time on the processor."""

    seconds: float
    busy: float
    changed: int


def _measured(app: App, pack: str, repeats: int) -> _Measured:
    seconds, busy, changed = [], [], 0
    for _ in range(repeats):
        started, worked = time.perf_counter(), time.process_time()
        changed = diff_policy(app, DEFAULT_PROGRAM, pack, 36_500, lambda done: None).changed
        seconds.append(time.perf_counter() - started)
        busy.append(time.process_time() - worked)
    return _Measured(median(seconds), median(busy), changed)


def _packs() -> dict[str, dict[str, Any]]:
    shipped = msgspec.to_builtins(load_pack())
    checks = {name: check | {"thresholds": _moved(check.get("thresholds", {}))} for name, check in shipped["checks"].items()}
    return {
        "one rule more": shipped | {"id": "ruled", "rules": [RULE]},
        "every threshold moved": shipped | {"id": "moved", "checks": checks},
    }


def _moved(thresholds: dict[str, Any]) -> dict[str, Any]:
    return {name: one | {"value": one["value"] * 0.99} for name, one in thresholds.items()}


def _written(file: Path, pack: dict[str, Any]) -> str:
    file.write_text(yaml.safe_dump(pack, sort_keys=False))
    return str(file)


def _nights(app: App, folder: Path, affiliates: int, nights: int) -> int:
    data = folder / "data"
    write(simulate(SimulationSpec(seed=1, affiliates=affiliates, days=6)), data)
    for kind in ("offers", "affiliates", "clicks", "conversions"):
        (file,) = data.glob(f"{kind}.*")
        ingest_files(app, DEFAULT_PROGRAM, kind, [file], ingest_options(app, "auto", lambda _: None))
    scan_workspace(app, ScanRequest(program_id=DEFAULT_PROGRAM), SYSTEM, "", lambda _: None)
    since = app.clock.now() - timedelta(days=36_500)
    night = list(app.stores.decisions.decided(DEFAULT_PROGRAM, DecisionKind.SCAN, since))
    for number in range(1, nights):
        app.stores.decisions.add([_earlier(decision, number) for decision in night])
    return len(night) * nights


def _earlier(decision: Decision, nights: int) -> Decision:
    at = decision.decided_at - timedelta(days=nights)
    return msgspec.structs.replace(decision, decision_id=new_id("dec", at), decided_at=at)


if __name__ == "__main__":
    main()
