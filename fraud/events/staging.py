"""A file's rows as text in a table, whatever the file is: the same shape for CSV, JSON, access logs, Parquet and Excel."""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa

from fraud.errors import InputError
from fraud.events import delimited, documents, objects, weblogs, workbooks
from fraud.events.sources import Source

TABLE = "staged"
"""The table of staged rows: `ordinal` (0-based record number) and `c0`, `c1`, … as text."""

_BATCH = 50_000
_LINES = "CREATE OR REPLACE TEMP TABLE lines (ordinal BIGINT, number BIGINT, line VARCHAR)"


@dataclass(frozen=True)
class Broken:
    """A record that is no row: where it is, why, and its text."""

    ordinal: int
    line: int
    reason: str
    raw: str


@dataclass(frozen=True)
class Staged:
    """Staged rows: `columns` are the source's names, trimmed and in lower case, in the order of `c0`, `c1`, …

    Of a CSV file only the header has been read while it is `pending`: most are read and typed at once, without staging (see `loaded`)."""

    source: Source
    columns: tuple[str, ...]
    rows: int
    broken: tuple[Broken, ...] = ()
    dialect: delimited.Dialect | None = field(default=None, repr=False)
    places: Mapping[int, tuple[int, str]] | None = field(default=None, repr=False)
    """Line and text by ordinal, of rows that no longer stand in a file."""
    pending: bool = False


def stage(con: duckdb.DuckDBPyConnection, source: Source, known: Collection[str]) -> Staged:
    """Loads a source's rows as text, or of a CSV file the header alone; `known` are column names that help to tell the delimiter.
    `InputError` when it has no columns."""
    match source.container:
        case "parquet":
            return _stage_parquet(con, source)
        case "excel":
            return _stage_excel(con, source)
        case "csv":
            dialect = delimited.dialect_of(source.text, known)
            return Staged(source, _named(source, dialect.header), 0, dialect=dialect, pending=True)
        case "log":
            _load_lines(con, source.text)
            return stage_lines(con, source, known)
        case "ndjson":
            _load_lines(con, source.text)
            return stage_lines(con, source, known)
        case "json":
            load_lines(con, ((number, element.line, element.text) for number, element in enumerate(documents.elements(source.text))))
            return stage_lines(con, source, known)


def loaded(con: duckdb.DuckDBPyConnection, staged: Staged) -> Staged:
    """The same with its rows in the table."""
    if not staged.pending or staged.dialect is None:
        return staged
    source, dialect = staged.source, staged.dialect
    if delimited.stage_whole(con, source.text, dialect, TABLE):
        return Staged(source, staged.columns, _count(con), (), dialect)
    return stage_records(con, source, dialect, delimited.records(source.text, dialect))


def stage_lines(con: duckdb.DuckDBPyConnection, source: Source, known: Collection[str], further: Collection[str] = ()) -> Staged:
    """Stages the table `lines` (`ordinal`, `number` of the line in the file, `line`) as objects or as a log's records; `further` are
    columns that the whole file has, though perhaps none of these lines."""
    con.execute("ALTER TABLE lines ADD COLUMN whole BOOLEAN DEFAULT false")
    if source.container == "log":
        columns, reason = weblogs.stage(con, TABLE, known), "the line is no record of an access log in the combined format"
    else:
        columns, reason = tuple(objects.stage(con, TABLE, str(source.path))), "the line is no JSON object"
    lacking = [name for name in further if name not in {column.strip().lower() for column in columns}]
    for number, _ in enumerate(lacking, start=len(columns)):
        con.execute(f"ALTER TABLE {TABLE} ADD COLUMN c{number} VARCHAR")
    columns += tuple(lacking)
    found = con.sql("SELECT ordinal, number, line FROM lines WHERE NOT whole AND trim(line, ' \t\r\n') <> '' ORDER BY ordinal").fetchall()
    broken = tuple(Broken(ordinal, number, objects.fault(line) or reason, line) for ordinal, number, line in found)
    return Staged(source, _named(source, columns), _count(con) + len(broken), broken)


def stage_records(
    con: duckdb.DuckDBPyConnection, source: Source, dialect: delimited.Dialect, records: Iterable[delimited.Record]
) -> Staged:
    """Stages records of a CSV file that have been read already."""
    broken = delimited.stage_rows(con, records, dialect, TABLE)
    faults = tuple(Broken(record.ordinal, record.line, record.fault, record.text) for record in broken)
    return Staged(source, _named(source, dialect.header), _count(con) + len(broken), faults, dialect)


def stage_cells(
    con: duckdb.DuckDBPyConnection, source: Source, columns: Collection[str], rows: Iterable[tuple[int, tuple[str | None, ...]]]
) -> Staged:
    """Stages rows of cells, each with its ordinal; a row that is too short lacks its last cells."""
    names = _named(source, columns)
    texts = ", ".join(f"c{number} VARCHAR" for number in range(len(names)))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {TABLE} (ordinal BIGINT, {texts})")
    waiting = iter(rows)
    while batch := list(islice(waiting, _BATCH)):
        arrays = {"ordinal": pa.array([ordinal for ordinal, _ in batch], pa.int64())}
        for number in range(len(names)):
            arrays[f"c{number}"] = pa.array([row[number] if number < len(row) else None for _, row in batch], pa.string())
        _insert(con, TABLE, pa.table(arrays))
    return Staged(source, names, _count(con))


def locate(con: duckdb.DuckDBPyConnection, staged: Staged, ordinals: Collection[int]) -> dict[int, tuple[int, str]]:
    """Where rows stand (1-based line; record number in Parquet, row in Excel) and what they say, by ordinal."""
    if not ordinals:
        return {}
    if staged.places is not None:
        return {ordinal: staged.places[ordinal] for ordinal in ordinals}
    con.register("wanted_ordinals", pa.table({"ordinal": pa.array(sorted(ordinals), pa.int64())}))
    try:
        return _located(con, staged, ordinals)
    finally:
        con.unregister("wanted_ordinals")


def _located(con: duckdb.DuckDBPyConnection, staged: Staged, ordinals: Collection[int]) -> dict[int, tuple[int, str]]:
    if staged.dialect is not None:
        found = (record for record in delimited.records(staged.source.text, staged.dialect) if record.ordinal in ordinals)
        return {record.ordinal: (record.line, record.text) for record in found}
    if staged.source.container in {"ndjson", "json", "log"}:
        lines = con.sql("SELECT ordinal, number, line FROM lines SEMI JOIN wanted_ordinals USING (ordinal)").fetchall()
        return {ordinal: (number, line) for ordinal, number, line in lines}
    cells = ", ".join(f"c{number}" for number in range(len(staged.columns)))
    rows = con.sql(f"SELECT ordinal, {cells} FROM {TABLE} SEMI JOIN wanted_ordinals USING (ordinal)").fetchall()
    return {row[0]: (row[0] + 1, json.dumps(dict(zip(staged.columns, row[1:], strict=True)), ensure_ascii=False)) for row in rows}


def _load_lines(con: duckdb.DuckDBPyConnection, text: Path) -> None:
    """Builds `lines`: at once by DuckDB, or one by one when a line holds what DuckDB splits at or is longer than it takes."""
    try:
        con.execute(
            "CREATE OR REPLACE TEMP TABLE lines AS SELECT row_number() OVER () - 1 AS ordinal, row_number() OVER () AS number, line "
            "FROM read_csv(?, columns = {'line': 'VARCHAR'}, delim = chr(30), quote = '', escape = '', header = false, "
            "auto_detect = false, nullstr = '', compression = 'none', new_line = '\\n', max_line_size = 16777216)",
            [str(text)],
        )
    except (duckdb.InvalidInputException, duckdb.OutOfMemoryException):
        with text.open(encoding="utf-8", newline="\n") as stream:
            load_lines(con, ((number, number + 1, line.rstrip("\r\n")) for number, line in enumerate(stream)))


def load_lines(con: duckdb.DuckDBPyConnection, lines: Iterator[tuple[int, int, str]]) -> None:
    """Builds the table `lines` of ordinals, line numbers and texts."""
    con.execute(_LINES)
    while batch := list(islice(lines, _BATCH)):
        ordinals, numbers, texts = zip(*batch, strict=True)
        table = {"ordinal": pa.array(ordinals, pa.int64()), "number": pa.array(numbers, pa.int64()), "line": pa.array(texts, pa.string())}
        _insert(con, "lines", pa.table(table))


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    con.register("incoming_rows", rows)
    con.execute(f"INSERT INTO {table} SELECT * FROM incoming_rows")
    con.unregister("incoming_rows")


def _stage_excel(con: duckdb.DuckDBPyConnection, source: Source) -> Staged:
    rows = workbooks.rows(source.text, source.path)
    header = next(rows, None)
    names = [] if header is None else [name or "" for name in header[1]]
    while names and not names[-1]:
        names.pop()
    return stage_cells(con, source, names, ((number - 1, cells) for number, cells in rows))


def _stage_parquet(con: duckdb.DuckDBPyConnection, source: Source) -> Staged:
    path = str(source.text)
    try:
        described = con.execute("DESCRIBE SELECT * FROM read_parquet(?)", [path]).fetchall()
        columns = _named(source, [row[0] for row in described])
        cells = ", ".join(_parquet_cell(name, sql_type, number) for number, (name, sql_type, *_) in enumerate(described))
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {TABLE} AS SELECT file_row_number AS ordinal, {cells} "
            "FROM read_parquet(?, file_row_number = true)",
            [path],
        )
    except duckdb.Error as fault:
        if isinstance(fault, (duckdb.OutOfMemoryException, duckdb.InternalException)):
            raise
        said = str(fault).splitlines()[0].partition("Error: ")[2] or type(fault).__name__
        raise InputError(f"{source.path} is no Parquet file that can be read ({said}). Export it again.") from fault
    return Staged(source, columns, _count(con))


def _parquet_cell(name: str, sql_type: str, number: int) -> str:
    column = '"' + name.replace('"', '""') + '"'
    text = f"array_to_string({column}, ';')" if sql_type.endswith("[]") else f"CAST({column} AS VARCHAR)"
    return f"{text} AS c{number}"


def _named(source: Source, names: Collection[str]) -> tuple[str, ...]:
    columns = tuple(name.strip().strip("\ufeff").lower() for name in names)
    if not any(columns):
        needed = "one JSON object with members" if source.container in {"ndjson", "json"} else "a first line that names them"
        raise InputError(f"{source.path} has no columns. Give a file with {needed}.")
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if twice:
        raise InputError(f"{source.path} names the column {twice[0]!r} more than once. Rename or remove one of them.")
    return columns


def _count(con: duckdb.DuckDBPyConnection) -> int:
    return int(con.sql(f"SELECT count(*) FROM {TABLE}").fetchall()[0][0])
