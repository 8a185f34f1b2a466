"""The graph of a whole program, kept up to date: each day of clicks is counted once and kept, until rows of that day come in later.

Accounts and conversions change after the fact (a refund is a new version) and are few, so they are counted anew each time. The result
always equals a rebuild from nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

import duckdb
import pandas as pd

from fraud.domain.scans import Period
from fraud.links.edges import ACCOUNTS, CLICKS, COLUMNS, CONVERSIONS, COUNTED, bounds_of

_DAYS = "select clicked_at::date as day, count(*) as rows, max(ingested_at) as newest from clicks group by 1 order by 1"


class DayKeeper(Protocol):
    """Where the counted days of a program are kept; `stamp` tells whether a day is still as it was."""

    def get(self, program_id: str, day: date, stamp: str) -> pd.DataFrame | None:
        """The edges of a day under that stamp, or `None` when it was never kept or has changed."""
        ...

    def put(self, program_id: str, day: date, stamp: str, edges: pd.DataFrame) -> None:
        """Keeps the edges of a day, in place of what was kept of it."""
        ...


@dataclass(frozen=True)
class GraphEdges:
    """All edges of a program, as `COLUMNS` says, and which days had to be counted for it."""

    edges: pd.DataFrame
    counted: tuple[date, ...]


def program_edges(events: duckdb.DuckDBPyConnection, program_id: str, keeper: DayKeeper) -> GraphEdges:
    """The edges of everything a program has seen; only days that are new or have changed are read."""
    frames, counted = [], []
    for day, rows, newest in events.execute(_DAYS).fetchall():
        stamp = f"{rows}-{newest:%Y%m%dT%H%M%S%f}"
        known = keeper.get(program_id, day, stamp)
        if known is None:
            start = datetime(day.year, day.month, day.day, tzinfo=UTC)
            known = _counted(events, (CLICKS,), Period(start=start, end=start + timedelta(days=1)))
            keeper.put(program_id, day, stamp, known)
            counted.append(day)
        frames.append(known)
    always = Period(start=datetime(1, 1, 1, tzinfo=UTC), end=datetime(9999, 12, 31, tzinfo=UTC))
    frames.append(_counted(events, (ACCOUNTS, CONVERSIONS), always))
    return GraphEdges(_added(frames), tuple(counted))


def _counted(events: duckdb.DuckDBPyConnection, parts: tuple[str, ...], period: Period) -> pd.DataFrame:
    sql = " union all ".join(COUNTED.format(rows=rows) for rows in parts)
    used = {name: value for name, value in bounds_of(period).items() if f"${name}" in sql}
    return events.execute(sql, used).df()[list(COLUMNS)]


_ADDED = """
    select affiliate_id, kind, entity, sum(count)::bigint as count, min(first_seen) as first_seen, max(last_seen) as last_seen,
        any_value(source) as source
    from days group by affiliate_id, kind, entity order by affiliate_id, kind, entity
"""


def _added(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """The same edge of several days as one: seen so many times, from the first to the last."""
    with duckdb.connect() as memory:
        memory.register("days", pd.concat(frames, ignore_index=True))
        return memory.execute(_ADDED).df()
