"""Clicks to tallies, in compiled code: everything that is counted about an affiliate's or a sub-ID's clicks, in one pass.

The clicks of an affiliate lie together in the order of time (then of sub-ID), so gaps, repeats and bursts are read off neighbours, and
distinct values are counted in an array of their local numbers. Sums of fractions are formed in an order that the clicks alone decide, so
the same clicks give the same bits, whatever brought them here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fraud.enrichment.compiled import Codes, Integers, Scratch, compiled, dense_codes, joined, order_by, position_of, room, scratch
from fraud.features.clicks import (
    DWELL_KNOWN,
    LANDING_KNOWN,
    MISSING_KEY,
    NO_SCRIPT,
    PAID,
    REFERRER_KNOWN,
    SCRIPT_KNOWN,
    SHORT_DWELL,
    Clicks,
    Program,
    Verdicts,
    Windows,
)
from fraud.features.constants import DUPLICATE_WITHIN_S, PACE_CLICKS, SPIKE_CLICKS, STACKED_OFFERS

MARKS = (
    "timed",
    "duplicate",
    "paired",
    "spiky",
    "with_agent",
    "declared_bot",
    "with_address",
    "hosting_like",
    "with_dwell",
    "short_dwell",
    "with_script",
    "no_script",
    "targeted",
    "off_target",
    "sourced",
    "undeclared_referrer",
    "landed",
    "paid",
    "aged",
    "fresh",
    "on_device",
    "stacked",
)
"""Marks of a click, two by two: that a thing can be said of it, and that it is so."""

COUNTED = (
    "clicks",
    "addresses",
    "known_addresses",
    "address_clicks",
    "top_address",
    "agents",
    "top_agent",
    "agent_logs",
    "domains",
    "with_domain",
    "subs",
    "with_sub",
    "devices",
    "with_device",
    "gaps",
    "gap_mean",
    "gap_squares",
    "pace_pairs",
    "pace_jumps",
)

TALLIES = MARKS + COUNTED
"""The columns of a tally. `addresses` and `address_clicks` leave shared egress out, `known_addresses` does not; `agent_logs` is the sum of
n ln n over agents; gaps are in microseconds and `gap_squares` is the sum of squared deviations from `gap_mean`. `pace_jumps` adds
(a - b)^2 / (a + b) over the `pace_pairs` of neighbouring stretches with a and b clicks: 1 a pair by chance, whatever the hour."""

KNOWN = ("ip", "user_agent", "device_id", "sub_id", "dwell_ms", "js_executed", "country", "referrer", "landing_url")
"""Columns of clicks whose presence is counted for each window."""

HOURS = 24
_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US
_MINUTE_US = 60_000_000
_SECOND_US = 1_000_000
_DUPLICATE_US = DUPLICATE_WITHIN_S * 1_000_000
_AT = len(MARKS)
_WIDTH = len(TALLIES)
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


class Buffers(NamedTuple):
    """Memory that is used again for every affiliate: counts by local number, numbers and keys of a stretch of rows."""

    table: Scratch
    counts: Integers
    values: NDArray[np.float64]
    keys: Integers
    firsts: Integers
    marks: NDArray[np.uint32]
    client: Codes
    last: Integers


class ClickTallies(NamedTuple):
    """What the kernel gives. One row an entity: `keys` (rows, 3) of window, affiliate and sub-ID (-1: the affiliate as a whole), `tallies`
    (rows, `TALLIES`), `hours` (rows, 24) clicks by UTC hour with every day weighing the same. `offers` and `countries` (pairs, 3) hold
    the row, the code (-1: unknown) and its clicks. `known` (windows, `KNOWN`) counts the clicks of which a column is known."""

    keys: Integers
    tallies: NDArray[np.float64]
    hours: NDArray[np.float64]
    offers: Integers
    countries: Integers
    known: Integers


class State(NamedTuple):
    """What grows while affiliates are tallied: the tallies so far and how many entities, offers and countries of them are `used`."""

    buffers: Buffers
    out: ClickTallies
    used: Integers


@compiled
def _page_marks(flags: int) -> int:
    mark = 0
    if flags & DWELL_KNOWN:
        mark |= 1 << 8 | (1 << 9 if flags & SHORT_DWELL else 0)
    if flags & SCRIPT_KNOWN:
        mark |= 1 << 10 | (1 << 11 if flags & NO_SCRIPT else 0)
    return mark


@compiled
def _static_marks(clicks: Clicks, program: Program, marks: NDArray[np.uint32]) -> None:
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
def _coded(clicks: Clicks, buffers: Buffers, verdicts: Verdicts) -> tuple[Coded, Codes]:
    """Local numbers of one affiliate's clicks, and the row of each local address in the verdicts."""
    rows = clicks.time.shape[0]
    address, device, sub = np.empty(rows, np.int32), np.empty(rows, np.int32), np.empty(rows, np.int32)
    trio, client_gap = np.empty(rows, np.int32), np.empty(rows, np.int64)
    many = dense_codes(clicks.address, MISSING_KEY, buffers.table, address, buffers.firsts)
    judged = np.empty(many, np.int32)
    for number in range(many):
        judged[number] = position_of(verdicts.table, buffers.firsts[number])
    dense_codes(clicks.device, MISSING_KEY, buffers.table, device, buffers.firsts)
    keys = buffers.keys[:rows]
    keys[:] = clicks.sub
    dense_codes(keys, -1, buffers.table, sub, buffers.firsts)
    for row in range(rows):
        agent = clicks.agent[row]
        pair = (np.int64(address[row]) << 32) | np.int64(agent)
        keys[row] = joined(pair, np.int64(clicks.offer[row])) if address[row] >= 0 and agent >= 0 else MISSING_KEY
    dense_codes(keys, MISSING_KEY, buffers.table, trio, buffers.firsts)
    for row in range(rows):
        if device[row] >= 0:
            keys[row] = joined(np.int64(device[row]), np.int64(clicks.offer[row]))
        else:
            keys[row] = MISSING_KEY if trio[row] < 0 else -2 - np.int64(trio[row])
    clients = dense_codes(keys, MISSING_KEY, buffers.table, buffers.client, buffers.firsts)
    _client_gaps(clicks.time, buffers.client, buffers.last[:clients], client_gap)
    return Coded(address, device, sub, trio, client_gap), judged


@compiled
def _client_gaps(time: Integers, client: Codes, last: Integers, gaps: Integers) -> None:
    last[:] = -1
    for row in range(time.shape[0]):
        gaps[row] = -1
        if client[row] >= 0:
            before = last[client[row]]
            if before >= 0:
                gaps[row] = time[row] - time[before]
            last[client[row]] = row
        else:
            gaps[row] = -2


@compiled
def _window_marks(time: Integers, start: int, coded: Coded, first: int, counts: Integers, marks: NDArray[np.uint32]) -> None:
    """Adds the marks that depend on where the window begins and ends, to the clicks from `first` on."""
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
    _mark_fresh(time, start, coded.sub[first : first + rows], counts, marks[first : first + rows])


@compiled
def _mark_fresh(time: Integers, start: int, sub: Codes, counts: Integers, marks: NDArray[np.uint32]) -> None:
    """Marks clicks a day and more into the window, and those of them that are the first of their sub-ID in it."""
    for row in range(time.shape[0]):
        code = sub[row]
        if code < 0:
            continue
        if time[row] - start >= _DAY_US:
            marks[row] |= 1 << 18 | (1 << 19 if counts[code] == 0 else 0)
        counts[code] = 1
    for row in range(time.shape[0]):
        if sub[row] >= 0:
            counts[sub[row]] = 0


@compiled
def _mark_stacks(time: Integers, device: Codes, offer: Codes, marks: NDArray[np.uint32]) -> None:
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
    for row in range(device.shape[0]):
        offers = 0
        for other in range(device.shape[0]):
            if device[row] < 0 or device[other] != device[row] or offer[other] < 0:
                continue
            new = True
            for earlier in range(other):
                new = new and not (device[earlier] == device[row] and offer[earlier] == offer[other])
            offers += new
        if offers >= STACKED_OFFERS:
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
def _network_marks(address: Codes, judged: Codes, verdicts: Verdicts, window: int, matched: bool, marks: NDArray[np.uint32]) -> None:
    for row in range(address.shape[0]):
        if address[row] >= 0 and matched:
            where = judged[address[row]]
            marks[row] |= 64 | (128 if where >= 0 and verdicts.hosting[where, window] else 0)


@compiled
def _count_marks(rows: Integers, marks: NDArray[np.uint32], out: NDArray[np.float64]) -> None:
    counts = np.zeros(_AT, np.int64)
    for place in range(rows.shape[0]):
        mark = marks[rows[place]]
        for bit in range(_AT):
            counts[bit] += (mark >> np.uint32(bit)) & np.uint32(1)
    for bit in range(_AT):
        out[bit] = counts[bit]
    out[_AT] = rows.shape[0]


@compiled
def _count_addresses(rows: Integers, address: Codes, shared: NDArray[np.bool_], counts: Integers, out: NDArray[np.float64]) -> None:
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
def _count_agents(rows: Integers, agent: Codes, counts: Integers, values: NDArray[np.float64], out: NDArray[np.float64]) -> None:
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
    ordered = np.sort(values[:distinct])
    logs = 0.0
    for number in range(distinct):
        logs += ordered[number] * np.log(ordered[number])
    out[_AT + 5], out[_AT + 7] = distinct, logs
    out[_AT + 6] = ordered[distinct - 1] if distinct else 0.0


@compiled
def _count_distinct(rows: Integers, codes: Codes, counts: Integers) -> tuple[int, int]:
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
def _count_gaps(rows: Integers, time: Integers, out: NDArray[np.float64]) -> None:
    gaps = rows.shape[0] - 1
    mean = (time[rows[gaps]] - time[rows[0]]) / gaps if gaps else 0.0
    squares = 0.0
    for place in range(gaps):
        deviation = time[rows[place + 1]] - time[rows[place]] - mean
        squares += deviation * deviation
    out[_AT + 14], out[_AT + 15], out[_AT + 16] = gaps, mean, squares


@compiled
def _count_pace(rows: Integers, time: Integers, out: NDArray[np.float64]) -> None:
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
def _count_hours(rows: Integers, time: Integers, hours: NDArray[np.float64]) -> None:
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
def _count_pairs(entity: int, rows: Integers, codes: Codes, counts: Integers, pairs: Integers, used: int) -> tuple[Integers, int]:
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
def _count_known(clicks: Clicks, lo: int, hi: int, known: Integers) -> None:
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


@compiled
def _by_sub(sub: Codes, first: int, last: int) -> tuple[Integers, Integers]:
    """The rows `[first, last)` with a sub-ID, grouped by it and in time within it, and where each group begins."""
    groups = 0
    for row in range(first, last):
        groups = max(groups, sub[row] + 1)
    begins = np.zeros(groups + 1, np.int64)
    for row in range(first, last):
        if sub[row] >= 0:
            begins[sub[row] + 1] += 1
    for number in range(groups):
        begins[number + 1] += begins[number]
    place = begins[:groups].copy()
    rows = np.empty(begins[groups], np.int64)
    for row in range(first, last):
        if sub[row] >= 0:
            rows[place[sub[row]]] = row
            place[sub[row]] += 1
    return rows, begins


@compiled
def _roomy(out: ClickTallies, used: Integers, groups: int) -> ClickTallies:
    """The tallies with room for so many more entities."""
    needed = used[0] + groups
    return ClickTallies(room(out.keys, needed), room(out.tallies, needed), room(out.hours, needed), out.offers, out.countries, out.known)


@compiled
def _entities(sub: Codes, first: int, last: int, with_subs: bool) -> tuple[Integers, Integers]:
    """The rows of every entity of one affiliate in one window, and where each entity begins: the affiliate as a whole, then its sub-IDs."""
    rows, begins = np.arange(first, last), np.array([0, last - first])
    if not with_subs:
        return rows, begins
    sub_rows, sub_begins = _by_sub(sub, first, last)
    return np.concatenate((rows, sub_rows)), np.concatenate((begins, sub_begins[1:] + begins[1]))


@compiled
def _tally(own: Integers, clicks: Clicks, coded: Coded, shared: NDArray[np.bool_], buffers: Buffers, out: NDArray[np.float64]) -> None:
    """Fills the tally of one entity: `own` are its rows among those of its affiliate, which `clicks` and `coded` hold."""
    _count_marks(own, buffers.marks, out)
    _count_addresses(own, coded.address, shared, buffers.counts, out)
    _count_agents(own, clicks.agent, buffers.counts, buffers.values, out)
    out[_AT + 8], out[_AT + 9] = _count_distinct(own, clicks.domain, buffers.counts)
    out[_AT + 10], out[_AT + 11] = _count_distinct(own, coded.sub, buffers.counts)
    out[_AT + 12], out[_AT + 13] = _count_distinct(own, coded.device, buffers.counts)
    _count_gaps(own, clicks.time, out)
    out[_AT + 17], out[_AT + 18] = 0.0, 0.0
    _count_pace(own, clicks.time, out)


@compiled
def _tally_window(
    clicks: Clicks, window: int, coded: Coded, shared: NDArray[np.bool_], entities: tuple[Integers, Integers], state: State
) -> ClickTallies:
    """Appends the tallies of one affiliate's entities in one window; returns the (perhaps larger) tallies."""
    rows, begins = entities
    buffers, used = state.buffers, state.used
    out = _roomy(state.out, used, begins.shape[0] - 1)
    offers, countries = out.offers, out.countries
    for group in range(begins.shape[0] - 1):
        own = rows[begins[group] : begins[group + 1]]
        if own.shape[0] == 0:
            continue
        entity = used[0]
        out.keys[entity, 0], out.keys[entity, 1] = window, clicks.affiliate[0]
        out.keys[entity, 2] = -1 if group == 0 else clicks.sub[own[0]]
        _tally(own, clicks, coded, shared, buffers, out.tallies[entity])
        _count_hours(own, clicks.time, out.hours[entity])
        offers, used[1] = _count_pairs(entity, own, clicks.offer, buffers.counts, offers, used[1])
        countries, used[2] = _count_pairs(entity, own, clicks.country, buffers.counts, countries, used[2])
        used[0] += 1
    return ClickTallies(out.keys, out.tallies, out.hours, offers, countries, out.known)


@compiled
def _rows(clicks: Clicks, lo: int, hi: int) -> Clicks:
    return Clicks(
        clicks.affiliate[lo:hi],
        clicks.time[lo:hi],
        clicks.sub[lo:hi],
        clicks.offer[lo:hi],
        clicks.country[lo:hi],
        clicks.address[lo:hi],
        clicks.agent[lo:hi],
        clicks.device[lo:hi],
        clicks.domain[lo:hi],
        clicks.flags[lo:hi],
    )


@compiled
def _tally_affiliate(clicks: Clicks, windows: Windows, program: Program, verdicts: Verdicts, state: State) -> ClickTallies:
    """Appends the tallies of one affiliate in every window; returns the (perhaps larger) tallies."""
    buffers, out = state.buffers, state.out
    coded, judged = _coded(clicks, buffers, verdicts)
    shared = np.zeros(judged.shape[0], np.bool_)
    marks = buffers.marks[: clicks.time.shape[0]]
    _static_marks(clicks, program, marks)
    for window in range(windows.starts.shape[0]):
        first, last = np.searchsorted(clicks.time, windows.starts[window]), np.searchsorted(clicks.time, windows.ends[window])
        if first == last:
            continue
        _count_known(clicks, first, last, out.known[window])
        for number in range(judged.shape[0]):
            shared[number] = judged[number] >= 0 and verdicts.shared[judged[number], window]
        _window_marks(clicks.time[first:last], windows.starts[window], coded, first, buffers.counts, marks)
        _mark_stacks(clicks.time[first:last], coded.device[first:last], clicks.offer[first:last], marks[first:last])
        _network_marks(coded.address[first:last], judged, verdicts, window, windows.matched[window], marks[first:last])
        entities = _entities(coded.sub, first, last, windows.with_subs[window])
        out = _tally_window(clicks, window, coded, shared, entities, State(buffers, out, state.used))
    return out


@compiled
def tally_clicks(clicks: Clicks, windows: Windows, program: Program, verdicts: Verdicts, buffers: Buffers) -> ClickTallies:
    """Tallies of every affiliate (and, where a window wants them, sub-ID) in every window.

    `clicks` are whole affiliates, each one's clicks together in the order of time and then sub-ID (`order_by`); `buffers` come from
    `_buffers` and serve one call at a time.
    """
    keys, tallies, hours = np.empty((1024, 3), np.int64), np.empty((1024, _WIDTH), np.float64), np.empty((1024, HOURS), np.float64)
    offers, countries = np.empty((1024, 3), np.int64), np.empty((1024, 3), np.int64)
    out = ClickTallies(keys, tallies, hours, offers, countries, np.zeros((windows.starts.shape[0], len(KNOWN)), np.int64))
    used = np.zeros(3, np.int64)
    lo = 0
    while lo < clicks.time.shape[0]:
        hi = lo
        while hi < clicks.time.shape[0] and clicks.affiliate[hi] == clicks.affiliate[lo]:
            hi += 1
        out = _tally_affiliate(_rows(clicks, lo, hi), windows, program, verdicts, State(buffers, out, used))
        lo = hi
    return ClickTallies(
        out.keys[: used[0]], out.tallies[: used[0]], out.hours[: used[0]], out.offers[: used[1]], out.countries[: used[2]], out.known
    )


def tallies_of_clicks(clicks: Clicks, windows: Windows, program: Program, verdicts: Verdicts) -> ClickTallies:
    """`tally_clicks` of one partition, its clicks in any order; each affiliate's must be here as a whole."""
    lowest = clicks.affiliate.min() if len(clicks.time) else np.int32(0)
    groups = int(clicks.affiliate.max(initial=-1)) + 1 - int(lowest)
    order, begins = order_by(clicks.affiliate - lowest, groups, clicks.time, clicks.sub)
    ordered = clicks if _in_order(order) else Clicks._make(np.asarray(column)[order] for column in clicks)
    largest = int(np.diff(begins).max(initial=0))
    return tally_clicks(ordered, windows, program, verdicts, _buffers(largest, clicks, program))


def _in_order(order: Integers) -> bool:
    return bool((order[1:] > order[:-1]).all())


def _buffers(rows: int, clicks: Clicks, program: Program) -> Buffers:
    numbers = max(rows, len(program.bots), *program.targets.shape, int(clicks.domain.max(initial=-1)) + 1) + 1
    return Buffers(
        table=scratch(rows),
        counts=np.zeros(numbers, np.int64),
        values=np.empty(numbers),
        keys=np.empty(rows, np.int64),
        firsts=np.empty(rows, np.int64),
        marks=np.empty(rows, np.uint32),
        client=np.empty(rows, np.int32),
        last=np.empty(rows, np.int64),
    )
