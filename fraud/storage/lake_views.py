"""The SQL of the lake: what is new in a batch, and one program's rows as known at a time."""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from fraud.domain.clock import as_utc
from fraud.domain.tables import Column, Table

AGAIN = "-again"
"""The end of the name of files whose rows replace earlier versions."""

STORED = ("ingested_at TIMESTAMP", "ingested_order BIGINT")
"""What stands in the files besides the table's columns: since when a row is known, and its place among those that came with it."""


@dataclass(frozen=True)
class Bounds:
    """What a reader may see: rows known by `as_of`, events in `[since, min(as_of, until))`; `None` is unbounded."""

    as_of: datetime | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def before(self) -> datetime | None:
        """The moment that every event must precede."""
        ends = [moment for moment in (self.as_of, self.until) if moment is not None]
        return min(ends) if ends else None

    def may_hold(self, day: date) -> bool:
        """Whether a day has moments inside."""
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        early = self.since is not None and start + timedelta(days=1) <= self.since
        return not early and (self.before is None or start < self.before)


def digest(data: bytes) -> str:
    """The SHA-256 of bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def stamp(moment: datetime) -> str:
    """A moment for a file's name, to the microsecond, sorting by time."""
    return as_utc(moment).strftime("%Y%m%dT%H%M%S%fZ")


def quoted(text: str) -> str:
    """An SQL string."""
    return "'" + text.replace("'", "''") + "'"


def order_of(table: Table) -> str:
    """How rows are sorted in a file: by affiliate and time, which is how they are asked for."""
    names = [column.name for column in table.columns]
    wanted = ["affiliate_id", table.time, table.key]
    return ", ".join([name for name in wanted if name in names] or [stored_columns(table)[0].name])


def view_sql(table: Table, program_id: str, files: Sequence[Path], bounds: Bounds) -> str:
    """Creates the view of one table."""
    names = ", ".join(_shown(column, table, program_id, bounds) for column in table.columns)
    source = padded_sql(table, read_sql(files) if files else "", STORED)
    known = f"WHERE ingested_at <= {moment_sql(bounds.as_of)}" if bounds.as_of else ""
    newest = _newest_sql(table, bounds) if table.key and any(file.stem.endswith(AGAIN) for file in files) else ""
    inside = " AND ".join(inside_sql(table, bounds)) or "true"
    return (
        f"CREATE OR REPLACE TEMP VIEW {table.kind} AS WITH versions AS (SELECT * FROM ({source}) {known} {newest}) "
        f"SELECT {names}, ingested_at FROM versions WHERE {inside}"
    )


def newest_first(table: Table, before: datetime | None = None) -> str:
    """SQL of the order of a key's versions, the newest first; one whose status lies in the future comes after all others."""
    return ", ".join([*version_order(table, before), content_hash(table)])


def version_order(table: Table, before: datetime | None = None) -> list[str]:
    """What `newest_first` orders by before it comes to `content_hash`, which decides between versions that nothing else tells apart."""
    order = ["ingested_at DESC", "ingested_order DESC NULLS LAST"]
    if has_status_time(table):
        order.insert(1, "status_changed_at DESC NULLS LAST")
        if before:
            order.insert(0, f"coalesce(status_changed_at < {moment_sql(before)}, true) DESC")
    return order


def content_hash(table: Table) -> str:
    """SQL of DuckDB's hash of all that a row says."""
    return f"hash({', '.join(column.name for column in stored_columns(table))})"


def _newest_sql(table: Table, bounds: Bounds) -> str:
    """Keeps the newest version of each key."""
    return f"QUALIFY row_number() OVER (PARTITION BY {table.key} ORDER BY {newest_first(table, bounds.before)}) = 1"


def _shown(column: Column, table: Table, program_id: str, bounds: Bounds) -> str:
    if column.name == "program_id":
        return f"{quoted(program_id)} AS program_id"
    return shown(column, table, bounds)


def shown(column: Column, table: Table, bounds: Bounds) -> str:
    """SQL of a stored column as a reader may see it: a status reached after the bound is `pending`."""
    if bounds.before and has_status_time(table) and column.name in {"status", "status_changed_at"}:
        earlier = "'pending'" if column.name == "status" else f"NULL::{column.sql_type}"
        return f"CASE WHEN status_changed_at >= {moment_sql(bounds.before)} THEN {earlier} ELSE {column.name} END AS {column.name}"
    return column.name


def inside_sql(table: Table, bounds: Bounds) -> list[str]:
    """Conditions on event time; a row whose time is unknown (a label's may be) stays. Labels are knowledge: only `as_of` bounds them."""
    if not table.time:
        return []
    before = bounds.before if table.by_day else bounds.as_of
    late = [f"{table.time} < {moment_sql(before)}"] if before else []
    early = [f"{table.time} >= {moment_sql(bounds.since)}"] if bounds.since and table.by_day else []
    return [condition if table.by_day else f"coalesce({condition}, true)" for condition in late + early]


def has_status_time(table: Table) -> bool:
    """Whether rows have a state that they may say the time of."""
    return any(column.name == "status_changed_at" for column in table.columns)


def stored_columns(table: Table) -> list[Column]:
    """The stored columns: the program stands in the path."""
    return [column for column in table.columns if column.name != "program_id"]


def padded_sql(table: Table, source: str, further: Sequence[str]) -> str:
    """A source with every column present: what it lacks is NULL of the right type."""
    typed = [f"{column.name} {column.sql_type}" for column in stored_columns(table)] + list(further)
    nothing = ", ".join(f"NULL::{kind} AS {name}" for name, kind in (text.split(" ", 1) for text in typed))
    empty = f"SELECT {nothing} WHERE false"
    return f"{empty} UNION ALL BY NAME SELECT * FROM {source}" if source else empty


def read_sql(files: Sequence[Path]) -> str:
    """A relation over files of the lake."""
    listed = ", ".join(quoted(str(file)) for file in files)
    return f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"


def moment_sql(moment: datetime | None) -> str:
    """A moment as an SQL literal; NULL for none."""
    if moment is None:
        return "NULL::TIMESTAMP"
    return f"TIMESTAMP '{moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=' ')}'"
