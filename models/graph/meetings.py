"""Who meets whom at what: the projection's product of a sparse matrix with its transpose, for all kinds of entity at once, on every core.

The inner loop is `models.meeting_kernels`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from models.arrays import FloatArray, IntArray
from models.compiling import threads
from models.meeting_kernels import MeetingTables, Part, by_entity, meetings_of

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
    owner, later = by_entity(met.affiliate, met.entity, begins)
    work = np.cumsum(later)
    strata = int(met.stratum.max(initial=0)) + 1
    tables = MeetingTables(starts, met.entity, begins, owner, met.stratum, met.weight, strata)
    parts = threads(-1) if work.size and work[-1] > _WORTH_A_THREAD else 1
    wanted = np.linspace(0, work[-1] if work.size else 0, parts + 1)[1:-1]
    bounds = [0, *(int(met.affiliate[np.searchsorted(work, one)]) for one in wanted), met.affiliates]
    with ThreadPoolExecutor(parts) as pool:
        done = list(pool.map(lambda part: _trimmed(meetings_of(part[0], part[1], tables)), pairwise(bounds)))
    return _joined(met.affiliates, bounds, done)


def _trimmed(part: Part) -> Part:
    """The same without the room behind it, which is let go."""
    begun, right, weight, rows, stratum, shared = part
    return begun, right.copy(), weight.copy(), rows.copy(), stratum.copy(), shared.copy()


def _joined(affiliates: int, bounds: list[int], done: list[Part]) -> Meetings:
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
