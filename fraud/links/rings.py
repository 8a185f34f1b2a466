"""Rings of a window: affiliates that share what strangers do not share."""

from __future__ import annotations

import duckdb

from fraud.domain.scans import Period, Ring
from fraud.links.evidence import graph_night


def find_rings(events: duckdb.DuckDBPyConnection, window: Period) -> tuple[Ring, ...]:
    """The window's rings, most suspicious first. Carriers' and offices' addresses link nobody; declared groups accuse nobody."""
    return graph_night(events, window).rings
