"""The counters' keys of one event in compiled code: the parts of each identity mixed into 64 bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fraud.enrichment.compiled import compiled


@compiled
def mixed_keys(parts: NDArray[np.uint64], rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Keys and members (measures, 2), 0 where a part is unknown.

    `rows` (measures, 9): the measure's number, four places of the key's parts and four of the member's, -1 where there is none.
    """
    keys = np.zeros((len(rows), 2), np.uint64)
    for place in range(len(rows)):
        key = _mixed(parts, rows[place, 1:5], np.uint64(rows[place, 0] + 1))
        member = _mixed(parts, rows[place, 5:9], np.uint64(0)) if rows[place, 5] >= 0 else np.uint64(1)
        if key != 0 and member != 0:
            keys[place, 0], keys[place, 1] = key, member
    return keys


@compiled
def mixed_keys_of_many(parts: NDArray[np.uint64], rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    """`mixed_keys` of many events (events, measures, 2) from the parts of each (events, parts)."""
    keys = np.empty((len(parts), len(rows), 2), np.uint64)
    for event in range(len(parts)):
        keys[event] = mixed_keys(parts[event], rows)
    return keys


@compiled
def ipv4_numbers(lines: NDArray[np.uint8], count: int) -> NDArray[np.int64]:
    """The IPv4 address on each of `count` lines as a number (count,), -1 for what is none in the plain spelling that `inet_pton` takes."""
    numbers = np.full(count, -1)
    nothing = np.int64(0)
    line, whole, octet, digits, dots = 0, nothing, nothing, 0, 0
    for place in range(len(lines) + 1):
        byte = np.int64(lines[place]) if place < len(lines) else np.int64(10)
        if 48 <= byte <= 57 and dots >= 0:
            octet, digits = octet * 10 + byte - 48, digits + 1
            if octet > 255 or (digits > 1 and octet < 10) or digits > 3:
                dots = -1
        elif byte == 46 and digits > 0 and 0 <= dots < 3:
            whole, octet, digits, dots = whole * 256 + octet, nothing, 0, dots + 1
        elif byte == 10:
            if dots == 3 and digits > 0:
                numbers[line] = whole * 256 + octet
            line, whole, octet, digits, dots = line + 1, nothing, nothing, 0, 0
        else:
            dots = -1
    return numbers


@compiled
def _mixed(parts: NDArray[np.uint64], places: NDArray[np.int64], first: np.uint64) -> np.uint64:
    """The parts in their order as one number (the finaliser of MurmurHash3 after each); 0 when one of them is unknown."""
    mixed = first
    for place in places:
        if place >= 0:
            if parts[place] == np.uint64(0):
                return np.uint64(0)
            mixed = (mixed + parts[place]) * np.uint64(0x9E3779B97F4A7C15)
            mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
            mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
            mixed = mixed ^ (mixed >> np.uint64(33))
    return mixed if mixed != np.uint64(0) else np.uint64(1)
