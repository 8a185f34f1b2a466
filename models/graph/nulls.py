"""What chance alone would show: the same affiliates and the same entities, met anew.

A shuffle deals the entities of every kind out again among the pairs of that kind, so that every affiliate keeps how many entities it has
and every entity how many affiliates (Maslov & Sneppen 2002, for two sides). An affiliate dealt the same entity twice has it once: a few in
a thousand pairs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from models.arrays import IntArray, distinct
from models.graph.edges import EntityTable

MOST_SHUFFLES = 20
"""`detection.md` 5."""
ENOUGH_EDGES = 200_000
"""Edges of all shuffles together that tell one in a thousand; large tables need one shuffle, small ones twenty."""
MOST_EDGES = 1_000_000
_SEED = 0


def shuffled_tables(table: EntityTable, seed: int = _SEED) -> Iterator[EntityTable]:
    """Shuffles of a table, as many as tell what is rare; the same for the same table and seed.

    Of a table of more than `MOST_EDGES` a part of the affiliates is shuffled, drawn once: entities look rarer there than they are, so
    that what they bring about by chance is over-rated, never under-rated.
    """
    rng = np.random.default_rng(seed)
    part = _part(table, rng)
    for _ in range(min(MOST_SHUFFLES, -(-ENOUGH_EDGES // max(part.affiliate.size, 1)))):
        yield shuffled(part, rng)


def _part(table: EntityTable, rng: np.random.Generator) -> EntityTable:
    if table.affiliate.size <= MOST_EDGES:
        return table
    kept = rng.random(len(table.affiliates)) < MOST_EDGES / table.affiliate.size
    chosen = kept[table.affiliate]
    return replace(
        table,
        affiliate=(np.cumsum(kept) - 1)[table.affiliate[chosen]],
        entity=table.entity[chosen],
        count=table.count[chosen],
        affiliates=[name for name, one in zip(table.affiliates, kept.tolist(), strict=True) if one],
        owner=table.owner[kept],
    )


def shuffled(table: EntityTable, rng: np.random.Generator) -> EntityTable:
    """One shuffle of a table."""
    entity = dealt_again(table.entity, table.kind[table.entity], rng)
    keys = distinct(table.affiliate * max(table.kind.size, 1) + entity)
    affiliate, entity = keys // max(table.kind.size, 1), keys % max(table.kind.size, 1)
    return replace(table, affiliate=affiliate, entity=entity, count=np.ones(affiliate.size))


def dealt_again(entity: IntArray, kind: IntArray, rng: np.random.Generator) -> IntArray:
    """The entities (pairs,) in another order within each kind."""
    again = np.empty_like(entity)
    for one in np.flatnonzero(np.bincount(kind)).tolist():
        these = np.flatnonzero(kind == one)
        again[these] = rng.permutation(entity[these])
    return again
