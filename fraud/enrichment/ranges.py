"""Stretches of addresses: what sources give (overlapping, nested, in any order) and what is searched (disjoint, sorted)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fraud.enrichment.kernels import Rows, Words, directory_of, locate, paint, rows_at

_TOP = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


@dataclass(frozen=True)
class Ranges:
    """Ranges (n), both ends included, as halves of 128 bits. Each has `first` <= `last`."""

    first_high: Words
    first_low: Words
    last_high: Words
    last_low: Words

    def __len__(self) -> int:
        return len(self.first_high)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Ranges:
        """Some of them."""
        return Ranges(self.first_high[rows], self.first_low[rows], self.last_high[rows], self.last_low[rows])


@dataclass(frozen=True)
class Layer:
    """The whole address space cut into stretches (m): stretch `i` begins at its start and ends before the next one; `row` says which
    row of the layer's own list holds there, -1 where none does."""

    high: Words
    low: Words
    row: Rows

    @cached_property
    def directory(self) -> tuple[Rows, Rows]:
        """Where the stretches of each /16 begin (`fraud.enrichment.kernels.directory_of`)."""
        return directory_of(self.high, self.low)

    def rows_at(self, high: Words, low: Words) -> Rows:
        """The row at each address; -1 for none."""
        return rows_at((self.high, self.low), self.row, self.directory, high, low)


def joined(parts: Sequence[Ranges]) -> Ranges:
    """Several lists of ranges as one, in their order."""
    empty = np.zeros(0, np.uint64)
    if not parts:
        return Ranges(empty, empty, empty, empty)
    return Ranges(*(np.concatenate([getattr(part, name) for part in parts]) for name in Ranges.__dataclass_fields__))


def layer_of(ranges: Ranges, rank: NDArray[np.int64], row: Rows) -> Layer:
    """The layer in which, wherever several ranges lie over one another, the one of the least `rank` holds, and among equals the one that
    begins last, then ends first: the most specific of nested ones. `row` (n) is what the layer says for each."""
    if not len(ranges):
        return Layer(np.zeros(0, np.uint64), np.zeros(0, np.uint64), np.zeros(0, np.int32))
    order = np.lexsort((ranges.last_low, ranges.last_high, ~ranges.first_low, ~ranges.first_high, rank))
    ranges, row = ranges.take(order), row[order]
    after_high, after_low, ends = _after(ranges)
    high, low = _distinct(np.concatenate([ranges.first_high, after_high[ends]]), np.concatenate([ranges.first_low, after_low[ends]]))
    first = locate(high, low, ranges.first_high, ranges.first_low)
    last = np.where(ends, locate(high, low, after_high, after_low), len(high))
    owner = paint(first, last, len(high))
    said = np.where(owner >= 0, row[owner], np.int32(-1)).astype(np.int32)
    changes = np.concatenate([[True], said[1:] != said[:-1]])
    return Layer(high[changes], low[changes], said[changes])


def _after(ranges: Ranges) -> tuple[Words, Words, NDArray[np.bool_]]:
    """The address after each range's last, and whether there is one."""
    carry = ranges.last_low == _TOP
    low = np.where(carry, np.uint64(0), ranges.last_low + np.uint64(1))
    high = np.where(carry, ranges.last_high + np.uint64(1), ranges.last_high)
    return high, low, ~(carry & (ranges.last_high == _TOP))


def _distinct(high: Words, low: Words) -> tuple[Words, Words]:
    order = np.lexsort((low, high))
    high, low = high[order], low[order]
    new = np.concatenate([[True], (high[1:] != high[:-1]) | (low[1:] != low[:-1])])
    return high[new], low[new]
