"""Marks of single clicks, in compiled code: what can be said of each, and whether it is so, as two bits of one number.

The clicks of an affiliate lie together in the order of time (then of sub-ID), so repeats and bursts are read off neighbours, and what has
many values is counted in an array of their local numbers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fraud.enrichment.compiled import Codes, Integers, compiled, first_at, position_of
from fraud.features.clicks import (
    DWELL_KNOWN,
    FROM_HOSTING,
    FROM_TOR,
    FROM_VPN,
    LANDING_KNOWN,
    NO_SCRIPT,
    PAID,
    PLACED,
    REFERRER_KNOWN,
    SCRIPT_KNOWN,
    SHORT_DWELL,
    Clicks,
    Program,
    Verdicts,
)
from fraud.features.constants import DUPLICATE_WITHIN_S, SPIKE_CLICKS, STACKED_OFFERS
from models.compiling import sort_values

_DAY_US = 86_400_000_000
_MINUTE_US = 60_000_000
_SECOND_US = 1_000_000
_DUPLICATE_US = DUPLICATE_WITHIN_S * 1_000_000
_OF_WINDOW = ~np.uint32(0b1100_1111 | 0b1111 << 18)
"""Everything but the marks that depend on where a window begins and ends."""


class Coded(NamedTuple):
    """One affiliate's clicks with local numbers for what has many values (-1 unknown), and the time since the same client's last click
    on the same offer (-1: none)."""

    address: Codes
    device: Codes
    sub: Codes
    trio: Codes
    client_gap: Integers


@compiled
def _page_marks(flags: int) -> int:
    mark = 0
    if flags & DWELL_KNOWN:
        mark |= 1 << 8 | (1 << 9 if flags & SHORT_DWELL else 0)
        if flags & REFERRER_KNOWN:
            mark |= 1 << 22 | (1 << 23 if flags & SHORT_DWELL else 0)
    if flags & SCRIPT_KNOWN:
        mark |= 1 << 10 | (1 << 11 if flags & NO_SCRIPT else 0)
    if flags & PLACED:
        mark |= (
            1 << 24 | (1 << 25 if flags & FROM_HOSTING else 0) | (1 << 26 if flags & FROM_VPN else 0) | (1 << 27 if flags & FROM_TOR else 0)
        )
    return mark


@compiled
def static_marks(clicks: Clicks, program: Program, marks: NDArray[np.uint32]) -> None:
    """The marks that no window changes."""
    affiliate = clicks.affiliate[0]
    for row in range(marks.shape[0]):
        agent, offer, country, domain = clicks.agent[row], clicks.offer[row], clicks.country[row], clicks.domain[row]
        mark = _page_marks(clicks.flags[row])
        if agent >= 0:
            mark |= 1 << 4 | (1 << 5 if program.bots[agent] else 0)
        if country >= 0 and offer >= 0 and program.names_countries[offer]:
            mark |= 1 << 12 | (0 if program.targets[offer, country] else 1 << 13)
        if domain >= 0 and program.declares[affiliate]:
            declared = position_of(program.declared, (np.int64(affiliate) << 32) | np.int64(domain)) >= 0
            mark |= 1 << 14 | (0 if declared else 1 << 15)
        if clicks.flags[row] & LANDING_KNOWN and offer >= 0 and program.forbids_paid[offer]:
            mark |= 1 << 16 | (1 << 17 if clicks.flags[row] & PAID else 0)
        marks[row] = mark


@compiled
def window_marks(time: Integers, start: int, coded: Coded, first: int, counts: Integers, marks: NDArray[np.uint32]) -> None:
    """Adds the marks of repeats and bursts, which depend on where the window begins and ends, to the clicks from `first` on."""
    rows = time.shape[0]
    for row in range(rows):
        at = first + row
        mark = marks[at] & _OF_WINDOW
        gap = coded.client_gap[at]
        if gap != -2:
            mark |= 1
            if 0 <= gap <= _DUPLICATE_US and time[row] - gap >= start:
                mark |= 2
        marks[at] = mark
    begin = 0
    while begin < rows:
        minute = time[begin] // _MINUTE_US
        end = begin
        while end < rows and time[end] // _MINUTE_US == minute:
            if coded.trio[first + end] >= 0:
                counts[coded.trio[first + end]] += 1
            end += 1
        _mark_spikes(coded.trio[first + begin : first + end], counts, marks[first + begin : first + end])
        begin = end


@compiled
def mark_fresh(time: Integers, start: int, sub: Codes, seen: NDArray[Any], marks: NDArray[np.uint32]) -> int:
    """Marks clicks a day and more into the window, and those of them that are the first of their sub-ID in it; `seen` says by number which
    came before, and is told. How many are new."""
    new = 0
    for row in range(time.shape[0]):
        code = sub[row]
        if code < 0:
            continue
        if time[row] - start >= _DAY_US:
            marks[row] |= 1 << 18 | (1 << 19 if seen[code] == 0 else 0)
        new += seen[code] == 0
        seen[code] = 1
    return new


@compiled
def forget(sub: Codes, seen: Integers) -> None:
    """Makes `seen` what it was before `mark_fresh`."""
    for row in range(sub.shape[0]):
        if sub[row] >= 0:
            seen[sub[row]] = 0


@compiled
def mark_stacks(time: Integers, device: Codes, offer: Codes, marks: NDArray[np.uint32]) -> None:
    """Marks clicks of a known device, and those that it made in one second on several offers at once."""
    begin = 0
    while begin < time.shape[0]:
        second, end = time[begin] // _SECOND_US, begin
        while end < time.shape[0] and time[end] // _SECOND_US == second:
            if device[end] >= 0:
                marks[end] |= 1 << 20
            end += 1
        if end - begin >= STACKED_OFFERS:
            _mark_stack(device[begin:end], offer[begin:end], marks[begin:end])
        begin = end


@compiled
def _mark_stack(device: Codes, offer: Codes, marks: NDArray[np.uint32]) -> None:
    """Marks the clicks of one second whose device has so many offers in it: sorted, since a second may hold any number of clicks."""
    pairs, known = np.empty(device.shape[0], np.int64), 0
    for row in range(device.shape[0]):
        if device[row] >= 0 and offer[row] >= 0:
            pairs[known] = np.int64(device[row]) << 32 | offer[row]
            known += 1
    sort_values(pairs[:known])
    distinct = 0
    for place in range(known):
        if distinct == 0 or pairs[place] != pairs[distinct - 1]:
            pairs[distinct] = pairs[place]
            distinct += 1
    for row in range(device.shape[0]):
        if device[row] >= 0:
            last = first_at(pairs[:distinct], np.int64(device[row]) << 32) + STACKED_OFFERS - 1
            if last < distinct and pairs[last] >> 32 == device[row]:
                marks[row] |= 1 << 21


@compiled
def _mark_spikes(trio: Codes, counts: Integers, marks: NDArray[np.uint32]) -> None:
    for row in range(trio.shape[0]):
        if trio[row] >= 0:
            marks[row] |= 4 if counts[trio[row]] < SPIKE_CLICKS else 12
    for row in range(trio.shape[0]):
        if trio[row] >= 0:
            counts[trio[row]] = 0


@compiled
def network_marks(address: Codes, judged: Codes, verdicts: Verdicts, window: int, matched: bool, marks: NDArray[np.uint32]) -> None:
    """Marks clicks with an address, and those from server-like ones; `judged` is the row of each local address in the verdicts."""
    for row in range(address.shape[0]):
        if address[row] >= 0 and matched:
            where = judged[address[row]]
            marks[row] |= 64 | (128 if where >= 0 and verdicts.hosting[where, window] else 0)
