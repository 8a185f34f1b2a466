"""From who-was-seen-with-what to which affiliates are alike: the projection of the bipartite graph on its affiliates.

Source: `detection.md` 5 and 0.8. The hub discount is that of resource allocation: a merely logarithmic one had AP .56 where this has .95.
The pairs are products of sparse matrices, one for each kind of entity, a strip of affiliates at a time so that memory stays bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy import sparse

from models.arrays import BoolArray, FloatArray, IntArray
from models.graph.edges import IDENTITY_KINDS, OWNED_KINDS, SITE_KINDS, STRONG_KINDS, EntityTable
from models.graph.mixing import chance_evidence

Incidence: TypeAlias = "sparse.csr_array[np.complex128]"

IDENTITY_WEIGHT, STRONG_WEIGHT, WEAK_WEIGHT = 100.0, 3.0, 1.0
"""What an entity of each tier is worth; identity is absolute, the others are divided by how many entities the two affiliates have."""
DEGREE_CAP, DEGREE_SHARE, DEGREE_MOST = 50, 0.02, 200
"""An entity of more owners than 50 or 2% of them, whichever is more, is a hub and says nothing; nor does any of more than 200, each of
whose 19,900 pairs it would give a thousandth. The last keeps the work proportional to the edges however large the program."""
RARITIES = (4, 8, 16, 50)
"""Meetings are counted at entities of up to 4 owners, up to 8, 16, 50, and at all. Strangers meet at popular entities and a ring at rare
ones, so what chance gives is learnt for each count by itself: a handful of rare ones in common stands out beside many popular ones,
with which a ring hides."""
STRIP_PAIRS = 4_000_000
"""Products of one strip of affiliates: about 100 MB."""


@dataclass(frozen=True)
class Links:
    """Pairs of affiliates (pairs,) with different owners that share something, sorted.

    `left`, `right`: their numbers, left below right. `similarity`; `identity`: whether they share one. `shared`: entities in common,
    `owned` those that belong to an affiliate rather than to its readers. `chance`: -log10 of the probability that two strangers of this
    program share as many readers, for all its pairs together (0 where they share fewer than two).
    """

    left: IntArray
    right: IntArray
    similarity: FloatArray
    identity: BoolArray
    shared: IntArray
    owned: IntArray
    chance: FloatArray

    @property
    def beyond_chance(self) -> BoolArray:
        """Which pairs (pairs,) share more readers than chance gives one pair in a hundred programs."""
        return self.chance > BEYOND_CHANCE

    def chosen(self, rows: BoolArray) -> Links:
        """Some of the pairs."""
        return Links(
            left=self.left[rows],
            right=self.right[rows],
            similarity=self.similarity[rows],
            identity=self.identity[rows],
            shared=self.shared[rows],
            owned=self.owned[rows],
            chance=self.chance[rows],
        )

    def triples(self, chosen: BoolArray) -> Iterator[tuple[int, int, float]]:
        """The chosen pairs as left, right, similarity."""
        yield from zip(self.left[chosen].tolist(), self.right[chosen].tolist(), self.similarity[chosen].tolist(), strict=True)


BEYOND_CHANCE = 2.0
"""-log10 of the pairs that a whole program may link by chance: one in a hundred programs."""


@dataclass(frozen=True)
class _Sums:
    """What the pairs of one strip share, as one row for every pair, kind and rarity: key of the pair, kind, rarity, entities, weight."""

    key: IntArray
    kind: IntArray
    rarity: IntArray
    shared: IntArray
    weight: FloatArray


def project(table: EntityTable) -> Links:
    """All pairs of affiliates with different owners that share a usable entity."""
    sums = _shared_by_kind(table)
    keys, pair = np.unique(sums.key, return_inverse=True)
    size = max(len(table.affiliates), 1)
    left, right = keys // size, keys % size
    apart = table.owner[left] != table.owner[right]
    entities = held(table, ~table.masked)
    identity, owned = (_among(table, kinds)[sums.kind] for kinds in (IDENTITY_KINDS, OWNED_KINDS))
    soft = np.bincount(pair, weights=np.where(identity, 0.0, sums.weight), minlength=keys.size)
    identities = np.bincount(pair, weights=np.where(identity, sums.shared, 0), minlength=keys.size)
    links = Links(
        left=left,
        right=right,
        similarity=soft / np.sqrt(entities[left] * entities[right]) + IDENTITY_WEIGHT * identities,
        identity=identities > 0.0,
        shared=np.bincount(pair, weights=sums.shared, minlength=keys.size).astype(np.int64),
        owned=np.bincount(pair, weights=np.where(owned, sums.shared, 0), minlength=keys.size).astype(np.int64),
        chance=_chance(table, sums, pair, left, right),
    )
    return links.chosen(apart)


def usable(table: EntityTable) -> BoolArray:
    """Entities (entities,) that link anybody: shared by at least two owners, no hub, not masked."""
    degree = owner_degree(table)
    return (degree >= 2) & (degree <= degree_cap(table)) & ~table.masked


def degree_cap(table: EntityTable) -> int:
    """The most owners of an entity that still says something."""
    owners = int(table.owner.max(initial=-1)) + 1
    return min(max(DEGREE_CAP, int(DEGREE_SHARE * owners)), DEGREE_MOST)


def owner_degree(table: EntityTable) -> IntArray:
    """Distinct owners of every entity (entities,)."""
    degree = np.bincount(table.entity, minlength=table.kind.size)
    several = np.bincount(table.owner, minlength=1)[table.owner] > 1  # members of declared groups, of whom there are few
    pairs = np.flatnonzero(several[table.affiliate])
    owners = int(table.owner.max(initial=-1)) + 1
    met = np.sort(table.entity[pairs] * owners + table.owner[table.affiliate[pairs]])
    again = met[1:][met[1:] == met[:-1]]
    return degree - np.bincount(again // max(owners, 1), minlength=table.kind.size)


def entity_weights(table: EntityTable) -> FloatArray:
    """Resource-allocation weight of each entity (entities,): the tier's multiplier over (d - 1) log(d + 3)."""
    degree = np.maximum(owner_degree(table), 2).astype(np.float64)
    tier = np.where(table.of_kinds(STRONG_KINDS), STRONG_WEIGHT, WEAK_WEIGHT)
    return np.where(table.of_kinds(IDENTITY_KINDS), IDENTITY_WEIGHT, tier / ((degree - 1.0) * np.log(degree + 3.0)))


def held(table: EntityTable, chosen: BoolArray) -> FloatArray:
    """How many of the chosen entities every affiliate has (affiliates,)."""
    return np.bincount(table.affiliate[chosen[table.entity]], minlength=len(table.affiliates)).astype(np.float64)


def _shared_by_kind(table: EntityTable) -> _Sums:
    """What every pair shares of every kind."""
    chosen, weights = usable(table), entity_weights(table)
    stratum = table.kind * (len(RARITIES) + 1) + np.searchsorted(RARITIES, owner_degree(table))
    parts = [
        part
        for one in np.flatnonzero(np.bincount(stratum[chosen])).tolist()
        for part in _products(table, chosen & (stratum == one), weights, one)
    ]
    columns = [[getattr(part, name) for part in parts] for name in ("key", "kind", "rarity", "shared")]
    key, kind, rarity, shared = (np.concatenate([*column, np.empty(0, dtype=np.int64)]) for column in columns)
    return _Sums(key, kind, rarity, shared, np.concatenate([*(part.weight for part in parts), np.empty(0)]))


def _products(table: EntityTable, chosen: BoolArray, weights: FloatArray, stratum: int) -> Iterator[_Sums]:
    """The pairs that share the chosen entities, strip by strip. One product gives count (real) and weight (imaginary)."""
    kept = chosen[table.entity]
    if not kept.any():
        return
    rows, columns = table.affiliate[kept], np.unique(table.entity[kept], return_inverse=True)[1]
    size = len(table.affiliates)
    shape = (size, int(columns.max()) + 1)
    weighted = (1.0 + 1j * weights[table.entity[kept]]).astype(np.complex128)
    one = sparse.csr_array((weighted, (rows, columns)), shape=shape)
    other = sparse.csr_array((np.ones(rows.size, dtype=np.complex128), (rows, columns)), shape=shape).T.tocsr()
    work = np.bincount(rows, weights=np.bincount(columns)[columns], minlength=size).cumsum()
    ends = np.searchsorted(work, np.arange(STRIP_PAIRS, work[-1] + STRIP_PAIRS, STRIP_PAIRS), side="right")
    start = 0
    for end in np.unique(np.append(ends, size)).tolist():
        if end > start:
            yield _strip(one[start:end] @ other, start, size, stratum)
        start = end


def _strip(product: Incidence, start: int, size: int, stratum: int) -> _Sums:
    cells = product.tocoo()
    left = cells.row.astype(np.int64) + start
    above = cells.col > left
    data = cells.data[above]
    kind, rarity = (np.full(data.size, part, dtype=np.int64) for part in divmod(stratum, len(RARITIES) + 1))
    shared, weight = np.rint(data.real).astype(np.int64), np.asarray(data.imag, dtype=np.float64)
    return _Sums(left[above] * size + cells.col[above], kind, rarity, shared, weight)


def _among(table: EntityTable, kinds: frozenset[str]) -> BoolArray:
    """Which of the table's kinds (kinds,) are among these."""
    return np.array([kind in kinds for kind in table.kinds], dtype=np.bool_)


def _chance(table: EntityTable, sums: _Sums, pair: IntArray, left: IntArray, right: IntArray) -> FloatArray:
    """How far each pair's meetings are beyond chance (pairs,): at the kind and up to the rarity of entity that say most.

    One person brings a device, an address and a customer, and is one meeting: kinds are never added up.
    """
    readers = np.flatnonzero(~_among(table, IDENTITY_KINDS | OWNED_KINDS | SITE_KINDS))
    most, tests = np.zeros(left.size), max(readers.size * (len(RARITIES) + 1), 1)
    for kind in np.intersect1d(readers, sums.kind).tolist():
        size = held(table, ~table.masked & (table.kind == kind))
        for rarity in range(len(RARITIES) + 1):
            these = (sums.kind == kind) & (sums.rarity <= rarity)
            meetings = np.bincount(pair[these], weights=sums.shared[these], minlength=left.size).astype(np.float64)
            met = np.flatnonzero(meetings)
            most[met] = np.maximum(most[met], chance_evidence(meetings[met], size[left[met]], size[right[met]], size))
    return np.asarray(np.maximum(most - np.log10(tests), 0.0), dtype=np.float64)
