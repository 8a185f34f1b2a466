"""Cutting linked affiliates into groups: connected components, and Leiden communities of those that are too large to be one hand."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from models.arrays import IntArray
from models.graph.projection import Links

COMMUNITY_SIZE = 40
"""A component of more members is cut into communities."""
_SEED = 0


def components(size: int, left: IntArray, right: IntArray) -> IntArray:
    """The number of everybody's connected component (size,), -1 for those without a link."""
    adjacency = sparse.coo_array((np.ones(left.size, dtype=np.int8), (left, right)), shape=(size, size))
    count, component = connected_components(adjacency, directed=False)
    members = np.bincount(component, minlength=count)
    return np.where(members[component] >= 2, component, -1).astype(np.int64)


def communities(size: int, links: Links) -> IntArray:
    """The community of every affiliate (size,), -1 without a link; large components are cut where they are thin (Leiden)."""
    community = components(size, links.left, links.right)
    members = np.bincount(community + 1)[1:]
    large = np.flatnonzero(members > COMMUNITY_SIZE)
    if not large.size:
        return community
    inside = np.flatnonzero(np.isin(community, large))
    parts = _leiden(inside, links) + size
    alone = np.bincount(parts)[parts] < 2
    community[inside] = np.where(alone, -1, parts)
    return community


def _leiden(members: IntArray, links: Links) -> IntArray:
    """The Leiden communities (members,) of some affiliates under the weights of their links. One thread and one order: always the same."""
    import networkit  # noqa: PLC0415 - two seconds to load, and most programs have no component that large

    place = np.full(int(members.max()) + 1, -1, dtype=np.int64)
    place[members] = np.arange(members.size)
    inside = np.isin(links.left, members)
    ends = (place[links.left[inside]], place[links.right[inside]])
    threads = networkit.getMaxNumberOfThreads()
    networkit.setNumberOfThreads(1)
    networkit.setSeed(_SEED, False)
    graph = networkit.GraphFromCoo((links.similarity[inside], ends), n=members.size, weighted=True, directed=False)
    search = networkit.community.ParallelLeiden(graph, randomize=False)
    search.run()
    networkit.setNumberOfThreads(threads)
    return np.asarray(search.getPartition().getVector(), dtype=np.int64)
