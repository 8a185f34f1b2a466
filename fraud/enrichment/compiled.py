"""What the compiled kernels share: the decorator, and hash tables over 64-bit keys.

A table is open addressing over a power-of-two number of slots. `positions` look a key up; `dense_codes` number the distinct keys of a
stretch of rows in the order of their first appearance. Kernels hold no lock, so threads run them side by side, and their machine code is
kept on disk where a folder can be written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., object])

A = TypeVar("A", bound=NDArray[Any])

Integers = NDArray[np.int64]
Codes = NDArray[np.int32]
Key: TypeAlias = "int | np.int64"
"""Sixty-four bits; arithmetic on them wraps."""

_GOLDEN = -7046029254386353131  # 2**64 over the golden ratio, as a signed number
_LOW = 0xFFFFFFFF
_RUN = 16
"""Rows that are put in order by inserting, where that is quicker than merging."""


def compiled(function: F) -> F:
    """The function as machine code; without the disk cache where neither the package nor the user's folder can be written."""
    try:
        return cast(F, numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:
        return cast(F, numba.njit(nogil=True)(function))


class KeyTable(NamedTuple):
    """A fixed table from 64-bit keys to positions: `keys` and `values` have one slot each, a free slot's value is -1."""

    keys: Integers
    values: Integers


class Scratch(NamedTuple):
    """A table that is used again and again: a slot is taken when its `stamp` is the current generation, kept in `generation[0]`."""

    keys: Integers
    codes: Codes
    stamps: Codes
    generation: Codes


@compiled
def mixed(key: Key) -> int:
    """A key with its bits spread, so that its low bits choose a slot."""
    spread = key * _GOLDEN
    return spread ^ ((spread >> 32) & _LOW)  # type: ignore[return-value]  # an int to numba, whatever came in


@compiled
def joined(left: Key, right: Key) -> int:
    """One 64-bit key for a pair of keys."""
    return mixed(left) * 31 + mixed(right ^ 0x5BD1E995)


@compiled
def slots_for(rows: int) -> int:
    """The number of slots that keeps a table of so many rows at most half full."""
    slots = 16
    while slots < 2 * rows:
        slots *= 2
    return slots


def scratch(rows: int) -> Scratch:
    """A reusable table for stretches of up to so many rows."""
    slots = int(slots_for(rows))
    return Scratch(np.empty(slots, np.int64), np.empty(slots, np.int32), np.zeros(slots, np.int32), np.zeros(1, np.int32))


@compiled
def _filled(keys: Integers, slot_keys: Integers, slot_values: Integers) -> None:
    mask = slot_keys.shape[0] - 1
    for position in range(keys.shape[0]):
        slot = mixed(keys[position]) & mask
        while slot_values[slot] >= 0 and slot_keys[slot] != keys[position]:
            slot = (slot + 1) & mask
        if slot_values[slot] < 0:
            slot_keys[slot] = keys[position]
            slot_values[slot] = position


def key_table(keys: Integers) -> KeyTable:
    """A table from each key to its (first) position in `keys`."""
    slots = int(slots_for(len(keys)))
    table = KeyTable(np.zeros(slots, np.int64), np.full(slots, -1, np.int64))
    _filled(np.ascontiguousarray(keys, np.int64), table.keys, table.values)
    return table


@compiled
def position_of(table: KeyTable, key: Key) -> int:
    """The position of a key, -1 when the table does not hold it."""
    mask = table.keys.shape[0] - 1
    slot = mixed(key) & mask
    while table.values[slot] >= 0:
        if table.keys[slot] == key:
            return int(table.values[slot])
        slot = (slot + 1) & mask
    return -1


@compiled
def positions(table: KeyTable, keys: Integers) -> Codes:
    """The position of every key, -1 for those that the table does not hold; runs of one key are looked up once."""
    found = np.empty(keys.shape[0], np.int32)
    last_key, last = 0, -1
    for row in range(keys.shape[0]):
        if row == 0 or keys[row] != last_key:
            last_key = keys[row]
            last = position_of(table, last_key)
        found[row] = last
    return found


@compiled
def dense_codes(keys: Integers, missing: int, table: Scratch, codes: Codes, firsts: Integers) -> int:
    """Numbers distinct keys 0, 1, … by first appearance into `codes`, -1 for `missing`; `firsts[code]` is the code's key; how many."""
    table.generation[0] += 1
    generation = table.generation[0]
    mask = slots_for(keys.shape[0]) - 1
    count = 0
    for row in range(keys.shape[0]):
        key = keys[row]
        if key == missing:
            codes[row] = -1
            continue
        slot = mixed(key) & mask
        while table.stamps[slot] == generation and table.keys[slot] != key:
            slot = (slot + 1) & mask
        if table.stamps[slot] != generation:
            table.stamps[slot] = generation
            table.keys[slot] = key
            table.codes[slot] = count
            firsts[count] = key
            count += 1
        codes[row] = table.codes[slot]
    return count


@compiled
def first_at(ascending: Integers, value: Key) -> int:
    """The first place whose number is at least the value; the length when none is."""
    low, high = 0, ascending.shape[0]
    while low < high:
        middle = (low + high) // 2
        if ascending[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def room(array: A, needed: int) -> A:
    """The array, or a copy at least twice as long when it holds fewer than `needed` rows (numbers of any type, one or two dimensions)."""
    if array.shape[0] >= needed:
        return array
    larger = np.empty((max(needed, 2 * array.shape[0]), *array.shape[1:]), array.dtype)
    old, new = array.reshape(-1), larger.reshape(-1)
    for place in range(old.shape[0]):  # one by one: to assign a slice, numba compiles the texts of its errors as well, for seconds
        new[place] = old[place]
    return larger  # type: ignore[return-value]  # of the same type, one array longer than the other


@compiled
def order_by(group: Codes, groups: int, time: Integers, tie: Codes) -> tuple[Integers, Integers]:
    """Rows in the order of (group, time, tie), and where each group begins (groups + 1). Already sorted groups cost one look."""
    begins, place = np.zeros(groups + 1, np.int64), np.zeros(groups, np.int64)
    for row in range(group.shape[0]):
        begins[group[row] + 1] += 1
    for number in range(groups):
        begins[number + 1] += begins[number]
        place[number] = begins[number]
    order = np.empty(group.shape[0], np.int64)
    for row in range(group.shape[0]):
        order[place[group[row]]] = row
        place[group[row]] += 1
    spare = np.empty(0, np.int64)
    for number in range(groups):
        own = order[begins[number] : begins[number + 1]]
        if not _in_order(own, time, tie):
            spare = room(spare, own.shape[0])
            _sort_rows(own, time, tie, spare)
    return order, begins


@compiled
def _later(one: int, other: int, time: Integers, tie: Codes) -> bool:
    """Whether a row comes after another."""
    return bool(time[one] > time[other] or (time[one] == time[other] and tie[one] > tie[other]))


@compiled
def _in_order(order: Integers, time: Integers, tie: Codes) -> bool:
    place = 1
    while place < order.shape[0] and not _later(order[place - 1], order[place], time, tie):
        place += 1
    return bool(place >= order.shape[0])


@compiled
def _sort_rows(order: Integers, time: Integers, tie: Codes, spare: Integers) -> None:
    """A merge sort that leaves equal rows as they are: rows are inserted into short runs, and runs merged that do not follow each other.

    Written out, because numpy's sorts compile for seconds, once for each type.
    """
    rows = order.shape[0]
    for place in range(rows):
        row, at = order[place], place
        while at % _RUN > 0 and _later(order[at - 1], row, time, tie):
            order[at] = order[at - 1]
            at -= 1
        order[at] = row
    width = _RUN
    while width < rows:
        for low in range(0, rows - width, 2 * width):
            if _later(order[low + width - 1], order[low + width], time, tie):
                _merge(order[low : min(low + 2 * width, rows)], width, time, tie, spare)
        width *= 2


@compiled
def _merge(order: Integers, width: int, time: Integers, tie: Codes, spare: Integers) -> None:
    """Merges the first `width` rows, a run, with the others, another; `spare` has room for the first."""
    for place in range(width):
        spare[place] = order[place]
    left, right, at = 0, width, 0
    while left < width:
        if right < order.shape[0] and _later(spare[left], order[right], time, tie):
            order[at] = order[right]
            right += 1
        else:
            order[at] = spare[left]
            left += 1
        at += 1


def reorder(columns: list[NDArray[Any]], order: Integers) -> None:
    """Brings columns into an order, one after the other; nothing is copied where they have it already."""
    if len(order) == len(columns[0]) and (order[1:] > order[:-1]).all():
        return
    for number, column in enumerate(columns):
        columns[number] = np.asarray(column)[order]
        del column


__all__ = [
    "Codes",
    "Integers",
    "KeyTable",
    "Scratch",
    "compiled",
    "dense_codes",
    "first_at",
    "joined",
    "key_table",
    "mixed",
    "order_by",
    "position_of",
    "positions",
    "reorder",
    "room",
    "scratch",
    "slots_for",
]
