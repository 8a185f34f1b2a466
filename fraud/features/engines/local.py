"""The local engine: DuckDB scans, compiled kernels count, on all cores of this machine and in as much memory as is given.

A scan hands every click to two spools: by network, for what addresses are, and by affiliate, for everything else. Both are worked through
part by part, so memory follows the size of a part and not of the program. What would not fit on the disk that may be used is scanned in
turns, some parts at a time.
"""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from threading import Lock
from typing import Any, TypeVar

import duckdb
import numpy as np
import pyarrow as pa

from fraud.domain.scans import Period
from fraud.enrichment import egress
from fraud.enrichment.compiled import Codes
from fraud.enrichment.egress_kernels import SIGHTING_TYPES, AddressTallies, Sightings, partition_of, tallies_of
from fraud.enrichment.exits import ExitClasses
from fraud.features import conversions, values, visits
from fraud.features.click_kernels import tallies_of_clicks
from fraud.features.clicks import CLICK_TYPES, Clicks
from fraud.features.crowds import tallies_of_crowd
from fraud.features.definition import Level
from fraud.features.engines.budget import Budget, Cut, cores, cut, side_by_side
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
from fraud.features.program import Distinct, distinct_values, texts_of_subs
from fraud.features.request import FeatureRequest, NumberedWindow, microseconds
from fraud.features.slices import Room, tallies_in_slices
from fraud.features.spool import Spool
from fraud.features.table import FeatureTable
from fraud.features.tallies import ClickTallies

T = TypeVar("T")
R = TypeVar("R")

BATCH_ROWS = 500_000

LEAST_WAITING = 1 << 20
"""Bytes of a spool of slices before it writes: with less the files become too many."""


def compute(
    con: duckdb.DuckDBPyConnection, windows: Sequence[Period], level: Level = "affiliate", progress: Progress | None = None
) -> FeatureTable:
    """Every feature of every entity active in each window `[start, end)` of event time, at one level."""
    return compute_levels(con, FeatureRequest.at(level, windows), progress)[level]


def compute_levels(
    con: duckdb.DuckDBPyConnection,
    request: FeatureRequest,
    progress: Progress | None = None,
    budget: Budget | None = None,
    exits: ExitClasses | None = None,
) -> Mapping[Level, FeatureTable]:
    """Every feature of every entity active in each window; see `fraud.features.engines.FeatureEngine`. `exits` tells hosting, VPN and
    Tor by address."""
    tell = progress or silent
    windows = request.numbered()
    values.register_windows(con, windows)
    tell("reading user agents, referrers and offers")
    distinct = distinct_values(con)
    tell("finding the clicks of conversions")
    allowed = budget or Budget()
    with _roomier(con, allowed.memory):
        conversions.match(con)
        visits.count(con)
    judged, tallies = _Count(con, windows, distinct, exits, allowed.beside(distinct.nbytes), tell).done()
    tell("computing features of conversions")
    texts = Texts(distinct.affiliates.texts, _named_subs(con, tallies), distinct.offers.texts, distinct.countries.texts)
    with _roomier(con, allowed.memory):
        return finished(con, request, judged, tallies, texts)


def _named_subs(con: duckdb.DuckDBPyConnection, tallies: Sequence[ClickTallies]) -> pa.Array:
    """The texts of the sub-IDs that have tallies, which are numbered anew for it."""
    used = np.unique(np.concatenate([part.keys[part.keys[:, 2] >= 0, 2] for part in tallies]))
    for part in tallies:
        named = part.keys[:, 2] >= 0
        part.keys[named, 2] = np.searchsorted(used, part.keys[named, 2])
    return texts_of_subs(con, used)


Sink = Callable[[Scanned, Codes], None]
"""What takes a batch of clicks and the codes of their affiliates."""


@dataclass(frozen=True)
class _Count:
    """One count of a program's clicks."""

    con: duckdb.DuckDBPyConnection
    windows: Sequence[NumberedWindow]
    distinct: Distinct
    exits: ExitClasses | None
    budget: Budget
    tell: Progress

    def done(self) -> tuple[egress.Judged, list[ClickTallies]]:
        """What addresses are in each window, and the tallies of every affiliate and sub-ID."""
        parts = cut(self.distinct.clicks, self.distinct.total, self.budget)
        since, first, last = read_since(self.windows)
        totals = _Totals(self.windows, len(self.distinct.affiliates.texts))
        if parts.together:
            with (
                closing(self._networks(parts, range(parts.networks))) as seen,
                closing(self._affiliates(parts, range(parts.affiliates))) as clicks,
            ):
                self._read(COMMON, (since, first), [totals.add, seen.add])
                self._read(WHOLE, (first, last), [totals.add, seen.add, clicks.add])
                judged = verdicts(self.con, list(self._addresses(seen.spool)), totals.done(), self.windows)
                seen.close()
                return judged, list(self._tallies(clicks, judged, parts.large))
        found: list[AddressTallies] = []
        for turn, scan in enumerate(parts.network_scans):
            with closing(self._networks(parts, scan)) as seen:
                self._read(COMMON, (since, last), [seen.add] if turn else [totals.add, seen.add])
                found += self._addresses(seen.spool)
        judged = verdicts(self.con, found, totals.done(), self.windows)
        tallies: list[ClickTallies] = []
        for scan in parts.affiliate_scans:
            with closing(self._affiliates(parts, scan)) as clicks:
                self._read(WHOLE, (first, last), [clicks.add])
                tallies += self._tallies(clicks, judged, parts.large)
        return judged, tallies

    def _networks(self, parts: Cut, scan: range) -> _ByNetwork:
        return _ByNetwork(self._spool(SIGHTING_TYPES, scan), scan, parts.networks)

    def _affiliates(self, parts: Cut, scan: range) -> _ByAffiliate:
        return _ByAffiliate(self._spool(CLICK_TYPES, scan), scan, parts.place, self.distinct, self.exits)

    def _spool(self, kinds: Sequence[Any], scan: range) -> Spool:
        return Spool(kinds, len(scan), _folder(self.con), self.budget.waiting)

    def _read(self, columns: str, bounds: tuple[Any, Any], sinks: Sequence[Sink]) -> None:
        """Reads clicks between two moments and gives them to the sinks, on all cores: each batch is worked on while others are read."""
        nothing, read = key_of_nothing(self.con), 0

        def work(batch: Any) -> int:
            rows = Scanned(batch, nothing)
            affiliate = self.distinct.affiliates.of(rows.key(1))
            for sink in sinks:
                sink(rows, affiliate)
            return len(rows.time)

        sql = f"SELECT {columns} FROM clicks WHERE clicked_at >= ? AND clicked_at < ?"
        for rows in _ahead(work, self.con.sql(sql, params=list(bounds)).to_arrow_reader(BATCH_ROWS)):
            read += rows
            self.tell(f"reading clicks: {read:,}")

    def _addresses(self, spool: Spool) -> Iterator[AddressTallies]:
        ends = ends_of(self.windows)

        def work(part: int) -> AddressTallies:
            if spool.rows(part) > self.budget.whole_rows:
                return tallies_of_crowd(spool, part, ends, egress.LIMITS, self._room)
            return tallies_of(Sightings(*spool.take(part)), ends, egress.LIMITS)

        return self._by_part(spool, work, "learning addresses")

    def _tallies(self, clicks: _ByAffiliate, judged: egress.Judged, large: frozenset[int]) -> Iterator[ClickTallies]:
        bounds, judgements = judged_for_kernels(judged, self.windows)
        given = (bounds, self.distinct.tables, judgements)
        spool = clicks.spool

        def work(part: int) -> ClickTallies:
            if clicks.scan.start + part in large:
                return tallies_in_slices(spool, part, given, self._room)
            return tallies_of_clicks(Clicks(*spool.take(part)), *given)

        return self._by_part(spool, work, "counting clicks")

    @property
    def _room(self) -> Room:
        """What counting those takes who are too many to be counted as a whole."""
        return Room(self.budget.part_rows, max(LEAST_WAITING, self.budget.waiting // 4), _folder(self.con))

    def _by_part(self, spool: Spool, work: Callable[[int], T], what: str) -> Iterator[T]:
        sizes = [spool.rows(part) for part in range(spool.partitions)]
        return side_by_side(work, sizes, self.budget.counted, lambda done: self.tell(f"{what}: {done} of {len(sizes)} parts"))


class _Totals:
    """The program's totals over the look-backs, counted by any number of threads."""

    def __init__(self, windows: Sequence[NumberedWindow], affiliates: int) -> None:
        self._running = egress.RunningTotals([microseconds(window.ends) for window in windows], affiliates)
        self._lock = Lock()

    def add(self, batch: Scanned, affiliate: Codes) -> None:
        """Counts a batch."""
        with self._lock:
            self._running.add(batch.time, affiliate)

    def done(self) -> egress.Totals:
        """The totals of everything added."""
        return self._running.done()


@dataclass(frozen=True)
class _ByNetwork:
    """Takes clicks with an address into a spool that holds the parts `scan` of all `partitions` by network."""

    spool: Spool
    scan: range
    partitions: int

    def add(self, batch: Scanned, affiliate: Codes) -> None:
        """Keeps what tells what addresses are."""
        place = _within(partition_of(batch.network, batch.address, self.partitions), self.scan)
        agent, device = batch.known_key(3), batch.known_key(4)
        self.spool.add(place, Sightings(batch.address, batch.network, agent, device, affiliate, batch.time))

    def close(self) -> None:
        """Forgets the clicks."""
        self.spool.close()


@dataclass(frozen=True)
class _ByAffiliate:
    """Takes clicks into a spool that holds the parts `scan` of all parts by affiliate; `part` is each affiliate's."""

    spool: Spool
    scan: range
    part: Codes
    distinct: Distinct
    exits: ExitClasses | None

    def add(self, batch: Scanned, affiliate: Codes) -> None:
        """Keeps everything that is counted of clicks, as codes. Files are sorted by affiliate: most batches are all in a scan or out."""
        place = _within(self.part[affiliate], self.scan)
        if (place < 0).all():
            return
        by = self.distinct
        clicks = Clicks(
            affiliate=affiliate,
            time=batch.time,
            sub=by.subs.of(batch.key(5)),
            offer=by.offers.of(batch.key(6)),
            country=by.countries.of(batch.key(7)),
            address=batch.address,
            agent=by.agents.of(batch.known_key(3)),
            device=batch.known_key(4),
            domain=by.domains.of(batch.key(8)),
            flags=batch.flags(self.exits),
        )
        self.spool.add(place, clicks)

    def close(self) -> None:
        """Forgets the clicks."""
        self.spool.close()


def _within(place: Codes, scan: range) -> Codes:
    """The part of each click among those of a scan, -1 where it is none of them."""
    inside: Codes = np.where((place >= scan.start) & (place < scan.stop), place - scan.start, -1).astype(np.int32)
    return inside


@contextmanager
def _roomier(con: duckdb.DuckDBPyConnection, memory: int) -> Iterator[None]:
    """Lets DuckDB use the memory of clicks while there are none: conversions are joined and sorted in it."""
    before = con.sql("SELECT current_setting('memory_limit'), parse_formatted_bytes(current_setting('memory_limit'))").fetchall()[0]
    con.execute(f"SET memory_limit = '{int(before[1]) + memory}B'")
    try:
        yield
    finally:
        con.execute(f"SET memory_limit = '{before[0]}'")


def _folder(con: duckdb.DuckDBPyConnection) -> Path:
    """Where clicks may wait on disk: where DuckDB puts what does not fit into memory."""
    named = con.sql("SELECT current_setting('temp_directory')").fetchall()[0][0]
    return Path(named) if named and Path(named).is_dir() else Path(gettempdir())


def _ahead(work: Callable[[T], R], given: Iterable[T]) -> Iterator[R]:
    """What work makes of each thing given, in order, on all cores, while the next are being made."""
    with ThreadPoolExecutor(cores()) as pool:
        waiting: deque[Future[R]] = deque()
        for one in given:
            waiting.append(pool.submit(work, one))
            if len(waiting) > cores():
                yield waiting.popleft().result()
        for late in waiting:
            yield late.result()
