"""How much memory and disk the local engine may take, and how it cuts its work so that it takes no more, however many clicks there are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Condition
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fraud.enrichment.compiled import Codes, Integers
from fraud.enrichment.egress_kernels import SIGHTING_TYPES
from fraud.features.clicks import CLICK_TYPES

T = TypeVar("T")

PART_ROWS = 250_000
"""Clicks that are sorted and counted at a time, by each core: what is known of them lies in its cache."""

WORKING_BYTES = 210
"""What a click takes while it is counted, itself included: measured with one affiliate, and one address, of many millions, and a sub-ID for
every click."""


@dataclass(frozen=True)
class Budget:
    """Bytes of `memory` for clicks that wait or are being counted and the program's distinct values (DuckDB's own come besides), and of
    `disk` for clicks that wait; `most_rows` of a part. An affiliate whose clicks alone are more is counted in slices of time, a network
    of addresses piece by piece."""

    memory: int = 2 << 30
    disk: int = 10 << 30
    most_rows: int = PART_ROWS

    def beside(self, taken: int) -> Budget:
        """What is left of it beside tables that take so many bytes: a quarter at least."""
        return replace(self, memory=max(self.memory // 4, self.memory - taken))

    @property
    def waiting(self) -> int:
        """Bytes of one spool before it writes: ordering them takes as much again for a moment."""
        return self.memory // 4

    @property
    def part_rows(self) -> int:
        """Clicks of a part: each core works on one."""
        return max(1, min(self.most_rows, self.counted // cores()))

    @property
    def counted(self) -> int:
        """Clicks that may be counted at one time."""
        return self.memory // 2 // WORKING_BYTES

    @property
    def whole_rows(self) -> int:
        """Clicks of the largest part that is counted as a whole."""
        return max(self.counted, self.part_rows)


@dataclass(frozen=True)
class Cut:
    """How the clicks are cut: `networks` is the number of parts by network, `place` the part of each affiliate, of which there are
    `affiliates`, and `large` those of one affiliate with more clicks than may be counted at a time; the scans each read the clicks of some
    parts. `together`: one scan is enough for everything."""

    networks: int
    place: Codes
    affiliates: int
    large: frozenset[int]
    network_scans: Sequence[range]
    affiliate_scans: Sequence[range]
    together: bool


def cut(clicks: Integers, total: int, budget: Budget) -> Cut:
    """The cut of a program with `clicks` (affiliates,) inside the windows and `total` in the whole log.

    An affiliate with more clicks than may be counted at a time has a part of its own; nobody else begins where it ends."""
    begins = (np.cumsum(clicks) - clicks) // budget.part_rows
    large = clicks > budget.whole_rows
    parts, place = np.unique(2 * begins + large, return_inverse=True)
    rows = np.bincount(place, clicks, minlength=1)
    networks = 1 + total // budget.part_rows
    seen, counted = (sum(np.dtype(kind).itemsize for kind in kinds) for kinds in (SIGHTING_TYPES, CLICK_TYPES))
    return Cut(
        networks=networks,
        place=place.astype(np.int32),
        affiliates=max(1, len(parts)),
        large=frozenset(place[large].tolist()),
        network_scans=_scans(np.full(networks, seen * total / networks), budget.disk),
        affiliate_scans=_scans((counted * rows).astype(np.float64), budget.disk),
        together=seen * total + counted * int(clicks.sum()) <= budget.disk,
    )


def _scans(sizes: NDArray[np.float64], most: int) -> list[range]:
    """Neighbouring parts whose sizes (bytes) add up to at most so many; a part of more stands alone."""
    scans, begin, filled = [], 0, 0.0
    for part, size in enumerate(sizes):
        if part > begin and filled + size > most:
            scans.append(range(begin, part))
            begin, filled = part, 0.0
        filled += size
    return [*scans, range(begin, len(sizes))]


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Room:
    """Lets work in while there is room for it; what is larger than all the room there is comes in alone."""

    def __init__(self, room: int) -> None:
        self._room = self._left = max(1, room)
        self._changed = Condition()

    def enter(self, rows: int) -> int:
        """Waits for room; what was taken."""
        taken = min(rows, self._room)
        with self._changed:
            self._changed.wait_for(lambda: self._left >= taken)
            self._left -= taken
        return taken

    def leave(self, taken: int) -> None:
        """Gives room back."""
        with self._changed:
            self._left += taken
            self._changed.notify_all()


def side_by_side(work: Callable[[int], T], sizes: Sequence[int], room: int, tell: Callable[[int], None]) -> Iterator[T]:
    """The result of each part, in order, worked on by all cores as far as the parts' sizes (rows) at work fit into the room (rows)."""
    gate = _Room(room)

    def admitted(part: int) -> T:
        taken = gate.enter(sizes[part])
        try:
            return work(part)
        finally:
            gate.leave(taken)

    with ThreadPoolExecutor(cores()) as pool:
        for done, result in enumerate(pool.map(admitted, range(len(sizes))), start=1):
            tell(done)
            yield result
