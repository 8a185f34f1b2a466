"""Persons in the lake: the rows about one, and files written anew in which these rows say no longer who it was.

A rewritten file takes the place of the one before as a merged one does (`lake_upkeep`): in one moment, and what is replaced stays for a
day for those who began to read it.
"""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; values are bound

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from fraud.domain.privacy import IDENTIFYING
from fraud.domain.tables import Table
from fraud.storage.lake_upkeep import naming_damage
from fraud.storage.lake_views import AGAIN, order_of, quoted, read_sql, stamp


def rows_about(con: duckdb.DuckDBPyConnection, files: Sequence[Path], columns: Sequence[str], value: str) -> list[dict[str, Any]]:
    """Every version of every row in which one of the columns holds the value."""
    found: list[dict[str, Any]] = []
    for file in files:
        with naming_damage([file]):
            where = _where(con, file, columns)
            asked = con.execute(f"SELECT * FROM {read_sql([file])} WHERE {where}", {"value": value})
            names = [column[0] for column in asked.description or ()]
            found += [dict(zip(names, row, strict=True)) for row in asked.fetchall()]
    return found


def erased_copy(
    con: duckdb.DuckDBPyConnection, table: Table, file: Path, about: tuple[Sequence[str], str], pending: tuple[Path, datetime]
) -> tuple[Path | None, int]:
    """Writes a file anew without whom it is about (columns, value) into a folder, as of a moment (`pending`): the copy, and how many rows
    were about them; no copy when none was."""
    columns, value = about
    folder, at = pending
    with naming_damage([file]):
        where, bound = _where(con, file, columns), {"value": value}
        rows = int(con.execute(f"SELECT count(*) FROM {read_sql([file])} WHERE {where}", bound).fetchall()[0][0])
        if not rows:
            return None, 0
        gone = [name for name in IDENTIFYING[table.kind] if name in _columns(con, file)]
        unknown = ", ".join(f"CASE WHEN {where} THEN NULL ELSE {name} END AS {name}" for name in gone)
        written = folder / f"{stamp(at)}-{uuid.uuid4().hex[:16]}{AGAIN if file.stem.endswith(AGAIN) else ''}.parquet"
        con.execute(
            f"COPY (SELECT * REPLACE ({unknown}) FROM {read_sql([file])} ORDER BY {order_of(table)}) "
            f"TO {quoted(str(written))} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)",
            bound,
        )
    return written, rows


def _where(con: duckdb.DuckDBPyConnection, file: Path, columns: Sequence[str]) -> str:
    there = _columns(con, file)
    return " OR ".join(f"coalesce({name} = $value, false)" for name in columns if name in there) or "$value IS NULL"


def _columns(con: duckdb.DuckDBPyConnection, file: Path) -> set[str]:
    return {str(row[0]) for row in con.execute(f"DESCRIBE SELECT * FROM {read_sql([file])}").fetchall()}
