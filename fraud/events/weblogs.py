"""Web servers' access logs in the combined format, as Apache and nginx write it: the columns of a line, and the parameters asked for."""

# ruff: noqa: S608 - the SQL is made of names and patterns of this module; what comes from outside is bound or quoted

from __future__ import annotations

import re
from collections.abc import Collection

import duckdb

from fraud.events.casting import quoted

QUERY = "query."
"""What stands before the name of a parameter of the requested address."""

COLUMNS = ("host", "ip", "user", "time", "method", "url", "path", "status", "bytes", "referrer", "user_agent")

MOST_PARAMETERS = 200
"""Names of parameters that are told besides those that some mapping reads, the most frequent first; their values are not read."""

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_LINE = rf"^(?:(\S+:\d+) )?(\S+) \S+ (\S+|[^\[\]]+) \[([^\[\]]+)\] {_QUOTED} (\d{{3}}) (\d+|-)(?: {_QUOTED} {_QUOTED})?(?: .*)?\r?$"
_PARTS = ("host", "ip", "user", "time", "request", "status", "bytes", "referrer", "user_agent")
_NAMES = r"[?&]([A-Za-z0-9_.\-]{1,64})="
_LOOK = 10


def is_log(start: str) -> bool:
    """Whether one of the first lines is a record of an access log."""
    return any(re.match(_LINE, line) for line in start.splitlines()[:_LOOK])


def stage(con: duckdb.DuckDBPyConnection, table: str, known: Collection[str]) -> tuple[str, ...]:
    """Builds `table` (`ordinal`, `c0`, `c1`, …) from `lines` (`ordinal`, `line`); marks the lines that are records as `whole`.

    Returns the names of the columns; parameters are unescaped, `-` is empty, times are ISO 8601 in UTC."""
    parts = "[" + ", ".join(quoted(name) for name in _PARTS) + "]"
    matched = f"SELECT ordinal, regexp_extract(line, {quoted(_LINE)}, {parts}) AS p FROM lines WHERE regexp_matches(line, {quoted(_LINE)})"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE records AS SELECT ordinal, p.*, regexp_extract(p.request, '^\\S+ (\\S+)', 1) AS url FROM ({matched})"
    )
    con.execute("UPDATE lines SET whole = ordinal IN (SELECT ordinal FROM records)")
    names = _parameters(con, known)
    cells = [*_cells(), *(_parameter(name) if QUERY + name.lower() in known else "NULL::VARCHAR" for name in names)]
    selected = ", ".join(f"{sql} AS c{number}" for number, sql in enumerate(cells))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT ordinal, {selected} FROM records")
    return (*COLUMNS, *(QUERY + name.lower() for name in names))


def _cells() -> list[str]:
    moment = "strftime(timezone('UTC', try_strptime(time, '%d/%b/%Y:%H:%M:%S %z')), '%Y-%m-%dT%H:%M:%SZ')"
    special = {
        "time": f"coalesce({moment}, time)",
        "method": "regexp_extract(request, '^(\\S+)', 1)",
        "url": "url",
        "path": "regexp_extract(url, '^[^?#]*')",
    }
    return [special.get(name, f"nullif(nullif({name}, '-'), '')") for name in COLUMNS]


def _parameters(con: duckdb.DuckDBPyConnection, known: Collection[str]) -> list[str]:
    """The names of parameters, in their own spelling, one for each lower-case form: those some mapping reads, and the most frequent."""
    found = con.sql(
        f"SELECT any_value(name), count(*) AS uses FROM (SELECT unnest(regexp_extract_all(url, {quoted(_NAMES)}, 1)) AS name "
        "FROM records) GROUP BY lower(name) ORDER BY uses DESC, lower(name)"
    ).fetchall()
    names = [str(name) for name, _ in found]
    return [name for number, name in enumerate(names) if number < MOST_PARAMETERS or QUERY + name.lower() in known]


def _parameter(name: str) -> str:
    escaped = re.escape(name)
    raw = f"regexp_extract(url, {quoted(f'(?i)[?&]{escaped}=([^&#]*)')}, 1)"
    return f"nullif(url_decode(replace({raw}, '+', ' ')), '')"
