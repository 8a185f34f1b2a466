"""The last stage, the same for every engine: from tallies and conversions to the values, supports and facts of a `FeatureTable`."""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from fraud.features import conversions, facts, relations
from fraud.features.catalogue import Feature, feature_set_hash, features_of
from fraud.features.click_kernels import KNOWN, TALLIES, ClickTallies
from fraud.features.definition import ENTITY, Level
from fraud.features.request import NumberedWindow
from fraud.features.table import FACT_COLUMNS, FeatureTable

_OF_LEVEL = {"affiliate": "sub_id IS NULL", "sub_id": "sub_id IS NOT NULL"}
_CLICK_TABLES = {"ft_clicks": "ft_tallies", "ft_click_offers": "ft_tallied_offers", "ft_click_countries": "ft_tallied_countries"}


@dataclass(frozen=True)
class Texts:
    """What the codes of tallies stand for: one array of texts for each kind of code."""

    affiliates: pa.Array
    subs: pa.Array
    offers: pa.Array
    countries: pa.Array


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


def create(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """A temporary table with these rows."""
    con.register("ft_incoming", table)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM ft_incoming")
    con.unregister("ft_incoming")


def register_tallies(con: duckdb.DuckDBPyConnection, tallies: Sequence[ClickTallies], texts: Texts) -> None:
    """Builds the tables of click tallies from those of all partitions, in the order of window, affiliate and sub-ID."""
    keys, counts, hours = (np.concatenate([getattr(part, name) for part in tallies]) for name in ("keys", "tallies", "hours"))
    order = np.lexsort((keys[:, 2], keys[:, 1], keys[:, 0]))
    keys, counts, hours = keys[order], counts[order], hours[order]
    entity = _entity(keys, texts)
    columns = {name: counts[:, number] for number, name in enumerate(TALLIES)}
    divergence = pa.array(hour_divergence(keys, hours), from_pandas=True)
    create(con, "ft_tallies", pa.table(entity | columns | {"hour_divergence": divergence}))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    for name, kind, column, codes in (
        ("ft_tallied_offers", "offers", "offer_id", texts.offers),
        ("ft_tallied_countries", "countries", "country", texts.countries),
    ):
        rows = _pairs(tallies, kind, place)
        create(con, name, pa.table(_entity(keys[rows[:, 0]], texts) | {column: _named(codes, rows[:, 1]), "n": rows[:, 2]}))
    known = np.sum([part.known for part in tallies], axis=0)
    create(con, "ft_known", pa.table({"w": np.arange(len(known))} | {name: known[:, number] for number, name in enumerate(KNOWN)}))


def _pairs(tallies: Sequence[ClickTallies], kind: str, place: NDArray[np.int64]) -> NDArray[np.int64]:
    """The (entity, code, clicks) rows of all partitions, entities by their place in the whole, in order."""
    parts, before = [], 0
    for part in tallies:
        rows = getattr(part, kind).copy()
        rows[:, 0] = place[rows[:, 0] + before]
        parts.append(rows)
        before += len(part.keys)
    pairs: NDArray[np.int64] = np.concatenate(parts)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _entity(keys: NDArray[np.int64], texts: Texts) -> dict[str, Any]:
    return {
        "w": keys[:, 0].astype(np.int32),
        "affiliate_id": _named(texts.affiliates, keys[:, 1]),
        "sub_id": _named(texts.subs, keys[:, 2]),
    }


def _named(texts: pa.Array, codes: NDArray[np.int64]) -> pa.Array:
    """The texts of codes; a code of -1 is unknown."""
    return texts.take(pa.array(codes, mask=codes < 0))


def hour_divergence(keys: NDArray[np.int64], hours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Jensen-Shannon divergence (nats) of each entity's hours from those of the program's other affiliates; NaN without any.

    `keys` (rows, 3) of window, affiliate and sub-ID, sorted; `hours` (rows, 24). Affiliates are compared with affiliates and sub-IDs
    with the sub-IDs of others.
    """
    result = np.full(len(keys), np.nan)
    for subs in (False, True):
        rows = np.flatnonzero((keys[:, 2] >= 0) == subs)
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
    return _jensen_shannon(_shares(hours, hours.sum(axis=1)), others[affiliate])


def _shares(counts: NDArray[np.float64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.where(totals > 0, totals, np.nan)
    shares: NDArray[np.float64] = counts / known[:, None]
    return shares


def _jensen_shannon(own: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    middle = (own + others) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = 0.5 * own * np.log(own / middle) + np.where(others > 0, 0.5 * others * np.log(others / middle), 0.0)
    seen = own > 0
    divergence: NDArray[np.float64] = np.where(seen, terms, 0.0).sum(axis=1) + 0.5 * np.log(2) * (
        1 - np.where(seen, others, 0.0).sum(axis=1)
    )
    return np.where(np.isnan(others).all(axis=1), np.nan, divergence)


def table(con: duckdb.DuckDBPyConnection, level: Level, starts: Sequence[Any]) -> FeatureTable:
    """The feature table of one level; `starts` are the windows' starts by number (UTC)."""
    for name, source in _CLICK_TABLES.items():
        wanted = f"WHERE {_OF_LEVEL[level]} AND of_{level}"
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT t.* FROM {source} t JOIN ft_windows USING (w) {wanted}")
    con.execute(conversions.prepare(level))
    con.execute(f"CREATE OR REPLACE TEMP TABLE ft_expected AS {relations.expected(level)}")
    entity = list(ENTITY[level])
    rows = _read(con, facts.sql(level), entity)
    parts = [rows]
    for relation, features in _by_relation(features_of(level)):
        parts.append(_read(con, _sql(relation, features, level), entity))
    return _assemble(con, pd.concat([rows, *(part.reindex(rows.index) for part in parts[1:])], axis=1), starts, level)


def _by_relation(features: Sequence[Feature]) -> list[tuple[str, list[Feature]]]:
    ordered = sorted(features, key=lambda feature: feature.relation)
    return [(name, list(group)) for name, group in groupby(ordered, key=lambda feature: feature.relation)]


def _sql(relation: str, features: Sequence[Feature], level: Level) -> str:
    entity = ", ".join(ENTITY[level])
    columns = ", ".join(f"{f.value_sql} AS value_{f.name}, {f.support_sql} AS support_{f.name}" for f in features)
    return f"SELECT w, {entity}, {columns} FROM ({relations.relation(relation, level)}) GROUP BY w, {entity}"


def _read(con: duckdb.DuckDBPyConnection, sql: str, entity: Sequence[str]) -> pd.DataFrame:
    frame: pd.DataFrame = con.sql(sql).to_arrow_table().to_pandas()
    return frame.astype(dict.fromkeys(entity, "str")).set_index(["w", *entity]).sort_index()


def _assemble(con: duckdb.DuckDBPyConnection, rows: pd.DataFrame, starts: Sequence[Any], level: Level) -> FeatureTable:
    features = features_of(level)
    absent = _absent_columns(con)
    window_index = rows.index.get_level_values("w").to_numpy()
    values = pd.DataFrame({f.name: _unless_absent(f, rows, window_index, absent) for f in features}, index=rows.index, dtype=float)
    support = pd.DataFrame({f.name: rows[f"support_{f.name}"] for f in features}, index=rows.index, dtype=float).fillna(0.0)
    begins = pd.Series([pd.Timestamp(start, tz="UTC") for start in starts])
    frames = [_by_start(frame, begins, ENTITY[level]) for frame in (values, support, rows[list(FACT_COLUMNS)])]
    values, support, facts_seen = frames
    return FeatureTable(values, support, facts_seen.astype({"self_matches": "Int64"}), feature_set_hash())


def _unless_absent(feature: Feature, rows: pd.DataFrame, windows: NDArray[Any], absent: dict[int, set[str]]) -> NDArray[np.float64]:
    """The feature's values, NaN in windows where a column it needs is wholly empty, and where it is no finite number."""
    values = rows[f"value_{feature.name}"].to_numpy(dtype=float, na_value=np.nan)
    unknown = [window for window, columns in absent.items() if columns.intersection(feature.needs)]
    return np.where(np.isin(windows, unknown) | ~np.isfinite(values), np.nan, values)


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


def _by_start(frame: pd.DataFrame, starts: pd.Series[Any], entity: Sequence[str]) -> pd.DataFrame:
    levels = [starts.iloc[frame.index.get_level_values("w")].array]
    levels += [frame.index.get_level_values(name) for name in entity]
    return frame.set_axis(pd.MultiIndex.from_arrays(levels, names=["window_start", *entity]), axis=0).sort_index()
