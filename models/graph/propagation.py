"""What neighbours mean: how much nearer somebody stands to confirmed bad affiliates than to confirmed good ones.

Personalised PageRank over the links, restarted at the confirmed with probability .25, two hops far: one is too sparse and three reach
everybody (`detection.md` 5). It only ever leans: at most .5 of -log10 p, whoever the neighbours are, and nobody is judged by it alone.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from scipy import sparse

from models.arrays import FloatArray
from models.graph.edges import EntityTable
from models.graph.projection import Links

RESTART = 0.25
HOPS = 2
MOST_CONTRIBUTION = 0.5
"""`detection.md` 5: the cap of what neighbours contribute."""
FULL_LEAN = 4.0
"""The log ratio of both closenesses that is worth the whole contribution: fifty times nearer to the bad."""
_EPS = 1e-6


def neighbour_evidence(table: EntityTable, links: Links, bad: Collection[str], good: Collection[str] = ()) -> FloatArray:
    """What confirmed neighbours add (affiliates,), 0 to .5, in -log10 p; 0 for the confirmed themselves and for those nearer to the good.

    `links` are the pairs that count as linked; hubs and shared egress are not among them.
    """
    from_bad, from_good = (closeness(table, links, one) for one in (bad, good))
    lean = np.log((from_bad + _EPS) / (from_good + _EPS))
    known = np.isin(np.array(table.affiliates, dtype=object), [*bad, *good])
    return np.where(known | (from_bad <= 0.0), 0.0, MOST_CONTRIBUTION * np.clip(lean / FULL_LEAN, 0.0, 1.0))


def closeness(table: EntityTable, links: Links, seeds: Collection[str]) -> FloatArray:
    """Personalised PageRank of everybody (affiliates,) from these affiliates, over two hops; 0 for those out of reach."""
    size = len(table.affiliates)
    chosen = np.isin(np.array(table.affiliates, dtype=object), list(seeds)).astype(np.float64)
    if not chosen.any():
        return np.zeros(size)
    ends = (np.concatenate([links.left, links.right]), np.concatenate([links.right, links.left]))
    weight = sparse.csr_array((np.concatenate([links.similarity, links.similarity]), ends), shape=(size, size))
    out = np.maximum(np.asarray(weight.sum(axis=1)).ravel(), 1e-300)
    step = sparse.csr_array(sparse.diags_array(1.0 / out) @ weight).T
    walk = chosen / chosen.sum()
    reached = RESTART * walk
    for _ in range(HOPS):
        walk = (1.0 - RESTART) * (step @ walk)
        reached = reached + RESTART * walk
    return np.asarray(reached, dtype=np.float64)
