"""JSON objects, one a line: their members as columns, those of objects inside them under dotted names (`relationship.offer.name`)."""

# ruff: noqa: S608 - the SQL is made of quoted JSON paths

from __future__ import annotations

import json
import re

import duckdb

from fraud.errors import InputError
from fraud.events.casting import quoted

DEEPEST = 8
"""Objects inside objects that become columns; what lies deeper stays text."""

MOST_COLUMNS = 2000
"""A file whose objects have more members than this in all has values for names."""

_UNNAMEABLE = frozenset({"", "*"})
"""Names that a JSON path cannot say: nothing at all is an error in it, and a star stands for every name. No table has such a column."""

_HALF = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}")


def stage(con: duckdb.DuckDBPyConnection, table: str, shown: str) -> list[str]:
    """Builds `table` (`ordinal`, `c0`, `c1`, …) from `lines` (`ordinal`, `line`); marks the lines that are objects as `whole`.

    Returns the names of the columns. `InputError`, with the file's name as `shown`, when there are too many."""
    con.execute("UPDATE lines SET whole = json_valid(line) AND json_type(CASE WHEN json_valid(line) THEN line END) = 'OBJECT'")
    paths: list[tuple[str, ...]] = []
    _find(con, (), paths, shown)
    if not paths:
        con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT ordinal FROM lines WHERE whole")
        return []
    cells = ", ".join(f"{_cell(path)} AS c{number}" for number, path in enumerate(paths))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT ordinal, {cells} FROM lines WHERE whole")
    return [".".join(path) for path in paths]


def fault(line: str) -> str:
    """What is wrong with a line in particular, if that can be told."""
    return "the line holds half of a surrogate pair, which is no character" if _HALF.search(line) else ""


def _find(con: duckdb.DuckDBPyConnection, parent: tuple[str, ...], paths: list[tuple[str, ...]], shown: str) -> None:
    """Adds the paths of an object's members: those that hold more than objects, and, inside objects, their members'."""
    inside = _path(parent) if parent else "$"
    object_here = f"json_type(line, {quoted(inside)}) = 'OBJECT'" if parent else "true"
    found = con.sql(
        f"SELECT DISTINCT unnest(json_keys(line, {quoted(inside)})) AS key FROM lines WHERE whole AND {object_here} ORDER BY key"
    ).fetchall()
    if len(paths) + len(found) > MOST_COLUMNS:
        raise InputError(f"{shown} has more than {MOST_COLUMNS} names in its objects. Give rows that share their names.")
    for key in (key for (key,) in found if key not in _UNNAMEABLE):
        path = (*parent, key)
        types = _types(con, path) if len(path) < DEEPEST else set()
        if types != {"OBJECT"}:
            paths.append(path)
        if "OBJECT" in types:
            _find(con, path, paths, shown)


def _types(con: duckdb.DuckDBPyConnection, path: tuple[str, ...]) -> set[str]:
    rows = con.sql(f"SELECT DISTINCT json_type(line, {quoted(_path(path))}) FROM lines WHERE whole").fetchall()
    return {kind for (kind,) in rows if kind not in {None, "NULL"}}


def _cell(path: tuple[str, ...]) -> str:
    """The text of a JSON value: a list becomes `;`-separated, numbers stay as they were written."""
    here, each = quoted(_path(path)), quoted(_path(path) + "[*]")
    return (
        f"CASE json_type(line, {here}) WHEN 'ARRAY' THEN array_to_string(json_extract_string(line, {each}), ';') "
        f"ELSE json_extract_string(line, {here}) END"
    )


def _path(path: tuple[str, ...]) -> str:
    return "$." + ".".join(json.dumps(key, ensure_ascii=False) for key in path)
