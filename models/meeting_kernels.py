"""Who meets whom at what, in compiled code: one affiliate at a time, so that memory follows the pairs that meet.

Half of Gustavson's product of a sparse matrix with its transpose; `models.graph.meetings` says what is asked and puts the answers together.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.arrays import BoolArray, FloatArray, IntArray
from models.compiling import compiled, sort_values


class MeetingTables(NamedTuple):
    """Both directions: where the entities (pairs,) of each affiliate begin, where the owners (pairs,) of each entity do, ascending; the
    class and the weight of every entity, and how many classes there are."""

    starts: IntArray
    entity: IntArray
    begins: IntArray
    owner: NDArray[np.int32]
    stratum: IntArray
    weight: FloatArray
    strata: int


class _Row(NamedTuple):
    """What one affiliate has in common with everybody (affiliates,): by class (affiliates, strata), in weight, at all; and with whom."""

    counts: NDArray[np.int32]
    weight: FloatArray
    seen: BoolArray
    others: NDArray[np.int32]


Part: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int32], FloatArray, NDArray[np.int32], NDArray[np.int16], NDArray[np.int32]]
"""Of some affiliates: how many pairs each begins; of the pairs `right`, `weight` and how many rows they have; `stratum` and `shared`."""


@compiled
def by_entity(affiliate: IntArray, entity: IntArray, begins: IntArray) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The owners of every entity one after the other (pairs,), ascending; and of each pair how many owners its entity has after it."""
    filled = begins[:-1].copy()
    owner, later = np.empty(affiliate.size, np.int32), np.empty(affiliate.size, np.int32)
    for place in range(affiliate.size):
        thing = entity[place]
        owner[filled[thing]] = affiliate[place]
        filled[thing] += 1
        later[place] = begins[thing + 1] - filled[thing]
    return owner, later


@compiled
def meetings_of(first: int, last: int, tables: MeetingTables) -> Part:
    """The meetings of the affiliates `first` to `last` with those after them."""
    size, strata = tables.starts.size - 1, tables.strata
    row = _Row(np.zeros((size, strata), np.int32), np.zeros(size), np.zeros(size, np.bool_), np.empty(size, np.int32))
    begun = np.zeros(last - first, np.int64)
    right, weight, rows = np.empty(4_096, np.int32), np.empty(4_096), np.empty(4_096, np.int32)
    stratum, shared = np.empty(4_096, np.int16), np.empty(4_096, np.int32)
    pairs, filled = 0, 0
    for one in range(first, last):
        met = _meet(one, tables, row)
        begun[one - first] = met
        if pairs + met > right.size:
            right, weight, rows = _longer(right, pairs + met), _longer(weight, pairs + met), _longer(rows, pairs + met)
        if filled + met * strata > shared.size:
            stratum, shared = _longer(stratum, filled + met * strata), _longer(shared, filled + met * strata)
        sort_values(row.others[:met])
        for place in range(met):
            other = row.others[place]
            right[pairs], weight[pairs] = other, row.weight[other]
            rows[pairs] = _told(row.counts[other], stratum[filled:], shared[filled:])
            filled += rows[pairs]
            row.weight[other], row.seen[other] = 0.0, False
            pairs += 1
    return begun, right[:pairs], weight[:pairs], rows[:pairs], stratum[:filled], shared[:filled]


@compiled
def _meet(one: int, tables: MeetingTables, row: _Row) -> int:
    """Fills the row of one affiliate with those after it that have an entity of its own; how many they are."""
    met = 0
    for place in range(tables.starts[one], tables.starts[one + 1]):
        thing = tables.entity[place]
        stratum, weight = tables.stratum[thing], tables.weight[thing]
        for spot in range(tables.begins[thing + 1] - 1, tables.begins[thing] - 1, -1):
            other = tables.owner[spot]
            if other <= one:
                break
            if not row.seen[other]:
                row.seen[other] = True
                row.others[met] = other
                met += 1
            row.counts[other, stratum] += 1
            row.weight[other] += weight
    return met


@compiled
def _told(counts: NDArray[np.int32], stratum: NDArray[np.int16], shared: NDArray[np.int32]) -> int:
    """Writes the classes that were met at and how often, and empties the counts; how many they are."""
    filled = 0
    for one in range(counts.size):
        if counts[one]:
            stratum[filled], shared[filled] = one, counts[one]
            counts[one] = 0
            filled += 1
    return filled


@compiled
def _longer(values: np.ndarray, least: int) -> np.ndarray:
    """The values with room for at least so many, and for twice as many as before."""
    grown = np.empty(max(2 * values.size, least), values.dtype)
    for place in range(values.size):  # one by one: to assign a slice, numba compiles the texts of its errors as well, for seconds
        grown[place] = values[place]
    return grown
