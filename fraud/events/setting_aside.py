"""Rows that were set aside: what is kept with them so that they can be read again, and how they are."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from fraud.events import delimited, staging
from fraud.events.formats import known_columns
from fraud.events.reading import Rejected
from fraud.events.sources import Container, Source
from fraud.events.staging import Staged

_GIVEN = re.compile(r" '.*' (?=is |has )", re.DOTALL)


@dataclass(frozen=True)
class Origin:
    """Where rows that were set aside came from: the file, the hash of its content, how it is written, the format that was asked for,
    and the program it was read for (`None`: rows say it themselves)."""

    file: str
    sha256: str
    container: Container
    columns: tuple[str, ...]
    delimiter: str
    format: str
    program_id: str | None


def origin_of(staged: Staged, format_name: str, program_id: str | None) -> Origin:
    """What must be kept of a file to read single rows of it again."""
    source, dialect = staged.source, staged.dialect
    columns = staged.columns if dialect is None else dialect.header
    path = str(Path(format_name).absolute()) if format_name.endswith((".yaml", ".yml")) else format_name
    return Origin(str(source.path), source.sha256, source.container, columns, dialect.delimiter if dialect else "", path, program_id)


def restage(con: duckdb.DuckDBPyConnection, origin: Origin, rows: Sequence[Rejected]) -> Staged:
    """Stages rows that were set aside as if they stood in their file: with the ordinals they had there."""
    source = Source(Path(origin.file), origin.container, "", "utf-8-sig", origin.sha256, Path(), odd=True)
    staged = _staged(con, source, origin, sorted(rows, key=lambda row: row.ordinal))
    return replace(staged, places={row.ordinal: (row.line, row.raw) for row in rows})


def _staged(con: duckdb.DuckDBPyConnection, source: Source, origin: Origin, rows: Sequence[Rejected]) -> Staged:
    match origin.container:
        case "csv":
            dialect = delimited.Dialect(origin.delimiter, tuple(origin.columns))
            records = (delimited.record_of(row.ordinal, row.line, row.raw, dialect) for row in rows)
            return staging.stage_records(con, source, dialect, records)
        case "ndjson" | "json" | "log":
            staging.load_lines(con, ((row.ordinal, row.line, row.raw) for row in rows))
            return staging.stage_lines(con, source, known_columns(origin.format), origin.columns)
        case "parquet" | "excel":
            cells = ((row.ordinal, _cells(row.raw, origin.columns)) for row in rows)
            return staging.stage_cells(con, source, origin.columns, cells)


def _cells(raw: str, columns: Sequence[str]) -> tuple[str | None, ...]:
    cells = json.loads(raw)
    return tuple(cells.get(column) for column in columns)


def kind_of_reason(reason: str) -> str:
    """A reason without the value it quotes, to count by."""
    return _GIVEN.sub(" ", reason, count=1)
