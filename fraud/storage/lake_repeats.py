"""Which rows of a batch are new, which repeat what is kept, and which replace it.

Rows whose key stands once in the batch and nowhere in the lake are new, and that is nearly all of them: keys are first compared by a
64-bit hash, and only the rows of a hash that is met twice are looked at in full. Two keys that merely share a hash cost a closer look and
nothing else; contents are then compared by the MD5 of all their columns, where 2^64 rows would be needed for two to be mixed up.
"""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from fraud.domain.tables import Table
from fraud.storage.lake_views import STORED, has_status_time, newest_first, padded_sql, read_sql, stored_columns

STATUS_TIME = "status_changed_at"


def find_fresh(con: duckdb.DuckDBPyConnection, table: Table, existing: Sequence[Path]) -> str:
    """The relation of the rows of `incoming` (numbered by `rid`) that are not kept in the `existing` files yet, with whether they
    replace a version (`again`)."""
    con.execute(_met_sql(table, existing))
    if con.sql("SELECT 1 FROM met LIMIT 1").fetchall():
        con.execute(f"CREATE OR REPLACE TABLE met_rids AS SELECT rid FROM incoming WHERE hash({_key(table)}) IN (SELECT h FROM met)")
        con.execute(f"CREATE OR REPLACE TABLE met_rows AS {_met_rows_sql(table)}")
        con.execute(f"CREATE OR REPLACE TABLE known AS {_known_sql(table, existing)}")
        con.execute(f"CREATE OR REPLACE TABLE verdicts AS {_verdicts_sql()}")
        con.execute(
            "CREATE OR REPLACE VIEW fresh AS SELECT i.*, coalesce(v.again, false) AS again FROM incoming i "
            "LEFT JOIN verdicts v USING (rid) WHERE v.rid IS NULL OR v.new"
        )
    else:
        con.execute("CREATE OR REPLACE VIEW fresh AS SELECT *, false AS again FROM incoming")
    return "fresh"


def _key(table: Table) -> str:
    """SQL of what identifies a row over its versions; without a key of its own, all of it."""
    return table.key or _content(table)


def _content(table: Table) -> str:
    """SQL of the hash of all that a row says."""
    values = ", ".join(f"coalesce({column.name}::VARCHAR, chr(0))" for column in stored_columns(table))
    return f"md5(concat_ws(chr(31), {values}))"


def _met_sql(table: Table, existing: Sequence[Path]) -> str:
    """Creates `met`: the hashes of keys that stand several times in the batch, or in the files too."""
    hashed = f"SELECT hash({_key(table)}) AS h FROM"
    kept = f"UNION SELECT DISTINCT h FROM ({hashed} {_stored(table, existing)}) SEMI JOIN ({hashed} incoming) USING (h)" if existing else ""
    return f"CREATE OR REPLACE TABLE met AS SELECT h FROM ({hashed} incoming) GROUP BY h HAVING count(*) > 1 {kept}"


def _stored(table: Table, existing: Sequence[Path]) -> str:
    """The rows of files; one of an earlier version may lack columns that the table has now."""
    return f"({padded_sql(table, read_sql(existing), STORED)})"


def _met_rows_sql(table: Table) -> str:
    """SQL of the rows whose key is met, in the order in which they came. `returns` tells those that may go back to what they were
    without saying when: see `_verdicts_sql`."""
    returns = "false"
    if table.key and not table.by_day:
        returns = "true"
    elif has_status_time(table):
        returns = f"{STATUS_TIME} IS NULL"
    return (
        f"SELECT rid, {_key(table)} AS key, {_content(table)} AS content, {returns} AS returns, "
        f"row_number() OVER (ORDER BY ingested_order, rid) AS place, count(*) OVER (PARTITION BY key) AS times "
        "FROM incoming SEMI JOIN met_rids USING (rid)"
    )


def _known_sql(table: Table, existing: Sequence[Path]) -> str:
    """SQL of the versions that are kept of the keys that are met, and which of a key is the newest."""
    if not existing:
        return "SELECT NULL::VARCHAR AS key, NULL::VARCHAR AS content, false AS newest WHERE false"
    newest = f"row_number() OVER (PARTITION BY {_key(table)} ORDER BY {newest_first(table)}) = 1"
    return (
        f"SELECT {_key(table)} AS key, {_content(table)} AS content, {newest} AS newest FROM {_stored(table, existing)} "
        f"WHERE hash({_key(table)}) IN (SELECT h FROM met)"
    )


def _verdicts_sql() -> str:
    """SQL of whether the rows that are met are new, and whether they replace a version.

    An event that says when its state was reached, or has none, is a repeat of any version that is the same. Who is active, suspended and
    active again without a date is three versions, however alike the first and the last are: such a row is compared with the newest
    version, and within the batch with the one before it. But a key that stands several times in the batch is compared with all that is
    kept, so that the same file once more adds nothing.
    """
    return (
        "WITH seen AS (SELECT *, lag(content) OVER (PARTITION BY key ORDER BY place) AS earlier, "
        "row_number() OVER (PARTITION BY key, content ORDER BY place) AS nth FROM met_rows), "
        "unlike AS (SELECT * FROM seen s WHERE NOT EXISTS (SELECT 1 FROM known k WHERE k.key = s.key AND k.content = s.content "
        "AND (k.newest OR NOT s.returns OR s.times > 1)) "
        "AND CASE WHEN returns THEN content IS DISTINCT FROM earlier ELSE nth = 1 END), "
        "versions AS (SELECT rid, key IN (SELECT key FROM known) OR row_number() OVER (PARTITION BY key ORDER BY place) > 1 AS again "
        "FROM unlike) "
        "SELECT rid, versions.rid IS NOT NULL AS new, coalesce(versions.again, false) AS again FROM met_rows LEFT JOIN versions USING (rid)"
    )
