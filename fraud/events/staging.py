"""A file's rows as text in a table, whatever the file is: the same shape for CSV, NDJSON and Parquet."""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field

import duckdb

from fraud.errors import InputError
from fraud.events import delimited
from fraud.events.casting import quoted
from fraud.events.sources import Source

TABLE = "staged"
"""The table of staged rows: `ordinal` (0-based record number) and `c0`, `c1`, … as text."""


@dataclass(frozen=True)
class Broken:
    """A record that is no row: where it is, why, and its text."""

    ordinal: int
    line: int
    reason: str
    raw: str


@dataclass(frozen=True)
class Staged:
    """Staged rows: `columns` are the source's names, trimmed and in lower case, in the order of `c0`, `c1`, …"""

    source: Source
    columns: tuple[str, ...]
    rows: int
    broken: tuple[Broken, ...] = ()
    dialect: delimited.Dialect | None = field(default=None, repr=False)


def stage(con: duckdb.DuckDBPyConnection, source: Source, known: Collection[str]) -> Staged:
    """Loads a source's rows as text; `known` are column names that help to tell the delimiter. `InputError` when it has no columns."""
    match source.container:
        case "parquet":
            return _stage_parquet(con, source)
        case "ndjson":
            return _stage_ndjson(con, source)
        case "csv":
            return _stage_csv(con, source, known)


def locate(con: duckdb.DuckDBPyConnection, staged: Staged, ordinals: Collection[int]) -> dict[int, tuple[int, str]]:
    """Where rows stand (1-based line; record number in Parquet) and what they say, by ordinal."""
    if not ordinals:
        return {}
    if staged.dialect is not None:
        found = (r for r in delimited.records(staged.source.text, staged.dialect) if r.ordinal in ordinals)
        return {record.ordinal: (record.line, record.text) for record in found}
    cells = ", ".join(f"c{number}" for number in range(len(staged.columns)))
    rows = con.sql(f"SELECT ordinal, {cells} FROM {TABLE}").fetchall()
    named = ((row[0], dict(zip(staged.columns, row[1:], strict=True))) for row in rows if row[0] in ordinals)
    return {ordinal: (ordinal + 1, json.dumps(cells, ensure_ascii=False)) for ordinal, cells in named}


def _stage_csv(con: duckdb.DuckDBPyConnection, source: Source, known: Collection[str]) -> Staged:
    dialect = delimited.dialect_of(source.text, known)
    columns = _named(source, dialect.header)
    broken: list[delimited.Record] = []
    if not delimited.stage_whole(con, source.text, dialect, TABLE):
        broken = delimited.stage_rows(con, source.text, dialect, TABLE)
    faults = tuple(Broken(record.ordinal, record.line, record.fault, record.text) for record in broken)
    return Staged(source, columns, _count(con) + len(broken), faults, dialect)


def _stage_ndjson(con: duckdb.DuckDBPyConnection, source: Source) -> Staged:
    con.execute(
        "CREATE OR REPLACE TEMP TABLE lines AS SELECT row_number() OVER () - 1 AS ordinal, line, "
        "json_valid(line) AND json_type(CASE WHEN json_valid(line) THEN line END) = 'OBJECT' AS whole "
        "FROM read_csv(?, columns = {'line': 'VARCHAR'}, delim = chr(30), quote = '', escape = '', header = false, auto_detect = false, "
        "nullstr = '', compression = 'none', max_line_size = 16777216)",
        [str(source.text)],
    )
    keys = [row[0] for row in con.sql("SELECT DISTINCT unnest(json_keys(line)) AS k FROM lines WHERE whole ORDER BY k").fetchall()]
    columns = _named(source, keys)
    cells = ", ".join(f"{_json_cell(key)} AS c{number}" for number, key in enumerate(keys))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {TABLE} AS SELECT ordinal, {cells} FROM lines WHERE whole")
    rows = con.sql("SELECT ordinal, line FROM lines WHERE NOT whole AND trim(line) <> '' ORDER BY ordinal").fetchall()
    broken = tuple(Broken(ordinal, ordinal + 1, "the line is no JSON object", line) for ordinal, line in rows)
    return Staged(source, columns, _count(con) + len(broken), broken)


def _json_cell(key: str) -> str:
    """The text of a JSON value: a list becomes `;`-separated, numbers stay as they were written."""
    name = "$." + json.dumps(key, ensure_ascii=False)
    path = quoted(name)
    return (
        f"CASE json_type(line, {path}) WHEN 'ARRAY' THEN array_to_string(json_extract_string(line, {quoted(name + '[*]')}), ';') "
        f"ELSE json_extract_string(line, {path}) END"
    )


def _stage_parquet(con: duckdb.DuckDBPyConnection, source: Source) -> Staged:
    try:
        described = con.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(source.path)]).fetchall()
        columns = _named(source, [row[0] for row in described])
        cells = ", ".join(_parquet_cell(name, sql_type, number) for number, (name, sql_type, *_) in enumerate(described))
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {TABLE} AS SELECT file_row_number AS ordinal, {cells} "
            "FROM read_parquet(?, file_row_number = true)",
            [str(source.path)],
        )
    except (duckdb.InvalidInputException, duckdb.IOException) as fault:
        raise InputError(f"{source.path} is no Parquet file that can be read: {str(fault).splitlines()[0]} Export it again.") from fault
    return Staged(source, columns, _count(con))


def _parquet_cell(name: str, sql_type: str, number: int) -> str:
    column = '"' + name.replace('"', '""') + '"'
    text = f"array_to_string({column}, ';')" if sql_type.endswith("[]") else f"CAST({column} AS VARCHAR)"
    return f"{text} AS c{number}"


def _named(source: Source, names: Collection[str]) -> tuple[str, ...]:
    columns = tuple(name.strip().strip("\ufeff").lower() for name in names)
    if not any(columns):
        raise InputError(f"{source.path} has no columns. Give a file whose first line names them.")
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if twice:
        raise InputError(f"{source.path} names the column {twice[0]!r} more than once. Rename or remove one of them.")
    return columns


def _count(con: duckdb.DuckDBPyConnection) -> int:
    return int(con.sql(f"SELECT count(*) FROM {TABLE}").fetchall()[0][0])
