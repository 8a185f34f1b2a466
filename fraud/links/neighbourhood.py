"""The neighbourhood of one affiliate: who shares what with it, strongest first, each link with its reason in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

import duckdb
import numpy as np
import pandas as pd

from fraud.domain.graph_view import GraphEdge, GraphLink, GraphNode, Neighbourhood, Role
from fraud.errors import NotFound
from fraud.links.edges import COLUMNS
from fraud.links.kinds import LinkTier, innocent, spoken, tier_of
from models.graph import OWNED_KINDS, STRONG_KINDS, EntityTable, read_edges
from models.graph.projection import Links, entity_weights, project, usable

MOST_NEIGHBOURS = 20
MOST_ENTITIES = 80
"""What a drawing can still show."""
APPLICANT = "applicant:"
"""The beginning of an applicant's place in the graph."""
_Seen: TypeAlias = tuple[object, object, str]
_ABBREVIATED = 10


@dataclass(frozen=True)
class Standings:
    """What is known of affiliates beside the edges: the declared group and the standing (`confirmed bad`, `rejected`…) of each."""

    groups: Mapping[str, str] = field(default_factory=dict)
    standing: Mapping[str, str] = field(default_factory=dict)


_NEAR = f"""
    with own as (select distinct kind, entity from edges where affiliate_id = $centre),
    friends as (select distinct affiliate_id from edges semi join own using (kind, entity)),
    between as (select {", ".join(COLUMNS)} from edges semi join friends using (affiliate_id))
    select {", ".join(COLUMNS)} from between
    qualify affiliate_id = $centre or count(*) over (partition by kind, entity) > 1
    order by affiliate_id, kind, entity
"""  # noqa: S608 - no value of a user stands in it


def near_edges(graph: duckdb.DuckDBPyConnection, affiliate_id: str) -> pd.DataFrame:
    """The edges of everything that the affiliate has in common with anybody, and of those who have it, as `COLUMNS` says.

    `graph` has a view `edges` of such columns, out of which shared egress has been taken.
    """
    return graph.execute(_NEAR, {"centre": affiliate_id}).df()


def neighbourhood(near: pd.DataFrame, affiliate_id: str, known: Standings, place: tuple[str, datetime]) -> Neighbourhood:
    """The affiliates that share anything rare with one, and what they share. `place`: the program and the moment the edges are of.

    `near` is what `near_edges` gives. `NotFound` when nothing is known of the affiliate.
    """
    if not (near["affiliate_id"] == affiliate_id).any():
        raise NotFound(f"Nothing is known of the affiliate {affiliate_id!r} in this program: no account, no click, no conversion.")
    table = read_edges(near)  # every affiliate is its own owner here: declared groups are shown
    links = project(table)
    centre = table.affiliates.index(affiliate_id)
    chosen, left_out = _closest(links, centre)
    entities = _telling(table, [centre, *chosen])
    shown = links.chosen(np.isin(links.left, [centre, *chosen]) & np.isin(links.right, [centre, *chosen]))
    names = [table.affiliates[one] for one in (centre, *chosen)]
    return Neighbourhood(
        program_id=place[0],
        affiliate_id=affiliate_id,
        as_of=place[1],
        nodes=(*(_node(name, affiliate_id, known) for name in names), *(_entity(table, one) for one in entities)),
        edges=tuple(_edges(table, near, [centre, *chosen], entities)),
        links=tuple(_links(table, shown, entities_of(table, shown), known)),
        left_out=left_out,
    )


def _closest(links: Links, centre: int) -> tuple[list[int], int]:
    """The affiliates most like the centre, and how many more there are."""
    mine = (links.left == centre) | (links.right == centre)
    other = np.where(links.left[mine] == centre, links.right[mine], links.left[mine])
    order = np.lexsort((other, -links.similarity[mine]))
    return other[order][:MOST_NEIGHBOURS].tolist(), max(int(mine.sum()) - MOST_NEIGHBOURS, 0)


def _telling(table: EntityTable, shown: list[int]) -> list[int]:
    """The entities that at least two of those shown have: the centre's, who stands first, before others; those that say most first."""
    own = np.zeros(table.kind.size, dtype=np.bool_)
    own[table.entity[table.affiliate == shown[0]]] = True
    inside = np.isin(table.affiliate, shown) & usable(table)[table.entity]
    entity, held_by = np.unique(table.entity[inside], return_counts=True)
    several = entity[held_by >= 2]
    order = np.lexsort((several, -entity_weights(table)[several], ~own[several]))
    return [int(one) for one in several[order][:MOST_ENTITIES]]


def entities_of(table: EntityTable, links: Links) -> list[Counter[str]]:
    """What each pair shares, counted by kind."""
    shown = np.unique(np.concatenate([links.left, links.right]))
    inside = np.isin(table.affiliate, shown) & usable(table)[table.entity]
    held: dict[int, set[int]] = {one: set() for one in shown.tolist()}
    for affiliate, entity in zip(table.affiliate[inside].tolist(), table.entity[inside].tolist(), strict=True):
        held[affiliate].add(entity)
    pairs = zip(links.left.tolist(), links.right.tolist(), strict=True)
    return [Counter(table.kind_of(one) for one in held[left] & held[right]) for left, right in pairs]


def _links(table: EntityTable, links: Links, shared: list[Counter[str]], known: Standings) -> list[GraphLink]:
    found = []
    for left, right, similarity, kinds in zip(links.left.tolist(), links.right.tolist(), links.similarity.tolist(), shared, strict=True):
        names = table.affiliates[left], table.affiliates[right]
        declared = known.groups.get(names[0]) is not None and known.groups.get(names[0]) == known.groups.get(names[1])
        found.append(_link(names, similarity, kinds, declared))
    return sorted(found, key=lambda link: (list(LinkTier).index(LinkTier(link.tier)), -link.similarity, link.left, link.right))


def _link(names: tuple[str, str], similarity: float, kinds: Counter[str], declared: bool) -> GraphLink:
    ordered = sorted(kinds.items(), key=lambda item: (list(LinkTier).index(tier_of(item[0])), -item[1], item[0]))
    tier = _strength(kinds)
    return GraphLink(
        left=names[0],
        right=names[1],
        tier=tier.value,
        similarity=round(similarity, 9),
        declared=declared,
        shared=dict(ordered),
        text=_sentence(names, ordered, tier, declared),
        also_explained_by="" if declared else "; ".join(dict.fromkeys(text for kind, _ in ordered[:2] if (text := innocent(kind)))),
    )


def _strength(kinds: Counter[str]) -> LinkTier:
    """How much a link says: that of the strongest thing, but one reader of both is nobody's secret."""
    tier = min((tier_of(kind) for kind in kinds), key=list(LinkTier).index)
    telling = any(kind in OWNED_KINDS or (kind in STRONG_KINDS and count > 1) for kind, count in kinds.items())
    return LinkTier.WEAK if tier is LinkTier.STRONG and not telling else tier


def _sentence(names: tuple[str, str], ordered: list[tuple[str, int]], tier: LinkTier, declared: bool) -> str:
    """Why two are linked, as a manager would say it. Networks are not told beside the addresses that lie in them."""
    kinds = dict(ordered)
    told = [(kind, count) for kind, count in ordered if kind != "network" or count > kinds.get("ip", 0)]
    things = [spoken(kind, count) for kind, count in told[:4]]
    listed = things[0] if len(things) == 1 else f"{', '.join(things[:-1])} and {things[-1]}"
    if declared:
        return f"{names[0]} and {names[1]} belong to one declared owner, and have {listed}."
    strength = {
        LinkTier.IDENTITY: "which two owners do not have by accident",
        LinkTier.STRONG: "which strangers rarely have in common",
        LinkTier.WEAK: "which by itself says little",
    }[tier]
    return f"{names[0]} and {names[1]} have {listed}, {strength}."


def _edges(table: EntityTable, near: pd.DataFrame, shown: list[int], entities: list[int]) -> list[GraphEdge]:
    inside = np.isin(table.affiliate, shown) & np.isin(table.entity, entities)
    degree, seen = table.degree, _seen(table, near, shown, entities)
    found = []
    for affiliate, entity, count in zip(
        table.affiliate[inside].tolist(), table.entity[inside].tolist(), table.count[inside].tolist(), strict=True
    ):
        name, kind, value = table.affiliates[affiliate], table.kind_of(entity), table.name_of(entity)
        first, last, source = seen[name, kind, value]
        found.append(
            GraphEdge(
                affiliate=name,
                entity=f"{kind}:{value}",
                tier=tier_of(kind).value,
                count=int(count),
                owners=int(degree[entity]),
                first_seen=_moment(first),
                last_seen=_moment(last),
                source=source,
                text=_why(name, kind, (int(count), int(degree[entity])), source),
            )
        )
    return sorted(found, key=lambda edge: (edge.entity, edge.affiliate))


def _seen(table: EntityTable, near: pd.DataFrame, shown: list[int], entities: list[int]) -> dict[tuple[str, str, str], _Seen]:
    """First and last sighting and the source of every edge among those shown; an edge of several rows takes the widest."""
    who, what = [table.affiliates[one] for one in shown], [table.name_of(one) for one in entities]
    kept = near[near["affiliate_id"].isin(who) & near["entity"].isin(what)]
    told = kept.groupby(["affiliate_id", "kind", "entity"]).agg(
        first_seen=("first_seen", "min"), last_seen=("last_seen", "max"), source=("source", "first")
    )
    return {key: (first, last, str(source)) for key, first, last, source in told.itertuples(name=None)}


def _why(name: str, kind: str, counts: tuple[int, int], source: str) -> str:
    """Why an edge is there. `counts`: how often it was seen, and how many accounts have the thing."""
    count, owners = counts
    what = spoken(kind).removeprefix("the same ")
    where = _WHERE.get(source, "")
    seen = f"seen {'once' if count == 1 else f'{count:,} times'}"
    return f"{name}: {what}, {where or seen}; {owners:,} accounts have it."


_WHERE = {"account": "stated in the account", "application": "stated in the application", "site": "found on its website"}
"""How an edge is known that no visitor brought."""


def _node(name: str, centre: str, known: Standings) -> GraphNode:
    same = known.groups.get(name) is not None and known.groups.get(name) == known.groups.get(centre)
    role: Role = "neighbour"
    if name == centre:
        role = "centre"
    elif name.startswith(APPLICANT):
        role = "applicant"
    elif same:
        role = "declared"
    return GraphNode(node_id=name, kind="affiliate", label=name.removeprefix(APPLICANT), role=role, standing=known.standing.get(name, ""))


def _entity(table: EntityTable, number: int) -> GraphNode:
    kind, name = table.kind_of(number), table.name_of(number)
    return GraphNode(node_id=f"{kind}:{name}", kind=kind, label=short_name(kind, name), role="entity")


def short_name(kind: str, name: str) -> str:
    """An entity as a drawing names it: what it is, and the beginning of its value."""
    what = spoken(kind).removeprefix("the same ")
    return f"{what} {name if len(name) <= _ABBREVIATED + 4 else name[:_ABBREVIATED] + '…'}"


def _moment(value: object) -> datetime | None:
    if value is None or pd.isna(value):  # type: ignore[call-overload]  # any cell of the frame
        return None
    moment: datetime = pd.Timestamp(value).tz_localize("UTC").to_pydatetime()  # type: ignore[arg-type]  # a time, as it is not missing
    return moment
