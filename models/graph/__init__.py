"""The graph of affiliates and what they were seen with: rings, dense blocks, lockstep, click re-use, and what neighbours mean.

`rings(edges)` stands alone. Everything is deterministic, knows entities by kind and name only, and never calls anybody guilty.
"""

from __future__ import annotations

from models.graph.edges import IDENTITY_KINDS, OWNED_KINDS, STRONG_KINDS, EntityTable, read_edges
from models.graph.rings import Found, find_rings, pair_similarity, ring_graph, ring_name, rings

__all__ = [
    "IDENTITY_KINDS",
    "OWNED_KINDS",
    "STRONG_KINDS",
    "EntityTable",
    "Found",
    "find_rings",
    "pair_similarity",
    "read_edges",
    "ring_graph",
    "ring_name",
    "rings",
]
