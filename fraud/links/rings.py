"""Rings of a window: affiliates that share what strangers do not share."""

from __future__ import annotations

import duckdb
import pandas as pd

from fraud.domain.scans import Period, Ring, SharedEntities
from fraud.links.edges import declared_groups, identity_edges, shared_addresses
from models.graph import rings


def find_rings(events: duckdb.DuckDBPyConnection, window: Period) -> tuple[Ring, ...]:
    """The window's rings, most suspicious first; to be asked after the window's features, which learn the shared addresses.

    Carriers' and offices' addresses link nobody; declared groups accuse nobody.
    """
    edges = identity_edges(events, window)
    if edges.empty:
        return ()
    egress = pd.DataFrame({"kind": "ip", "entity": shared_addresses(events)})
    return tuple(
        Ring(
            ring_id=ring["ring_id"],
            affiliate_ids=tuple(ring["affiliate_ids"]),
            shared=tuple(SharedEntities(kind=shared["kind"], count=shared["count"]) for shared in ring["shared"]),
            score=ring["score"],
        )
        for ring in rings(edges, groups=declared_groups(events), mask=egress)
    )
