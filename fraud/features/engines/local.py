"""The local engine: DuckDB scans, compiled kernels count, on all cores of this machine and in as much memory as is given.

One scan hands every click to two spools: by network, for what addresses are, and by affiliate, for everything else. Both are worked
through partition by partition, so memory follows the size of a partition and not of the program.
"""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb
import numpy as np

from fraud.domain.scans import Period
from fraud.enrichment import egress
from fraud.enrichment.compiled import Codes
from fraud.enrichment.egress_kernels import AddressTallies, Sightings, partition_of, tallies_of
from fraud.features import conversions, values
from fraud.features.click_kernels import ClickTallies, tallies_of_clicks
from fraud.features.clicks import CLICK_TYPES, Clicks, Program
from fraud.features.definition import Level
from fraud.features.engines.stages import (
    COMMON,
    WHOLE,
    Progress,
    Scanned,
    ends_of,
    finished,
    judged_for_kernels,
    key_of_nothing,
    read_since,
    silent,
    verdicts,
)
from fraud.features.level_tables import Texts
from fraud.features.program import Distinct, distinct_values
from fraud.features.request import FeatureRequest, NumberedWindow, microseconds
from fraud.features.spool import Spool
from fraud.features.table import FeatureTable

T = TypeVar("T")

BATCH_ROWS = 500_000
PARTITION_ROWS = 250_000
"""Clicks that are sorted and counted at a time, by each core: what is known of them lies in its cache. An affiliate with more is a part
of its own."""

SPOOL_BYTES = 512 << 20
"""Memory for clicks that wait for their turn, before they are written to files."""


def compute(
    con: duckdb.DuckDBPyConnection, windows: Sequence[Period], level: Level = "affiliate", progress: Progress | None = None
) -> FeatureTable:
    """Every feature of every entity active in each window `[start, end)` of event time, at one level."""
    return compute_levels(con, FeatureRequest.at(level, windows), progress)[level]


def compute_levels(
    con: duckdb.DuckDBPyConnection, request: FeatureRequest, progress: Progress | None = None
) -> Mapping[Level, FeatureTable]:
    """Every feature of every entity active in each window; see `fraud.features.engines.FeatureEngine`."""
    tell = progress or silent
    windows = request.numbered()
    values.register_windows(con, windows)
    tell("reading user agents, referrers and offers")
    distinct = distinct_values(con)
    conversions.match(con)
    with tempfile.TemporaryDirectory(prefix="fraud-features-") as folder:
        spools = _spools(distinct, windows, Path(folder))
        totals = _scan(con, windows, distinct, spools, tell)
        judged = _judged(con, spools.by_network, totals, windows, tell)
        tallies = _tallied(spools.by_affiliate, judged, distinct.tables, windows, tell)
    tell("computing features of conversions")
    texts = Texts(distinct.affiliates.texts, distinct.subs.texts, distinct.offers.texts, distinct.countries.texts)
    return finished(con, request, judged, tallies, texts)


@dataclass(frozen=True)
class _Spools:
    """Where the scan puts clicks: `place` is the partition of each affiliate's."""

    by_network: Spool
    by_affiliate: Spool
    place: Codes


def _spools(distinct: Distinct, windows: Sequence[NumberedWindow], folder: Path) -> _Spools:
    place = (np.cumsum(distinct.clicks) - distinct.clicks) // PARTITION_ROWS
    networks = 1 + int(distinct.total) // PARTITION_ROWS
    sightings = Spool((np.int64, np.int64, np.int64, np.int64, np.int32, np.int64), networks, folder, SPOOL_BYTES)
    clicks = Spool(CLICK_TYPES, 1 + int(place.max(initial=0)), folder, SPOOL_BYTES)
    return _Spools(sightings, clicks, place.astype(np.int32))


def _scan(
    con: duckdb.DuckDBPyConnection, windows: Sequence[NumberedWindow], distinct: Distinct, spools: _Spools, tell: Progress
) -> egress.Totals:
    """Reads every click once; the program's totals over the look-backs."""
    since, first, last = read_since(windows)
    totals = egress.RunningTotals([microseconds(window.ends) for window in windows], len(distinct.affiliates.texts))
    nothing = key_of_nothing(con)
    read = 0
    for columns, bounds in ((COMMON, (since, first)), (WHOLE, (first, last))):
        sql = f"SELECT {columns} FROM clicks WHERE clicked_at >= ? AND clicked_at < ?"
        for batch in con.sql(sql, params=list(bounds)).to_arrow_reader(BATCH_ROWS):
            _sort_out(Scanned(batch, nothing), distinct, spools, totals)
            read += batch.num_rows
            tell(f"reading clicks: {read:,}")
    return totals.done()


def _sort_out(batch: Scanned, distinct: Distinct, spools: _Spools, totals: egress.RunningTotals) -> None:
    affiliate = distinct.affiliates.of(batch.key(1))
    agent, device = batch.known_key(3), batch.known_key(4)
    totals.add(batch.time, affiliate)
    place = partition_of(batch.network, batch.address, spools.by_network.partitions)
    spools.by_network.add(place, (batch.address, batch.network, agent, device, affiliate, batch.time))
    if batch.whole:
        spools.by_affiliate.add(
            spools.place[affiliate],
            Clicks(
                affiliate=affiliate,
                time=batch.time,
                sub=distinct.subs.of(batch.key(5)),
                offer=distinct.offers.of(batch.key(6)),
                country=distinct.countries.of(batch.key(7)),
                address=batch.address,
                agent=distinct.agents.of(agent),
                device=device,
                domain=distinct.domains.of(batch.key(8)),
                flags=batch.numbers(9),
            ),
        )


def _judged(
    con: duckdb.DuckDBPyConnection, spool: Spool, totals: egress.Totals, windows: Sequence[NumberedWindow], tell: Progress
) -> egress.Judged:
    """Which addresses are shared or server-like in each window."""
    ends = ends_of(windows)

    def count(partition: int) -> AddressTallies:
        return tallies_of(Sightings(*spool.take(partition)), ends, egress.LIMITS)

    tallies = list(_side_by_side(count, spool.partitions, lambda done: tell(f"learning addresses: {done} of {spool.partitions} parts")))
    return verdicts(con, tallies, totals, windows)


def _tallied(
    spool: Spool, judged: egress.Judged, program: Program, windows: Sequence[NumberedWindow], tell: Progress
) -> list[ClickTallies]:
    bounds, judgements = judged_for_kernels(judged, windows)

    def count(partition: int) -> ClickTallies:
        return tallies_of_clicks(Clicks(*spool.take(partition)), bounds, program, judgements)

    return list(_side_by_side(count, spool.partitions, lambda done: tell(f"counting clicks: {done} of {spool.partitions} parts")))


def _side_by_side(work: Callable[[int], T], parts: int, tell: Callable[[int], None]) -> Iterator[T]:
    """The result of each part, in order, worked on by all cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, result in enumerate(pool.map(work, range(parts)), start=1):
            tell(done)
            yield result
