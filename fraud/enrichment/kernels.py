"""Compiled loops over addresses: reading their text and finding the stretch they lie in.

An address is a number of 128 bits in two halves (`high`, `low`); IPv4 is mapped into IPv6 (RFC 4291 2.5.5.2, `::ffff:a.b.c.d`), so that
one table serves both. The machine code is cached on disk where a folder can be written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., object])
Words = NDArray[np.uint64]
Rows = NDArray[np.int32]
Bits = NDArray[np.bool_]

V4_PREFIX = 0xFFFF_0000_0000
"""The low half of `::ffff:0.0.0.0`."""

_LONGEST = 45
"""Characters of the longest address: six groups of four and an embedded IPv4 one."""


def _compiled(function: F) -> F:
    """The function as machine code; without the disk cache where neither the package nor the user's folder can be written."""
    try:
        return cast(F, numba.njit(cache=True)(function))
    except RuntimeError:
        return cast(F, numba.njit(function))


@_compiled
def _read_v4(text: NDArray[np.uint8], at: int, end: int) -> int:
    """The 32 bits of dotted decimals in `text[at:end]`, or -1; a leading zero is no decimal (it may mean octal)."""
    value, octet, digits, dots = 0, 0, 0, 0
    for i in range(at, end):
        c = text[i]
        if c == 46:
            if digits == 0 or dots == 3:
                return -1
            value, octet, digits, dots = value * 256 + octet, 0, 0, dots + 1
        elif 48 <= c <= 57:
            if digits == 3 or (digits > 0 and octet == 0):
                return -1
            octet, digits = octet * 10 + (c - 48), digits + 1
            if octet > 255:
                return -1
        else:
            return -1
    return value * 256 + octet if dots == 3 and digits > 0 else -1


@_compiled
def _hex_digit(c: int) -> int:
    if 48 <= c <= 57:
        return c - 48
    if 97 <= c <= 102:
        return c - 87
    return c - 55 if 65 <= c <= 70 else -1


@_compiled
def _read_groups(text: NDArray[np.uint8], at: int, end: int, groups: NDArray[np.uint64]) -> tuple[int, int]:  # noqa: C901 - a reader of characters
    """Fills `groups` (8) from colon-separated hexadecimals; returns how many there are and where `::` stood (-1: nowhere), or (-1, -1)."""
    count, gap, i = 0, -1, at
    if i + 1 < end and text[i] == 58 and text[i + 1] == 58:
        gap, i = 0, i + 2
    while i < end:
        if count == 8:
            return -1, -1
        start, value = i, 0
        while i < end and i - start < 5 and _hex_digit(text[i]) >= 0:
            value, i = value * 16 + _hex_digit(text[i]), i + 1
        if i < end and text[i] == 46:
            v4 = _read_v4(text, start, end)
            if v4 < 0 or count > 6:
                return -1, -1
            groups[count], groups[count + 1] = np.uint64(v4 >> 16), np.uint64(v4 & 0xFFFF)
            return count + 2, gap
        if i == start or i - start > 4:
            return -1, -1
        groups[count], count = np.uint64(value), count + 1
        if i == end:
            break
        if text[i] != 58 or i + 1 == end:
            return -1, -1
        i += 1
        if text[i] == 58:
            if gap >= 0:
                return -1, -1
            gap, i = count, i + 1
    return count, gap


@_compiled
def _read_v6(text: NDArray[np.uint8], at: int, end: int, groups: NDArray[np.uint64]) -> tuple[bool, np.uint64, np.uint64]:
    """The two halves of an IPv6 address in `text[at:end]`; `groups` (8) is room to work in."""
    count, gap = _read_groups(text, at, end, groups)
    high, low = np.uint64(0), np.uint64(0)
    if count < 0 or (gap < 0 and count != 8) or (gap >= 0 and count > 7):
        return False, high, low
    for place in range(8):
        source = place
        if gap >= 0 and place >= gap:
            source = place - (8 - count)
            if source < gap:
                continue
        if place < 4:
            high |= groups[source] << np.uint64(16 * (3 - place))
        else:
            low |= groups[source] << np.uint64(16 * (7 - place))
    return True, high, low


@_compiled
def read_addresses(text: NDArray[np.uint8], offsets: NDArray[np.int64]) -> tuple[Words, Words, Bits]:
    """The halves of each text `text[offsets[i]:offsets[i + 1]]` (UTF-8), and whether it is an address."""
    count = offsets.shape[0] - 1
    high, low, known = np.zeros(count, np.uint64), np.zeros(count, np.uint64), np.zeros(count, np.bool_)
    groups = np.zeros(8, np.uint64)
    for i in range(count):
        at, end = offsets[i], offsets[i + 1]
        if end - at < 2 or end - at > _LONGEST:
            continue
        v4 = _read_v4(text, at, end)
        if v4 >= 0:
            low[i], known[i] = np.uint64(V4_PREFIX) | np.uint64(v4), True
        else:
            known[i], high[i], low[i] = _read_v6(text, at, end, groups)
    return high, low, known


@_compiled
def _search(starts_high: Words, starts_low: Words, high: np.uint64, low: np.uint64, below: int, above: int) -> int:
    """How many of the sorted starts are not above an address, where it is known to be `below` to `above`."""
    while below < above:
        middle = (below + above) >> 1
        start = starts_high[middle]
        if start < high or (start == high and starts_low[middle] <= low):
            below = middle + 1
        else:
            above = middle
    return below


@_compiled
def locate(starts_high: Words, starts_low: Words, high: Words, low: Words) -> NDArray[np.int64]:
    """For each address the row of the last start that is not above it; -1 below the first. Starts are sorted."""
    found = np.empty(high.shape[0], np.int64)
    for i in range(high.shape[0]):
        found[i] = _search(starts_high, starts_low, high[i], low[i], 0, starts_high.shape[0]) - 1
    return found


@_compiled
def rows_at(starts: tuple[Words, Words], said: Rows, directory: tuple[Rows, Rows], high: Words, low: Words) -> Rows:
    """What is `said` of the stretch each address lies in; -1 before the first. `directory` is `directory_of` the starts."""
    (starts_high, starts_low), (by_v4, by_v6) = starts, directory
    found = np.full(high.shape[0], -1, np.int32)
    for i in range(high.shape[0]):
        if high[i] == 0 and low[i] >> np.uint64(32) == np.uint64(0xFFFF):
            part, bounds = np.int64((low[i] >> np.uint64(16)) & np.uint64(0xFFFF)), by_v4
        else:
            part, bounds = np.int64(high[i] >> np.uint64(48)), by_v6
        place = _search(starts_high, starts_low, high[i], low[i], bounds[part], bounds[part + 1]) - 1
        if place >= 0:
            found[i] = said[place]
    return found


def directory_of(starts_high: Words, starts_low: Words) -> tuple[Rows, Rows]:
    """How many starts there are up to each /16 of IPv4 and of IPv6 (65,537 each): a search begins there and is short."""
    parts = np.arange(65_537, dtype=np.uint64)
    v4 = locate(starts_high, starts_low, np.zeros(65_537, np.uint64), np.uint64(V4_PREFIX) + (parts << np.uint64(16)))
    v6 = locate(starts_high, starts_low, parts[:-1] << np.uint64(48), np.zeros(65_536, np.uint64))
    return (v4 + 1).astype(np.int32), np.append(v6 + 1, len(starts_high)).astype(np.int32)


@_compiled
def paint(first: NDArray[np.int64], last: NDArray[np.int64], segments: int) -> Rows:
    """For `segments` stretches, which range covers each first: range `i` covers `first[i]` up to but not `last[i]`; -1 where none does."""
    owner = np.full(segments, -1, np.int32)
    following = np.arange(segments + 1)
    for i in range(first.shape[0]):
        at = first[i]
        while at < last[i]:
            # The next stretch nobody owns; the way there is shortened for whoever comes after, so that nesting stays cheap.
            free = at
            while following[free] != free:
                following[free] = following[following[free]]
                free = following[free]
            following[at] = free
            if free >= last[i]:
                break
            owner[free] = i
            following[free] = free + 1
            at = free + 1
    return owner
