"""One affiliate with more clicks than may be counted at a time: counted in slices of time, to the same bits as the others.

Memory follows the size of a slice and the number of the sub-IDs that have rows of their own, however many clicks there are; of every other
sub-ID some bytes are kept. The clicks are laid down once more by slice, the addresses and devices by address and device, and the times of
the small sub-IDs' clicks by sub-ID, in files that go with the process (`Spool`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fraud.enrichment.compiled import Codes, Integers, key_table, scratch
from fraud.enrichment.egress_kernels import partition_of
from fraud.features.click_kernels import Buffers, buffers_for, order_clicks
from fraud.features.clicks import CLICK_TYPES, Clicks, Program, Verdicts, Windows
from fraud.features.constants import DUPLICATE_WITHIN_S
from fraud.features.slice_kernels import (
    GATHERED_TYPES,
    Carried,
    Gathered,
    Pairs,
    Spans,
    close_entities,
    close_pairs,
    count_keys,
    count_slice,
    gather_keys,
    hours_of_others,
    note_spans,
    note_subs,
)
from fraud.features.spool import Column, Spool
from fraud.features.tallies import HOURS, KNOWN, MARKS, OTHERS, TALLIES, WHOLE, ClickTallies

_MINUTE_US = 60_000_000
_AFFILIATE, _TIME, _SUB = 0, 1, 2
_AT = len(MARKS)
_FEW = 4096
"""Pairs that are kept as they come, at least, before equal ones are added up."""


@dataclass(frozen=True)
class Room:
    """What counting may take: `rows` at a time, bytes that wait in each of four spools, and the folder for what exceeds them."""

    rows: int
    waiting: int
    folder: Path


@dataclass(frozen=True)
class _Spools:
    """The affiliate's clicks by slice of time, its addresses and its devices each by their keys, and the sub-IDs and times of clicks with a
    small sub-ID, by sub-ID."""

    slices: Spool
    addresses: Spool
    devices: Spool
    small: Spool


@dataclass(frozen=True)
class _Subs:
    """The affiliate's sub-IDs: `number` gives the own number of a code, those that have a row in some window first; `kept` are the codes
    of these, and `small` says by number which are among the others of some window."""

    number: Codes
    kept: Codes
    small: NDArray[np.bool_]


def tallies_in_slices(spool: Spool, part: int, given: tuple[Windows, Program, Verdicts], room: Room) -> ClickTallies:
    """`tallies_of_clicks` of a partition that holds one affiliate alone."""
    edges = _edges(spool, part, room.rows)
    keyed = 1 + spool.rows(part) // room.rows
    with (
        closing(Spool(CLICK_TYPES, len(edges) + 1, room.folder, room.waiting)) as slices,
        closing(Spool(GATHERED_TYPES, keyed, room.folder, room.waiting)) as addresses,
        closing(Spool(GATHERED_TYPES, keyed, room.folder, room.waiting)) as devices,
        closing(Spool((np.int32, np.int64), keyed, room.folder, room.waiting)) as small,
    ):
        for piece in spool.pieces(part, room.rows):
            slices.add(np.searchsorted(edges, piece[_TIME], side="right").astype(np.int32), piece)
        return _Count(_Spools(slices, addresses, devices, small), given, room.rows).done()


def _edges(spool: Spool, part: int, rows: int) -> Integers:
    """The minutes with which slices of about so many clicks begin, without the first (microseconds)."""
    minutes, counts = np.empty(0, np.int64), np.empty(0, np.int64)
    for (time,) in spool.pieces(part, rows, [_TIME]):
        found, many = np.unique(time // _MINUTE_US, return_counts=True)
        minutes, place = np.unique(np.concatenate([minutes, found]), return_inverse=True)
        counts = np.bincount(place, np.concatenate([counts, many])).astype(np.int64)
    slice_ = (np.cumsum(counts) - counts) // rows
    edges: Integers = minutes[1:][slice_[1:] > slice_[:-1]] * _MINUTE_US
    return edges


class _Count:
    """One affiliate's count."""

    def __init__(self, spools: _Spools, given: tuple[Windows, Program, Verdicts], rows: int) -> None:
        self._spools = spools
        self._given = given
        self._windows, self._program, self._verdicts = given
        self._rows = rows
        self._subs = self._numbered_subs()
        self._spans = self._noted_spans()
        self._carried = _nothing_carried(len(self._spans.clicks), len(self._windows.starts), len(self._subs.small))
        self._pairs = _no_pairs()
        self._most = np.full(4, _FEW)

    def done(self) -> ClickTallies:
        """Counts everything."""
        tail: list[Column] = [np.empty(0, kind) for kind in CLICK_TYPES]
        for part in range(self._spools.slices.partitions):
            tail = self._count_slice(tail, part)
        close_entities(self._spans, self._carried)
        self._count_small_hours()
        agents, countries, domains, offers = (added_up(pairs[:used]) for pairs, used in zip(self._pairs[:4], self._pairs.used, strict=True))
        close_pairs(agents, domains, self._carried.tallies)
        self._carried.tallies[:, _AT + 1 : _AT + 5] = self._keyed(self._spools.addresses, self._verdicts)
        nobody = Verdicts(key_table(np.empty(0, np.int64)), *(np.zeros((0, len(self._windows.starts)), bool) for _ in range(2)))
        self._carried.tallies[:, _AT + 12 : _AT + 14] = self._keyed(self._spools.devices, nobody)[:, :2]
        return self._told(int(tail[_AFFILIATE][0]), offers, countries)

    def _pieces(self, columns: Sequence[int]) -> Iterator[list[Column]]:
        slices = self._spools.slices
        for part in range(slices.partitions):
            yield from slices.pieces(part, self._rows, columns)

    def _numbered_subs(self) -> _Subs:
        most = max((int(piece[0].max(initial=-1)) for piece in self._pieces([_SUB])), default=-1)
        counts, there = np.zeros((len(self._windows.starts), most + 1), np.int32), np.zeros(most + 1, bool)
        for time, sub in self._pieces([_TIME, _SUB]):
            note_subs(time, sub, self._windows, counts, there)
        kept, small = np.zeros(most + 1, bool), np.zeros(most + 1, bool)
        for clicks, least in zip(counts, self._windows.least, strict=True):
            kept |= (clicks >= max(1, least)) & (least >= 0)
            small |= (clicks > 0) & (clicks < least)
        ordered = np.concatenate([np.flatnonzero(kept), np.flatnonzero(there & ~kept)]).astype(np.int32)
        number = np.full(most + 1, -1, np.int32)
        number[ordered] = np.arange(len(ordered))
        return _Subs(number, ordered[: int(kept.sum())], small[ordered])

    def _noted_spans(self) -> Spans:
        sizes = 1 + np.where(self._windows.least >= 0, len(self._subs.kept) + 1, 0)
        clicks, first, last = (np.zeros(int(sizes.sum()), np.int64) for _ in range(3))
        spans = Spans(np.cumsum(sizes) - sizes, clicks, first, last, len(self._subs.kept))
        for time, sub in self._pieces([_TIME, _SUB]):
            note_spans(time, self._own_numbers(sub), self._windows, spans)
        return spans

    def _own_numbers(self, sub: Codes) -> Codes:
        return np.where(sub >= 0, self._subs.number[sub], np.int32(-1)) if len(self._subs.number) else sub

    def _count_slice(self, tail: list[Column], part: int) -> list[Column]:
        """Counts a slice; `tail`, and what is returned, are the clicks before that one of the next slice may repeat."""
        columns = self._spools.slices.take(part)
        order_clicks(columns)
        columns[_SUB] = self._own_numbers(columns[_SUB])
        self._keep_small(columns[_SUB], columns[_TIME])
        columns = [np.concatenate(pair) for pair in zip(tail, columns, strict=True)]
        clicks = Clicks._make(columns)
        begin, buffers = len(tail[0]), buffers_for(len(clicks.time), clicks, self._program)
        self._pairs = count_slice(clicks, begin, self._given, buffers, (self._spans, self._carried, self._pairs))
        self._pairs = self._compact()
        kept = np.where(clicks.sub[begin:] < self._spans.kept, clicks.sub[begin:], np.int32(-1))
        for keys, spool in ((clicks.address, self._spools.addresses), (clicks.device, self._spools.devices)):
            self._keep(Gathered(keys[begin:], kept, clicks.time[begin:], buffers.client[:0]), buffers, spool)
        late = int(np.searchsorted(clicks.time, clicks.time[-1] - DUPLICATE_WITHIN_S * 1_000_000))
        return [column[late:].copy() for column in columns]

    def _keep(self, clicks: Gathered, buffers: Buffers, spool: Spool) -> None:
        """Lays a slice's addresses, or devices, down for later."""
        edges = np.unique(np.concatenate([self._windows.starts, self._windows.ends]))
        first, many = gather_keys(clicks.keys, clicks.sub, clicks.time, edges, buffers)
        keys = clicks.keys[first]
        spool.add(partition_of(keys, keys, spool.partitions), Gathered(keys, clicks.sub[first], clicks.time[first], many))

    def _keep_small(self, sub: Codes, time: Integers) -> None:
        """Lays a slice's clicks with a small sub-ID down for later."""
        rows = np.flatnonzero(self._subs.small[sub] & (sub >= 0)) if len(self._subs.small) else np.empty(0, np.int64)
        parts = self._spools.small.partitions
        self._spools.small.add(sub[rows] % np.int32(parts), [sub[rows] // np.int32(parts), time[rows]])

    def _count_small_hours(self) -> None:
        for part in range(self._spools.small.partitions):
            sub, time = self._spools.small.take(part)
            hours_of_others(sub, time, self._windows, self._spans, self._carried.hours)

    def _compact(self) -> Pairs:
        """Adds equal pairs up where they have become twice as many as they last were."""
        arrays, used = list(self._pairs[:4]), self._pairs.used
        for number, pairs in enumerate(arrays):
            if used[number] > self._most[number]:
                added = added_up(pairs[: used[number]])
                arrays[number], used[number], self._most[number] = added, len(added), max(_FEW, 2 * len(added))
        return Pairs(arrays[0], arrays[1], arrays[2], arrays[3], used)

    def _keyed(self, spool: Spool, verdicts: Verdicts) -> Integers:
        """What is counted of addresses or devices, for each entity."""
        found = np.zeros((len(self._spans.clicks), 4), np.int64)
        for part in range(spool.partitions):
            gathered = Gathered._make(spool.take(part))
            rows = len(gathered.keys)
            work = (scratch(rows), np.empty(rows, np.int32), np.empty(rows, np.int64), np.zeros(rows + 1, np.int64))
            count_keys(gathered, self._windows, verdicts, self._spans.base, work, found)
        return found

    def _told(self, affiliate: int, offers: Integers, countries: Integers) -> ClickTallies:
        """The tallies of the entities that have clicks, and enough of them."""
        carried, number = self._carried, np.arange(len(self._spans.clicks))
        window = np.searchsorted(self._spans.base, number, side="right") - 1
        number -= self._spans.base[window]
        sub = np.concatenate([[WHOLE], self._subs.kept, [OTHERS]])[number]
        some = (carried.tallies[:, _AT] > 0) & ((sub < 0) | (self._spans.clicks >= self._windows.least[window]))
        place = np.cumsum(some) - 1
        keys = np.stack([window, np.full(len(some), affiliate), sub], axis=1).astype(np.int64)
        for pairs in (offers, countries):
            pairs[:, 0] = place[pairs[:, 0]]
        carried.tallies[sub >= 0, _AT + 10] = 1
        carried.tallies[:, _AT + 10] *= carried.tallies[:, _AT + 11] > 0
        return ClickTallies(keys[some], carried.tallies[some], carried.hours[some], offers, countries, carried.known)


def _nothing_carried(entities: int, windows: int, subs: int) -> Carried:
    return Carried(
        tallies=np.zeros((entities, len(TALLIES))),
        hours=np.zeros((entities, HOURS)),
        before=np.zeros(entities, np.int64),
        pace=np.tile(np.array([-1.0, 0.0, 0.0, 0.0, 0.0]), (entities, 1)),
        day=np.zeros((entities, HOURS + 2), np.int64),
        seen=np.zeros((windows, subs), np.uint8),
        known=np.zeros((windows, len(KNOWN)), np.int64),
    )


def _no_pairs() -> Pairs:
    agents, countries, domains, offers = (np.empty((_FEW, 3), np.int64) for _ in range(4))
    return Pairs(agents, countries, domains, offers, np.zeros(4, np.int64))


def added_up(pairs: Integers) -> Integers:
    """Every (entity, code) once, in their order, with the sum of its clicks."""
    ordered = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    new = np.ones(len(ordered), bool)
    new[1:] = (ordered[1:, :2] != ordered[:-1, :2]).any(axis=1)
    begins = np.flatnonzero(new)
    if len(begins) < len(ordered):
        ordered[begins, 2] = np.add.reduceat(ordered[:, 2], begins)
    added: Integers = ordered[begins]
    return added
