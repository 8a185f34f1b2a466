"""Appending to the lake: what of a batch is new, and how it gets there whole or not at all.

Everything is written into a folder beside the lake first; renaming that folder is the moment from which the batch counts. Its files are
then moved to their places, by the next who comes when the one who began was stopped."""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from fraud.domain.tables import Table
from fraud.storage.lake_repeats import find_fresh
from fraud.storage.lake_views import AGAIN, moment_sql, order_of, padded_sql, quoted, stamp, stored_columns

READY = "commit-"
"""The beginning of the name of a folder whose files only need to be moved to their places."""

MOST_READING = 4
"""How often a batch may be read over to write it by day before it is sorted as a whole first."""

SORTED_FROM = 4 * 122_880
"""Rows from which a file is sorted by affiliate: with fewer it has a row group (of 122,880 rows) or a few, which readers take in one go,
and sorting, a fifth of the work of appending, would let them leave out next to nothing."""

_NAME_DIGITS = 16

PENDING = "append-"
"""The beginning of the name of a folder that is being filled."""


@dataclass(frozen=True)
class Batch:
    """What is appended: the rows of the relation `source` (a name of `con`; `numbered` says that its column `ordinal` names each row),
    to which table, known since when, beside which files."""

    table: Table
    source: str
    ingested_at: datetime
    existing: Sequence[Path]
    numbered: bool = False


@dataclass(frozen=True)
class Part:
    """Rows of one day that go into one file: those that replace earlier versions (`again`) apart from the others."""

    day: date | None
    again: bool
    rows: int
    first: int
    last: int


def write_new(con: duckdb.DuckDBPyConnection, batch: Batch, place: Path) -> tuple[int, int]:
    """Writes the rows of a batch that are not kept yet into `place`, by day; how many there were, and how many were new."""
    _prepare(con, batch)
    rows = int(con.sql("SELECT count(*) FROM incoming").fetchall()[0][0])
    fresh = find_fresh(con, batch.table, batch.existing)
    parts = _parts(con, batch.table, fresh)
    if _scattered(parts):
        fresh = _gathered(con, batch.table, fresh)
    _write_parts(con, fresh, batch, parts, place)
    return rows, sum(part.rows for part in parts)


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


def _prepare(con: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    """Creates `incoming`: the batch with every stored column, typed, the day it belongs to and a number (`rid`) for each row."""
    source = batch.source
    if not batch.numbered:
        con.execute(f"CREATE OR REPLACE TABLE taken AS SELECT * FROM ({padded_sql(batch.table, source, ('ordinal BIGINT',))})")
        source = "taken"
    typed = ", ".join(f"{column.name}::{column.sql_type} AS {column.name}" for column in stored_columns(batch.table))
    day = f"{batch.table.time}::DATE" if batch.table.by_day else "NULL::DATE"
    con.execute(
        f"CREATE OR REPLACE VIEW incoming AS SELECT {typed}, {moment_sql(batch.ingested_at)} AS ingested_at, ordinal AS ingested_order, "
        f"{day} AS day, {'ordinal' if batch.numbered else 'rowid'} AS rid FROM {source}"
    )


def _parts(con: duckdb.DuckDBPyConnection, table: Table, fresh: str) -> list[Part]:
    found = con.sql(f"SELECT day, again, count(*), min(rid), max(rid) FROM {fresh} GROUP BY ALL ORDER BY ALL").fetchall()
    return [Part(*row) for row in found]


def _scattered(parts: Sequence[Part]) -> bool:
    """Whether collecting each part's rows from where they stand would mean reading the whole again and again."""
    spans = sum(part.last - part.first + 1 for part in parts)
    return len(parts) > 1 and spans > MOST_READING * sum(part.rows for part in parts)


def _gathered(con: duckdb.DuckDBPyConnection, table: Table, fresh: str) -> str:
    """A table of the rows in the order in which they are written."""
    con.execute(f"CREATE OR REPLACE TABLE gathered AS SELECT * FROM {fresh} ORDER BY day, again, {order_of(table)}")
    return "gathered"


def _write_parts(con: duckdb.DuckDBPyConnection, fresh: str, batch: Batch, parts: Sequence[Part], place: Path) -> None:
    """Writes one file for each part, as many at a time as there are processors."""
    name = f"{stamp(batch.ingested_at)}-{uuid.uuid4().hex[:_NAME_DIGITS]}"

    def write(part: Part) -> None:
        target = _made(place, part.day) / f"{name}{AGAIN if part.again else ''}.parquet"
        with con.cursor() as cursor:
            cursor.execute(_part_sql(fresh, batch.table, part, target))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(write, parts))


def _part_sql(fresh: str, table: Table, part: Part, target: Path) -> str:
    of_day = "true"
    if part.day is not None:
        of_day = f"{table.time} >= TIMESTAMP '{part.day}' AND {table.time} < TIMESTAMP '{part.day + timedelta(days=1)}'"
    sorted_by = f"ORDER BY {order_of(table)}" if part.rows >= SORTED_FROM else ""
    return (
        f"COPY (SELECT * EXCLUDE (day, again, rid) FROM {fresh} WHERE {of_day} AND again = {part.again} {sorted_by}) "
        f"TO {quoted(str(target))} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
    )


def _made(place: Path, day: date | None) -> Path:
    folder = place if day is None else place / f"day={day.isoformat()}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
