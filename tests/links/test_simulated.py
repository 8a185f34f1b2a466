"""Rings and replays of the simulator, among carrier addresses, offices and declared agencies: all found, and nobody else.

A replayer of few clicks leaves nothing to see: of a recording of 4,000 clicks it then has fewer than `ENOUGH` in common with all who
play it, and is not asked for. Every member of a ring is.
"""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from fraud.domain.clock import as_utc
from fraud.domain.scans import Period
from fraud.links.evidence import graph_night
from fraud.simulation.program import simulate
from fraud.simulation.spec import SimulationSpec
from fraud.simulation.writing import write
from fraud.storage.lake import ParquetLake
from fraud.workflows.ingesting import IngestOptions, ingest

KINDS = ("ring", "replay", "agency", "cgnat_geo", "corp_news", "webinar", "vpn_privacy")
ENOUGH, RECORDING, SHARE = 10, 4_000, 0.6


def outcome(folder: Path, spec: SimulationSpec) -> tuple[set[str], set[str], set[str]]:
    """Who was found, who had to be, and who are honest."""
    program = simulate(spec)
    write(program, folder)
    lake = ParquetLake(folder / "lake")
    options = IngestOptions(format="auto", pepper=b"p" * 32, ingested_at=spec.ends_at + timedelta(days=1))
    for kind in ("affiliates", "clicks", "conversions"):
        ingest(lake, "p", kind, sorted(folder.glob(f"{kind}.*")), options)
    end = as_utc(spec.ends_at)
    window = Period(start=end - timedelta(days=spec.window_days), end=end)
    with closing(lake.connect("p")) as events:
        counted = events.execute(
            "select affiliate_id, count(*) as n from clicks where clicked_at >= ? group by 1", [window.start.replace(tzinfo=None)]
        ).df()
        found = set(graph_night(events, window).findings)
    clicks = pd.Series(counted["n"].to_numpy(), index=counted["affiliate_id"])
    played = {one.affiliate_id: SHARE * float(clicks.get(one.affiliate_id, 0)) for one in program.truth.affiliates if one.kind == "replay"}
    quiet = {name for name, own in played.items() if own * sum(played.values()) / RECORDING < ENOUGH}
    bad = {one.affiliate_id for one in program.truth.affiliates if one.bad} - quiet
    return found, bad, {one.affiliate_id for one in program.truth.affiliates if not one.bad}


@pytest.mark.parametrize(("affiliates", "seed"), [(150, 3), *(pytest.param(600, seed, marks=pytest.mark.long) for seed in (11, 12, 13))])
def test_rings_and_replays_are_all_found_and_nobody_else(tmp_path: Path, affiliates: int, seed: int) -> None:
    spec = SimulationSpec(seed=seed, affiliates=affiliates, days=5, kinds=KINDS, bad_share=0.08, hard_share=0.1)
    found, bad, honest = outcome(tmp_path, spec)
    assert len(bad) >= 5
    assert bad <= found
    assert len(found & honest) <= 0.01 * len(honest)
