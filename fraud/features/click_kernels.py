"""Clicks to tallies, in compiled code: everything that is counted about an affiliate's or a sub-ID's clicks, in one pass.

The clicks of an affiliate lie together in the order of time (then of sub-ID). They are coded, marked (`click_marks`) and counted
(`click_counts`), as a whole and by sub-ID.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fraud.enrichment.compiled import (
    Codes,
    Integers,
    Scratch,
    compiled,
    dense_codes,
    first_at,
    joined,
    order_by,
    position_of,
    reorder,
    room,
    scratch,
)
from fraud.features.click_counts import (
    count_addresses,
    count_agents,
    count_distinct,
    count_gaps,
    count_hours,
    count_known,
    count_marks,
    count_pace,
    count_pairs,
)
from fraud.features.click_marks import Coded, forget, mark_fresh, mark_stacks, network_marks, static_marks, window_marks
from fraud.features.clicks import MISSING_KEY, Clicks, Program, Verdicts, Windows
from fraud.features.tallies import HOURS, KNOWN, MARKS, OTHERS, TALLIES, WHOLE, ClickTallies

_AT = len(MARKS)
_WIDTH = len(TALLIES)
_HOUR_PARTS = float(1 << 20)


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


Entities: TypeAlias = tuple[Integers, Integers, Integers]
"""The rows of an affiliate, those of its sub-IDs, and where each of these begins."""


class State(NamedTuple):
    """What grows while affiliates are tallied: the tallies so far and how many entities, offers and countries of them are `used`."""

    buffers: Buffers
    out: ClickTallies
    used: Integers


@compiled
def coded_clicks(clicks: Clicks, buffers: Buffers, verdicts: Verdicts) -> tuple[Coded, Codes]:
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
    for row in range(rows):
        keys[row] = clicks.sub[row]
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
def by_sub(sub: Codes, first: int, last: int) -> tuple[Integers, Integers]:
    """The rows `[first, last)` with a sub-ID, grouped by it and in time within it, and where each group begins."""
    groups = 0
    for row in range(first, last):
        groups = max(groups, sub[row] + 1)
    place = np.zeros(groups + 2, np.int64)  # of each group behind its number: where it begins, and when all are placed, where it ends
    for row in range(first, last):
        if sub[row] >= 0:
            place[sub[row] + 2] += 1
    for number in range(groups):
        place[number + 2] += place[number + 1]
    rows = np.empty(place[groups + 1], np.int64)
    for row in range(first, last):
        if sub[row] >= 0:
            rows[place[sub[row] + 1]] = row
            place[sub[row] + 1] += 1
    return rows, place[: groups + 1]


@compiled
def _roomy(out: ClickTallies, used: Integers, begins: Integers, least: int) -> ClickTallies:
    """The tallies with room for an affiliate, its sub-IDs of at least so many clicks, and the others."""
    needed = used[0] + 2
    for group in range(begins.shape[0] - 1):
        needed += begins[group + 1] - begins[group] >= least
    return ClickTallies(room(out.keys, needed), room(out.tallies, needed), room(out.hours, needed), out.offers, out.countries, out.known)


@compiled
def entities_of(sub: Codes, first: int, last: int, with_subs: bool) -> Entities:
    """The rows of one affiliate in one window; those of its sub-IDs, and where each begins, none when they are not wanted."""
    rows, begins = by_sub(sub, first, last) if with_subs else (np.empty(0, np.int64), np.zeros(1, np.int64))
    whole = np.empty(last - first, np.int64)
    for row in range(first, last):
        whole[row - first] = row
    return whole, rows, begins


@compiled
def _tally(own: Integers, clicks: Clicks, coded: Coded, shared: NDArray[np.bool_], buffers: Buffers, out: NDArray[np.float64]) -> None:
    """Fills the tally of one entity: `own` are its rows among those of its affiliate, which `clicks` and `coded` hold."""
    count_marks(own, buffers.marks, out)
    count_addresses(own, coded.address, shared, buffers.counts, out)
    count_agents(own, clicks.agent, buffers.counts, buffers.values, out)
    out[_AT + 8], out[_AT + 9] = count_distinct(own, clicks.domain, buffers.counts)
    out[_AT + 10], out[_AT + 11] = count_distinct(own, coded.sub, buffers.counts)
    out[_AT + 12], out[_AT + 13] = count_distinct(own, coded.device, buffers.counts)
    count_gaps(own, clicks.time, out)
    out[_AT + 17], out[_AT + 18] = 0.0, 0.0
    count_pace(own, clicks.time, out)


@compiled
def count_others(groups: tuple[Integers, Integers], least: int, time: Integers, others: Integers, hours: NDArray[np.float64]) -> int:
    """Puts the rows of sub-IDs with fewer clicks than `least` into `others`; how many they are. `groups` are rows by sub-ID, and where
    each begins. Their hours are added up in parts so even that any order gives the same sum."""
    (rows, begins), used, own_hours = groups, 0, np.empty(HOURS)
    for group in range(begins.shape[0] - 1):
        own = rows[begins[group] : begins[group + 1]]
        if 0 < own.shape[0] < least:
            count_hours(own, time, own_hours)
            for hour in range(HOURS):
                hours[hour] += np.round(own_hours[hour] * _HOUR_PARTS) / _HOUR_PARTS
            for place in range(own.shape[0]):
                others[used] = own[place]
                used += 1
    return used


@compiled
def _placed(key: tuple[int, int], own: Integers, clicks: Clicks, state: State) -> ClickTallies:
    """Ends the row of an entity (`key`: window and sub-ID) with what is counted by offer and by country; the (perhaps larger) tallies."""
    out, used, counts = state.out, state.used, state.buffers.counts
    entity = used[0]
    out.keys[entity, 0], out.keys[entity, 1], out.keys[entity, 2] = key[0], clicks.affiliate[0], key[1]
    offers, used[1] = count_pairs(entity, own, clicks.offer, counts, out.offers, used[1])
    countries, used[2] = count_pairs(entity, own, clicks.country, counts, out.countries, used[2])
    used[0] += 1
    return ClickTallies(out.keys, out.tallies, out.hours, offers, countries, out.known)


@compiled
def _tally_window(
    clicks: Clicks, at: tuple[int, int], coded: Coded, shared: NDArray[np.bool_], entities: Entities, state: State
) -> ClickTallies:
    """Appends the tallies of one affiliate's entities in one window (`at`: its number, and the fewest clicks of a sub-ID with a row of its
    own); returns the (perhaps larger) tallies."""
    whole, rows, begins = entities
    buffers, used = state.buffers, state.used
    out = _roomy(state.out, used, begins, at[1])
    for group in range(-1, begins.shape[0] - 1):
        own = whole if group < 0 else rows[begins[group] : begins[group + 1]]
        if own.shape[0] == 0 or (group >= 0 and own.shape[0] < at[1]):
            continue
        _tally(own, clicks, coded, shared, buffers, out.tallies[used[0]])
        count_hours(own, clicks.time, out.hours[used[0]])
        out = _placed((at[0], WHOLE if group < 0 else int(clicks.sub[own[0]])), own, clicks, State(buffers, out, used))
    out.tallies[used[0]] = 0.0
    out.hours[used[0]] = 0.0
    others = count_others((rows, begins), at[1], clicks.time, buffers.keys, out.hours[used[0]])
    if others:
        out.tallies[used[0], _AT] = others
        out = _placed((at[0], OTHERS), buffers.keys[:others], clicks, State(buffers, out, used))
    return out


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
    coded, judged = coded_clicks(clicks, buffers, verdicts)
    shared = np.zeros(judged.shape[0], np.bool_)
    marks = buffers.marks[: clicks.time.shape[0]]
    static_marks(clicks, program, marks)
    for window in range(windows.starts.shape[0]):
        first, last = first_at(clicks.time, windows.starts[window]), first_at(clicks.time, windows.ends[window])
        if first == last:
            continue
        count_known(clicks, first, last, out.known[window])
        for number in range(judged.shape[0]):
            shared[number] = judged[number] >= 0 and verdicts.shared[judged[number], window]
        window_marks(clicks.time[first:last], windows.starts[window], coded, first, buffers.counts, marks)
        mark_fresh(clicks.time[first:last], windows.starts[window], coded.sub[first:last], buffers.counts, marks[first:last])
        forget(coded.sub[first:last], buffers.counts)
        mark_stacks(clicks.time[first:last], coded.device[first:last], clicks.offer[first:last], marks[first:last])
        network_marks(coded.address[first:last], judged, verdicts, window, windows.matched[window], marks[first:last])
        entities = entities_of(coded.sub, first, last, windows.least[window] >= 0)
        out = _tally_window(clicks, (window, windows.least[window]), coded, shared, entities, State(buffers, out, state.used))
    return out


@compiled
def tally_clicks(clicks: Clicks, windows: Windows, program: Program, verdicts: Verdicts, buffers: Buffers) -> ClickTallies:
    """Tallies of every affiliate (and, where a window wants them, sub-ID) in every window.

    `clicks` are whole affiliates, each one's clicks together in the order of time and then sub-ID (`order_by`); `buffers` come from
    `buffers_for` and serve one call at a time.
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
    """`tally_clicks` of one partition, its clicks in any order; each affiliate's must be here as a whole.

    Columns that nobody else holds are let go one by one as they are ordered, so that they do not stand in memory twice.
    """
    columns: list[Any] = list(clicks)
    del clicks
    largest = order_clicks(columns)
    ordered = Clicks._make(columns)
    return tally_clicks(ordered, windows, program, verdicts, buffers_for(largest, ordered, program))


def order_clicks(columns: list[NDArray[Any]]) -> int:
    """Brings the columns of clicks into the order of affiliate, time and sub-ID; how many the largest affiliate has."""
    affiliate, time, sub = columns[:3]
    lowest = affiliate.min() if len(time) else np.int32(0)
    order, begins = order_by(affiliate - lowest, int(affiliate.max(initial=-1)) + 1 - int(lowest), time, sub)
    del affiliate, time, sub
    reorder(columns, order)
    return int(np.diff(begins).max(initial=0))


def buffers_for(rows: int, clicks: Clicks, program: Program) -> Buffers:
    """Memory for affiliates of up to so many of these clicks."""
    numbers = max(rows, len(program.bots), *program.targets.shape, int(clicks.domain.max(initial=-1)) + 1) + 1
    return Buffers(
        table=scratch(rows),
        counts=np.zeros(numbers, np.int64),
        values=np.empty(len(program.bots)),
        keys=np.empty(rows, np.int64),
        firsts=np.empty(rows, np.int64),
        marks=np.empty(rows, np.uint32),
        client=np.empty(rows, np.int32),
        last=np.empty(rows, np.int64),
    )
