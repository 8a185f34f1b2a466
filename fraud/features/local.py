"""Features computed in process, by DuckDB, over the views of a lake's connection."""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

import duckdb
import numpy as np
import pandas as pd

from fraud.domain.scans import Period
from fraud.features import facts, inputs, relations
from fraud.features.catalogue import Feature, Level, feature_set_hash, features_of
from fraud.features.table import FACT_COLUMNS, FeatureTable

Progress = Callable[[str], None]

_EVENTS = {"clicks": "clicked_at", "conversions": "converted_at"}


def compute(
    con: duckdb.DuckDBPyConnection, windows: Sequence[Period], level: Level = "affiliate", progress: Progress | None = None
) -> FeatureTable:
    """Every feature of every entity active in each window `[start, end)` of event time.

    `con` comes from `ParquetLake.connect` and should reach back before the first window: the clicks of late conversions and four weeks
    for telling shared addresses are looked for there. A conversion belongs to the window of its `converted_at`. Nothing at or after a
    window's end changes its values. `progress` is told what is being computed. `InputError` when windows are empty or start together.
    """
    tell = progress or _silent
    tell("reading user agents, referrers and addresses")
    inputs.register(con, windows)
    for statement in relations.prepare(level):
        con.execute(statement)
    entity = list(relations.ENTITY[level])
    rows = _read(con, facts.sql(level), entity).set_index(["w", *entity]).sort_index()
    parts = [rows]
    for relation, features in _by_relation(features_of(level)):
        tell(f"computing features of {relation.replace('_', ' ')}")
        parts.append(_read(con, _sql(relation, features, level), entity).set_index(["w", *entity]))
    return _assemble(con, pd.concat(parts, axis=1).reindex(rows.index), windows, level)


def _silent(_: str) -> None:
    return


def _by_relation(features: Sequence[Feature]) -> list[tuple[str, list[Feature]]]:
    ordered = sorted(features, key=lambda feature: feature.relation)
    return [(name, list(group)) for name, group in groupby(ordered, key=lambda feature: feature.relation)]


def _sql(relation: str, features: Sequence[Feature], level: Level) -> str:
    entity = ", ".join(relations.ENTITY[level])
    columns = ", ".join(f"{f.value_sql} AS value_{f.name}, {f.support_sql} AS support_{f.name}" for f in features)
    return f"SELECT w, {entity}, {columns} FROM ({relations.relation(relation, level)}) GROUP BY w, {entity}"


def _read(con: duckdb.DuckDBPyConnection, sql: str, entity: Sequence[str]) -> pd.DataFrame:
    frame: pd.DataFrame = con.sql(sql).to_arrow_table().to_pandas()
    return frame.astype(dict.fromkeys(entity, "str"))


def _assemble(con: duckdb.DuckDBPyConnection, rows: pd.DataFrame, windows: Sequence[Period], level: Level) -> FeatureTable:
    features = features_of(level)
    absent = _absent_columns(con)
    starts = pd.Series([pd.Timestamp(inputs.naive_utc(window.start), tz="UTC") for window in windows])
    window_index = rows.index.get_level_values("w").to_numpy()
    values = pd.DataFrame({f.name: _unless_absent(f, rows, window_index, absent) for f in features}, index=rows.index, dtype=float)
    support = pd.DataFrame({f.name: rows[f"support_{f.name}"] for f in features}, index=rows.index, dtype=float).fillna(0.0)
    frames = [_by_start(frame, starts, relations.ENTITY[level]) for frame in (values, support, rows[list(FACT_COLUMNS)])]
    values, support, facts_seen = frames
    return FeatureTable(values, support, facts_seen.astype({"self_matches": "Int64"}), feature_set_hash())


def _unless_absent(feature: Feature, rows: pd.DataFrame, windows: np.ndarray, absent: dict[int, set[str]]) -> np.ndarray:
    """The feature's values, NaN in windows where a column it needs is wholly empty, and where it is no finite number."""
    values = rows[f"value_{feature.name}"].to_numpy(dtype=float, na_value=np.nan)
    unknown = [window for window, columns in absent.items() if columns.intersection(feature.needs)]
    return np.where(np.isin(windows, unknown) | ~np.isfinite(values), np.nan, values)


def _absent_columns(con: duckdb.DuckDBPyConnection) -> dict[int, set[str]]:
    """For each window, the needed columns (`table.column`) that no event of the program has in it."""
    needed = sorted({need for feature in features_of("affiliate") for need in feature.needs})
    absent: dict[int, set[str]] = {}
    for table, group in groupby(needed, key=lambda need: need.split(".")[0]):
        columns = [need.split(".")[1] for need in group]
        counts = ", ".join(f"count({column})" for column in columns)
        for window, *known in con.sql(_count_sql(table, counts)).fetchall():
            absent.setdefault(window, set()).update(f"{table}.{c}" for c, n in zip(columns, known, strict=True) if not n)
    return absent


def _count_sql(table: str, counts: str) -> str:
    if table not in _EVENTS:
        return f"SELECT w, {counts} FROM ft_windows LEFT JOIN {table} ON true GROUP BY w"
    time = _EVENTS[table]
    return f"SELECT w, {counts} FROM ft_windows LEFT JOIN {table} ON {time} >= starts AND {time} < ends GROUP BY w"


def _by_start(frame: pd.DataFrame, starts: pd.Series, entity: Sequence[str]) -> pd.DataFrame:
    levels = [starts.iloc[frame.index.get_level_values("w")].array]
    levels += [frame.index.get_level_values(name) for name in entity]
    return frame.set_axis(pd.MultiIndex.from_arrays(levels, names=["window_start", *entity]), axis=0).sort_index()
