"""CSV read, typed and judged in one pass by DuckDB, without a copy of its text; rows that do not fit are told by their lines.

DuckDB notes rows with too few or too many cells. Their lines, and those of rows with an unusable cell, are found by counting, which is
only right when every record is exactly one line. That is proven, not assumed: a record takes a line at least, so as many lines as records
(and a header) means one line each. Whatever cannot be proven so, and every other trouble, is left to the row-by-row reader.
"""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from fraud.events import delimited
from fraud.events.delimited import Record

MOST_NOTES = 500_000
"""Notes on rows that do not fit, of which DuckDB keeps no more; a file with as many is read row by row."""

_NOTES, _SCANS = "reject_errors", "reject_scans"
_REJECTS = f", store_rejects = true, rejects_table = '{_NOTES}', rejects_scan = '{_SCANS}', rejects_limit = {MOST_NOTES}"
_RAGGED = {"MISSING COLUMNS", "TOO MANY COLUMNS"}
_BLOCK = 1 << 18
_NEWLINE = ord("\n")


@dataclass(frozen=True)
class Faulty:
    """A row of the table that has an unusable cell: its record, and why."""

    record: Record
    reason: str


@dataclass(frozen=True)
class Direct:
    """What a file gave: rows in the table, those of them that are faulty, and the records that are no rows."""

    rows: int
    faulty: tuple[Faulty, ...] = ()
    broken: tuple[Record, ...] = ()


def load(con: duckdb.DuckDBPyConnection, path: Path, dialect: delimited.Dialect, table: str, select: str) -> Direct | None:
    """Creates `table` by `select`, in which `{source}` stands for the file's rows and which gives a column `fault`; the table's `rowid`
    is the number of the row among those that fit. `None` when the file must be read row by row."""
    con.execute(f"DROP TABLE IF EXISTS {_NOTES}; DROP TABLE IF EXISTS {_SCANS}")
    try:
        con.execute(f"CREATE OR REPLACE TABLE {table} AS {select.replace('{source}', delimited.whole_sql(path, dialect, _REJECTS))}")
    except duckdb.InvalidInputException:  # trouble that DuckDB does not note but gives up at
        return None
    notes = con.sql(f"SELECT line, error_type FROM {_NOTES} GROUP BY ALL ORDER BY line").fetchall()
    faults = con.sql(f"SELECT rowid, fault FROM {table} WHERE fault IS NOT NULL ORDER BY rowid").fetchall()
    if not _RAGGED.issuperset(kind for _, kind in notes):
        return None
    rows = int(con.sql(f"SELECT count(*) FROM {table}").fetchall()[0][0])
    if not notes and not faults and rows:
        return Direct(rows)
    return _placed(path, dialect, rows, (faults, sorted({line for line, _ in notes})))


def _placed(path: Path, dialect: delimited.Dialect, rows: int, found: tuple[Sequence[tuple[int, str]], Sequence[int]]) -> Direct | None:
    """The faulty rows and the broken lines with their texts, if every record is one line."""
    faults, broken = found
    ordinals = _ordinals((rowid for rowid, _ in faults), [line - 2 for line in broken])
    texts = lines_of(path, sorted([*broken, *(ordinal + 2 for ordinal in ordinals)]), rows + len(broken) + 1)
    if texts is None:
        return None
    torn = tuple(delimited.record_of(line - 2, line, texts[line], dialect) for line in broken)
    if not all(record.ragged for record in torn):
        return None
    records = (delimited.record_of(ordinal, ordinal + 2, texts[ordinal + 2], dialect) for ordinal in ordinals)
    return Direct(rows, tuple(Faulty(record, reason) for record, (_, reason) in zip(records, faults, strict=True)), torn)


def _ordinals(rowids: Iterable[int], broken: Sequence[int]) -> list[int]:
    """The record numbers of rows that are counted without the broken records, whose numbers are sorted."""
    before = [ordinal - index for index, ordinal in enumerate(broken)]
    return [rowid + bisect_right(before, rowid) for rowid in rowids]


def lines_of(path: Path, wanted: Sequence[int], expected: int) -> dict[int, str] | None:
    """The texts of the `wanted` lines (1-based, sorted) of a UTF-8 file; `None` when it has not exactly the `expected` number of lines,
    or when a carriage return stands within a line, where readers differ on whether it ends there."""
    texts: dict[int, str] = {}
    passed = 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK) + stream.readline():
            count = int(np.count_nonzero(np.frombuffer(block, np.uint8) == _NEWLINE)) + (not block.endswith(b"\n"))
            if b"\r" in block and block.count(b"\r") != block.count(b"\r\n"):
                return None
            here = wanted[bisect_right(wanted, passed) : bisect_left(wanted, passed + count + 1)]
            if here:
                lines = block.split(b"\n")
                texts |= {number: lines[number - passed - 1].decode().rstrip("\r") for number in here}
            passed += count
    return texts if passed == expected else None
