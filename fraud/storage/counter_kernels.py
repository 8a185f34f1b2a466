"""The inside of the counters in compiled code: hashed keys, their buckets in linked lists, the key touched longest ago let go.

Everything lies in four flat arrays (`Tables`), so that one call counts an event and answers all its questions, and a checkpoint is a copy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from models.compiling import compiled, prefetch, unowned

Integers = NDArray[np.int64]
Whole = Any
"""A whole number as compiled code has it: numpy's types would call it another one at every step."""
F = TypeVar("F", bound=Callable[..., object])

COUNT, DISTINCT, GAP = 0, 1, 2
"""The kinds of question, as numbers."""

NOTHING = -1
_NO_FLOOR = -(2**62)
_SECOND = 1_000_000.0
_SCRATCH = 8192
_MORE = 4096
_NODES_OF_A_KEY = 4

# Columns of `slots`, one row a key, and of `nodes`, one row a bucket, a time or a member. What was worked out of a bucket's window lately
# stands under `_SAID`, until an event comes late for one of the window's buckets.
_KEY, _HEAD, _SIZE, _FLOOR, _OLDER, _NEWER, _CHAIN = range(7)
_PLACE, _TALLY, _NEXT, _SAID = range(4)

# Places in `meta`.
KEYS, _FREE_SLOT, _SLOTS_USED, _FREE_NODE, _NODES_USED, _OLDEST, _NEWEST, TOO_LATE, FORGOTTEN, _SEED, MEMBERS, TIMES, MOST_KEYS, _STAMP = (
    range(14)
)
_META = 16


class Tables(NamedTuple):
    """All that is kept: `slots` (keys, 7), `nodes` (entries, 4), `buckets` (a power of two), `meta` (16) and scratch for unions."""

    slots: Integers
    nodes: Integers
    buckets: Integers
    meta: Integers
    scratch: Integers


def inlined(function: F) -> F:
    """The function as machine code within each that calls it."""
    try:
        return cast(F, numba.njit(cache=True, nogil=True, inline="always")(function))
    except RuntimeError:
        return cast(F, numba.njit(nogil=True, inline="always")(function))


def empty_tables(seed: int, members: int, times: int, keys: int) -> Tables:
    """Tables that hold nothing; `seed` scatters keys so that nobody can choose ones that collide."""
    meta = np.zeros(_META, np.int64)
    meta[[_FREE_SLOT, _FREE_NODE, _OLDEST, _NEWEST]] = NOTHING
    meta[[_SEED, MEMBERS, TIMES, MOST_KEYS]] = (seed, members, times, keys)
    scratch = np.zeros((_SCRATCH, 2), np.int64)
    return Tables(np.zeros((1024, 7), np.int64), np.zeros((4096, 4), np.int64), np.full(2048, NOTHING, np.int64), meta, scratch)


def with_room(tables: Tables, questions: int, keys: int = 0) -> Tables:
    """The same tables, grown if another event with so many questions, or so many `keys` in all, might not fit."""
    slots, nodes, buckets, meta, scratch = tables
    needed = max(meta[_SLOTS_USED], keys) + questions
    if needed > len(slots):
        slots = np.concatenate([slots, np.zeros((max(len(slots), needed - len(slots)), slots.shape[1]), np.int64)])
        buckets = np.full(1 << (2 * len(slots) - 1).bit_length(), NOTHING, np.int64)
        _hash_again(slots, buckets, meta)
    needed = max(meta[_NODES_USED], _NODES_OF_A_KEY * keys) + 2 * questions
    if needed > len(nodes):
        nodes = np.concatenate([nodes, np.zeros((max(len(nodes), needed - len(nodes)), nodes.shape[1]), np.int64)])
    return Tables(slots, nodes, buckets, meta, scratch)


def room_for(tables: Tables) -> tuple[Integers, Integers]:
    """Memory for a copy of slots and nodes in use and of some more, every page of it taken."""
    lengths = tables.meta[_SLOTS_USED], tables.meta[_NODES_USED]
    taken = [np.zeros((int(length) + _MORE, table.shape[1]), np.int64) for length, table in zip(lengths, tables[:2], strict=True)]
    for table in taken:
        table.fill(0)  # zeros alone are pages to come
    return taken[0], taken[1]


def used(tables: Tables, room: tuple[Integers, Integers]) -> tuple[Integers, Integers, Integers]:
    """Copies of slots, nodes and meta, of what is in use: buckets follow from the keys. They stand in the `room` if it suffices."""
    lengths = int(tables.meta[_SLOTS_USED]), int(tables.meta[_NODES_USED])
    slots, nodes = (
        _copied(table[:length], place) for table, length, place in zip((tables.slots, tables.nodes), lengths, room, strict=True)
    )
    return slots, nodes, tables.meta.copy()


def _copied(table: Integers, room: Integers) -> Integers:
    if len(table) > len(room):
        return table.copy()
    np.copyto(room[: len(table)], table)
    return room[: len(table)]


def grown(slots: Integers, nodes: Integers, meta: Integers) -> Tables:
    """Tables from such copies, ready for more."""
    buckets = np.full(1 << max(2 * len(slots), 2048).bit_length(), NOTHING, np.int64)
    _hash_again(slots, buckets, meta)
    return Tables(slots, nodes, buckets, meta, np.zeros((_SCRATCH, 2), np.int64))


@compiled
def observe_each(
    tables: Any, plan: Integers, keys: NDArray[np.uint64], at: Integers, rows: tuple[int, int, int], answers: NDArray[np.float64]
) -> Whole:
    """Counts events in order and fills `answers` (events, questions), until the tables are too full; how many, negative then.

    `plan` (questions, 4): kind, width of a bucket (µs), buckets of a window, window (µs). `keys` (events, questions, 2): key and member.
    `at` (events,): times (µs). `rows`: the event to begin with, how many there are, and how many questions another one may have.
    """
    first, count, room = rows
    slots, nodes, buckets, meta, scratch = tables
    own = Tables(unowned(slots), unowned(nodes), unowned(buckets), unowned(meta), unowned(scratch))
    for event in range(first, count):
        _look_ahead(own, keys, event)
        _observe(own, plan, unowned(keys[event]), at[event], unowned(answers[event]))
        while meta[KEYS] > meta[MOST_KEYS]:
            _forget(own.slots, own.nodes, own.buckets, own.meta)
        if meta[_SLOTS_USED] + room > len(slots) or meta[_NODES_USED] + 2 * room > len(nodes):
            return -event - 1
    return count


@inlined
def _observe(tables: Any, plan: Integers, keys: NDArray[np.uint64], at: Whole, answers: NDArray[np.float64]) -> None:
    """Counts one event and fills `answers` (questions,)."""
    slots, nodes, buckets, meta, _ = tables
    for place in range(len(plan)):
        answers[place] = np.nan
        if keys[place, 0] != np.uint64(0):
            slot = _touch(slots, buckets, meta, np.int64(keys[place, 0]))
            kind, span = plan[place, 0], plan[place, 2]
            if kind == GAP:
                answers[place] = _gap(slots, nodes, meta, slot, at, plan[place, 3])
            else:
                bucket = at // plan[place, 1]
                if kind == COUNT:
                    answers[place] = _count(tables, slot, bucket, span)
                else:
                    answers[place] = _distinct(tables, slot, bucket, span, np.int64(keys[place, 1]))


@inlined
def _look_ahead(tables: Any, keys: NDArray[np.uint64], event: Whole) -> None:
    """Asks for the memory that the next events will need, a step earlier for each step of its finding: most of their keys are new or old,
    and a key's place is anywhere. Waiting for it is half of what an event costs otherwise."""
    slots, nodes, buckets, meta, _ = tables
    for ahead in range(1, min(4, len(keys) - event)):
        for place in range(keys.shape[1]):
            key = np.int64(keys[event + ahead, place, 0])
            home = _home(key, meta[_SEED], len(buckets))
            if ahead == 3:
                prefetch(buckets, home)
            elif buckets[home] != NOTHING:
                if ahead == 2:
                    prefetch(slots, buckets[home])
                elif slots[buckets[home], _HEAD] != NOTHING:
                    prefetch(nodes, slots[buckets[home], _HEAD])


@inlined
def _home(key: Whole, seed: Whole, size: Whole) -> Whole:
    mixed = np.uint64(key) ^ np.uint64(seed)
    mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return np.int64((mixed ^ (mixed >> np.uint64(33))) & np.uint64(size - 1))


@compiled
def _hash_again(slots: Integers, buckets: Integers, meta: Integers) -> None:
    slot = meta[_OLDEST]
    while slot != NOTHING:
        home = _home(slots[slot, _KEY], meta[_SEED], len(buckets))
        slots[slot, _CHAIN] = buckets[home]
        buckets[home] = slot
        slot = slots[slot, _NEWER]


@inlined
def _touch(slots: Integers, buckets: Integers, meta: Integers, key: Whole) -> Whole:
    """The key's slot, made when there is none, and now the newest."""
    home = _home(key, meta[_SEED], len(buckets))
    slot = buckets[home]
    while slot != NOTHING and slots[slot, _KEY] != key:
        slot = slots[slot, _CHAIN]
    if slot == NOTHING:
        slot = _new_slot(slots, meta)
        slots[slot, _KEY], slots[slot, _HEAD], slots[slot, _SIZE], slots[slot, _FLOOR] = key, NOTHING, 0, _NO_FLOOR
        slots[slot, _CHAIN] = buckets[home]
        buckets[home] = slot
        meta[KEYS] += 1
    elif meta[_NEWEST] == slot:
        return slot
    else:
        _unlink(slots, meta, slot)
    slots[slot, _OLDER], slots[slot, _NEWER] = meta[_NEWEST], NOTHING
    if meta[_NEWEST] != NOTHING:
        slots[meta[_NEWEST], _NEWER] = slot
    else:
        meta[_OLDEST] = slot
    meta[_NEWEST] = slot
    return slot


@inlined
def _unlink(slots: Integers, meta: Integers, slot: Whole) -> None:
    older, newer = slots[slot, _OLDER], slots[slot, _NEWER]
    if older != NOTHING:
        slots[older, _NEWER] = newer
    else:
        meta[_OLDEST] = newer
    if newer != NOTHING:
        slots[newer, _OLDER] = older
    else:
        meta[_NEWEST] = older


@inlined
def _new_slot(slots: Integers, meta: Integers) -> Whole:
    slot = meta[_FREE_SLOT]
    if slot != NOTHING:
        meta[_FREE_SLOT] = slots[slot, _CHAIN]
        return slot
    meta[_SLOTS_USED] += 1
    return meta[_SLOTS_USED] - 1


@inlined
def _new_node(nodes: Integers, meta: Integers, place: Whole, tally: Whole, following: Whole) -> Whole:
    node = meta[_FREE_NODE]
    if node != NOTHING:
        meta[_FREE_NODE] = nodes[node, _NEXT]
    else:
        node = meta[_NODES_USED]
        meta[_NODES_USED] += 1
    nodes[node, _PLACE], nodes[node, _TALLY], nodes[node, _NEXT], nodes[node, _SAID] = place, tally, following, NOTHING
    return node


@inlined
def _free_list(nodes: Integers, meta: Integers, head: Whole) -> None:
    while head != NOTHING:
        following = nodes[head, _NEXT]
        nodes[head, _NEXT] = meta[_FREE_NODE]
        meta[_FREE_NODE] = head
        head = following


@inlined
def _look_ahead_of_forgetting(slots: Integers, nodes: Integers, buckets: Integers, meta: Integers) -> None:
    """The same for keys that will be forgotten soon: most stand in the order in which they came."""
    slot = meta[_OLDEST] + 16
    if slot + 16 < len(slots):
        prefetch(slots, slot + 16)
        prefetch(buckets, _home(slots[slot, _KEY], meta[_SEED], len(buckets)))
        if slots[slot, _HEAD] != NOTHING:
            prefetch(nodes, slots[slot, _HEAD])


@inlined
def _forget(slots: Integers, nodes: Integers, buckets: Integers, meta: Integers) -> None:
    """Lets the key go that was touched longest ago, with all that hangs on it."""
    slot = meta[_OLDEST]
    _look_ahead_of_forgetting(slots, nodes, buckets, meta)
    _unlink(slots, meta, slot)
    home = _home(slots[slot, _KEY], meta[_SEED], len(buckets))
    if buckets[home] == slot:
        buckets[home] = slots[slot, _CHAIN]
    else:
        before = buckets[home]
        while slots[before, _CHAIN] != slot:
            before = slots[before, _CHAIN]
        slots[before, _CHAIN] = slots[slot, _CHAIN]
    node = slots[slot, _HEAD]
    while node != NOTHING:
        if nodes[node, _TALLY] < NOTHING:
            _free_list(nodes, meta, -nodes[node, _TALLY] - 2)
        node = nodes[node, _NEXT]
    _free_list(nodes, meta, slots[slot, _HEAD])
    slots[slot, _CHAIN] = meta[_FREE_SLOT]
    meta[_FREE_SLOT] = slot
    meta[KEYS] -= 1
    meta[FORGOTTEN] += 1


@inlined
def _open(tables: Any, slot: Whole, bucket: Whole, span: Whole, empty: Whole) -> Whole:
    """The bucket's node, made when there is none; `NOTHING` when the bucket is so old that it was dropped. Newest buckets come first; what
    was said of those whose window of `span` buckets has this one in it no longer holds. Twice as many are kept."""
    slots, nodes, _, meta, _ = tables
    if bucket < slots[slot, _FLOOR]:
        meta[TOO_LATE] += 1
        return NOTHING
    before, node = NOTHING, slots[slot, _HEAD]
    while node != NOTHING and nodes[node, _PLACE] > bucket:
        if nodes[node, _PLACE] < bucket + span:
            nodes[node, _SAID] = NOTHING
        before, node = node, nodes[node, _NEXT]
    if node != NOTHING and nodes[node, _PLACE] == bucket:
        return node
    made = _new_node(nodes, meta, bucket, empty, node)
    if before == NOTHING:
        slots[slot, _HEAD] = made
    else:
        nodes[before, _NEXT] = made
    slots[slot, _SIZE] += 1
    if slots[slot, _SIZE] <= 2 * span:
        return made
    return _drop_oldest(slots, nodes, meta, slot, made)


@compiled
def _drop_oldest(slots: Integers, nodes: Integers, meta: Integers, slot: Whole, made: Whole) -> Whole:
    before, last = NOTHING, slots[slot, _HEAD]
    while nodes[last, _NEXT] != NOTHING:
        before, last = last, nodes[last, _NEXT]
    slots[slot, _FLOOR] = nodes[last, _PLACE] + 1
    nodes[before, _NEXT] = NOTHING
    slots[slot, _SIZE] -= 1
    if nodes[last, _TALLY] < NOTHING:
        _free_list(nodes, meta, -nodes[last, _TALLY] - 2)
    _free_list(nodes, meta, last)
    if last == made:
        meta[TOO_LATE] += 1
        return NOTHING
    return made


@inlined
def _count(tables: Any, slot: Whole, bucket: Whole, span: Whole) -> float:
    slots, nodes, _, _, _ = tables
    opened = _open(tables, slot, bucket, span, 0)
    if opened == NOTHING:
        return np.nan
    nodes[opened, _TALLY] += 1
    if bucket - span + 1 < slots[slot, _FLOOR]:
        return np.nan
    if nodes[opened, _SAID] == NOTHING:
        older, node = 0, nodes[opened, _NEXT]
        while node != NOTHING and nodes[node, _PLACE] > bucket - span:
            older += nodes[node, _TALLY]
            node = nodes[node, _NEXT]
        nodes[opened, _SAID] = older
    return float(nodes[opened, _SAID] + nodes[opened, _TALLY])


@inlined
def _distinct(tables: Any, slot: Whole, bucket: Whole, span: Whole, member: Whole) -> float:
    """A bucket's members hang on its node: `-2 - head` of their list, or `NOTHING` while it has none."""
    slots, nodes, _, meta, scratch = tables
    opened = _open(tables, slot, bucket, span, NOTHING)
    if opened == NOTHING:
        return np.nan
    held, known = 0, False
    one = -nodes[opened, _TALLY] - 2 if nodes[opened, _TALLY] < NOTHING else NOTHING
    head = one
    while one != NOTHING:
        held += 1
        known = known or nodes[one, _PLACE] == member
        one = nodes[one, _NEXT]
    if not known and held < meta[MEMBERS]:
        nodes[opened, _TALLY], nodes[opened, _SAID] = -2 - _new_node(nodes, meta, member, 0, head), NOTHING
    if bucket - span + 1 < slots[slot, _FLOOR]:
        return np.nan
    if nodes[opened, _SAID] == NOTHING:
        meta[_STAMP] += 1
        nodes[opened, _SAID] = _union(nodes, scratch, meta[_STAMP], opened, bucket - span)
    return float(nodes[opened, _SAID])


@inlined
def _union(nodes: Integers, scratch: Integers, stamp: Whole, opened: Whole, after: Whole) -> Whole:
    """How many different members hang on this bucket and the older ones down to `after`."""
    total, node = 0, opened
    while node != NOTHING and nodes[node, _PLACE] > after:
        one = -nodes[node, _TALLY] - 2 if nodes[node, _TALLY] < NOTHING else NOTHING
        while one != NOTHING:
            member = nodes[one, _PLACE]
            place = _home(member, 0, len(scratch))
            while scratch[place, 1] == stamp and scratch[place, 0] != member:
                place = (place + 1) % len(scratch)
            if scratch[place, 1] != stamp:
                scratch[place, 0], scratch[place, 1] = member, stamp
                total += 1
            one = nodes[one, _NEXT]
        node = nodes[node, _NEXT]
    return total


@inlined
def _gap(slots: Integers, nodes: Integers, meta: Integers, slot: Whole, at: Whole, window: Whole) -> float:
    before, node = NOTHING, slots[slot, _HEAD]
    while node != NOTHING and nodes[node, _PLACE] > at:
        before, node = node, nodes[node, _NEXT]
    earlier = nodes[node, _PLACE] if node != NOTHING else at - window - 1
    made = _new_node(nodes, meta, at, 0, node)
    if before == NOTHING:
        slots[slot, _HEAD] = made
    else:
        nodes[before, _NEXT] = made
    slots[slot, _SIZE] += 1
    if slots[slot, _SIZE] > meta[TIMES]:
        last, prior = slots[slot, _HEAD], NOTHING
        while nodes[last, _NEXT] != NOTHING:
            prior, last = last, nodes[last, _NEXT]
        nodes[prior, _NEXT] = NOTHING
        slots[slot, _SIZE] -= 1
        _free_list(nodes, meta, last)
    return np.nan if at - earlier > window else (at - earlier) / _SECOND
