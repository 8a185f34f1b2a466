"""Rings: affiliates that share identities nobody shares by accident.

Source: `detection.md` 5 and 0.7, 0.8. Two affiliates are as similar as the entities they share are rare: an entity of `d` owners gives each
pair `tier / ((d - 1) log(d + 3))`. With carrier addresses in the data this found rings with AP .95 where the naive projection had .009.
What readers bring (devices, addresses, customers) links a pair only beyond what chance gives in this program (`models.graph.mixing`), and
what links at all is calibrated against shuffles that keep everybody's number of entities and every entity's number of affiliates.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import networkx as nx
import numpy as np
import pandas as pd

from models.arrays import BoolArray, FloatArray, IntArray, distinct
from models.graph.communities import communities
from models.graph.edges import IDENTITY_KINDS, SAME_SOURCE, STRONG_KINDS, EntityTable, Groups, Mask, read_edges
from models.graph.growth import drawn_in
from models.graph.nulls import shuffled_tables
from models.graph.projection import BEYOND_CHANCE, Links, project, usable

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
FEWEST_SHUFFLED = 100
"""A program of fewer affiliates is not shuffled: where a ring is a good part of everybody, its shuffles are rings too."""
LINK_QUANTILE = 0.999
"""The share of the affiliates of a shuffled program whose closest link stays below what links here."""
SHARED_IDENTITY_EVIDENCE = 12.0
"""-log10 p of a shared identity: nobody has another's tax number by accident."""
OWNED_EVIDENCE = 2.0
"""-log10 p of one thing of their own in common (an analytics id, a mailbox): one pair in a hundred has it for an innocent reason."""
MOST_EVIDENCE = 12.0
"""Where the evidence of a ring ends: the laws it is computed under are not known any better."""


@dataclass(frozen=True)
class Found:
    """Everything that looking for rings learned of a table.

    `links`: every pair; `enough`: which of them (pairs,) link. `similarity`: what links. `community` (affiliates,): -1 without a link.
    `evidence` (affiliates,): -log10 of the chance that anybody of an honest program is linked as closely; 0 without a ring.
    `rings`: as `rings` returns them.
    """

    table: EntityTable
    links: Links
    enough: BoolArray
    similarity: float
    community: IntArray
    evidence: FloatArray
    rings: list[dict[str, Any]]


def rings(
    edges: pd.DataFrame, groups: Groups | None = None, mask: Mask | None = None, *, link_similarity: float | None = None
) -> list[dict[str, Any]]:
    """Groups of affiliates that share identities, most suspicious first.

    `edges`: a frame with `affiliate_id`, `kind`, `entity`, optionally `count`. `groups`: declared common ownership, whose members count as
    one owner and are not accused of sharing with each other. `mask`: entities known to be shared egress, left out. `link_similarity`: what
    links a pair; by default .0015, or what shuffles of these edges reach by chance when that is more.

    Returns dicts with `ring_id` (the same for the same members), `affiliate_ids` (sorted), `shared` (how many entities of each kind
    at least two owners of the ring share), `score` in 0..1 (.5 is ten times the similarity that links) and `evidence` (-log10 p, at most
    12). Raises ValueError for unusable input.
    """
    return find_rings(read_edges(edges, groups, mask), link_similarity).rings


def find_rings(table: EntityTable, link_similarity: float | None = None) -> Found:
    """The rings of a table, with the links they rest on."""
    links = project(table)
    similarity = calibrated_similarity(table) if link_similarity is None else link_similarity
    enough = _enough(links, similarity)
    community = drawn_in(table, communities(len(table.affiliates), links.chosen(enough)))
    nearest = _nearest(links, community)
    evidence = np.maximum(_evidence(links, community, enough), np.where(community >= 0, BEYOND_CHANCE, 0.0))
    members, shared = _grouped(community, np.arange(community.size)), _shared_entities(table, community)
    risk = nearest / (nearest + RISK_SCALE * similarity)
    found = [_ring(table, members[one], entities, (risk, evidence)) for one, entities in shared.items()]
    kept = sorted((ring for ring in found if ring is not None), key=lambda ring: (-ring["score"], ring["ring_id"]))
    in_ring = np.isin(np.array(table.affiliates, dtype=object), [one for ring in kept for one in ring["affiliate_ids"]])
    return Found(table, links, enough, similarity, community, np.where(in_ring, evidence, 0.0), kept)


def calibrated_similarity(table: EntityTable) -> float:
    """The similarity that links a pair: .0015, or what one affiliate in a thousand reaches when the table is shuffled, if that is more."""
    if len(table.affiliates) < FEWEST_SHUFFLED:
        return LINK_SIMILARITY
    nearest = []
    for shuffled in shuffled_tables(table):
        links = project(shuffled)
        possible = links.chosen(links.beyond_chance & ~links.identity)
        closest = np.zeros(len(shuffled.affiliates))
        for side in (possible.left, possible.right):
            np.maximum.at(closest, side, possible.similarity)
        nearest.append(closest)
    return max(LINK_SIMILARITY, float(np.quantile(np.concatenate(nearest), LINK_QUANTILE)))


def _enough(links: Links, similarity: float) -> BoolArray:
    """Which pairs (pairs,) share enough to be linked."""
    unlikely = (links.owned > 0) | links.beyond_chance
    return np.asarray(links.identity | (unlikely & (links.similarity > similarity) & (links.shared >= LINK_ENTITIES)), dtype=np.bool_)


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
    holders = np.bincount(table.entity, minlength=table.kind.size)
    graph: Graph = nx.Graph()
    graph.add_nodes_from((f"affiliate:{one}", {"kind": "affiliate", "label": one}) for one in sorted(members))
    for affiliate, entity, count in zip(table.affiliate.tolist(), table.entity.tolist(), table.count.tolist(), strict=True):
        if holders[entity] >= 2:
            kind, label = table.kind_of(entity), table.name_of(entity)
            graph.add_node(f"{kind}:{label}", kind=kind, label=label)
            graph.add_edge(f"affiliate:{table.affiliates[affiliate]}", f"{kind}:{label}", count=count)
    return graph


def _ring(table: EntityTable, members: IntArray, shared: IntArray, weight: tuple[FloatArray, FloatArray]) -> dict[str, Any] | None:
    """The ring of these members, who share these entities, or None when they are too few or have too little in common.

    `weight`: risk and evidence of every affiliate.
    """
    kinds = Counter(table.kind_of(entity) for entity in shared.tolist())
    if not _reportable(kinds, owners=len(set(table.owner[members].tolist()))):
        return None
    affiliates = sorted(table.affiliates[member] for member in members.tolist())
    return {
        "ring_id": ring_name(affiliates),
        "affiliate_ids": affiliates,
        "shared": [{"kind": kind, "count": count} for kind, count in sorted(kinds.items(), key=lambda item: (-item[1], item[0]))],
        "score": float(np.mean(weight[0][members])),
        "evidence": float(np.max(weight[1][members])),
    }


def _shared_entities(table: EntityTable, community: IntArray) -> dict[int, IntArray]:
    """The usable entities that at least two owners of a community have, by community."""
    home = community[table.affiliate]
    inside = (home >= 0) & usable(table)[table.entity]
    owners, entities = int(table.owner.max(initial=-1)) + 1, table.kind.size
    held = distinct((home[inside] * entities + table.entity[inside]) * owners + table.owner[table.affiliate[inside]])
    pairs, count = np.unique(held // max(owners, 1), return_counts=True)
    kept = pairs[count >= 2]
    return _grouped(kept // max(entities, 1), kept % max(entities, 1))


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


def _nearest(links: Links, community: IntArray) -> FloatArray:
    """The similarity of the most similar other in everybody's community (affiliates,)."""
    inside = (community[links.left] >= 0) & (community[links.left] == community[links.right])
    nearest = np.zeros(community.size)
    for side in (links.left, links.right):
        np.maximum.at(nearest, side[inside], links.similarity[inside])
    return nearest


def _evidence(links: Links, community: IntArray, enough: BoolArray) -> FloatArray:
    """-log10 p of everybody's strongest link inside the community (affiliates,).

    A shared identity is worth `SHARED_IDENTITY_EVIDENCE`; things of their own count two orders each; readers by what chance would give.
    """
    inside = enough & (community[links.left] >= 0) & (community[links.left] == community[links.right])
    worth = np.maximum(links.chance, OWNED_EVIDENCE * links.owned)
    worth = np.minimum(np.where(links.identity, SHARED_IDENTITY_EVIDENCE, worth), MOST_EVIDENCE)
    strongest = np.zeros(community.size)
    for side in (links.left, links.right):
        np.maximum.at(strongest, side[inside], worth[inside])
    return strongest


def ring_name(affiliates: Iterable[str]) -> str:
    """The name of the ring of these affiliates: the same for the same members, whatever they share."""
    return "ring_" + hashlib.sha256("\x1f".join(sorted(affiliates)).encode()).hexdigest()[:16]
