"""Rings: affiliates that share identities nobody shares by accident.

Source: `detection.md` 5 and 0.7, 0.8. Two affiliates are as similar as the entities they share are rare: an entity of `d` owners gives each
pair `tier / ((d - 1) log(d + 3))`. With carrier addresses in the data this found rings with AP .95 where the naive projection had .009.
What readers bring (devices, addresses, customers) links a pair only beyond what chance gives in this program (`models.mixing`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Any, TypeAlias

import networkx as nx
import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from models.arrays import BoolArray, FloatArray, IntArray
from models.edges import IDENTITY_KINDS, SAME_SOURCE, STRONG_KINDS, EntityTable, Groups, Mask, read_edges
from models.projection import Links, project, usable

Graph: TypeAlias = "nx.Graph[str]"

LINK_SIMILARITY = 0.0015
"""The 99.9th percentile of the similarity of honest pairs; simulated rings had .047."""
LINK_ENTITIES = 2
"""Shared entities that make a link when none is an identity: one device in common is a reader who follows two affiliates."""
RING_OWNERS = 3
RING_SOURCES = 2
RING_STRONG = 5
"""A ring has three owners and two independent kinds of shared entity, or five strong ones; a shared identity suffices alone."""
RISK_SCALE = 10.0
"""How many times the linking similarity is shown as a risk of .5."""
COMMUNITY_SIZE = 40
"""A component of more members is cut into communities."""


def rings(
    edges: pd.DataFrame, groups: Groups | None = None, mask: Mask | None = None, *, link_similarity: float = LINK_SIMILARITY
) -> list[dict[str, Any]]:
    """Groups of affiliates that share identities, most suspicious first.

    `edges`: a frame with `affiliate_id`, `kind`, `entity`, optionally `count`. `groups`: declared common ownership, whose members count as
    one owner and are not accused of sharing with each other. `mask`: entities known to be shared egress, left out. `link_similarity`: what
    links a pair; pass a clean reference's own 99.9th percentile (`pair_similarity`) when there is one.

    Returns dicts with `ring_id` (the same for the same members), `affiliate_ids` (sorted), `shared` (how many entities of each kind
    at least two owners of the ring share) and `score` in 0..1 (.5 is ten times the similarity that links). Raises ValueError for
    unusable input.
    """
    table = read_edges(edges, groups, mask)
    links = project(table)
    unlikely = (links.owned > 0) | links.beyond_chance
    enough = links.identity | (unlikely & (links.similarity > link_similarity) & (links.shared >= LINK_ENTITIES))
    community = _communities(len(table.affiliates), links, enough)
    members, shared = _grouped(community, np.arange(community.size)), _shared_entities(table, community)
    risk = _risk(links, community, link_similarity)
    found = [_ring(table, members[one], entities, risk) for one, entities in shared.items()]
    return sorted((ring for ring in found if ring is not None), key=lambda ring: (-ring["score"], ring["ring_id"]))


def pair_similarity(edges: pd.DataFrame, groups: Groups | None = None, mask: Mask | None = None) -> pd.DataFrame:
    """Every pair of affiliates with different owners that shares anything.

    Columns `left`, `right` (ids), `similarity`, `identity` (whether they share one), `shared` (entities), `beyond_chance` (whether they
    share more readers than a program that mixes as this one does would give them). Arguments as in `rings`.
    """
    table = read_edges(edges, groups, mask)
    links = project(table)
    names = np.array(table.affiliates, dtype=object)
    return pd.DataFrame(
        {
            "left": names[links.left],
            "right": names[links.right],
            "similarity": links.similarity,
            "identity": links.identity,
            "shared": links.shared,
            "beyond_chance": links.beyond_chance,
        }
    )


def ring_graph(edges: pd.DataFrame, affiliate_ids: Iterable[str]) -> Graph:
    """The members of a ring and what at least two of them share, as a bipartite graph.

    Nodes are `affiliate:ID` and `KIND:ENTITY` with the attributes `kind` and `label`; edges carry `count`, how often the two were
    seen together.
    """
    members = {str(one) for one in affiliate_ids}
    table = read_edges(edges[edges["affiliate_id"].astype(str).isin(members)] if "affiliate_id" in edges.columns else edges)
    holders = np.bincount(table.entity, minlength=len(table.kind))
    graph: Graph = nx.Graph()
    graph.add_nodes_from((f"affiliate:{one}", {"kind": "affiliate", "label": one}) for one in sorted(members))
    for affiliate, entity, count in zip(table.affiliate.tolist(), table.entity.tolist(), table.count.tolist(), strict=True):
        if holders[entity] >= 2:
            kind, label = table.kind[entity], table.name[entity]
            graph.add_node(f"{kind}:{label}", kind=kind, label=label)
            graph.add_edge(f"affiliate:{table.affiliates[affiliate]}", f"{kind}:{label}", count=count)
    return graph


def _communities(size: int, links: Links, enough: BoolArray) -> IntArray:
    """The community number of every affiliate (size,), -1 without a link; large components are cut where they are thin (Louvain)."""
    left, right = links.left[enough], links.right[enough]
    adjacency = sparse.coo_array((np.ones(left.size), (left, right)), shape=(size, size))
    count, component = connected_components(adjacency, directed=False)
    members = np.bincount(component, minlength=count)
    community = np.where(members[component] >= 2, component, -1).astype(np.int64)
    for large in np.flatnonzero(members > COMMUNITY_SIZE):
        for part in _cut(np.flatnonzero(component == large), links, enough):
            community[part] = count if part.size >= 2 else -1
            count += 1
    return community


def _cut(members: IntArray, links: Links, enough: BoolArray) -> list[IntArray]:
    inside = enough & np.isin(links.left, members)
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(members.tolist())
    graph.add_weighted_edges_from(links.triples(inside))
    parts = nx.community.louvain_communities(graph, weight="weight", seed=0)
    return [np.array(sorted(part), dtype=np.int64) for part in parts]


def _ring(table: EntityTable, members: IntArray, shared: IntArray, risk: FloatArray) -> dict[str, Any] | None:
    """The ring of these members, who share these entities, or None when they are too few or have too little in common."""
    kinds = Counter(table.kind[entity] for entity in shared.tolist())
    if not _reportable(kinds, owners=len(set(table.owner[members].tolist()))):
        return None
    affiliates = sorted(table.affiliates[member] for member in members.tolist())
    return {
        "ring_id": _ring_id(affiliates),
        "affiliate_ids": affiliates,
        "shared": [{"kind": kind, "count": count} for kind, count in sorted(kinds.items(), key=lambda item: (-item[1], item[0]))],
        "score": float(np.mean(risk[members])),
    }


def _shared_entities(table: EntityTable, community: IntArray) -> dict[int, IntArray]:
    """The usable entities that at least two owners of a community have, by community."""
    home = community[table.affiliate]
    inside = (home >= 0) & usable(table)[table.entity]
    held = np.unique(np.column_stack([home[inside], table.entity[inside], table.owner[table.affiliate[inside]]]), axis=0)
    pairs, owners = np.unique(held[:, :2], axis=0, return_counts=True)
    return _grouped(pairs[owners >= 2, 0], pairs[owners >= 2, 1])


def _grouped(keys: IntArray, values: IntArray) -> dict[int, IntArray]:
    """The values of every key."""
    order = np.argsort(keys, kind="stable")
    found, starts = np.unique(keys[order], return_index=True)
    return dict(zip(found.tolist(), np.split(values[order], starts[1:]), strict=True)) if found.size else {}


def _reportable(kinds: Counter[str], owners: int) -> bool:
    if any(kind in IDENTITY_KINDS for kind in kinds):
        return True
    sources = {SAME_SOURCE.get(kind, kind) for kind in kinds}
    strong = sum(count for kind, count in kinds.items() if kind in STRONG_KINDS)
    return owners >= RING_OWNERS and (len(sources) >= RING_SOURCES or strong >= RING_STRONG)


def _risk(links: Links, community: IntArray, link_similarity: float) -> FloatArray:
    """s / (s + 10 * link similarity) of every affiliate, s being the similarity of the most similar other in its community."""
    inside = (community[links.left] >= 0) & (community[links.left] == community[links.right])
    nearest = np.zeros(community.size)
    for side in (links.left, links.right):
        np.maximum.at(nearest, side[inside], links.similarity[inside])
    return np.asarray(nearest / (nearest + RISK_SCALE * link_similarity), dtype=np.float64)


def _ring_id(affiliates: list[str]) -> str:
    return "ring_" + hashlib.sha256("\x1f".join(affiliates).encode()).hexdigest()[:16]
