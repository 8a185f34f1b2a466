"""What Spark's Python workers do: read batches with DuckDB, and give them to the very kernels that the local engine uses.

Everything here is a pure function of its arguments and of Arrow batches; what is the same for all tasks comes as a broadcast value.
"""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from fraud.domain.tables import CLICKS
from fraud.enrichment.compiled import Integers
from fraud.enrichment.egress_kernels import partition_of
from fraud.enrichment.referrers import HOST_SQL
from fraud.features.catalogue import feature_set_hash
from fraud.features.engines.stages import COMMON, WHOLE, Scanned, key_of_nothing
from fraud.features.program import Coding

Batches = Iterator[pa.RecordBatch]

SEEN = "kind STRING, text STRING, slot INT, n BIGINT, first BIGINT"
SIGHTED = "part INT, address BIGINT, network BIGINT, agent BIGINT, device BIGINT, affiliate INT, time BIGINT"
CODED = (
    "part INT, affiliate INT, time BIGINT, sub STRING, offer INT, country INT, address BIGINT, agent INT, device BIGINT, domain INT, "
    "flags SMALLINT"
)
"""Spark's schemas of what the stages give."""

_HOST = HOST_SQL.format(column="referrer")
_CODED_SQL = f"{WHOLE.replace('hash(referrer)', f'hash({_HOST})')}, sub_id"
_TEXTS = ("offer_id", "country", "user_agent")
_CLICK_COLUMNS = tuple(column.name for column in CLICKS.columns)
_SIGN = np.uint64(1 << 63)
_ARROW_TYPES = {
    "STRING": pa.string(),
    "SMALLINT": pa.int16(),
    "INT": pa.int32(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BINARY": pa.binary(),
    "ARRAY<STRING>": pa.list_(pa.string()),
}


class Release(NamedTuple):
    """What driver and workers must have in common: the same features, and the DuckDB whose hashes are compared."""

    features: str
    duckdb: str


class Coders(NamedTuple):
    """The program's codings that turn texts into codes; `hosts` gives those of domains."""

    affiliates: Coding
    offers: Coding
    countries: Coding
    agents: Coding
    hosts: Coding


def release() -> Release:
    """What is installed here."""
    return Release(feature_set_hash(), duckdb.__version__)


def agreed(wanted: Release) -> None:
    """Raises `RuntimeError` where this worker would count differently from the driver."""
    if release() != wanted:
        raise RuntimeError(f"This Spark worker has another release ({release()}) than the driver ({wanted}): install the same on both.")


@cache
def _duckdb() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": 1})
    con.execute("SET TimeZone = 'UTC'")
    return con


def _asked(sql: str, batch: pa.RecordBatch | pa.Table) -> pa.Table:
    con = _duckdb()
    con.register("batch", batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch]))
    rows = con.sql(sql).to_arrow_table()
    con.unregister("batch")
    return rows


def with_tie(tie: str, batches: Batches) -> Batches:
    """The rows with `tie`, by which DuckDB orders versions that nothing else tells apart."""
    for batch in batches:
        hashed = _asked(f"SELECT {tie} AS tie FROM batch", batch).column("tie").to_numpy()
        signed = (hashed ^ _SIGN).view(np.int64)
        yield pa.RecordBatch.from_arrays([*batch.columns, pa.array(signed)], [*batch.schema.names, "tie"])


def seen(wanted: Release, bounds: Integers, inside: tuple[int, int], batches: Batches) -> Batches:
    """The distinct values of clicks: affiliates by stretch of time with their clicks and the first, and inside the windows (the slots from
    `inside[0]` to before `inside[1]`) offers, countries, user agents and referrers' hosts."""
    agreed(wanted)
    lies_inside = f"slot >= {inside[0]} AND slot < {inside[1]}"
    of_texts = " ".join(
        f"UNION ALL SELECT '{name}', {name}, 0::INTEGER, 0, 0 FROM batch WHERE {name} IS NOT NULL AND {lies_inside} GROUP BY {name}"
        for name in _TEXTS
    )
    sql = (
        "SELECT 'affiliate_id' AS kind, affiliate_id AS text, slot, count(*) AS n, min(epoch_us(clicked_at)) AS first FROM batch "
        f"GROUP BY affiliate_id, slot {of_texts} UNION ALL SELECT DISTINCT 'host', {_HOST}, 0::INTEGER, 0, 0 "
        f"FROM (SELECT DISTINCT referrer FROM batch WHERE referrer IS NOT NULL AND {lies_inside}) WHERE {_HOST} IS NOT NULL"
    )
    for batch in batches:
        time = batch.column(batch.schema.get_field_index("clicked_at")).cast(pa.int64()).to_numpy()
        slot = pa.array(np.searchsorted(bounds, time, side="right").astype(np.int32))
        yield from _asked(sql, pa.Table.from_batches([batch]).append_column("slot", slot)).to_batches()


def sighted(wanted: Release, coders: Any, partitions: int, batches: Batches) -> Batches:
    """Clicks with a known address as keys, with the partition that their whole network goes to."""
    agreed(wanted)
    for batch in batches:
        rows = Scanned(_one_batch(_asked(f"SELECT {COMMON} FROM batch", batch)), _nothing())
        part = partition_of(rows.network, rows.address, partitions)
        columns = (rows.address, rows.network, rows.known_key(3), rows.known_key(4), coders.value.affiliates.of(rows.key(1)), rows.time)
        known = part >= 0
        yield batch_of(SIGHTED, [np.asarray(column)[known] for column in (part, *columns)])


def coded(wanted: Release, coders: Any, place: Any, exits: Any, batches: Batches) -> Batches:
    """Clicks as codes, with the partition (`place`, by affiliate) that all of an affiliate's go to; sub-IDs stay as they are. `exits` are
    broadcast `ExitClasses` or `None`."""
    agreed(wanted)
    by = coders.value
    for batch in batches:
        read = _one_batch(_asked(f"SELECT {_CODED_SQL} FROM batch", batch))
        rows = Scanned(read, _nothing())
        affiliate = by.affiliates.of(rows.key(1))
        yield batch_of(
            CODED,
            [
                place.value[affiliate],
                affiliate,
                rows.time,
                read.column(10),
                by.offers.of(rows.key(6)),
                by.countries.of(rows.key(7)),
                rows.address,
                by.agents.of(rows.known_key(3)),
                rows.known_key(4),
                by.hosts.of(rows.key(8)),
                rows.flags(exits.value).astype(np.int16),
            ],
        )


def batch_of(schema: str, columns: Sequence[Any]) -> pa.RecordBatch:
    """Columns as a batch of one of the schemas above."""
    fields = arrow_schema(schema)
    return pa.RecordBatch.from_arrays([pa.array(column, field.type) for column, field in zip(columns, fields, strict=True)], schema=fields)


@cache
def arrow_schema(schema: str) -> pa.Schema:
    """One of Spark's schemas above in Arrow's terms."""
    return pa.schema([(name, _ARROW_TYPES[kind]) for name, kind in (field.split(" ") for field in schema.split(", "))])


def columns_in(sql: str) -> list[str]:
    """The columns of clicks that an SQL names."""
    words = set(re.findall(r"\w+", sql))
    return [name for name in _CLICK_COLUMNS if name in words]


SEEN_COLUMNS = columns_in(f"affiliate_id clicked_at {' '.join(_TEXTS)} {_HOST}")
SIGHTED_COLUMNS = columns_in(COMMON)
CODED_COLUMNS = columns_in(_CODED_SQL)
"""The columns of clicks that each stage reads."""


def _nothing() -> int:
    return key_of_nothing(_duckdb())


def _one_batch(rows: pa.Table) -> pa.RecordBatch:
    whole = rows.combine_chunks().to_batches()
    return whole[0] if whole else pa.RecordBatch.from_pylist([], schema=rows.schema)
