"""CSV in any of the usual delimiters: fast by DuckDB when every row is whole, row by row when one is not, so that no other row is lost."""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa

from fraud.events.casting import quoted

DELIMITERS = (",", ";", "\t", "|")

LONGEST_RECORD_LINES = 50
"""A quoted cell may span lines; one that spans more was never closed."""

_BATCH = 50_000
_BUFFER = 1 << 26
"""Bytes that DuckDB reads at a time: rows of so many fill whole row groups, which then need not be copied together."""

_FIELD_LIMIT = 1 << 24
_OPEN_QUOTE = "a quote is opened and not closed as it should be"


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written, and the columns of its first line as they stand there."""

    delimiter: str
    header: tuple[str, ...]


@dataclass(frozen=True)
class Record:
    """One record: where it starts (1-based line), its text, and its cells, or why it has none."""

    ordinal: int
    line: int
    text: str
    cells: tuple[str, ...] | None
    fault: str = ""

    @property
    def ragged(self) -> bool:
        """Whether it is one record by itself, which has too few or too many cells."""
        return self.cells is None and self.fault != _OPEN_QUOTE and bool(self.text.strip())


def dialect_of(path: Path, known: Iterable[str]) -> Dialect:
    """The delimiter under which the header has most of the `known` column names, then most columns."""
    with path.open(encoding="utf-8", newline="") as stream:
        first = next((line for line in stream if line.strip()), "")
    names = frozenset(known)
    candidates = [Dialect(delimiter, tuple(_cells(first, delimiter) or ())) for delimiter in DELIMITERS]
    return max(candidates, key=lambda d: (sum(cell.strip().lower() in names for cell in d.header), len(d.header)))


def whole_sql(path: Path, dialect: Dialect, rejects: str = "") -> str:
    """SQL of a relation (`c0`, `c1`, …) over a file read by DuckDB, in the file's order; it fails on a row that does not fit, unless
    `rejects` (options of `read_csv`) says where such rows are noted."""
    columns = "{" + ", ".join(f"'c{number}': 'VARCHAR'" for number in range(len(dialect.header))) + "}"
    return (
        f"read_csv({quoted(str(path))}, columns = {columns}, delim = {quoted(dialect.delimiter)}, quote = '\"', escape = '\"', "
        "header = true, auto_detect = false, strict_mode = true, null_padding = false, nullstr = '', compression = 'none', "
        f"buffer_size = {_BUFFER}{rejects})"
    )


def stage_whole(con: duckdb.DuckDBPyConnection, path: Path, dialect: Dialect, table: str) -> bool:
    """Loads the file into `table` (`ordinal`, `c0`, `c1`, …) in one go; false, and nothing loaded, when some row does not fit."""
    try:
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT row_number() OVER () - 1 AS ordinal, * FROM {whole_sql(path, dialect)}"
        )
    except duckdb.InvalidInputException:  # a row that does not fit the header: the row-by-row reader finds which
        return False
    return True


def stage_rows(con: duckdb.DuckDBPyConnection, given: Iterable[Record], dialect: Dialect, table: str) -> list[Record]:
    """Loads the records that fit into `table`, and returns those that do not."""
    width = len(dialect.header)
    columns = ", ".join(f"c{number} VARCHAR" for number in range(width))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} (ordinal BIGINT, {columns})")
    broken: list[Record] = []
    stream = iter(given)
    while batch := list(islice(stream, _BATCH)):
        broken += [record for record in batch if record.cells is None]
        _insert(con, table, [record for record in batch if record.cells is not None], width)
    return broken


def records(path: Path, dialect: Dialect) -> Iterator[Record]:
    """Every record after the header, whole or not. Blank lines are no records.

    A line that cannot be read alone is joined with the next ones, for cells that span lines; when that gives no record of the right
    width either, the first line alone is at fault and reading goes on with the next.
    """
    csv.field_size_limit(_FIELD_LIMIT)
    lines = _Lines(path)
    next((line for line in lines if line.strip()), None)
    for ordinal, line in enumerate(text for text in lines if text.strip()):
        start = lines.number
        text, cells = _record(line, lines, dialect)
        fault = "" if cells is not None else _fault(line, dialect)
        yield Record(ordinal, start, text.rstrip("\r\n"), cells, fault)


def record_of(ordinal: int, line: int, text: str, dialect: Dialect) -> Record:
    """A record that has been taken out of its file."""
    cells = _cells(text, dialect.delimiter)
    whole = cells if cells is not None and len(cells) == len(dialect.header) else None
    return Record(ordinal, line, text, whole, "" if whole is not None else _fault(text, dialect))


def _record(line: str, lines: _Lines, dialect: Dialect) -> tuple[str, tuple[str, ...] | None]:
    width = len(dialect.header)
    cells = _cells(line, dialect.delimiter)
    if cells is not None:
        return line, cells if len(cells) == width else None
    text = line
    for number, further in enumerate(lines.ahead(LONGEST_RECORD_LINES), start=1):
        text += further
        cells = _cells(text, dialect.delimiter)
        if cells is not None and len(cells) == width:
            lines.skip(number)
            return text, cells
    return line, None


def _fault(line: str, dialect: Dialect) -> str:
    cells = _cells(line, dialect.delimiter)
    if cells is None:
        return _OPEN_QUOTE
    return f"{len(cells)} cells where the header has {len(dialect.header)}"


def _cells(text: str, delimiter: str) -> tuple[str, ...] | None:
    """The cells of exactly one record, or `None` when the text is not exactly one."""
    try:
        rows = list(csv.reader(text.splitlines(keepends=True) if "\n" in text[:-1] else [text], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return tuple(rows[0]) if len(rows) == 1 else None


def _insert(con: duckdb.DuckDBPyConnection, table: str, batch: list[Record], width: int) -> None:
    cells = [record.cells or () for record in batch]
    columns = {"ordinal": pa.array([record.ordinal for record in batch], pa.int64())}
    columns |= {f"c{number}": pa.array([row[number] for row in cells], pa.string()) for number in range(width)}
    con.register("incoming_rows", pa.table(columns))
    con.execute(f"INSERT INTO {table} SELECT * FROM incoming_rows")
    con.unregister("incoming_rows")


class _Lines:
    """The lines of a file, with the number of the one last given and a look at those to come."""

    def __init__(self, path: Path) -> None:
        self.number = 0
        self._stream = _physical_lines(path)
        self._waiting: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._waiting.pop(0) if self._waiting else next(self._stream)
        self.number += 1
        return line

    def ahead(self, count: int) -> Iterator[str]:
        """Up to `count` lines to come, without passing them."""
        for index in range(count):
            if index >= len(self._waiting):
                line = next(self._stream, None)
                if line is None:
                    return
                self._waiting.append(line)
            yield self._waiting[index]

    def skip(self, count: int) -> None:
        """Passes `count` lines."""
        for _ in range(count):
            next(self)


def _physical_lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="") as stream:
        yield from stream
