"""Who meets whom at what: the inner loop of the projection, one affiliate at a time, so that memory follows the pairs that meet.

Gustavson's product of a sparse matrix with its transpose, of which only the half above the diagonal is formed, for all kinds of entity at
once. Machine code, on every core.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.arrays import BoolArray, FloatArray, IntArray
from models.compiling import compiled, threads

_WORTH_A_THREAD = 2_000_000
"""Meetings below which one thread does it."""


@dataclass(frozen=True)
class Meetings:
    """Pairs (pairs,) of affiliates that have an entity in common, sorted by `left` and then `right`, left below right.

    `weight` (pairs,): the sum of their common entities' weights. What they share by class of entity is one row for each pair and class:
    `pair` (rows,) ascending, `stratum` (rows,) the class, `shared` (rows,) how many.
    """

    left: IntArray
    right: IntArray
    weight: FloatArray
    pair: IntArray
    stratum: IntArray
    shared: IntArray


@dataclass(frozen=True)
class Incidence:
    """Who has what: pairs (pairs,) sorted by `affiliate` and then `entity`, numbers from 0 to `affiliates` and to the entities; a class
    `stratum` and a `weight` of every entity (entities,)."""

    affiliate: IntArray
    entity: IntArray
    affiliates: int
    stratum: IntArray
    weight: FloatArray


def meetings(met: Incidence) -> Meetings:
    """All pairs of affiliates that have an entity in common."""
    starts, begins = _starts(met.affiliate, met.affiliates), _starts(met.entity, met.stratum.size)
    owner, later = _by_entity(met.affiliate, met.entity, begins)
    work = np.cumsum(later)
    strata = int(met.stratum.max(initial=0)) + 1
    tables = _Tables(starts, met.entity, begins, owner, met.stratum, met.weight, strata)
    parts = threads(-1) if work.size and work[-1] > _WORTH_A_THREAD else 1
    wanted = np.linspace(0, work[-1] if work.size else 0, parts + 1)[1:-1]
    bounds = [0, *(int(met.affiliate[np.searchsorted(work, one)]) for one in wanted), met.affiliates]
    with ThreadPoolExecutor(parts) as pool:
        done = list(pool.map(lambda part: _meetings_of(part[0], part[1], tables), pairwise(bounds)))
    return _joined(met.affiliates, bounds, done)


class _Tables(NamedTuple):
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


_Part: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int32], FloatArray, NDArray[np.int32], NDArray[np.int16], NDArray[np.int32]]
"""Of some affiliates: how many pairs each begins; of the pairs `right`, `weight` and how many rows they have; `stratum` and `shared`."""


def _joined(affiliates: int, bounds: list[int], done: list[_Part]) -> Meetings:
    begun, right, weight, rows, stratum, shared = (np.concatenate([part[place] for part in done]) for place in range(6))
    return Meetings(
        left=np.repeat(np.arange(affiliates), begun),
        right=right.astype(np.int64),
        weight=weight,
        pair=np.repeat(np.arange(right.size), rows),
        stratum=stratum.astype(np.int64),
        shared=shared.astype(np.int64),
    )


def _starts(numbers: IntArray, size: int) -> IntArray:
    """Where the rows of every number begin (size + 1,), once they are sorted."""
    return np.concatenate([[0], np.cumsum(np.bincount(numbers, minlength=size))]).astype(np.int64)


@compiled
def _by_entity(affiliate: IntArray, entity: IntArray, begins: IntArray) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
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
def _meetings_of(first: int, last: int, tables: _Tables) -> _Part:
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
        for other in np.sort(row.others[:met]):
            right[pairs], weight[pairs] = other, row.weight[other]
            rows[pairs] = _told(row.counts[other], stratum[filled:], shared[filled:])
            filled += rows[pairs]
            row.weight[other], row.seen[other] = 0.0, False
            pairs += 1
    return begun, right[:pairs].copy(), weight[:pairs].copy(), rows[:pairs].copy(), stratum[:filled].copy(), shared[:filled].copy()


@compiled
def _meet(one: int, tables: _Tables, row: _Row) -> int:
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
    grown[: values.size] = values
    return grown
