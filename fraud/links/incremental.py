"""The graph of a whole program, kept up to date: each day of clicks is counted once and kept, until rows of that day come in later.

Accounts and conversions change after the fact (a refund is a new version) and are few, so they are counted anew each time. The result
always equals a rebuild from nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Protocol

import duckdb
import pandas as pd
import pyarrow as pa

from fraud.domain.scans import Period
from fraud.links.edges import ACCOUNTS, CLICKS, COLUMNS, CONVERSIONS, COUNTED, MOST_OWNERS, bounds_of, networks_of

_DAYS = "select clicked_at::date as day, count(*) as rows, max(ingested_at) as newest from clicks group by 1 order by 1"
_COLUMNS = ", ".join(COLUMNS)
_COUNTED_CLICKS = f"select {_COLUMNS} from ({COUNTED.format(rows=CLICKS)})"  # noqa: S608 - no value of a user stands in it
_ALWAYS = Period(start=datetime(1, 1, 1, tzinfo=UTC), end=datetime(9999, 12, 31, tzinfo=UTC))


class DayKeeper(Protocol):
    """Where the counted days of a program are kept, as Parquet; `stamp` tells whether a day is still as it was."""

    def get(self, program_id: str, day: date, stamp: str) -> Path | None:
        """The edges of a day under that stamp, or `None` when it was never kept or has changed."""
        ...

    def put(self, program_id: str, day: date, stamp: str, edges: pa.Table) -> Path:
        """Keeps the edges of a day, in place of what was kept of it."""
        ...


@dataclass(frozen=True)
class GraphDays:
    """The counted days of a program, oldest first, and which of them had to be counted for it."""

    files: tuple[Path, ...]
    counted: tuple[date, ...]


def counted_days(events: duckdb.DuckDBPyConnection, program_id: str, keeper: DayKeeper) -> GraphDays:
    """Every day of clicks, counted; only days that are new or have changed are read."""
    files, counted = [], []
    for day, rows, newest in events.execute(_DAYS).fetchall():
        stamp = f"{rows}-{newest:%Y%m%dT%H%M%S%f}"
        known = keeper.get(program_id, day, stamp)
        if known is None:
            start = datetime(day.year, day.month, day.day, tzinfo=UTC)
            bounds = bounds_of(Period(start=start, end=start + timedelta(days=1)))
            edges = events.sql(_COUNTED_CLICKS, params=bounds).to_arrow_table()
            known = keeper.put(program_id, day, stamp, edges)
            counted.append(day)
        files.append(known)
    return GraphDays(tuple(files), tuple(counted))


_WHOLE = f"""
    select affiliate_id, kind, entity, sum(count)::bigint as count, min(first_seen) as first_seen, max(last_seen) as last_seen,
        any_value(source) as source
    from ({{days}} select {_COLUMNS} from ({COUNTED.format(rows=ACCOUNTS)})
        union all select {_COLUMNS} from ({COUNTED.format(rows=CONVERSIONS)}))
    group by affiliate_id, kind, entity
"""  # noqa: S608 - as above
"""The same edge of several days as one: seen so many times, from the first to the last."""


def program_edges(events: duckdb.DuckDBPyConnection, days: GraphDays) -> pd.DataFrame:
    """The edges of everything a program has seen, as `COLUMNS` says."""
    sql, bounds = _whole(days)
    return events.execute(f"{sql} order by affiliate_id, kind, entity", bounds).df()


_SHARED = f"""
    with whole as materialized ({{whole}}), crowds as (
        select 'ip' as kind, unnest($addresses::varchar[]) as entity union all select 'network', unnest($networks::varchar[])
    ), open as (select * from whole anti join crowds using (kind, entity)
    ), owned as (
        select kind, entity from open group by all having count(*) between 2 and {MOST_OWNERS}
    )
    select open.* from open semi join owned using (kind, entity)
    union all select open.* from open anti join owned using (kind, entity) where source = 'account'
    union all
    select open.* from open anti join owned using (kind, entity) where source <> 'account'
        qualify row_number() over (partition by affiliate_id order by kind, entity) = 1
    order by affiliate_id, kind, entity
"""  # noqa: S608 - as above


def shared_edges(events: duckdb.DuckDBPyConnection, days: GraphDays, egress: list[str]) -> pa.Table:
    """What can link anybody, as `COLUMNS` says: things of at least two owners that are no hubs, without the addresses and networks of
    shared `egress`; everything that accounts state, which applicants may state too; and something of every affiliate, however alone.
    """
    sql, bounds = _whole(days)
    told: dict[str, object] = {"addresses": egress, "networks": sorted(networks_of(egress))}
    return events.sql(_SHARED.format(whole=sql), params=bounds | told).to_arrow_table()


def _whole(days: GraphDays) -> tuple[str, dict[str, object]]:
    """The SQL of a program's edges and its parameters."""
    bounds = bounds_of(_ALWAYS)
    if not days.files:
        return _WHOLE.format(days=""), bounds
    return _WHOLE.format(days="select * from read_parquet($files) union all"), bounds | {"files": [str(file) for file in days.files]}
