"""A piece of the graph as it is shown: who is linked to whom, by what, since when, and why that counts."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Role = Literal["centre", "neighbour", "declared", "applicant", "entity"]
"""`centre` is who was asked about; `declared` belongs to the same declared group; `applicant` applied and is no affiliate (yet)."""


class GraphNode(msgspec.Struct, frozen=True, kw_only=True):
    """An affiliate, an applicant, or a thing they were seen with. `label` is short and readable; values kept as hashes stay hashes."""

    node_id: str
    kind: str
    label: str
    role: Role
    standing: str = ""


class GraphEdge(msgspec.Struct, frozen=True, kw_only=True):
    """One affiliate seen with one thing. `owners` is how many affiliates have it: the more, the less it says."""

    affiliate: str
    entity: str
    tier: str
    count: int
    owners: int
    first_seen: datetime | None
    last_seen: datetime | None
    source: str
    text: str


class GraphLink(msgspec.Struct, frozen=True, kw_only=True):
    """Two affiliates that share something: how strongly, whether by declared ownership, and the reason in a sentence or two."""

    left: str
    right: str
    tier: str
    similarity: float
    declared: bool
    shared: dict[str, int]
    text: str
    also_explained_by: str


class Neighbourhood(msgspec.Struct, frozen=True, kw_only=True):
    """An affiliate and those around it. `left_out` counts neighbours beyond those shown."""

    program_id: str
    affiliate_id: str
    as_of: datetime
    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    links: tuple[GraphLink, ...]
    left_out: int = 0
    notes: tuple[str, ...] = ()


class KnownMatch(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody already known who states the same: an affiliate (`affiliate`) or an earlier applicant (`applicant`).

    `shared` counts what is the same by kind; `standing` is how it stands with the other (`confirmed bad`, `applied: reject`…), and
    `declared` that both belong to one declared owner. `text` says it for a manager.
    """

    other: str
    role: Literal["affiliate", "applicant"]
    tier: str
    shared: dict[str, int]
    standing: str
    text: str
    also_explained_by: str
