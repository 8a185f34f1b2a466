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
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import numpy as np
import pyarrow as pa

from fraud.domain.scans import Period
from fraud.enrichment import egress
from fraud.enrichment.compiled import Codes, Integers, key_table, positions
from fraud.enrichment.egress_kernels import AddressTallies, Sightings, address_keys, partition_of, tallies_of
from fraud.features import conversions, values
from fraud.features.click_kernels import ClickTallies, tallies_of_clicks
from fraud.features.clicks import (
    CLICK_TYPES,
    DWELL_KNOWN,
    NO_SCRIPT,
    REFERRER_KNOWN,
    SCRIPT_KNOWN,
    SHORT_DWELL,
    Clicks,
    Program,
    Verdicts,
    Windows,
)
from fraud.features.constants import SHORT_DWELL_MS
from fraud.features.definition import Level
from fraud.features.program import Distinct, distinct_values
from fraud.features.request import FeatureRequest, NumberedWindow, microseconds
from fraud.features.spool import Spool
from fraud.features.table import FeatureTable

Progress = Callable[[str], None]
T = TypeVar("T")

BATCH_ROWS = 500_000
PARTITION_ROWS = 2_000_000
"""Clicks that are sorted and counted at a time, by each core; an affiliate with more is a partition of its own."""

SPOOL_BYTES = 512 << 20
"""Memory for clicks that wait for their turn, before they are written to files."""

_FLAGS = (
    f"(CASE WHEN dwell_ms IS NULL THEN 0 WHEN dwell_ms < {SHORT_DWELL_MS} THEN {DWELL_KNOWN | SHORT_DWELL} ELSE {DWELL_KNOWN} END"
    f" + CASE WHEN js_executed IS NULL THEN 0 WHEN js_executed THEN {SCRIPT_KNOWN} ELSE {SCRIPT_KNOWN | NO_SCRIPT} END"
    f" + CASE WHEN referrer IS NULL THEN 0 ELSE {REFERRER_KNOWN} END)::UTINYINT"
)
_COMMON = "epoch_us(clicked_at), hash(affiliate_id), ip, hash(user_agent), hash(device_id)"
_WHOLE = f"{_COMMON}, hash(sub_id), hash(offer_id), hash(country), hash(referrer), {_FLAGS}"


def compute(
    con: duckdb.DuckDBPyConnection, windows: Sequence[Period], level: Level = "affiliate", progress: Progress | None = None
) -> FeatureTable:
    """Every feature of every entity active in each window `[start, end)` of event time, at one level."""
    return compute_levels(con, FeatureRequest.at(level, windows), progress)[level]


def compute_levels(
    con: duckdb.DuckDBPyConnection, request: FeatureRequest, progress: Progress | None = None
) -> Mapping[Level, FeatureTable]:
    """Every feature of every entity active in each window; see `fraud.features.engines.FeatureEngine`."""
    tell = progress or _silent
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
    _register_shared(con, judged)
    with _one_thread(con):
        texts = (distinct.affiliates.texts, distinct.subs.texts, distinct.offers.texts, distinct.countries.texts)
        values.register_tallies(con, tallies, values.Texts(*texts))
        starts = [window.starts for window in windows]
        return {level: values.table(con, level, starts) for level, wanted in request.levels.items() if wanted}


def _register_shared(con: duckdb.DuckDBPyConnection, judged: egress.Judged) -> None:
    """Builds `ft_shared` (`w`, `ip`): which of the conversions' addresses are shared."""
    texts = as_array(con.sql("SELECT DISTINCT ip FROM ft_matched WHERE ip IS NOT NULL ORDER BY ip").to_arrow_table().column(0))
    place = positions(key_table(judged.keys), _addresses(texts)[0])
    rows, windows = np.nonzero(judged.shared[place] & (place >= 0)[:, None]) if len(judged.keys) else np.empty((2, 0), np.int64)
    values.create(con, "ft_shared", pa.table({"w": windows.astype(np.int32), "ip": texts.take(pa.array(rows))}))


def _silent(_: str) -> None:
    return


@contextmanager
def _one_thread(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Fractions are summed in one order, so that the same events give the same bits."""
    threads = con.sql("SELECT current_setting('threads')").fetchall()[0][0]
    con.execute("SET threads = 1")
    try:
        yield
    finally:
        con.execute(f"SET threads = {threads}")


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
    first, last = min(window.starts for window in windows), max(window.ends for window in windows)
    since = min(first, min(window.ends for window in windows) - timedelta(days=egress.LOOKBACK_DAYS))
    totals = egress.RunningTotals([microseconds(window.ends) for window in windows], len(distinct.affiliates.texts))
    nothing = int(con.sql("SELECT hash(NULL::VARCHAR)").to_arrow_table().column(0).to_numpy().view(np.int64)[0])
    read = 0
    for columns, bounds in ((_COMMON, (since, first)), (_WHOLE, (first, last))):
        sql = f"SELECT {columns} FROM clicks WHERE clicked_at >= ? AND clicked_at < ?"
        for batch in con.sql(sql, params=list(bounds)).to_arrow_reader(BATCH_ROWS):
            _sort_out(_Batch(batch, nothing), distinct, spools, totals)
            read += batch.num_rows
            tell(f"reading clicks: {read:,}")
    return totals.done()


class _Batch:
    """A batch of the scan as arrays."""

    def __init__(self, batch: pa.RecordBatch, nothing: int) -> None:
        self._batch = batch
        self._nothing = nothing
        self.whole = batch.num_columns > 5
        self.time: Integers = batch.column(0).to_numpy()
        self.address, self.network = _addresses(batch.column(2))

    def key(self, column: int) -> Integers:
        """The keys of a text column; what DuckDB makes of NULL stays as it is."""
        keys: Integers = self._batch.column(column).to_numpy().view(np.int64)
        return keys

    def known_key(self, column: int) -> Integers:
        """The keys of a text column, 0 where unknown."""
        keys = self.key(column)
        return np.where(keys == self._nothing, 0, keys)

    def numbers(self, column: int) -> Any:
        """A numeric column."""
        return self._batch.column(column).to_numpy()


def _addresses(texts: pa.Array) -> tuple[Integers, Integers]:
    known = texts.is_valid().to_numpy(zero_copy_only=False)
    _, offsets, data = texts.buffers()
    starts = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return address_keys(np.frombuffer(data or b"", np.uint8), starts, known)


def _sort_out(batch: _Batch, distinct: Distinct, spools: _Spools, totals: egress.RunningTotals) -> None:
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
    ends = np.array([microseconds(window.ends) for window in windows], np.int64)

    def count(partition: int) -> AddressTallies:
        return tallies_of(Sightings(*spool.take(partition)), ends, egress.LIMITS)

    tallies = list(_side_by_side(count, spool.partitions, lambda done: tell(f"learning addresses: {done} of {spool.partitions} parts")))
    rows = con.sql("SELECT epoch_us(converted_at), epoch_us(clicked_at), click_ip FROM ft_matched WHERE clicked_at IS NOT NULL")
    matched = rows.to_arrow_table().combine_chunks()
    address, network = _addresses(as_array(matched.column(2)))
    converted = egress.Converted(matched.column(0).to_numpy(), matched.column(1).to_numpy(), address, network)
    return egress.judged(tallies, totals, converted, ends)


def as_array(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array."""
    return column.combine_chunks() if column.num_chunks else pa.array([], column.type)


def _tallied(
    spool: Spool, judged: egress.Judged, program: Program, windows: Sequence[NumberedWindow], tell: Progress
) -> list[ClickTallies]:
    bounds = Windows(
        np.array([microseconds(window.starts) for window in windows], np.int64),
        np.array([microseconds(window.ends) for window in windows], np.int64),
        judged.matched,
        np.array(["sub_id" in window.levels for window in windows]),
    )
    verdicts = Verdicts(key_table(judged.keys), judged.shared, judged.hosting)

    def count(partition: int) -> ClickTallies:
        return tallies_of_clicks(Clicks(*spool.take(partition)), bounds, program, verdicts)

    return list(_side_by_side(count, spool.partitions, lambda done: tell(f"counting clicks: {done} of {spool.partitions} parts")))


def _side_by_side(work: Callable[[int], T], parts: int, tell: Callable[[int], None]) -> Iterator[T]:
    """The result of each part, in order, worked on by all cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, result in enumerate(pool.map(work, range(parts)), start=1):
            tell(done)
            yield result
