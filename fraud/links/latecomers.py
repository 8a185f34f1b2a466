"""Who belongs to a ring besides: members of a few clicks, or whose part in it has just begun, seen over four weeks instead of a window.

A ring is found in tonight's window by those who do much. Of somebody who brought eight visitors in all, three of them a ring's, the window
shows one; the weeks show three. So once a ring is known, everybody is asked how many of its rare things they ever had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import duckdb
import numpy as np
import pandas as pd

from fraud.domain.scans import Period
from fraud.enrichment.egress import LOOKBACK_DAYS
from fraud.links.edges import COLUMNS, COUNTED, bounds_of, without_shared_egress
from models.graph import read_edges
from models.graph.edges import Groups
from models.graph.growth import drawn_in

_WHEN = "clicked_at >= $start and clicked_at < $end"
_MET = COUNTED.format(
    rows=" union all ".join(
        f"""
        select affiliate_id, '{kind}' as kind, {column} as entity, clicked_at as seen, 'clicks' as source from clicks
            where {_WHEN} and {column} in (
                select {column} from clicks where {_WHEN} and affiliate_id in (select unnest($members::varchar[])))
        """  # noqa: S608 - no value of a user stands in it
        for kind, column in (("device", "device_id"), ("ip", "ip"))
    )
)
_CLICKS = f"select affiliate_id, count(*)::double as clicks from clicks where {_WHEN} group by 1"  # noqa: S608 - as above


@dataclass(frozen=True)
class Latecomers:
    """Of each ring asked about, in order, who belongs to it besides; and what its members and they had of each other's (`COLUMNS`)."""

    joined: tuple[frozenset[str], ...]
    edges: pd.DataFrame


def latecomers(
    events: duckdb.DuckDBPyConnection, window: Period, rings: Sequence[frozenset[str]], known: tuple[Groups, list[str]]
) -> Latecomers:
    """Who belongs to these rings by what they had in the four weeks before the window's end. `known`: declared groups, shared egress."""
    groups, egress = known
    weeks = Period(start=window.end - timedelta(days=LOOKBACK_DAYS), end=window.end)
    members = sorted(frozenset().union(*rings))
    nobody = Latecomers(tuple(frozenset() for _ in rings), pd.DataFrame(columns=list(COLUMNS)))
    if not members:
        return nobody
    edges = without_shared_egress(events.execute(_MET, bounds_of(weeks) | {"members": members}).df()[list(COLUMNS)], egress)
    if edges.empty:
        return nobody
    clicks = dict(events.execute(_CLICKS, bounds_of(weeks)).fetchall())
    home = {name: number for number, ring in enumerate(rings) for name in ring}
    found = _drawn_in(edges, groups, (home, clicks))
    joined = tuple(frozenset(name for name, number in found.items() if number == place) - ring for place, ring in enumerate(rings))
    return Latecomers(joined, edges[edges["affiliate_id"].isin(found)])


def _drawn_in(edges: pd.DataFrame, groups: Groups, told: tuple[Mapping[str, int], Mapping[str, float]]) -> dict[str, int]:
    """The ring of everybody who is in one; `told`: who is so far, and everybody's clicks, which say how much one could have met."""
    home, clicks = told
    table = read_edges(edges, groups)
    numbers = np.array([home.get(name, -1) for name in table.affiliates], dtype=np.int64)
    exposure = np.array([clicks[name] for name in table.affiliates], dtype=np.float64)
    elsewhere = sum(clicks.values()) - float(exposure.sum())
    grown = drawn_in(table, numbers, (exposure, elsewhere))
    return {name: int(number) for name, number in zip(table.affiliates, grown.tolist(), strict=True) if number >= 0}
