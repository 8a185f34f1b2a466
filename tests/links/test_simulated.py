"""Rings, replays and second accounts of the simulator, among carrier addresses, offices and declared agencies: all found, and nobody else.

A replayer of whose visits fewer than three came on an earlier day at the same moment, at anybody's, leaves nothing to see and is not asked
for. Every member of a ring is.
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
from models.graph.replays import FEWEST_REPEATED

SECOND = 6
"""Pairs of accounts of one owner."""
KINDS = ("ring", "replay", "agency", "cgnat_geo", "corp_news", "webinar", "vpn_privacy")
REPEATED = """
    with visits as (
        select affiliate_id, device_id, clicked_at::date as day, epoch_us(clicked_at) % 86400000000 // 10000000 as moment from clicks
    )
    select now.affiliate_id, count(distinct (device_id, moment)) as n from visits now join visits earlier using (device_id, moment)
    where earlier.day < now.day group by 1
"""


def outcome(folder: Path, spec: SimulationSpec) -> tuple[set[str], set[str], set[str]]:
    """Who was found, who had to be, and who are honest."""
    program = simulate(spec)
    write(program, folder)
    second = second_accounts(folder, {one.affiliate_id for one in program.truth.affiliates if one.kind == "ordinary"})
    lake = ParquetLake(folder / "lake")
    options = IngestOptions(format="auto", pepper=b"p" * 32, ingested_at=spec.ends_at + timedelta(days=1))
    for kind in ("affiliates", "clicks", "conversions"):
        ingest(lake, "p", kind, sorted(folder.glob(f"{kind}.*")), options)
    end = as_utc(spec.ends_at)
    window = Period(start=end - timedelta(days=spec.window_days), end=end)
    with closing(lake.connect("p")) as events:
        repeated = dict(events.execute(REPEATED).fetchall())
        found = set(graph_night(events, window).findings)
    replays = {one.affiliate_id for one in program.truth.affiliates if one.kind == "replay"}
    quiet = {name for name in replays if repeated.get(name, 0) < FEWEST_REPEATED}
    bad = {one.affiliate_id for one in program.truth.affiliates if one.bad} - quiet
    return found, bad | second, {one.affiliate_id for one in program.truth.affiliates if not one.bad} - second


def second_accounts(folder: Path, ordinary: set[str]) -> set[str]:
    """Gives six ordinary affiliates the payout account, the tax number or the phone of another one; all twelve of them."""
    (file,) = folder.glob("affiliates.*")
    accounts = pd.read_csv(file, dtype=str)
    names = sorted(ordinary)[: 2 * SECOND]
    for place, (first, second) in enumerate(zip(names[::2], names[1::2], strict=True)):
        kind = ("payout_account", "tax_id", "phone")[place % 3]
        accounts.loc[accounts["affiliate_id"] == first, kind] = f"00{place}4930123456"
        accounts.loc[accounts["affiliate_id"] == second, kind] = f"00{place}4930123456"
    accounts.to_csv(file, index=False)
    return set(names)


@pytest.mark.parametrize(("affiliates", "seed"), [(150, 3), *(pytest.param(600, seed, marks=pytest.mark.long) for seed in (11, 12, 13))])
def test_rings_replays_and_second_accounts_are_all_found_and_nobody_else(tmp_path: Path, affiliates: int, seed: int) -> None:
    spec = SimulationSpec(seed=seed, affiliates=affiliates, days=5, kinds=KINDS, bad_share=0.08, hard_share=0.1)
    found, bad, honest = outcome(tmp_path, spec)
    assert len(bad) >= 5
    assert bad <= found
    assert len(found & honest) <= 0.01 * len(honest)
