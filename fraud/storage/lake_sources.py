"""What a connection's views of clicks and conversions are made of, for engines that read the lake's files themselves.

The view `lake_sources` has one row a table: `kind`, `key`, its `files` and those of them whose rows replace earlier versions (`again`),
and the rules of the views as SQL that DuckDB and Spark read alike: which rows are `known`, in which order a key's versions come
(`newest`; where that leaves two alike, DuckDB's hash `tie` decides), what is `shown` of them, and which of those lie `inside` the bounds.
`columns` lists every stored column with its type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fraud.domain.tables import TABLES, Table
from fraud.storage import lake_views
from fraud.storage.lake_views import AGAIN, Bounds, moment_sql, quoted, stored_columns


def sources_sql(files: Mapping[str, Sequence[Path]], bounds: Bounds) -> str:
    """Creates the view `lake_sources`; `files` are those of each table that may hold rows within the bounds."""
    rows = " UNION ALL ".join(_row_sql(TABLES[kind], files[kind], bounds) for kind in files if TABLES[kind].by_day)
    return f"CREATE OR REPLACE TEMP VIEW lake_sources AS {rows}"


def _row_sql(table: Table, files: Sequence[Path], bounds: Bounds) -> str:
    columns = stored_columns(table)
    cells = {
        "kind": quoted(table.kind),
        "key": quoted(table.key),
        "files": _texts([str(file) for file in files]),
        "again": _texts([str(file) for file in files if file.stem.endswith(AGAIN)]),
        "columns": _texts([f"{column.name} {column.sql_type}" for column in columns]),
        "known": quoted(f"ingested_at <= {moment_sql(bounds.as_of)}" if bounds.as_of else "true"),
        "newest": quoted(", ".join(lake_views.version_order(table, bounds.before))),
        "tie": quoted(lake_views.content_hash(table)),
        "shown": _texts([lake_views.shown(column, table, bounds) for column in columns]),
        "inside": quoted(" AND ".join(lake_views.inside_sql(table, bounds)) or "true"),
    }
    return "SELECT " + ", ".join(f"{cell} AS {name}" for name, cell in cells.items())


def _texts(values: Sequence[str]) -> str:
    return f"[{', '.join(quoted(value) for value in values)}]::VARCHAR[]"
