"""Who else belongs to a group: affiliates too small, or too well hidden, to share much with any one of its members.

A group's own things are those that at least two of its owners have, and of whose owners they are at least half. Strangers come across
such things as often as the program shows them to; somebody who has more of them than even a niche would bring is one of the group.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.special import pdtrc

from models.arrays import BoolArray, FloatArray, IntArray, distinct
from models.graph.edges import IDENTITY_KINDS, OWNED_KINDS, SITE_KINDS, EntityTable
from models.graph.mixing import NICHE, SMALLEST_CHANCE
from models.graph.projection import BEYOND_CHANCE, held, usable

OWN_SHARE = 0.5
"""An entity is a group's own when at least this share of its owners belong to it."""
FEWEST_OWN = 2
"""Things of the group's own that draw somebody in; one is a coincidence."""


def drawn_in(table: EntityTable, home: IntArray) -> IntArray:
    """Everybody's group (affiliates,), -1 for none, with those who belong to one of them by what they have. `home` is who does so far."""
    groups, place = np.unique(home, return_inverse=True)
    numbers = np.where(home >= 0, place - int((groups < 0).any()), -1)
    count = int((groups >= 0).sum())
    readers = ~table.of_kinds(IDENTITY_KINDS | OWNED_KINDS | SITE_KINDS) & usable(table)
    kinds = np.unique(table.kind[readers])
    if not count or not kinds.size:
        return home
    best, chosen = np.full(home.size, BEYOND_CHANCE), np.full(home.size, -1, dtype=np.int64)
    for kind in kinds.tolist():
        evidence = _evidence(table, numbers, count, readers & (table.kind == kind)) - np.log10(kinds.size)
        strongest = evidence.argmax(axis=1)
        value = evidence[np.arange(home.size), strongest]
        better = (home < 0) & (value > best)
        best, chosen = np.where(better, value, best), np.where(better, strongest, chosen)
    return np.where(chosen >= 0, groups[groups >= 0][chosen], home)


def _evidence(table: EntityTable, group: IntArray, count: int, chosen: BoolArray) -> FloatArray:
    """-log10 of the chance (affiliates, groups), among all pairs of both, that strangers have as many of a group's own things."""
    kept = chosen[table.entity]
    affiliate, entity = table.affiliate[kept], table.entity[kept]
    hits = _own_things(table, group, count, (affiliate, entity))
    size = held(table, ~table.masked & (table.kind == int(table.kind[np.argmax(chosen)])))
    strangers = group < 0
    rate = NICHE * (hits[strangers].sum(axis=0) + 1.0) / max(float(size[strangers].sum()), 1.0)
    p = np.asarray(pdtrc(np.maximum(hits, 1.0) - 1.0, np.outer(size, rate)), dtype=np.float64)
    evidence = -np.log10(np.maximum(p * max(group.size * count, 1), SMALLEST_CHANCE))
    return np.where(hits >= FEWEST_OWN, evidence, 0.0)


def _own_things(table: EntityTable, group: IntArray, count: int, pairs: tuple[IntArray, IntArray]) -> FloatArray:
    """How many of each group's own things everybody has (affiliates, groups)."""
    affiliate, entity = pairs
    entities, column = np.unique(entity, return_inverse=True)
    inside = group[affiliate] >= 0
    owners = int(table.owner.max(initial=-1)) + 1
    members = distinct((group[affiliate[inside]] * entities.size + column[inside]) * owners + table.owner[affiliate[inside]]) // owners
    cells, held_by = np.unique(members, return_counts=True)
    own = (held_by >= FEWEST_OWN) & (held_by >= OWN_SHARE * table.degree[entities[cells % entities.size]])
    where = (cells[own] // entities.size, cells[own] % entities.size)
    things = sparse.csr_array((np.ones(where[0].size), where), shape=(count, entities.size))
    has = sparse.csr_array((np.ones(affiliate.size), (affiliate, column)), shape=(group.size, entities.size))
    return np.asarray((has @ things.T).todense(), dtype=np.float64)
