"""One affiliate's clicks counted slice by slice of time, in compiled code, to the same bits as `click_kernels` counts them as a whole.

What is counted of an entity (the affiliate, or one of its sub-IDs, in one window) is carried from slice to slice. Addresses and devices,
of which there may be as many as clicks, are counted apart from the rest, some of them at a time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fraud.enrichment.compiled import Codes, Integers, Scratch, compiled, dense_codes, first_at, joined, position_of
from fraud.features.click_counts import (
    agent_figures,
    close_hours,
    close_pace,
    count_known,
    count_marks,
    count_pairs,
    gap_squares,
    more_hours,
    more_pace,
    pace_width,
)
from fraud.features.click_kernels import Buffers, by_sub, coded_clicks, count_others, entities_of
from fraud.features.click_marks import Coded, mark_fresh, mark_stacks, network_marks, static_marks, window_marks
from fraud.features.clicks import MISSING_KEY, Clicks, Program, Verdicts, Windows
from fraud.features.tallies import MARKS

_AT = len(MARKS)
_AGENTS, _COUNTRIES, _DOMAINS, _OFFERS = range(4)


class Spans(NamedTuple):
    """The entities of an affiliate, window by window (`base` is the place of a window's first): the affiliate as a whole, its first `kept`
    sub-IDs by number, and the others together; the clicks of each but the last, the first and the last moment of them."""

    base: Integers
    clicks: Integers
    first: Integers
    last: Integers
    kept: int


class Carried(NamedTuple):
    """What is known of each entity so far: its tally and hours, the time of its last click, the stretches of its pace and its open day;
    `seen` (windows, sub-IDs) says which sub-IDs a window had, `known` is as in `ClickTallies`."""

    tallies: NDArray[np.float64]
    hours: NDArray[np.float64]
    before: Integers
    pace: NDArray[np.float64]
    day: Integers
    seen: NDArray[np.uint8]
    known: Integers


class Gathered(NamedTuple):
    """Clicks by address or device, in the order of time: its key, the affiliate's own number of the sub-ID (-1: none that is kept), the
    time of the first click that a row stands for, and for how many."""

    keys: Integers
    sub: Codes
    time: Integers
    clicks: Codes


GATHERED_TYPES = (np.int64, np.int32, np.int64, np.int32)
"""The types of the columns of `Gathered`."""


class Pairs(NamedTuple):
    """(entity, code, clicks) for the agents, countries, domains and offers of entities, `used` of each."""

    agents: Integers
    countries: Integers
    domains: Integers
    offers: Integers
    used: Integers


@compiled
def note_subs(time: Integers, sub: Codes, windows: Windows, counts: Codes, there: NDArray[np.bool_]) -> None:
    """Adds clicks to the `counts` (windows, sub-IDs) of sub-IDs, and notes those that are `there` at all."""
    for row in range(time.shape[0]):
        if sub[row] >= 0:
            there[sub[row]] = True
            for window in range(windows.starts.shape[0]):
                counts[window, sub[row]] += windows.starts[window] <= time[row] < windows.ends[window]


@compiled
def note_spans(time: Integers, sub: Codes, windows: Windows, spans: Spans) -> None:
    """Adds clicks to the spans of their entities."""
    for row in range(time.shape[0]):
        for window in range(windows.starts.shape[0]):
            if not windows.starts[window] <= time[row] < windows.ends[window]:
                continue
            of_sub = windows.least[window] >= 0 and 0 <= sub[row] < spans.kept
            for place in range(2 if of_sub else 1):
                entity = spans.base[window] + (sub[row] + 1 if place else 0)
                spans.first[entity] = time[row] if spans.clicks[entity] == 0 else min(spans.first[entity], time[row])
                spans.last[entity] = time[row] if spans.clicks[entity] == 0 else max(spans.last[entity], time[row])
                spans.clicks[entity] += 1


@compiled
def _carry_on(entity: int, own: Integers, time: Integers, spans: Spans, carried: Carried) -> None:
    """Goes on with the gaps, the pace and the hours of an entity."""
    clicks, first, last = spans.clicks[entity], spans.first[entity], spans.last[entity]
    tally = carried.tallies[entity]
    mean = (last - first) / (clicks - 1) if clicks > 1 else 0.0
    tally[_AT + 14], tally[_AT + 15] = clicks - 1, mean
    begun = tally[_AT] > 0
    rest = own if begun else own[1:]
    tally[_AT + 16] = gap_squares(rest, time, carried.before[entity] if begun else time[own[0]], mean, tally[_AT + 16])
    carried.before[entity] = time[own[own.shape[0] - 1]]
    width = pace_width(first, last, clicks)
    if width:
        more_pace(own, time, first, width, carried.pace[entity])
    more_hours(own, time, carried.day[entity], carried.hours[entity])


@compiled
def _count_entity(entity: int, own: Integers, clicks: Clicks, buffers: Buffers, spans: Spans, carried: Carried) -> None:
    """Adds a slice's clicks of one entity, all but the pairs."""
    tally, some = carried.tallies[entity], np.zeros(carried.tallies.shape[1])
    count_marks(own, buffers.marks, some)
    _carry_on(entity, own, clicks.time, spans, carried)
    for column in range(_AT + 1):
        tally[column] += some[column]
    for place in range(own.shape[0]):
        tally[_AT + 9] += clicks.domain[own[place]] >= 0
        tally[_AT + 11] += clicks.sub[own[place]] >= 0


@compiled
def _count_pairs(entity: int, own: Integers, clicks: Clicks, counts: Integers, pairs: Pairs) -> Pairs:
    used = pairs.used
    agents, used[_AGENTS] = count_pairs(entity, own, clicks.agent, counts, pairs.agents, used[_AGENTS])
    countries, used[_COUNTRIES] = count_pairs(entity, own, clicks.country, counts, pairs.countries, used[_COUNTRIES])
    domains, used[_DOMAINS] = count_pairs(entity, own, clicks.domain, counts, pairs.domains, used[_DOMAINS])
    offers, used[_OFFERS] = count_pairs(entity, own, clicks.offer, counts, pairs.offers, used[_OFFERS])
    return Pairs(agents, countries, domains, offers, used)


@compiled
def _mark_window(
    clicks: Clicks, span: tuple[int, int], window: int, bounds: tuple[Windows, Verdicts, Codes], coded: Coded, buffers: Buffers
) -> None:
    """Adds the marks that depend on the window to the rows `[span)`, all but those of new sub-IDs."""
    first, last = span
    windows, verdicts, judged = bounds
    time, marks = clicks.time[first:last], buffers.marks[first:last]
    window_marks(time, windows.starts[window], coded, first, buffers.counts, buffers.marks)
    mark_stacks(time, coded.device[first:last], clicks.offer[first:last], marks)
    network_marks(coded.address[first:last], judged, verdicts, window, windows.matched[window], marks)


@compiled
def _count_others(
    clicks: Clicks, rows: tuple[int, int], at: tuple[int, int], buffers: Buffers, state: tuple[Spans, Carried, Pairs], pairs: Pairs
) -> Pairs:
    """Counts the clicks of sub-IDs with fewer than `least` in the window (`at`: the place of its first entity, and `least`), all but their
    hours; returns the (perhaps larger) pairs."""
    (first, last), (base, least), (spans, carried, _) = rows, at, state
    others, many = np.empty(last - first, np.int64), 0
    for row in range(first, last):
        number = clicks.sub[row]
        if number >= spans.kept or (number >= 0 and spans.clicks[base + 1 + number] < least):
            others[many] = row
            many += 1
    entity, used = base + 1 + spans.kept, pairs.used
    carried.tallies[entity, _AT] += many
    countries, used[_COUNTRIES] = count_pairs(entity, others[:many], clicks.country, buffers.counts, pairs.countries, used[_COUNTRIES])
    offers, used[_OFFERS] = count_pairs(entity, others[:many], clicks.offer, buffers.counts, pairs.offers, used[_OFFERS])
    return Pairs(pairs.agents, countries, pairs.domains, offers, used)


@compiled
def count_slice(
    clicks: Clicks, begin: int, given: tuple[Windows, Program, Verdicts], buffers: Buffers, state: tuple[Spans, Carried, Pairs]
) -> Pairs:
    """Adds a slice of an affiliate's clicks, in the order of time and sub-ID; returns the (perhaps larger) pairs.

    Slices come in the order of time and end with a minute. `Clicks.sub` are here the affiliate's own numbers of its sub-IDs, those that are
    kept first; the rows before `begin` were counted already: they are those within the time in which a click repeats another.
    """
    windows, program, verdicts = given
    spans, carried, pairs = state
    coded, judged = coded_clicks(clicks, buffers, verdicts)
    static_marks(clicks, program, buffers.marks[: clicks.time.shape[0]])
    kept = np.where(clicks.sub < spans.kept, clicks.sub, np.int32(-1))
    for window in range(windows.starts.shape[0]):
        first, last = max(begin, first_at(clicks.time, windows.starts[window])), first_at(clicks.time, windows.ends[window])
        if first >= last:
            continue
        count_known(clicks, first, last, carried.known[window])
        _mark_window(clicks, (first, last), window, (windows, verdicts, judged), coded, buffers)
        base, least = spans.base[window], windows.least[window]
        whole, rows, begins = entities_of(kept, first, last, least >= 0)
        carried.tallies[base, _AT + 10] += mark_fresh(
            clicks.time[first:last], windows.starts[window], clicks.sub[first:last], carried.seen[window], buffers.marks[first:last]
        )
        for group in range(-1, begins.shape[0] - 1):
            own = whole if group < 0 else rows[begins[group] : begins[group + 1]]
            if own.shape[0] and (group < 0 or spans.clicks[base + group + 1] >= least):
                _count_entity(base + group + 1, own, clicks, buffers, spans, carried)
                pairs = _count_pairs(base + group + 1, own, clicks, buffers.counts, pairs)
        if least > 0:
            pairs = _count_others(clicks, (first, last), (base, least), buffers, state, pairs)
    return pairs


@compiled
def first_rows(keys: Integers, table: Scratch, codes: Codes, firsts: Integers) -> tuple[Integers, Codes]:
    """The first row of each distinct key, `MISSING_KEY` left out, and how many there are of it; the others are room for as many rows."""
    many = dense_codes(keys, MISSING_KEY, table, codes, firsts)
    first, rows = np.empty(many, np.int64), np.zeros(many, np.int32)
    for row in range(keys.shape[0]):
        code = codes[row]
        if code >= 0:
            first[code] = row if rows[code] == 0 else first[code]
            rows[code] += 1
    return first, rows


@compiled
def gather_keys(keys: Integers, sub: Codes, time: Integers, edges: Integers, buffers: Buffers) -> tuple[Integers, Codes]:
    """The first rows of all that have the same key (of an address or a device) and sub-ID between the same `edges`, which are the windows'
    starts and ends, and how many each stands for; rows without a key are left out."""
    rows, segment = keys.shape[0], 0
    joint = buffers.keys[:rows]
    for row in range(rows):
        while segment < edges.shape[0] and edges[segment] <= time[row]:
            segment += 1
        part = joined(keys[row], np.int64(sub[row]) * (edges.shape[0] + 1) + segment)
        joint[row] = MISSING_KEY if keys[row] == MISSING_KEY else part
    return first_rows(joint, buffers.table, buffers.client, buffers.firsts)


@compiled
def _weigh(own: Integers, code: Codes, clicks: Codes, shared: NDArray[np.bool_], counts: Integers) -> tuple[int, int, int, int]:
    """`count_addresses` of rows that stand for several clicks."""
    for place in range(own.shape[0]):
        counts[code[own[place]]] += clicks[own[place]]
    distinct, known, told, top = 0, 0, 0, 0
    for place in range(own.shape[0]):
        number = code[own[place]]
        if counts[number] > 0:
            known += counts[number]
            if not shared[number]:
                distinct += 1
                told += counts[number]
                top = max(top, counts[number])
            counts[number] = 0
    return distinct, known, told, top


@compiled
def count_keys(
    gathered: Gathered,
    windows: Windows,
    verdicts: Verdicts,
    base: Integers,
    work: tuple[Scratch, Codes, Integers, Integers],
    found: Integers,
) -> None:
    """Adds what is counted of some addresses or devices, all of whose clicks these are, in the order of time, to `found` (entities, 4): how
    many there are, their clicks, those of them that are not shared, and the most clicks of one that is not shared."""
    table, codes, firsts, counts = work
    many = dense_codes(gathered.keys, MISSING_KEY, table, codes, firsts)
    shared = np.zeros(many, np.bool_)
    for window in range(windows.starts.shape[0]):
        first, last = first_at(gathered.time, windows.starts[window]), first_at(gathered.time, windows.ends[window])
        for number in range(many):
            row = position_of(verdicts.table, firsts[number])
            shared[number] = row >= 0 and verdicts.shared[row, window]
        whole, rows, begins = entities_of(gathered.sub, first, last, windows.least[window] >= 0)
        for group in range(-1, begins.shape[0] - 1):
            own = whole if group < 0 else rows[begins[group] : begins[group + 1]]
            distinct, known, told, top = _weigh(own, codes, gathered.clicks, shared, counts)
            entity = found[base[window] + group + 1]
            entity[0], entity[1], entity[2], entity[3] = entity[0] + distinct, entity[1] + known, entity[2] + told, max(entity[3], top)


@compiled
def hours_of_others(sub: Codes, time: Integers, windows: Windows, spans: Spans, hours: NDArray[np.float64]) -> None:
    """Adds the hours of small sub-IDs, all of whose clicks these are, in the order of time, to those of the others in each window."""
    for window in range(windows.starts.shape[0]):
        first, last = first_at(time, windows.starts[window]), first_at(time, windows.ends[window])
        if windows.least[window] > 0 and first < last:
            others = np.empty(last - first, np.int64)
            count_others(by_sub(sub, first, last), windows.least[window], time, others, hours[spans.base[window] + 1 + spans.kept])


@compiled
def close_entities(spans: Spans, carried: Carried) -> None:
    """Ends what was carried from slice to slice."""
    for entity in range(spans.clicks.shape[0]):
        clicks = spans.clicks[entity]
        if clicks:
            close_hours(clicks, carried.day[entity], carried.hours[entity])
            if pace_width(spans.first[entity], spans.last[entity], clicks):
                close_pace(clicks, carried.pace[entity], carried.tallies[entity])


@compiled
def close_pairs(agents: Integers, domains: Integers, tallies: NDArray[np.float64]) -> None:
    """Fills in the figures of agents and domains from their pairs, each once and in the order of the entities."""
    begin, values = 0, np.empty(agents.shape[0])
    while begin < agents.shape[0]:
        end, known = begin, 0
        while end < agents.shape[0] and agents[end, 0] == agents[begin, 0]:
            if agents[end, 1] >= 0:
                values[known] = agents[end, 2]
                known += 1
            end += 1
        agent_figures(values[:known], tallies[agents[begin, 0]])
        begin = end
    for row in range(domains.shape[0]):
        tallies[domains[row, 0], _AT + 8] += domains[row, 1] >= 0
