"""From who-was-seen-with-what to which affiliates are alike: the projection of the bipartite graph on its affiliates.

Source: `detection.md` 5 and 0.8. The hub discount is that of resource allocation: a merely logarithmic one had AP .56 where this has .95.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy import sparse

from models.arrays import BoolArray, FloatArray, IntArray
from models.edges import IDENTITY_KINDS, OWNED_KINDS, STRONG_KINDS, EntityTable
from models.mixing import beyond_chance

Incidence: TypeAlias = "sparse.csr_array[np.float64]"

IDENTITY_WEIGHT, STRONG_WEIGHT, WEAK_WEIGHT = 100.0, 3.0, 1.0
"""What an entity of each tier is worth; identity is absolute, the others are divided by how many entities the two affiliates have."""
DEGREE_CAP, DEGREE_SHARE = 50, 0.02
"""An entity of more owners than 50 or 2% of them, whichever is more, is a hub and says nothing."""


@dataclass(frozen=True)
class Links:
    """Pairs of affiliates (pairs,) with different owners that share something.

    `left`, `right`: their numbers. `similarity`; `identity`: whether they share one. `shared`: entities in common, `owned` those that
    belong to an affiliate rather than to its readers. `beyond_chance`: whether they share more readers than chance gives them.
    """

    left: IntArray
    right: IntArray
    similarity: FloatArray
    identity: BoolArray
    shared: IntArray
    owned: IntArray
    beyond_chance: BoolArray

    def triples(self, chosen: BoolArray) -> Iterator[tuple[int, int, float]]:
        """The chosen pairs as left, right, similarity."""
        yield from zip(self.left[chosen].tolist(), self.right[chosen].tolist(), self.similarity[chosen].tolist(), strict=True)


def project(table: EntityTable) -> Links:
    """All pairs of affiliates with different owners that share a usable entity."""
    held = _incidence(table, usable(table))
    shared = sparse.triu(held @ held.T, k=1).tocoo()
    apart = table.owner[shared.row] != table.owner[shared.col]
    left, right = shared.row[apart].astype(np.int64), shared.col[apart].astype(np.int64)
    entities = _sizes(table, ~table.masked)
    soft = _between(held, _weights(table), left, right) / np.sqrt(entities[left] * entities[right])
    identities = _between(held, _of_kinds(table, IDENTITY_KINDS).astype(np.float64), left, right)
    owned = _between(held, _of_kinds(table, OWNED_KINDS).astype(np.float64), left, right)
    return Links(
        left=left,
        right=right,
        similarity=soft + IDENTITY_WEIGHT * identities,
        identity=identities > 0.0,
        shared=shared.data[apart].astype(np.int64),
        owned=owned.astype(np.int64),
        beyond_chance=_beyond_chance(table, held, left, right),
    )


def usable(table: EntityTable) -> BoolArray:
    """Entities (entities,) that link anybody: shared by at least two owners, no hub, not masked."""
    degree = _owner_degree(table)
    cap = max(DEGREE_CAP, int(DEGREE_SHARE * (table.owner.max(initial=-1) + 1)))
    return (degree >= 2) & (degree <= cap) & ~table.masked


def _owner_degree(table: EntityTable) -> IntArray:
    """Distinct owners of every entity (entities,)."""
    owners = int(table.owner.max(initial=-1)) + 1
    if owners == len(table.affiliates):  # nobody declared a group: every pair is an owner
        return np.bincount(table.entity, minlength=len(table.kind))
    pairs = np.unique(table.entity * owners + table.owner[table.affiliate])
    return np.bincount(pairs // owners, minlength=len(table.kind))


def _weights(table: EntityTable) -> FloatArray:
    """Resource-allocation weight of each entity (entities,): strong tier 3, weak 1; identities have none here, they are absolute."""
    degree = np.maximum(_owner_degree(table), 2).astype(np.float64)
    tier = np.where(_of_kinds(table, STRONG_KINDS), STRONG_WEIGHT, WEAK_WEIGHT)
    return np.where(_of_kinds(table, IDENTITY_KINDS), 0.0, tier / ((degree - 1.0) * np.log(degree + 3.0)))


def _of_kinds(table: EntityTable, kinds: frozenset[str]) -> BoolArray:
    """Which entities (entities,) are of these kinds."""
    return np.fromiter((kind in kinds for kind in table.kind), dtype=np.bool_, count=len(table.kind))


def _sizes(table: EntityTable, chosen: BoolArray) -> FloatArray:
    """How many of the chosen entities every affiliate has (affiliates,)."""
    return np.bincount(table.affiliate[chosen[table.entity]], minlength=len(table.affiliates)).astype(np.float64)


def _incidence(table: EntityTable, chosen: BoolArray) -> Incidence:
    """Affiliates by entities, 1 where the affiliate has the chosen entity."""
    kept = chosen[table.entity]
    cells = (np.ones(np.count_nonzero(kept)), (table.affiliate[kept], table.entity[kept]))
    return sparse.csr_array(cells, shape=(len(table.affiliates), len(table.kind)))


def _between(held: Incidence, weight: FloatArray, left: IntArray, right: IntArray) -> FloatArray:
    """The weight (pairs,) that the entities shared by each pair have together."""
    if left.size == 0 or not weight.any():
        return np.zeros(left.size)
    projected = sparse.csr_array((held @ sparse.diags_array(weight)) @ held.T)
    return np.asarray(projected[left, right], dtype=np.float64).ravel()


def _beyond_chance(table: EntityTable, held: Incidence, left: IntArray, right: IntArray) -> BoolArray:
    """Whether each pair shares more of one kind of reader's entity than chance gives it.

    Only the kind they share most of counts: one person brings a device, an address and a customer, and is one meeting.
    """
    readers = ~table.masked & ~_of_kinds(table, IDENTITY_KINDS | OWNED_KINDS)
    kinds = np.array(table.kind, dtype=object)
    meetings = np.zeros(left.size)
    for kind in sorted(set(kinds[readers].tolist())):
        meetings = np.maximum(meetings, _between(held, (readers & (kinds == kind)).astype(np.float64), left, right))
    size = _sizes(table, readers)
    return beyond_chance(meetings, size[left], size[right], size)
