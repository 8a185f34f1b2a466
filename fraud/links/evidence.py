"""The graph's evidence on a window: rings, dense blocks, lockstep and click re-use, for every affiliate that is part of any."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb
import msgspec
import networkx as nx
import numpy as np
import pandas as pd
from scipy.stats import norm

from fraud.domain.graph import GraphFinding, GraphPattern
from fraud.domain.scans import HeldThings, Period, Ring, SharedEntities
from fraud.links.edges import declared_groups, identity_edges, shared_addresses, without_shared_egress
from fraud.links.kinds import spoken
from fraud.links.latecomers import Latecomers, latecomers
from fraud.links.moments import Recording, moment_edges, pattern_edges, recordings
from fraud.links.sites import SiteTies, with_sites
from models.fusion import display_risk
from models.graph import EntityTable, Found, find_rings, read_edges, ring_name
from models.graph.blocks import Block, dense_blocks
from models.graph.edges import IDENTITY_KINDS, OWNED_KINDS
from models.graph.propagation import neighbour_evidence
from models.graph.rings import MOST_EVIDENCE
from models.graph.timing import together

_TIMING = {
    "device_hour": GraphPattern.LOCKSTEP,
    "customer_hour": GraphPattern.LOCKSTEP,
    "click_pattern": GraphPattern.REPLAY,
}
_TYPOLOGIES = {
    GraphPattern.BLOCK: ("collusion_ring",),
    GraphPattern.LOCKSTEP: ("collusion_ring",),
    GraphPattern.REPLAY: ("click_replay",),
}
_SAME_OWNER = IDENTITY_KINDS | OWNED_KINDS
"""Kinds by which several accounts are one owner's."""
_SMALLEST_RING = 3
MOST_THINGS = 40
"""Groups of shared things that are kept with a ring: more than a drawing shows."""


@dataclass(frozen=True)
class GraphNight:
    """What the graph says of a window: its rings, riskiest first, and what was found of each affiliate (absent: nothing)."""

    rings: tuple[Ring, ...]
    findings: Mapping[str, tuple[GraphFinding, ...]]

    def of(self, affiliate_id: str) -> tuple[GraphFinding, ...]:
        """What was found of one affiliate, strongest first."""
        return self.findings.get(affiliate_id, ())


@dataclass(frozen=True)
class _Group:
    """Affiliates that one pattern puts together; `own` is the evidence of each, and what it shares, where that differs."""

    pattern: GraphPattern
    members: frozenset[str]
    evidence: float
    shared: Mapping[str, int]
    score: float | None = None
    own: Mapping[str, tuple[float, Mapping[str, int]]] = field(default_factory=dict)

    def of(self, member: str) -> tuple[float, Mapping[str, int]]:
        """The evidence of one member, and what it shares."""
        return self.own.get(member, (self.evidence, self.shared))


def graph_night(events: duckdb.DuckDBPyConnection, window: Period, sites: Sequence[SiteTies] = ()) -> GraphNight:
    """Looks at a window's events, as known to the connection, and at what the affiliates' websites are tied to (`sites`: those vetted).

    Carriers' and offices' addresses link nobody; declared groups are one owner.
    """
    groups, crowds = declared_groups(events), shared_addresses(events, window)
    edges = with_sites(without_shared_egress(identity_edges(events, window), crowds), sites)
    sharing, neighbours = _sharing(edges, groups, _confirmed(events))
    found = [*sharing, *_timed(events, window, groups)]
    rings = _merged(found)
    late = latecomers(events, window, [frozenset(ring.affiliate_ids) for ring in rings], (groups, crowds))
    grown, found = _grown(rings, found, late)
    told = pd.concat([edges, late.edges], ignore_index=True)
    return GraphNight(tuple(msgspec.structs.replace(ring, things=_things(told, ring)) for ring in grown), _by_affiliate(found, neighbours))


def _grown(rings: Sequence[Ring], found: list[_Group], late: Latecomers) -> tuple[list[Ring], list[_Group]]:
    """The rings, and the groups they were made of, with those who turned out to belong to them."""
    groups = [*found]
    for ring, more in zip(rings, late.joined, strict=True):
        if more:
            members = frozenset(ring.affiliate_ids)
            inside = [one for one in found if one.members <= members]
            same = [one for one in inside if one.pattern is GraphPattern.RING]
            shared: Counter[str] = Counter(_shared_by(late.edges, members | more))
            for one in same:
                shared |= Counter(one.shared)
            groups = [one for one in groups if one not in same]
            groups.append(_Group(GraphPattern.RING, members | more, max(one.evidence for one in inside), shared, ring.score))
    return _merged(groups), groups


def _shared_by(edges: pd.DataFrame, members: frozenset[str]) -> dict[str, int]:
    """How many things of each kind at least two of these have."""
    inside = edges[edges["affiliate_id"].isin(members)]
    owners = inside.groupby(["kind", "entity"])["affiliate_id"].nunique()
    return {str(kind): int(count) for kind, count in owners[owners >= 2].groupby("kind").size().items()}


def _confirmed(events: duckdb.DuckDBPyConnection) -> tuple[frozenset[str], frozenset[str]]:
    """The affiliates confirmed bad, and those confirmed good, by the newest label of each."""
    rows = events.execute("select affiliate_id, arg_max(label, coalesce(labelled_at, timestamp '1970-01-01')) from labels group by 1")
    labels = {str(name): str(label) for name, label in rows.fetchall()}
    return frozenset(one for one, label in labels.items() if label == "bad"), frozenset(
        one for one, label in labels.items() if label == "good"
    )


def _things(edges: pd.DataFrame, ring: Ring) -> tuple[HeldThings, ...]:
    """Who of a ring has what: groups of things of one kind that the same members have, those of most members first."""
    held: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    inside = edges[edges["affiliate_id"].isin(ring.affiliate_ids)]
    for affiliate, kind, entity in zip(inside["affiliate_id"], inside["kind"], inside["entity"], strict=True):
        held[str(kind), str(entity)].add(str(affiliate))
    shared = Counter((kind, tuple(sorted(owners))) for (kind, _), owners in held.items() if len(owners) >= 2)
    groups = [HeldThings(kind=kind, count=count, affiliate_ids=owners) for (kind, owners), count in shared.items()]
    return tuple(sorted(groups, key=lambda one: (-one.count * len(one.affiliate_ids), one.kind, one.affiliate_ids))[:MOST_THINGS])


def _sharing(
    edges: pd.DataFrame, groups: pd.DataFrame, confirmed: tuple[frozenset[str], frozenset[str]]
) -> tuple[list[_Group], dict[str, GraphFinding]]:
    """Rings and dense blocks of what affiliates were seen with, and what confirmed neighbours say of those linked to them."""
    if edges.empty:
        return [], {}
    table = read_edges(edges, groups)
    found = find_rings(table)
    rings = [
        _Group(
            GraphPattern.RING,
            frozenset(ring["affiliate_ids"]),
            ring["evidence"],
            {one["kind"]: one["count"] for one in ring["shared"]},
            ring["score"],
        )
        for ring in found.rings
    ]
    return rings + [_of_block(table, block) for block in dense_blocks(table)], _neighbours(found, *confirmed)


def _neighbours(found: Found, bad: frozenset[str], good: frozenset[str]) -> dict[str, GraphFinding]:
    """What those say of whom a link leads to somebody confirmed bad, within two hops; nothing of those nearer to confirmed good ones."""
    links = found.links.chosen(found.enough)
    leaning = neighbour_evidence(found.table, links, bad, good)
    names = found.table.affiliates
    met: defaultdict[str, set[str]] = defaultdict(set)
    for left, right in zip(links.left.tolist(), links.right.tolist(), strict=True):
        for one, other in ((names[left], names[right]), (names[right], names[left])):
            met[one] |= {other} & bad
    return {
        names[place]: neighbour_finding(tuple(sorted(met[names[place]])), float(leaning[place]))
        for place in np.flatnonzero(leaning > 0.0).tolist()
    }


def neighbour_finding(bad: tuple[str, ...], evidence: float) -> GraphFinding:
    """What confirmed bad neighbours (none: they are two links away) say of an affiliate."""
    who = f"{', '.join(bad[:5])}{f' and {len(bad) - 5} more' if len(bad) > 5 else ''}" if bad else ""
    text = f"Linked to {who}, confirmed bad by a reviewer." if bad else "Two links away from an account that a reviewer confirmed bad."
    return GraphFinding(
        pattern=GraphPattern.NEIGHBOUR, evidence=round(evidence, 6), others=bad, shared={}, typologies=("collusion_ring",), text=text
    )


def _of_block(table: EntityTable, block: Block) -> _Group:
    members = frozenset(table.affiliates[one] for one in block.affiliates.tolist())
    evidence = min(float(-norm.logsf(block.z) / np.log(10.0)), MOST_EVIDENCE)
    return _Group(GraphPattern.BLOCK, members, evidence, {block.kind: int(block.entities.size)})


def _timed(events: duckdb.DuckDBPyConnection, window: Period, groups: pd.DataFrame) -> list[_Group]:
    """Lockstep and click re-use."""
    moments = pd.concat([moment_edges(events, window), pattern_edges(events, window).astype({"entity": str})], ignore_index=True)
    found = [group for kind in _TIMING for group in _in_step(moments[moments["kind"] == kind], groups, kind)]
    return found + [_of_recording(one) for one in recordings(events, window)]


def _of_recording(one: Recording) -> _Group:
    own = {name: (min(sure, MOST_EVIDENCE), {"device_moment": one.repeated[name]}) for name, sure in one.evidence.items()}
    evidence, shared = max((sure for sure, _ in own.values())), {"device_moment": max(one.repeated.values())}
    return _Group(GraphPattern.REPLAY, frozenset(own), evidence, shared, own=own)


def _in_step(edges: pd.DataFrame, groups: pd.DataFrame, kind: str) -> list[_Group]:
    """The groups of affiliates that hang together by one kind of moment."""
    if edges.empty:
        return []
    table = read_edges(edges, groups)
    pairs = together(table)
    graph: nx.Graph[str] = nx.Graph()
    for left, right, shared, evidence in zip(
        pairs.links.left.tolist(), pairs.links.right.tolist(), pairs.links.shared.tolist(), pairs.evidence.tolist(), strict=True
    ):
        graph.add_edge(table.affiliates[left], table.affiliates[right], shared=shared, evidence=evidence)
    return [_step_of(graph.subgraph(part), kind) for part in nx.connected_components(graph)]


def _step_of(part: nx.Graph[str], kind: str) -> _Group:
    links = [data for _, _, data in part.edges(data=True)]
    evidence = min(max(data["evidence"] for data in links), MOST_EVIDENCE)
    return _Group(_TIMING[kind], frozenset(part), evidence, {kind: max(data["shared"] for data in links)})


def _merged(groups: Iterable[_Group]) -> list[Ring]:
    """The groups as rings: those with members in common are one, of at least three members or with a shared identity."""
    graph: nx.Graph[str] = nx.Graph()
    found = list(groups)
    for group in found:
        nx.add_path(graph, sorted(group.members))
    rings = []
    for members in nx.connected_components(graph):
        inside = [group for group in found if group.members <= members]
        if any(group.pattern is GraphPattern.RING for group in inside) or len(members) >= _SMALLEST_RING:
            rings.append(_ring_of(members, inside))
    return sorted(rings, key=lambda ring: (-ring.score, ring.ring_id))


def _ring_of(members: set[str], groups: list[_Group]) -> Ring:
    shared: Counter[str] = Counter()
    for group in groups:
        shared |= Counter(group.shared)
    evidence = max(group.evidence for group in groups)
    return Ring(
        ring_id=ring_name(members),
        affiliate_ids=tuple(sorted(members)),
        shared=tuple(
            SharedEntities(kind=kind, count=count) for kind, count in sorted(shared.items(), key=lambda item: (-item[1], item[0]))
        ),
        score=max((group.score for group in groups if group.score is not None), default=float(display_risk(evidence))),
    )


def _by_affiliate(groups: Iterable[_Group], neighbours: Mapping[str, GraphFinding]) -> dict[str, tuple[GraphFinding, ...]]:
    found: defaultdict[str, list[GraphFinding]] = defaultdict(list, {name: [finding] for name, finding in neighbours.items()})
    for group in groups:
        for member in group.members:
            found[member].append(_finding(group, member))
    return {one: tuple(sorted(several, key=lambda finding: (-finding.evidence, finding.pattern))) for one, several in found.items()}


def _finding(group: _Group, member: str) -> GraphFinding:
    evidence, shared = group.of(member)
    return GraphFinding(
        pattern=group.pattern,
        evidence=round(evidence, 6),
        others=tuple(sorted(group.members - {member})),
        shared=dict(shared),
        typologies=_typologies(group),
        text=_text(group, shared),
    )


def _typologies(group: _Group) -> tuple[str, ...]:
    if group.pattern is not GraphPattern.RING:
        return _TYPOLOGIES[group.pattern]
    own = any(kind in _SAME_OWNER for kind in group.shared)
    together = len(group.members) >= _SMALLEST_RING or any(kind not in _SAME_OWNER for kind in group.shared)
    return ("collusion_ring",) * together + ("duplicate_account",) * own


def _text(group: _Group, held: Mapping[str, int]) -> str:
    shared = _listed([spoken(kind, count) for kind, count in sorted(held.items(), key=lambda item: -item[1])[:4]])
    if len(group.members) == 1:
        return f"Its clicks were seen before, at the same time of day to ten seconds: {shared}."
    who = f"One of {len(group.members)} accounts without a declared common owner that"
    return {
        GraphPattern.RING: f"{who} have in common what strangers do not: {shared}.",
        GraphPattern.BLOCK: f"{who} were all seen with the same things: {shared}.",
        GraphPattern.LOCKSTEP: f"{who} are visited together, hour for hour: {shared}.",
        GraphPattern.REPLAY: f"{who} play one and the same recording of clicks: {shared}.",
    }[group.pattern]


def _listed(things: Sequence[str]) -> str:
    """Things as people list them: `a`, `a and b`, `a, b and c`."""
    return things[0] if len(things) == 1 else f"{', '.join(things[:-1])} and {things[-1]}"
