"""Dense blocks: affiliates that hold the same many entities, however much else they mix in to look ordinary (FRAUDAR).

Source: Hooi et al., KDD 2016, as `detection.md` 5 adapts it. A block's density is the weight of its edges over its nodes; the node that
adds least is peeled off until nothing is left, and the densest moment is the block. An entity of `d` affiliates weighs `1 / log(d + 5)`, so
edges to popular entities, which hide a block, hardly count. Work is E log V.

In a program where large affiliates share readers anyway, the densest block of all is that of the largest honest ones. So an edge counts
only where somebody else holds the same entity who shares more with its affiliate than chance gives (`models.graph.mixing`): camouflage
among strangers is such an edge no more, and a block of three stands out beside the crowd.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numba
import numpy as np
from scipy import sparse

from models.arrays import BoolArray, FloatArray, IntArray
from models.graph.communities import components
from models.graph.edges import EntityTable
from models.graph.growth import drawn_in
from models.graph.nulls import shuffled_tables
from models.graph.projection import Links, project, usable

COLUMN_OFFSET = 5.0
"""1 / log(d + 5): the authors' own."""
MOST_BLOCKS = 5
"""Blocks peeled one after the other off affiliates that hang together."""
DENSITY_Z = 6.0
"""A block is kept when its density is six standard deviations above the densest blocks of shuffles."""
SPREAD_FLOOR = 0.1
"""The least standard deviation of a shuffle's density: most shuffles have no block at all, and three who share two things are none."""
FEWEST_AFFILIATES = 3


@dataclass(frozen=True)
class Peeling:
    """The densest block of a bipartite graph. `rows`, `columns`: its nodes, ascending. `density`: weight of its edges over its nodes.

    `row_density` (all rows,): the density of the densest remainder that each row was part of, which ranks everybody.
    """

    rows: IntArray
    columns: IntArray
    density: float
    row_density: FloatArray


@dataclass(frozen=True)
class Block:
    """One dense block of a table: numbers of its affiliates and entities (ascending), its density, and that in standard deviations above
    the densest blocks of shuffles."""

    kind: str
    affiliates: IntArray
    entities: IntArray
    density: float
    z: float


_Peeled: TypeAlias = tuple[IntArray, IntArray, float]
"""Affiliates, entities and density of a block."""


def dense_blocks(table: EntityTable) -> list[Block]:
    """The dense blocks of every kind of entity, densest first within a kind. Works on readers' and affiliates' things alike.

    A block has at least three affiliates of different owners and a density six standard deviations above what shuffles have.
    """
    return [block for kind in range(len(table.kinds)) for block in _blocks_of(_only(table, kind), table.kinds[kind])]


def _only(table: EntityTable, kind: int) -> EntityTable:
    """The table's pairs of one kind; affiliates and entities keep their numbers."""
    kept = table.kind[table.entity] == kind
    return replace(table, affiliate=table.affiliate[kept], entity=table.entity[kept], count=table.count[kept])


def _blocks_of(table: EntityTable, kind: str) -> list[Block]:
    found = _grown(table, list(_peeled(table)))
    if not found:
        return []
    usual = [max((density for _, _, density in _peeled(shuffled, 1)), default=0.0) for shuffled in shuffled_tables(table)]
    mean, spread = float(np.mean(usual)), max(float(np.std(usual)), SPREAD_FLOOR)
    blocks = [Block(kind, rows, columns, density, (density - mean) / spread) for rows, columns, density in found]
    return sorted((block for block in blocks if block.z >= DENSITY_Z), key=lambda block: (-block.density, block.affiliates.tolist()))


def _grown(table: EntityTable, found: list[_Peeled]) -> list[_Peeled]:
    """The blocks with those who hold too little of one to have been linked to it."""
    home = np.full(len(table.affiliates), -1, dtype=np.int64)
    for number, (members, _, _) in enumerate(found):
        home[members] = np.where(home[members] < 0, number, home[members])
    again = drawn_in(table, home)
    late = [np.flatnonzero((again == number) & (home < 0)) for number in range(len(found))]
    return [(np.union1d(block[0], more), block[1], block[2]) for block, more in zip(found, late, strict=True)]


def _peeled(table: EntityTable, most: int = MOST_BLOCKS) -> Iterator[_Peeled]:
    """Affiliates, entities and density of the blocks of every group that hangs together, at most so many of each."""
    links = project(table)
    support = links.chosen(links.identity | (links.owned > 0) | links.beyond_chance)
    supported = _supported(table, support)
    affiliate, entity = table.affiliate[supported], table.entity[supported]
    weight = 1.0 / np.log(table.degree[entity] + COLUMN_OFFSET)
    home = components(len(table.affiliates), support.left, support.right)[affiliate]
    order = np.argsort(home, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(home[order])) + 1):
        yield from _blocks_among(table, affiliate[part], entity[part], weight[part], most)


def _blocks_among(table: EntityTable, affiliate: IntArray, entity: IntArray, weight: FloatArray, most: int) -> Iterator[_Peeled]:
    for _ in range(most):
        affiliates, row = np.unique(affiliate, return_inverse=True)
        if np.unique(table.owner[affiliates]).size < FEWEST_AFFILIATES:
            return
        entities, column = np.unique(entity, return_inverse=True)
        peeling = densest_block(row, column, weight)
        members = affiliates[peeling.rows]
        if np.unique(table.owner[members]).size >= FEWEST_AFFILIATES:
            yield members, entities[peeling.columns], peeling.density
        rest = ~np.isin(affiliate, members)
        affiliate, entity, weight = affiliate[rest], entity[rest], weight[rest]


def _supported(table: EntityTable, support: Links) -> BoolArray:
    """Which pairs (pairs,) of affiliate and entity the affiliate shares with one of those it is linked to."""
    size, kept = len(table.affiliates), usable(table)[table.entity]
    linked = np.zeros(size, dtype=np.bool_)
    linked[support.left] = linked[support.right] = True
    kept &= linked[table.affiliate]
    ends = (np.concatenate([support.left, support.right]), np.concatenate([support.right, support.left]))
    friends = sparse.csr_array((np.ones(ends[0].size), ends), shape=(size, size))
    entities, column = np.unique(table.entity[kept], return_inverse=True)
    held = sparse.csr_array((np.ones(column.size), (table.affiliate[kept], column)), shape=(size, max(entities.size, 1)))
    others = sparse.coo_array((friends @ held).multiply(held))
    keys = others.row.astype(np.int64) * max(entities.size, 1) + others.col
    found = np.zeros(table.affiliate.size, dtype=np.bool_)
    found[np.flatnonzero(kept)] = np.isin(table.affiliate[kept] * max(entities.size, 1) + column, keys[others.data > 0])
    return found


def densest_block(row: IntArray, column: IntArray, weight: FloatArray, prior: FloatArray | None = None) -> Peeling:
    """The densest block of the edges (edges,) `row`-`column` with these weights; `prior` (rows,) is what a row is suspected of beforehand.

    Deterministic: of two nodes that add equally little the one of the lower number goes first, rows before columns.
    """
    rows, columns = int(row.max(initial=-1)) + 1, int(column.max(initial=-1)) + 1
    suspicion = np.zeros(rows) if prior is None else np.asarray(prior, dtype=np.float64)
    if not row.size:
        return Peeling(np.empty(0, np.int64), np.empty(0, np.int64), 0.0, np.zeros(rows))
    start, other, weights = _adjacency(row, column + rows, weight, rows + columns)
    order, density = _peel(start, other, weights, np.concatenate([suspicion, np.zeros(columns)]))
    best = int(np.argmax(density))
    left = np.sort(order[best:])
    running = np.maximum.accumulate(density)
    at = np.empty(order.size)
    at[order] = running
    return Peeling(left[left < rows], left[left >= rows] - rows, float(density[best]), at[:rows])


def _adjacency(left: IntArray, right: IntArray, weight: FloatArray, size: int) -> tuple[IntArray, IntArray, FloatArray]:
    """Both directions of every edge, by node: where each node's begin (size + 1,), the other end and the weight (2 edges,)."""
    ends, others = np.concatenate([left, right]), np.concatenate([right, left])
    order = np.argsort(ends, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=size))]).astype(np.int64)
    return start, others[order], np.concatenate([weight, weight])[order]


@numba.njit(cache=True)
def _peel(start: IntArray, other: IntArray, weight: FloatArray, prior: FloatArray) -> tuple[IntArray, FloatArray]:
    """The order in which nodes go, and the density before each goes (nodes,). A tournament tree keeps the node that adds least."""
    size = prior.size
    leaves = 1
    while leaves < size:
        leaves *= 2
    tree = np.full(2 * leaves, np.inf)
    total = 0.0
    for node in range(size):
        adds = prior[node]
        for place in range(start[node], start[node + 1]):
            adds += weight[place]
            total += weight[place] / 2.0
        total += prior[node]
        tree[leaves + node] = adds
    for place in range(leaves - 1, 0, -1):
        tree[place] = min(tree[2 * place], tree[2 * place + 1])
    order, density = np.empty(size, np.int64), np.empty(size)
    for step in range(size):
        density[step] = total / (size - step)
        place = 1
        while place < leaves:
            place = 2 * place if tree[2 * place] <= tree[2 * place + 1] else 2 * place + 1
        node = place - leaves
        order[step] = node
        total -= tree[place]
        _set(tree, place, np.inf)
        for edge in range(start[node], start[node + 1]):
            neighbour = leaves + other[edge]
            if tree[neighbour] != np.inf:
                _set(tree, neighbour, tree[neighbour] - weight[edge])
    return order, density


@numba.njit(cache=True)
def _set(tree: FloatArray, place: int, value: float) -> None:
    """Writes a leaf and the winners above it, as far up as they change."""
    tree[place] = value
    place //= 2
    while place:
        least = min(tree[2 * place], tree[2 * place + 1])
        if tree[place] == least:
            return
        tree[place] = least
        place //= 2
