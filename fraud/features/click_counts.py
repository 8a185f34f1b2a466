"""Counts over the clicks of one entity, in compiled code; each fills its columns of a tally.

Distinct values are counted in an array of their local numbers, which every count leaves as it found it: zero. Sums of fractions are formed
in an order that the clicks alone decide, so the same clicks give the same bits, whatever brought them here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fraud.enrichment.compiled import Codes, Integers, compiled, room
from fraud.features.clicks import DWELL_KNOWN, LANDING_KNOWN, MISSING_KEY, REFERRER_KNOWN, SCRIPT_KNOWN, Clicks
from fraud.features.constants import PACE_CLICKS
from fraud.features.tallies import HOURS, MARKS
from models.compiling import sort_values

_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US
_AT = len(MARKS)


@compiled
def count_marks(rows: Integers, marks: NDArray[np.uint32], out: NDArray[np.float64]) -> None:
    """How many clicks have each mark, and how many there are."""
    counts = np.zeros(_AT, np.int64)
    for place in range(rows.shape[0]):
        mark = marks[rows[place]]
        for bit in range(_AT):
            counts[bit] += (mark >> np.uint32(bit)) & np.uint32(1)
    for bit in range(_AT):
        out[bit] = counts[bit]
    out[_AT] = rows.shape[0]


@compiled
def count_addresses(rows: Integers, address: Codes, shared: NDArray[np.bool_], counts: Integers, out: NDArray[np.float64]) -> None:
    """Addresses and their clicks, shared ones (`shared`, by local number) left out, and all clicks with an address."""
    for place in range(rows.shape[0]):
        if address[rows[place]] >= 0:
            counts[address[rows[place]]] += 1
    distinct, known, clicks, top = 0, 0, 0, 0
    for place in range(rows.shape[0]):
        code = address[rows[place]]
        if code >= 0 and counts[code] > 0:
            known += counts[code]
            if not shared[code]:
                distinct += 1
                clicks += counts[code]
                top = max(top, counts[code])
            counts[code] = 0
    out[_AT + 1], out[_AT + 2], out[_AT + 3], out[_AT + 4] = distinct, known, clicks, top


@compiled
def count_agents(rows: Integers, agent: Codes, counts: Integers, values: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """User agents, the clicks of the commonest, and the sum of n ln n, from the smallest n up; `values` is room for every agent."""
    for place in range(rows.shape[0]):
        if agent[rows[place]] >= 0:
            counts[agent[rows[place]]] += 1
    distinct = 0
    for place in range(rows.shape[0]):
        code = agent[rows[place]]
        if code >= 0 and counts[code] > 0:
            values[distinct] = counts[code]
            distinct += 1
            counts[code] = 0
    sort_values(values[:distinct])
    logs = 0.0
    for number in range(distinct):
        logs += values[number] * np.log(values[number])
    out[_AT + 5], out[_AT + 7] = distinct, logs
    out[_AT + 6] = values[distinct - 1] if distinct else 0.0


@compiled
def count_distinct(rows: Integers, codes: Codes, counts: Integers) -> tuple[int, int]:
    """Distinct codes, and how many clicks have one."""
    distinct, known = 0, 0
    for place in range(rows.shape[0]):
        code = codes[rows[place]]
        if code >= 0:
            known += 1
            distinct += counts[code] == 0
            counts[code] = 1
    for place in range(rows.shape[0]):
        if codes[rows[place]] >= 0:
            counts[codes[rows[place]]] = 0
    return distinct, known


@compiled
def count_gaps(rows: Integers, time: Integers, out: NDArray[np.float64]) -> None:
    """The gaps between clicks: how many, their mean, and the squares of what they deviate by."""
    gaps = rows.shape[0] - 1
    mean = (time[rows[gaps]] - time[rows[0]]) / gaps if gaps else 0.0
    squares = 0.0
    for place in range(gaps):
        deviation = time[rows[place + 1]] - time[rows[place]] - mean
        squares += deviation * deviation
    out[_AT + 14], out[_AT + 15], out[_AT + 16] = gaps, mean, squares


@compiled
def count_pace(rows: Integers, time: Integers, out: NDArray[np.float64]) -> None:
    """How even the clicks are, in stretches of about `PACE_CLICKS` clicks each (a two-sample variance: a slow trend does not move it)."""
    bins = rows.shape[0] // PACE_CLICKS
    if bins < 2:
        return
    first = time[rows[0]]
    width = (time[rows[rows.shape[0] - 1]] - first) // bins + 1
    before, inside, current = -1, 0, 0
    pairs, jumps = 0, 0.0
    for place in range(rows.shape[0] + 1):
        number = (time[rows[place]] - first) // width if place < rows.shape[0] else bins
        while current < number:
            if before >= 0 and before + inside > 0:
                pairs += 1
                jumps += (before - inside) * (before - inside) / (before + inside)
            before, inside, current = inside, 0, current + 1
        inside += 1
    out[_AT + 17], out[_AT + 18] = pairs, jumps


@compiled
def count_hours(rows: Integers, time: Integers, hours: NDArray[np.float64]) -> None:
    """Clicks by hour of the UTC day, every day weighing the same."""
    hours[:] = 0.0
    of_day = np.zeros(HOURS, np.int64)
    begin, days = 0, 0
    while begin < rows.shape[0]:
        day = time[rows[begin]] // _DAY_US
        end = begin
        of_day[:] = 0
        while end < rows.shape[0] and time[rows[end]] // _DAY_US == day:
            of_day[time[rows[end]] // _HOUR_US - day * HOURS] += 1
            end += 1
        for hour in range(HOURS):
            hours[hour] += of_day[hour] / (end - begin)
        begin = end
        days += 1
    for hour in range(HOURS):
        hours[hour] = hours[hour] / days * rows.shape[0]


@compiled
def count_pairs(entity: int, rows: Integers, codes: Codes, counts: Integers, pairs: Integers, used: int) -> tuple[Integers, int]:
    """Appends (entity, code, clicks) for every code among the rows, -1 for unknown; the (perhaps larger) pairs, and how many are used."""
    unknown = counts.shape[0] - 1
    for place in range(rows.shape[0]):
        counts[codes[rows[place]] if codes[rows[place]] >= 0 else unknown] += 1
    for place in range(rows.shape[0]):
        code = codes[rows[place]]
        if counts[code if code >= 0 else unknown] > 0:
            pairs = room(pairs, used + 1)
            pairs[used, 0], pairs[used, 1], pairs[used, 2] = entity, code, counts[code if code >= 0 else unknown]
            used += 1
            counts[code if code >= 0 else unknown] = 0
    return pairs, used


@compiled
def count_known(clicks: Clicks, lo: int, hi: int, known: Integers) -> None:
    """Adds to `known` how many of the clicks `[lo, hi)` have each column of `KNOWN`."""
    for row in range(lo, hi):
        flags = clicks.flags[row]
        known[0] += clicks.address[row] != MISSING_KEY
        known[1] += clicks.agent[row] >= 0
        known[2] += clicks.device[row] != MISSING_KEY
        known[3] += clicks.sub[row] >= 0
        known[4] += (flags & DWELL_KNOWN) != 0
        known[5] += (flags & SCRIPT_KNOWN) != 0
        known[6] += clicks.country[row] >= 0
        known[7] += (flags & REFERRER_KNOWN) != 0
        known[8] += (flags & LANDING_KNOWN) != 0
