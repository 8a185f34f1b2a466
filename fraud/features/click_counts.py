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
    agent_figures(values[:distinct], out)


@compiled
def agent_figures(clicks: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """The figures of user agents from the clicks of each, which are put in order."""
    sort_values(clicks)
    distinct, logs = clicks.shape[0], 0.0
    for number in range(distinct):
        logs += clicks[number] * np.log(clicks[number])
    out[_AT + 5], out[_AT + 7] = distinct, logs
    out[_AT + 6] = clicks[distinct - 1] if distinct else 0.0


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
def gap_squares(rows: Integers, time: Integers, before: int, mean: float, squares: float) -> float:
    """Adds the squares of what the gaps deviate by from their mean; `before` is the time of the click before the first."""
    for place in range(rows.shape[0]):
        deviation = time[rows[place]] - before - mean
        squares += deviation * deviation
        before = time[rows[place]]
    return squares


@compiled
def count_gaps(rows: Integers, time: Integers, out: NDArray[np.float64]) -> None:
    """The gaps between clicks: how many, their mean, and the squares of what they deviate by."""
    gaps = rows.shape[0] - 1
    mean = (time[rows[gaps]] - time[rows[0]]) / gaps if gaps else 0.0
    out[_AT + 14], out[_AT + 15] = gaps, mean
    out[_AT + 16] = gap_squares(rows[1:], time, time[rows[0]], mean, 0.0)


@compiled
def pace_width(first: int, last: int, clicks: int) -> int:
    """How long the stretches are whose neighbours are compared (microseconds), 0 when there are fewer than two."""
    bins = clicks // PACE_CLICKS
    return (last - first) // bins + 1 if bins >= 2 else 0


@compiled
def _pace_until(stretch: int, state: NDArray[np.float64]) -> None:
    while state[2] < stretch:
        before, inside = state[0], state[1]
        if before >= 0 and before + inside > 0:
            state[3] += 1
            state[4] += (before - inside) * (before - inside) / (before + inside)
        state[0], state[1], state[2] = inside, 0, state[2] + 1


@compiled
def more_pace(rows: Integers, time: Integers, first: int, width: int, state: NDArray[np.float64]) -> None:
    """Goes on to compare stretches; `state` holds the clicks of the stretch before (-1 at first) and of this one, its number, and the pairs
    and jumps so far."""
    for place in range(rows.shape[0]):
        stretch = (time[rows[place]] - first) // width
        if stretch > state[2]:
            _pace_until(stretch, state)
        state[1] += 1


@compiled
def close_pace(clicks: int, state: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Ends the comparison of stretches."""
    _pace_until(clicks // PACE_CLICKS, state)
    out[_AT + 17], out[_AT + 18] = state[3], state[4]


@compiled
def count_pace(rows: Integers, time: Integers, out: NDArray[np.float64]) -> None:
    """How even the clicks are, in stretches of about `PACE_CLICKS` clicks each (a two-sample variance: a slow trend does not move it)."""
    first, clicks = time[rows[0]], rows.shape[0]
    width = pace_width(first, time[rows[clicks - 1]], clicks)
    if width:
        state = np.zeros(5)
        state[0] = -1
        more_pace(rows, time, first, width, state)
        close_pace(clicks, state, out)


@compiled
def _close_day(day: Integers, hours: NDArray[np.float64]) -> None:
    clicks = 0
    for hour in range(HOURS):
        clicks += day[hour]
    if clicks:
        for hour in range(HOURS):
            hours[hour] += day[hour] / clicks
            day[hour] = 0
        day[HOURS + 1] += 1


@compiled
def more_hours(rows: Integers, time: Integers, day: Integers, hours: NDArray[np.float64]) -> None:
    """Goes on to count clicks by hour; `day` (26,) holds the day that is open, hour by hour, its number, and how many were closed."""
    for place in range(rows.shape[0]):
        number = time[rows[place]] // _DAY_US
        if number != day[HOURS]:
            _close_day(day, hours)
            day[HOURS] = number
        day[time[rows[place]] // _HOUR_US - number * HOURS] += 1


@compiled
def close_hours(clicks: int, day: Integers, hours: NDArray[np.float64]) -> None:
    """Closes the last day, and lets every day weigh the same."""
    _close_day(day, hours)
    for hour in range(HOURS):
        hours[hour] = hours[hour] / day[HOURS + 1] * clicks


@compiled
def count_hours(rows: Integers, time: Integers, hours: NDArray[np.float64]) -> None:
    """Clicks by hour of the UTC day, every day weighing the same."""
    hours[:] = 0.0
    day = np.zeros(HOURS + 2, np.int64)
    more_hours(rows, time, day, hours)
    close_hours(rows.shape[0], day, hours)


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
