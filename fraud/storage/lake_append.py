"""Appending to the lake: what of a batch is new, and how it gets there whole or not at all.

Everything is written into a folder beside the lake first; renaming that folder is the moment from which the batch counts. Its files are
then moved to their places, by the next who comes when the one who began was stopped."""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb

from fraud.domain.tables import Table
from fraud.storage.lake_views import AGAIN, moment_sql, order_of, padded_sql, quoted, read_sql, stamp, stored_columns

READY = "commit-"
"""The beginning of the name of a folder whose files only need to be moved to their places."""

PENDING = "append-"
"""The beginning of the name of a folder that is being filled."""


@dataclass(frozen=True)
class Batch:
    """What is appended: rows that stand in `source` (SQL of a relation), to which table, known since when, beside which files."""

    table: Table
    source: str
    ingested_at: datetime
    existing: Sequence[Path]


def write_new(con: duckdb.DuckDBPyConnection, batch: Batch, place: Path) -> tuple[int, int]:
    """Writes the rows of a batch that are not kept yet into `place`, by day; how many there were, and how many were new."""
    con.execute(_incoming_sql(batch.table, batch.source, batch.ingested_at))
    rows = _count(con, "incoming")
    fresh = _find_fresh(con, batch)
    content_sql = "printf('%016x', (bit_xor(md5_number(row_hash)) >> 64)::UBIGINT)"
    parts = con.sql(f"SELECT day, again, count(*), {content_sql} FROM {fresh} GROUP BY ALL ORDER BY ALL").fetchall()
    for day, again, _, content in parts:
        name = f"{stamp(batch.ingested_at)}-{content}{AGAIN if again else ''}.parquet"
        con.execute(_part_sql(fresh, batch.table, (day, again), _made(place, day) / name))
    return rows, sum(int(count) for _, _, count, _ in parts)


def commit(pending: Path, root: Path) -> None:
    """Makes what was written into `pending` part of the lake at `root`: from the renaming on, all of it."""
    ready = pending.with_name(READY + pending.name.removeprefix(PENDING))
    pending.rename(ready)
    _move(ready, root)


def recover(temporary: Path, root: Path) -> None:
    """Finishes what was stopped after it counted, and removes what was stopped before. The caller holds the lake's lock."""
    for ready in sorted(temporary.glob(f"{READY}*")):
        _move(ready, root)
    for abandoned in temporary.glob(f"{PENDING}*"):
        shutil.rmtree(abandoned)


def _move(ready: Path, root: Path) -> None:
    for file in sorted(ready.rglob("*.parquet")):
        target = root / file.relative_to(ready)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.replace(target)
    shutil.rmtree(ready)


def _incoming_sql(table: Table, source: str, ingested_at: datetime) -> str:
    """Creates `incoming`: the batch with every stored column, typed, the day it belongs to and the hash of its content."""
    columns = stored_columns(table)
    content = ", ".join(f"coalesce({column.name}::VARCHAR, chr(0))" for column in columns)
    typed = ", ".join(f"{column.name}::{column.sql_type} AS {column.name}" for column in columns)
    day = f"{table.time}::DATE" if table.by_day else "NULL::DATE"
    return (
        f"CREATE OR REPLACE TABLE incoming AS WITH given AS (SELECT {typed}, ordinal::BIGINT AS ingested_order "
        f"FROM ({padded_sql(table, source, ('ordinal BIGINT',))})) "
        f"SELECT *, {moment_sql(ingested_at)} AS ingested_at, md5(concat_ws(chr(31), {content})) AS row_hash, {day} AS day, false AS again "
        "FROM given"
    )


def _find_fresh(con: duckdb.DuckDBPyConnection, batch: Batch) -> str:
    """The table of rows that are not kept yet, with whether they replace a version (`again`): `incoming` itself when all are new."""
    key = batch.table.key or "row_hash"
    known = "SELECT '' AS key, '' AS row_hash WHERE false"
    if batch.existing:
        kept = f"{read_sql(batch.existing)} WHERE {key} IN (SELECT {key} FROM incoming)"
        known = f"SELECT {key} AS key, row_hash FROM {kept} {_compared(batch)}"
    con.execute(f"CREATE OR REPLACE TABLE known AS {known}")
    con.execute(
        f"CREATE OR REPLACE TABLE met AS SELECT {key} AS key FROM incoming GROUP BY ALL HAVING count(*) > 1 UNION SELECT key FROM known"
    )
    if not _count(con, "met"):
        return "incoming"
    con.execute(_verdicts_sql(key))
    con.execute(
        "CREATE OR REPLACE TABLE fresh AS SELECT i.* EXCLUDE (again), coalesce(v.again, false) AS again FROM incoming i "
        "LEFT JOIN verdicts v ON v.rid = i.rowid WHERE v.rid IS NULL OR v.new"
    )
    return "fresh"


def _compared(batch: Batch) -> str:
    """Which kept versions an incoming row is compared with: all of them, or for records that have no time of their own the newest.

    An affiliate who is active, suspended and active again is three versions, however alike the first and the last are. A key that stands
    several times in the batch is compared with all, so that the same file once more adds nothing. Events keep all: a repeat of an old
    conversion is a repeat, and a changed one carries its time.
    """
    key = batch.table.key
    if batch.table.by_day or not key:
        return ""
    once = f"(SELECT {key} FROM incoming GROUP BY ALL HAVING count(*) = 1)"
    newest = f"row_number() OVER (PARTITION BY {key} ORDER BY ingested_at DESC, ingested_order DESC NULLS LAST) = 1"
    return f"QUALIFY {key} NOT IN {once} OR {newest}"


def _verdicts_sql(key: str) -> str:
    """Creates `verdicts` on the rows whose key is met more than once: whether they are new, and whether they replace a version."""
    return (
        f"CREATE OR REPLACE TABLE verdicts AS WITH met_rows AS (SELECT rowid AS rid, {key} AS key, row_hash, ingested_order FROM incoming "
        f"WHERE {key} IN (SELECT key FROM met)), "
        "once AS (SELECT * FROM met_rows WHERE row_hash NOT IN (SELECT row_hash FROM known) "
        "QUALIFY row_number() OVER (PARTITION BY row_hash ORDER BY ingested_order, rid) = 1), "
        "versions AS (SELECT rid, key IN (SELECT key FROM known) "
        "OR row_number() OVER (PARTITION BY key ORDER BY ingested_order, row_hash) > 1 AS again FROM once) "
        "SELECT met_rows.rid, versions.rid IS NOT NULL AS new, coalesce(versions.again, false) AS again "
        "FROM met_rows LEFT JOIN versions USING (rid)"
    )


def _part_sql(fresh: str, table: Table, part: tuple[date | None, bool], target: Path) -> str:
    day, again = part
    of_day = "day IS NULL" if day is None else f"day = DATE '{day}'"
    return (
        f"COPY (SELECT * EXCLUDE (day, again) FROM {fresh} WHERE {of_day} AND again = {again} ORDER BY {order_of(table)}) "
        f"TO {quoted(str(target))} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
    )


def _made(place: Path, day: date | None) -> Path:
    folder = place if day is None else place / f"day={day.isoformat()}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _count(con: duckdb.DuckDBPyConnection, name: str) -> int:
    return int(con.sql(f"SELECT count(*) FROM {name}").fetchall()[0][0])
