"""The lake's views of clicks and conversions in Spark: the same files, the same versions, the same bounds.

The rules come with the connection (`lake_sources`), in SQL that both read. Only the choice between versions that nothing tells apart
needs DuckDB's own hash; it is asked in Spark's Python workers, and only for keys that have several versions.
"""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from fraud.errors import InputError
from fraud.features.engines import spark_tasks

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_SPARK_TYPES = {
    "VARCHAR": "STRING",
    "TIMESTAMP": "TIMESTAMP_NTZ",
    "BIGINT": "BIGINT",
    "DECIMAL(18, 4)": "DECIMAL(18, 4)",
    "BOOLEAN": "BOOLEAN",
}
_STORED = "ingested_at TIMESTAMP_NTZ, ingested_order BIGINT"
_GLOB = re.compile(r"([\\{}\[\]*?])")


class Source(NamedTuple):
    """A row of `lake_sources`."""

    kind: str
    key: str
    files: list[str]
    again: list[str]
    columns: list[str]
    known: str
    newest: str
    tie: str
    shown: list[str]
    inside: str


def sources(con: duckdb.DuckDBPyConnection) -> dict[str, Source]:
    """What the views of a lake's connection are made of. `InputError` when it is no lake's."""
    try:
        rows = con.sql(f"SELECT {', '.join(Source._fields)} FROM lake_sources").fetchall()
    except duckdb.CatalogException as fault:
        raise InputError("FRAUD_ENGINE=spark reads the files of a lake, and these events stand in none: use FRAUD_ENGINE=local.") from fault
    return {row[0]: Source(*row) for row in rows}


def view(spark: SparkSession, source: Source) -> DataFrame:
    """The rows of one table as the connection shows them, every stored column and `ingested_at`."""
    rows = _read(spark, source, source.files).where(source.known)
    if source.again:
        rows = _newest(spark, source, rows)
    return rows.selectExpr(*[_spark_sql(shown) for shown in source.shown], "ingested_at").where(_spark_sql(source.inside))


def schema_of(source: Source) -> str:
    """The stored columns as Spark's schema."""
    typed = (column.split(" ", 1) for column in source.columns)
    return ", ".join([*(f"{name} {_SPARK_TYPES[kind]}" for name, kind in typed), _STORED])


def _read(spark: SparkSession, source: Source, files: Sequence[str]) -> DataFrame:
    if not files:
        return spark.createDataFrame([], schema_of(source))
    reader = spark.read.schema(schema_of(source)).option("recursiveFileLookup", "true")
    return reader.parquet(*[_GLOB.sub(r"\\\1", file) for file in files])


def _newest(spark: SparkSession, source: Source, rows: DataFrame) -> DataFrame:
    """Keeps the newest version of each key. Only keys of files that replace something can have more than one."""
    from pyspark.sql import functions as sf  # noqa: PLC0415 - an optional package

    repeated = sf.broadcast(_read(spark, source, source.again).select(source.key).distinct())
    versions = rows.join(repeated, source.key, "left_semi").select(*rows.columns)
    tied = versions.mapInArrow(partial(spark_tasks.with_tie, source.tie), f"{schema_of(source)}, tie BIGINT")
    place = f"row_number() OVER (PARTITION BY {source.key} ORDER BY {_spark_sql(source.newest)}, tie)"
    newest = tied.selectExpr("*", f"{place} AS place").where("place = 1").select(*rows.columns)
    return rows.join(repeated, source.key, "left_anti").select(*rows.columns).unionByName(newest)


def _spark_sql(sql: str) -> str:
    """The rules' SQL with DuckDB's names of types as Spark's."""
    return sql.replace("NULL::TIMESTAMP", "CAST(NULL AS TIMESTAMP_NTZ)").replace("TIMESTAMP '", "TIMESTAMP_NTZ '")
