"""Who else belongs to a group: affiliates too small, or too well hidden, to share much with any one of its members.

What a group has is taken together: its own things, which at least two of its owners have and of whose owners they are at least half; and
the rare things that any one of them has. Strangers come across either as often as the program shows them to; somebody who has more of them
than even a niche would bring is one of the group, and what that one has counts from then on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy import sparse
from scipy.special import pdtrc

from models.arrays import BoolArray, FloatArray, IntArray, distinct
from models.graph.edges import IDENTITY_KINDS, OWNED_KINDS, SITE_KINDS, EntityTable
from models.graph.mixing import NICHE, SMALLEST_CHANCE
from models.graph.projection import BEYOND_CHANCE, DEGREE_MOST, RARITIES, held, usable

ROUNDS = 3
"""How often a group that has grown is asked who else belongs to it."""


@dataclass(frozen=True)
class _Sort:
    """Things of a group: at least so many of its `owners` have one, who are at least this `share` of all its owners, who are at most so
    `many`. It takes at least so `few` of them to draw somebody in."""

    owners: int
    share: float
    many: int
    few: int


_SORTS = (_Sort(owners=2, share=0.5, many=DEGREE_MOST, few=2), _Sort(owners=1, share=0.0, many=RARITIES[0], few=3))
"""A group's own things, one of which is a coincidence; and rare things of any of its members, of whom two may have a common reader."""


Exposure: TypeAlias = tuple[FloatArray, float]
"""How much everybody (affiliates,) could have met, in any measure of how much they did; and the same of all who are not in the table."""


def drawn_in(table: EntityTable, home: IntArray, exposure: Exposure | None = None) -> IntArray:
    """Everybody's group (affiliates,), -1 for none, with those who belong to one of them by what they have. `home` is who does so far.

    By default everybody is exposed by how many things they have, and everybody is in the table.
    """
    for _ in range(ROUNDS):
        grown = _grown(table, home, exposure)
        if np.array_equal(grown, home):
            break
        home = grown
    return home


def _grown(table: EntityTable, home: IntArray, exposure: Exposure | None) -> IntArray:
    """Everybody's group after one round of asking."""
    groups, place = np.unique(home, return_inverse=True)
    numbers = np.where(home >= 0, place - int((groups < 0).any()), -1)
    count = int((groups >= 0).sum())
    readers = ~table.of_kinds(IDENTITY_KINDS | OWNED_KINDS | SITE_KINDS) & usable(table)
    kinds = np.unique(table.kind[readers])
    if not count or not kinds.size:
        return home
    best, chosen = np.full(home.size, BEYOND_CHANCE), np.full(home.size, -1, dtype=np.int64)
    for kind in kinds.tolist():
        for sort in _SORTS:
            kept = readers & (table.kind == kind) & (table.degree <= sort.many)
            exposed = exposure or (held(table, ~table.masked & (table.kind == kind)), 0.0)
            evidence = _evidence(_things_had(table, (numbers, count), kept, sort), numbers, exposed, sort.few) - np.log10(
                kinds.size * len(_SORTS)
            )
            strongest = evidence.argmax(axis=1)
            value = evidence[np.arange(home.size), strongest]
            better = (home < 0) & (value > best)
            best, chosen = np.where(better, value, best), np.where(better, strongest, chosen)
    return np.where(chosen >= 0, groups[groups >= 0][chosen], home)


def _evidence(hits: FloatArray, group: IntArray, exposure: Exposure, few: int) -> FloatArray:
    """-log10 of the chance (affiliates, groups), among all pairs of both, that strangers have as many of a group's things."""
    size, elsewhere = exposure
    strangers = group < 0
    rate = NICHE * (hits[strangers].sum(axis=0) + 1.0) / max(float(size[strangers].sum()) + elsewhere, 1.0)
    p = np.asarray(pdtrc(np.maximum(hits, 1.0) - 1.0, np.outer(size, rate)), dtype=np.float64)
    evidence = -np.log10(np.maximum(p * max(hits.size, 1), SMALLEST_CHANCE))
    return np.where(hits >= few, evidence, 0.0)


def _things_had(table: EntityTable, groups: tuple[IntArray, int], chosen: BoolArray, sort: _Sort) -> FloatArray:
    """How many of each group's things among those chosen (entities,) everybody has (affiliates, groups).

    `groups`: that of everybody, and how many there are.
    """
    group, count = groups
    kept = chosen[table.entity]
    affiliate, entity = table.affiliate[kept], table.entity[kept]
    entities, column = np.unique(entity, return_inverse=True)
    inside = group[affiliate] >= 0
    owners = int(table.owner.max(initial=-1)) + 1
    members = distinct((group[affiliate[inside]] * entities.size + column[inside]) * owners + table.owner[affiliate[inside]]) // owners
    cells, held_by = np.unique(members, return_counts=True)
    own = (held_by >= sort.owners) & (held_by >= sort.share * table.degree[entities[cells % entities.size]])
    where = (cells[own] // entities.size, cells[own] % entities.size)
    things = sparse.csr_array((np.ones(where[0].size), where), shape=(count, entities.size))
    has = sparse.csr_array((np.ones(affiliate.size), (affiliate, column)), shape=(group.size, entities.size))
    return np.asarray((has @ things.T).todense(), dtype=np.float64)
