"""From who-was-seen-with-what to which affiliates are alike: the projection of the bipartite graph on its affiliates.

Source: `detection.md` 5 and 0.8. The hub discount is that of resource allocation: a merely logarithmic one had AP .56 where this has .95.
Which pairs meet, and how often at what, is `models.graph.meetings`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.arrays import BoolArray, FloatArray, IntArray
from models.graph.edges import IDENTITY_KINDS, OWNED_KINDS, SITE_KINDS, STRONG_KINDS, EntityTable
from models.graph.meetings import Incidence, Meetings, meetings
from models.graph.mixing import chance_evidence, mixing_rate

IDENTITY_WEIGHT, STRONG_WEIGHT, WEAK_WEIGHT = 100.0, 3.0, 1.0
"""What an entity of each tier is worth; identity is absolute, the others are divided by how many entities the two affiliates have."""
DEGREE_CAP, DEGREE_SHARE, DEGREE_MOST = 50, 0.02, 200
"""An entity of more owners than 50 or 2% of them, whichever is more, is a hub and says nothing; nor does any of more than 200, each of
whose 19,900 pairs it would give a thousandth. The last keeps the work proportional to the edges however large the program."""
RARITIES = (4, 8, 16, 50)
"""Meetings are counted at entities of up to 4 owners, up to 8, 16, 50, and at all. Strangers meet at popular entities and a ring at rare
ones, so what chance gives is learnt for each count by itself: a handful of rare ones in common stands out beside many popular ones,
with which a ring hides."""
_CLASSES = len(RARITIES) + 1


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


def project(table: EntityTable) -> Links:
    """All pairs of affiliates with different owners that share a usable entity."""
    met = _met(table)
    left, right, size = met.left, met.right, met.left.size
    kind = met.stratum // _CLASSES
    entities = held(table, ~table.masked)
    identities, owned = (
        np.bincount(met.pair, weights=np.where(_among(table, kinds)[kind], met.shared, 0), minlength=size)
        for kinds in (IDENTITY_KINDS, OWNED_KINDS)
    )
    links = Links(
        left=left,
        right=right,
        similarity=met.weight / np.sqrt(entities[left] * entities[right]) + IDENTITY_WEIGHT * identities,
        identity=identities > 0.0,
        shared=np.bincount(met.pair, weights=met.shared, minlength=size).astype(np.int64),
        owned=owned.astype(np.int64),
        chance=_chance(table, met),
    )
    apart = table.owner[left] != table.owner[right]
    return links if apart.all() else links.chosen(apart)


def _met(table: EntityTable) -> Meetings:
    """The meetings at usable entities by kind and rarity; identities, whose weight is absolute, weigh nothing here."""
    chosen = usable(table)
    kept = chosen[table.entity]
    number = np.cumsum(chosen) - 1
    stratum = table.kind[chosen] * _CLASSES + np.searchsorted(RARITIES, table.degree[chosen])
    weight = np.where(table.of_kinds(IDENTITY_KINDS), 0.0, entity_weights(table))[chosen]
    return meetings(Incidence(table.affiliate[kept], number[table.entity[kept]], len(table.affiliates), stratum, weight))


def usable(table: EntityTable) -> BoolArray:
    """Entities (entities,) that link anybody: shared by at least two owners, no hub, not masked."""
    degree = table.degree
    return (degree >= 2) & (degree <= degree_cap(table)) & ~table.masked


def degree_cap(table: EntityTable) -> int:
    """The most owners of an entity that still says something."""
    owners = int(table.owner.max(initial=-1)) + 1
    return min(max(DEGREE_CAP, int(DEGREE_SHARE * owners)), DEGREE_MOST)


def entity_weights(table: EntityTable) -> FloatArray:
    """Resource-allocation weight of each entity (entities,): the tier's multiplier over (d - 1) log(d + 3)."""
    degree = np.maximum(table.degree, 2).astype(np.float64)
    tier = np.where(table.of_kinds(STRONG_KINDS), STRONG_WEIGHT, WEAK_WEIGHT)
    return np.where(table.of_kinds(IDENTITY_KINDS), IDENTITY_WEIGHT, tier / ((degree - 1.0) * np.log(degree + 3.0)))


def held(table: EntityTable, chosen: BoolArray) -> FloatArray:
    """How many of the chosen entities every affiliate has (affiliates,)."""
    return np.bincount(table.affiliate[chosen[table.entity]], minlength=len(table.affiliates)).astype(np.float64)


def _among(table: EntityTable, kinds: frozenset[str]) -> BoolArray:
    """Which of the table's kinds (kinds,) are among these."""
    return np.array([kind in kinds for kind in table.kinds], dtype=np.bool_)


def _chance(table: EntityTable, met: Meetings) -> FloatArray:
    """How far each pair's meetings are beyond chance (pairs,): at the kind and up to the rarity of entity that say most.

    One person brings a device, an address and a customer, and is one meeting: kinds are never added up.
    """
    readers = np.flatnonzero(~_among(table, IDENTITY_KINDS | OWNED_KINDS | SITE_KINDS))
    most, kinds = np.zeros(met.left.size), met.stratum // _CLASSES
    for kind in readers.tolist():
        rows = np.flatnonzero(kinds == kind)
        if rows.size:
            pairs, meetings_of = _up_to_rarity(met, rows)
            chance = _of_kind(meetings_of, (met.left[pairs], met.right[pairs]), held(table, ~table.masked & (table.kind == kind)))
            most[pairs] = np.maximum(most[pairs], chance)
    return np.asarray(np.maximum(most - np.log10(max(readers.size * _CLASSES, 1)), 0.0), dtype=np.float64)


def _up_to_rarity(met: Meetings, rows: IntArray) -> tuple[IntArray, NDArray[np.int32]]:
    """Of some rows of one kind the pairs (pairs,), and at how many entities of up to each rarity they meet (rarities, pairs)."""
    pair = met.pair[rows]
    first = np.concatenate([[True], pair[1:] != pair[:-1]])
    counts = np.zeros((_CLASSES, int(np.count_nonzero(first))), dtype=np.int32)
    counts[met.stratum[rows] % _CLASSES, np.cumsum(first) - 1] = met.shared[rows]
    for rarity in range(1, _CLASSES):
        counts[rarity] += counts[rarity - 1]
    return pair[first], counts


def _of_kind(meetings_of: NDArray[np.int32], sides: tuple[IntArray, IntArray], size: FloatArray) -> FloatArray:
    """The strongest -log10 of chance of every pair (pairs,) over the rarities.

    Where a further rarity adds no meeting, more pairs meet by chance and it can only say less.
    """
    most = np.zeros(meetings_of.shape[1])
    for rarity, count in enumerate(meetings_of):
        more = count >= 2 if rarity == 0 else (count >= 2) & (count > meetings_of[rarity - 1])
        asked = np.flatnonzero(more)
        rate = mixing_rate(size, int(np.count_nonzero(count)))
        found = chance_evidence(count[asked].astype(np.float64), size[sides[0][asked]], size[sides[1][asked]], (size, rate))
        most[asked] = np.maximum(most[asked], found)
    return most
