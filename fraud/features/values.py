"""The last stage, the same for every engine: from tallies and conversions to the values, supports and facts of a `FeatureTable`."""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from fraud.enrichment.compiled import compiled
from fraud.features import conversions, facts, level_tables, relations, visits
from fraud.features.catalogue import Feature, feature_set_hash, features_of
from fraud.features.definition import ENTITY, Level
from fraud.features.level_tables import Entities, Tallied, Texts, create, pairs_of
from fraud.features.request import NumberedWindow
from fraud.features.table import FACT_COLUMNS, FeatureTable
from fraud.features.tallies import KNOWN, WHOLE, ClickTallies


def register_windows(con: duckdb.DuckDBPyConnection, windows: Sequence[NumberedWindow]) -> None:
    """Builds `ft_windows` (`w`, `starts`, `ends`, `of_affiliate`, `of_sub_id`)."""
    columns = {
        "w": pa.array(range(len(windows)), pa.int32()),
        "starts": pa.array([window.starts for window in windows], pa.timestamp("us")),
        "ends": pa.array([window.ends for window in windows], pa.timestamp("us")),
        "of_affiliate": pa.array(["affiliate" in window.levels for window in windows], pa.bool_()),
        "of_sub_id": pa.array(["sub_id" in window.levels for window in windows], pa.bool_()),
    }
    create(con, "ft_windows", pa.table(columns))


def tallied(con: duckdb.DuckDBPyConnection, tallies: Sequence[ClickTallies], texts: Texts, whole: bool) -> Tallied:
    """The tallies as one, and the table `ft_known` of what is known of the clicks of each window; `whole` as in `Tallied`."""
    known = np.sum([part.known for part in tallies], axis=0)
    create(con, "ft_known", pa.table({"w": np.arange(len(known))} | {name: known[:, number] for number, name in enumerate(KNOWN)}))
    keys, counts, hours = (np.concatenate([getattr(part, name) for part in tallies]) for name in ("keys", "tallies", "hours"))
    order = np.lexsort((keys[:, 2], keys[:, 1], keys[:, 0]))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    keys = keys[order]
    offers, countries = (pairs_of(tallies, kind, place) for kind in ("offers", "countries"))
    return Tallied(keys, counts[order], hour_divergence(keys, hours[order]), offers, countries, texts, whole)


def hour_divergence(keys: NDArray[np.int64], hours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Jensen-Shannon divergence (nats) of each entity's hours from those of the program's other affiliates; NaN without any.

    `keys` (rows, 3) of window, affiliate and sub-ID, sorted; `hours` (rows, 24). Affiliates are compared with affiliates and sub-IDs
    with the sub-IDs of others.
    """
    result = np.full(len(keys), np.nan)
    for subs in (False, True):
        rows = np.flatnonzero((keys[:, 2] != WHOLE) == subs)
        if len(rows):
            result[rows] = _level_divergence(keys[rows], hours[rows])
    return result


def _level_divergence(keys: NDArray[np.int64], hours: NDArray[np.float64]) -> NDArray[np.float64]:
    new = np.diff(keys[:, :2], axis=0, prepend=-1).any(axis=1)
    affiliate = np.cumsum(new) - 1
    of_affiliate = np.add.reduceat(hours, np.flatnonzero(new), axis=0)
    window = keys[new, 0]
    begins = np.flatnonzero(np.diff(window, prepend=-1))
    of_window = np.repeat(np.add.reduceat(of_affiliate, begins, axis=0), np.diff(begins, append=len(window)), axis=0)
    others = _shares(of_window - of_affiliate, of_window.sum(axis=1) - of_affiliate.sum(axis=1))
    return _jensen_shannon(hours, others, affiliate)


def _shares(counts: NDArray[np.float64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.where(totals > 0, totals, np.nan)
    shares: NDArray[np.float64] = counts / known[:, None]
    return shares


@compiled
def _jensen_shannon(hours: NDArray[np.float64], others: NDArray[np.float64], affiliate: NDArray[np.int64]) -> NDArray[np.float64]:
    """Divergence of each row's counts from the shares in its affiliate's row of `others`; only hours that a row has need logarithms."""
    result = np.empty(hours.shape[0])
    for row in range(hours.shape[0]):
        usual, total = others[affiliate[row]], hours[row].sum()
        terms, met = 0.0, 0.0
        for hour in range(hours.shape[1]):
            if hours[row, hour] > 0.0:
                own = hours[row, hour] / total
                middle = (own + usual[hour]) / 2
                terms += 0.5 * own * np.log(own / middle)
                if usual[hour] > 0.0:
                    terms += 0.5 * usual[hour] * np.log(usual[hour] / middle)
                met += usual[hour]
        result[row] = np.nan if np.isnan(usual[0]) else terms + 0.5 * np.log(2.0) * (1.0 - met)
    return result


def table(con: duckdb.DuckDBPyConnection, level: Level, starts: Sequence[Any], found: Tallied) -> FeatureTable:
    """The feature table of one level; `starts` are the windows' starts by number (UTC)."""
    con.execute(conversions.prepare(level))
    entities = level_tables.register(con, level, found)
    visits.place(con, entities.named(level), relations.UNKNOWN)
    con.execute(f"CREATE OR REPLACE TEMP TABLE ft_expected AS {relations.EXPECTED}")
    shape = (len(features_of(level)), len(entities))
    values, support = np.full(shape, np.nan), np.zeros(shape)
    blocks = (("value", values), ("support", support))
    columns = {f"{what}_{feature.name}": block[n] for what, block in blocks for n, feature in enumerate(features_of(level))}
    queries = {relation: _sql(relation, features) for relation, features in _by_relation(features_of(level))}
    _read(con, queries.pop(relations.ONE_ROW_EACH), columns)
    with _one_thread(con):
        seen = con.sql(facts.sql()).to_arrow_table()
        for sql in queries.values():
            _read(con, sql, columns)
    con.unregister(level_tables.CLICKS)
    return _assemble(_Measured(level, entities, seen, values, support), starts, _absent_columns(con))


@contextmanager
def _one_thread(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Fractions are summed in one order, so that the same events give the same bits; the tables before hold nothing but what any order
    gives: whole numbers, medians, sorted rows."""
    threads = con.sql("SELECT current_setting('threads')").fetchall()[0][0]
    con.execute("SET threads = 1")
    try:
        yield
    finally:
        con.execute(f"SET threads = {threads}")


def _by_relation(features: Sequence[Feature]) -> list[tuple[str, list[Feature]]]:
    ordered = sorted(features, key=lambda feature: feature.relation)
    return [(name, list(group)) for name, group in groupby(ordered, key=lambda feature: feature.relation)]


def _sql(relation: str, features: Sequence[Feature]) -> str:
    columns = ", ".join(f"{f.value_sql} AS value_{f.name}, {f.support_sql} AS support_{f.name}" for f in features)
    return f"SELECT e, {columns} FROM ({relations.RELATIONS[relation]}) GROUP BY e"


def _read(con: duckdb.DuckDBPyConnection, sql: str, columns: Mapping[str, NDArray[np.float64]]) -> None:
    """Fills the columns (entities,) of a query that has a row for some of the entities; NaN is what it does not know."""
    found = con.sql(sql).to_arrow_table()
    place = found["e"].to_numpy()
    for name in found.column_names[1:]:
        columns[name][place] = found[name].cast(pa.float64()).to_numpy()


@dataclass(frozen=True)
class _Measured:
    """What was read of a level: its entities, their facts (with `e`), and `values` and `support` (features, entities)."""

    level: Level
    entities: Entities
    facts: pa.Table
    values: NDArray[np.float64]
    support: NDArray[np.float64]


def _assemble(read: _Measured, starts: Sequence[Any], absent: dict[int, set[str]]) -> FeatureTable:
    features, keys = features_of(read.level), read.entities.keys
    begins = pd.DatetimeIndex([pd.Timestamp(start, tz="UTC") for start in starts])
    order = np.lexsort((keys[:, 2], keys[:, 1], begins.asi8[keys[:, 0]]))
    order = order[keys[order, 2] != read.entities.others]
    index = _index(read, begins, order)
    for feature, values in zip(features, read.values, strict=True):
        _unless_absent(feature, values, keys[:, 0], absent)
    np.nan_to_num(read.support, copy=False, nan=0.0)
    place = np.empty(len(keys), np.int64)
    place[read.facts["e"].to_numpy()] = np.arange(len(keys))
    seen = read.facts.select(list(FACT_COLUMNS)).take(pa.array(place[order])).to_pandas().set_axis(index)
    known, supports = (_frame(block, order, index, [f.name for f in features]) for block in (read.values, read.support))
    return FeatureTable(known, supports, seen.astype({"self_matches": "Int64"}), feature_set_hash())


def _frame(block: NDArray[np.float64], order: NDArray[np.intp], index: pd.Index, names: Sequence[str]) -> pd.DataFrame:
    """The block (features, entities) as a frame, copied only where its entities stand in another order."""
    ordered = block if np.array_equal(order, np.arange(block.shape[1])) else block[:, order]
    return pd.DataFrame(ordered.T, index, list(names), copy=False)


def _index(read: _Measured, begins: pd.DatetimeIndex, order: NDArray[np.intp]) -> pd.MultiIndex:
    keys = read.entities.keys[order]
    texts = {"affiliate_id": (read.entities.affiliates, keys[:, 1]), "sub_id": (read.entities.subs, keys[:, 2])}
    levels = [known.take(pa.array(codes)).to_pandas().astype("str") for known, codes in map(texts.__getitem__, ENTITY[read.level])]
    return pd.MultiIndex.from_arrays([begins[keys[:, 0]], *levels], names=["window_start", *ENTITY[read.level]])


def _unless_absent(feature: Feature, values: NDArray[np.float64], windows: NDArray[np.int64], absent: dict[int, set[str]]) -> None:
    """Makes values NaN in windows where a column that the feature needs is wholly empty, and where they are no finite number."""
    gone = ~np.isfinite(values)
    unknown = [window for window, needed in absent.items() if needed.intersection(feature.needs)]
    if unknown:
        gone |= np.isin(windows, unknown)
    values[gone] = np.nan


_KNOWN_SQL = {
    "clicks": "SELECT w, {counts} FROM (SELECT ft_known.* FROM ft_known) GROUP BY w",
    "conversions": "SELECT w, {counts} FROM ft_windows LEFT JOIN ft_matched ON converted_at >= starts AND converted_at < ends GROUP BY w",
}


def _absent_columns(con: duckdb.DuckDBPyConnection) -> dict[int, set[str]]:
    """For each window, the needed columns (`table.column`) that no event of the program has in it."""
    needed = sorted({need for feature in features_of("affiliate") for need in feature.needs})
    absent: dict[int, set[str]] = {}
    for table_name, group in groupby(needed, key=lambda need: need.split(".")[0]):
        columns = [need.split(".")[1] for need in group]
        counts = ", ".join(f"sum({column})" if table_name == "clicks" else f"count({column})" for column in columns)
        sql = _KNOWN_SQL.get(table_name, f"SELECT w, {{counts}} FROM ft_windows LEFT JOIN {table_name} ON true GROUP BY w")
        for window, *known in con.sql(sql.format(counts=counts)).fetchall():
            absent.setdefault(window, set()).update(f"{table_name}.{c}" for c, n in zip(columns, known, strict=True) if not n)
    return absent
