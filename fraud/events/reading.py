"""Reads a file of events strictly: every row becomes typed values under a format's mapping, or is set aside with its place and reason."""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.errors import InputError
from fraud.events import casting, direct, staging
from fraud.events.formats import Format, Mapping, known_columns
from fraud.events.personal import hash_values
from fraud.events.staging import Staged
from fraud.events.tables import TABLES, Column, Table

SHOWN_COLUMNS = 40
"""Columns that an error lists before it says how many more there are."""


@dataclass(frozen=True)
class Rejected:
    """A row set aside: its file, 1-based line (record number in Parquet), the reason, the row as it stood there, and its 0-based
    number in the file."""

    file: str
    line: int
    reason: str
    raw: str
    ordinal: int = 0


@dataclass(frozen=True)
class Reading:
    """What reading one table from a file gave. The usable rows stand in the connection's view `relation`, with the lake's columns,
    `program_id` and `ordinal`; `rows` = usable + rejected."""

    kind: str
    relation: str
    rows: int
    usable: int
    rejected: tuple[Rejected, ...]
    programs: tuple[str, ...]
    unknown_columns: tuple[str, ...]
    passed_over: int = 0
    """Rows of the file that are no such events at all."""


@dataclass(frozen=True)
class Owner:
    """Whose rows are read: with `program_id` every row is that program's, and one that names another is set aside; with `None` rows
    say it themselves. `pepper` keys the hashes of personal values."""

    program_id: str | None
    pepper: bytes


def read_table(con: duckdb.DuckDBPyConnection, staged: Staged, form: Format, kind: str, owner: Owner) -> Reading:
    """Types the staged rows that feed `kind`; personal values become keyed hashes. `InputError` when a needed column is missing."""
    mapping = form.mapping(kind)
    if mapping is None:
        raise InputError(f"The format {form.name} does not feed {kind}.")
    _require_columns(staged, mapping)
    rejected, total = _typed_rows(con, staged, mapping, owner.program_id)
    relation = f"usable_{kind}"
    _hash_personal(con, TABLES[kind], owner, relation)
    programs, usable = _counted(con, kind, owner)
    unknown = tuple(sorted({name for name in staged.columns if name} - _read_by(form)))
    rows = usable + len(rejected)
    return Reading(kind, relation, rows, usable, rejected, programs, unknown, total - rows)


def _counted(con: duckdb.DuckDBPyConnection, kind: str, owner: Owner) -> tuple[tuple[str, ...], int]:
    """The programs of the usable rows, and how many rows there are."""
    program = f"coalesce(program_id, {casting.quoted(owner.program_id or DEFAULT_PROGRAM)})"
    counts = con.sql(f"SELECT {program} AS program, count(*) FROM numbered_{kind} WHERE fault IS NULL GROUP BY ALL ORDER BY 1").fetchall()
    return tuple(str(name) for name, _ in counts), sum(int(count) for _, count in counts)


def _read_by(form: Format) -> frozenset[str]:
    return form.recognise.union(*(mapping.sources for mapping in form.mappings))


_HINT = " Name the columns so, or say what your tracker calls them in a mapping: --format FILE.yaml (docs/formats.md)."
"""What to do about a file whose columns are not all known."""


def _require_columns(staged: Staged, mapping: Mapping) -> None:
    missing = mapping.lacks(staged.columns)
    if missing:
        found = ", ".join(staged.columns[:SHOWN_COLUMNS])
        more = len(staged.columns) - SHOWN_COLUMNS
        found += f" and {more} more" if more > 0 else ""
        hint = _HINT if known_columns().intersection(staged.columns) else _hint(staged.source.container)
        raise InputError(f"{staged.source.path} is no table of {mapping.kind}: missing: {', '.join(missing)}; found: {found}.{hint}")


def _hint(container: str) -> str:
    """What to do about a file none of whose columns are known."""
    above = " If the first line names no columns, remove it." if container in {"csv", "excel"} else ""
    return f"{above}{_HINT}"


def _typed_rows(
    con: duckdb.DuckDBPyConnection, staged: Staged, mapping: Mapping, program_id: str | None
) -> tuple[tuple[Rejected, ...], int]:
    """Builds the table of typed rows; those that were set aside, and how many records there are in all."""
    table = f"typed_{mapping.kind}"
    if staged.pending and staged.dialect is not None and _row_by_itself(mapping, staged):
        select = _typed_sql(staged, mapping, program_id, "{source}", "")
        read = direct.load(con, staged.source.text, staged.dialect, table, select)
        if read is not None:
            _number(con, mapping.kind, "rowid")
            return _rejected_directly(staged, read), read.rows + len(read.broken)
    staged = staging.loaded(con, staged)
    con.execute(f"CREATE OR REPLACE TABLE {table} AS {_typed_sql(staged, mapping, program_id, staging.TABLE, 'ordinal, ')}")
    _number(con, mapping.kind, "ordinal")
    return _rejected(con, staged, mapping.kind), staged.rows


def _row_by_itself(mapping: Mapping, staged: Staged) -> bool:
    """Whether every row feeds the table, and by its cells alone."""
    numbered = any(expression.numbered for _, expression in mapping.columns)
    return not numbered and not any(name in staged.columns for name in mapping.where)


def _typed_sql(staged: Staged, mapping: Mapping, program_id: str | None, source: str, ordinal: str) -> str:
    """SQL of the typed rows: from cells (texts under the contract's names) to values and the first fault of each row."""
    table = TABLES[mapping.kind]
    cells = {name: casting.cell(f"c{number}", _spaced(staged)) for number, name in enumerate(staged.columns) if name}
    texts = {target: expression.sql(cells, staged.source.sha256) for target, expression in mapping.columns if not expression.lacks(cells)}
    given = [column for column in table.contract_columns if column.name in texts]
    chosen = ", ".join(f"({texts[column.name]})::VARCHAR AS {column.name}" for column in given)
    read = ", ".join(f"{casting.value(column, column.name)} AS raw_{column.name}" for column in given)
    bounded = ", ".join(f"{casting.within(column, f'raw_{column.name}')} AS read_{column.name}" for column in given)
    faults = ", ".join(casting.fault(column, column.name, f"read_{column.name}", staged.source.odd) for column in given)
    typed = ", ".join(f"read_{column.name}::{column.sql_type} AS {column.name}" for column in given)
    chosen_sql = f"SELECT {ordinal}{chosen} FROM {source} {_filled(cells, mapping)}"
    return (  # queries in queries: a named one (WITH) may be kept as a table of its own, which loses the order of the file
        f"SELECT {ordinal}coalesce({faults}, {_foreign(program_id if 'program_id' in texts else None)}) AS fault, {typed} "
        f"FROM (SELECT *, {bounded} FROM (SELECT *, {read} FROM ({chosen_sql})))"
    )


def _spaced(staged: Staged) -> bool:
    """Whether a cell may end in space; what the bytes of a file tell of it holds for CSV alone."""
    return staged.source.spaced or staged.source.container != "csv"


def _number(con: duckdb.DuckDBPyConnection, kind: str, ordinal: str) -> None:
    """Creates the view of the typed rows with their number (SQL) and every column: what the file has nothing for is unknown."""
    there = {str(row[0]) for row in con.execute(f"DESCRIBE typed_{kind}").fetchall()}
    columns = [
        column.name if column.name in there else f"NULL::{column.sql_type} AS {column.name}" for column in TABLES[kind].contract_columns
    ]
    con.execute(f"CREATE OR REPLACE VIEW numbered_{kind} AS SELECT {ordinal} AS ordinal, fault, {', '.join(columns)} FROM typed_{kind}")


def _filled(cells: dict[str, str], mapping: Mapping) -> str:
    """SQL of the condition under which a row feeds the table; a file that has none of the columns to be filled is not held to it."""
    filled = [f"{cells[name]} IS NOT NULL" for name in mapping.where if name in cells]
    return f"WHERE {' OR '.join(filled)}" if filled else ""


def _foreign(program_id: str | None) -> str:
    """SQL of the fault of a row that names another program than the one it is read for."""
    if program_id is None:
        return "NULL"
    reason = casting.quoted(f" is not the program this file is read for ({program_id})")
    other = f"program_id <> {casting.quoted(program_id)}"
    return f"CASE WHEN {other} THEN 'program_id ' || chr(39) || left(program_id, 80) || chr(39) || {reason} END"


def _rejected(con: duckdb.DuckDBPyConnection, staged: Staged, kind: str) -> tuple[Rejected, ...]:
    faults = dict(con.sql(f"SELECT ordinal, fault FROM typed_{kind} WHERE fault IS NOT NULL ORDER BY ordinal").fetchall())
    places = staging.locate(con, staged, frozenset(faults))
    file = str(staged.source.path)
    found = [Rejected(file, *_place(places, ordinal, reason), ordinal) for ordinal, reason in faults.items()]
    found += [Rejected(file, broken.line, broken.reason, broken.raw, broken.ordinal) for broken in staged.broken]
    return tuple(sorted(found, key=lambda rejected: rejected.line))


def _rejected_directly(staged: Staged, read: direct.Direct) -> tuple[Rejected, ...]:
    file = str(staged.source.path)
    found = [(record, record.fault) for record in read.broken] + [(faulty.record, faulty.reason) for faulty in read.faulty]
    rejected = (Rejected(file, record.line, reason, record.text, record.ordinal) for record, reason in found)
    return tuple(sorted(rejected, key=lambda row: row.line))


def _place(places: dict[int, tuple[int, str]], ordinal: int, reason: str) -> tuple[int, str, str]:
    line, raw = places[ordinal]
    return line, reason, raw


def _hash_personal(con: duckdb.DuckDBPyConnection, table: Table, owner: Owner, relation: str) -> None:
    """Builds `relation`: the usable rows with the lake's columns, hashes in place of personal values."""
    given = _filled_columns(con, table)
    for column in given:
        _register_hashes(con, table.kind, column, owner.pepper)
    joins = " ".join(f"LEFT JOIN hashed_{table.kind}_{c.name} AS hashed_{c.name} ON hashed_{c.name}.given = typed.{c.name}" for c in given)
    hashed = {column.name for column in given}
    columns = ", ".join(_lake_column(column, hashed, owner.program_id or DEFAULT_PROGRAM) for column in table.columns)
    con.execute(
        f"CREATE OR REPLACE VIEW {relation} AS SELECT ordinal, {columns} FROM numbered_{table.kind} AS typed {joins} WHERE fault IS NULL"
    )


def _filled_columns(con: duckdb.DuckDBPyConnection, table: Table) -> list[Column]:
    """The personal columns in which there is anything to hash."""
    personal = [column for column in table.contract_columns if column.personal]
    if not personal:
        return []
    counts = ", ".join(f"count({column.name})" for column in personal)
    filled = con.sql(f"SELECT {counts} FROM numbered_{table.kind} WHERE fault IS NULL").fetchall()[0]
    return [column for column, count in zip(personal, filled, strict=True) if count]


def _lake_column(column: Column, hashed: set[str], program_id: str) -> str:
    if column.name == "program_id":
        return f"coalesce(typed.program_id, {casting.quoted(program_id)}) AS program_id"
    base, part = (column.name.rpartition("_")[0], column.name.rpartition("_")[2]) if column.derived else (column.name, "hash")
    if column.derived or column.personal:
        return f"hashed_{base}.{part} AS {column.name}" if base in hashed else f"NULL::VARCHAR AS {column.name}"
    return f"typed.{column.name}"


def _register_hashes(con: duckdb.DuckDBPyConnection, kind: str, column: Column, pepper: bytes) -> None:
    distinct = con.sql(f"SELECT DISTINCT {column.name} FROM typed_{kind} WHERE {column.name} IS NOT NULL AND fault IS NULL").fetchall()
    hashed = hash_values(pepper, column.personal or "", (row[0] for row in distinct))
    parts = {"given": list(hashed), **{part: [getattr(value, part) for value in hashed.values()] for part in ("hash", "domain", "kind")}}
    con.register("incoming_hashes", pa.table({name: pa.array(values, pa.string()) for name, values in parts.items()}))
    con.execute(f"CREATE OR REPLACE TABLE hashed_{kind}_{column.name} AS SELECT * FROM incoming_hashes")
    con.unregister("incoming_hashes")


def summary_of(rejected: Iterable[Rejected]) -> str:
    """The first reason, for the error about a file without one usable row."""
    first = next(iter(rejected), None)
    return " It names columns and has no rows." if first is None else f" The first reason, on line {first.line}: {first.reason}."
