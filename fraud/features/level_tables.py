"""One level's tables as the relations of `fraud.features.relations` name them: tallies and conversions under common codes.

Codes follow the order of the texts, whether clicks or conversions brought them, so that sorting by code is sorting by text.
"""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fraud.enrichment.compiled import compiled
from fraud.features.definition import Level
from fraud.features.relations import UNKNOWN
from fraud.features.tallies import TALLIES, WHOLE, ClickTallies

Integers = NDArray[np.int64]

CLICKS = "ft_clicks"
"""The relation of click tallies, which is read where it stands."""


@dataclass(frozen=True)
class Texts:
    """What the codes of tallies stand for: one array of texts for each kind of code, in their order."""

    affiliates: pa.Array
    subs: pa.Array
    offers: pa.Array
    countries: pa.Array


@dataclass(frozen=True)
class Tallied:
    """The tallies of all partitions in the order of window, affiliate and sub-ID: `keys` (rows, 3), `counts` (rows, `TALLIES`), the
    hours' `divergence` (rows,), and (row, code, clicks) of `offers` and `countries`. `whole`: every sub-ID has a row."""

    keys: Integers
    counts: NDArray[np.float64]
    divergence: NDArray[np.float64]
    offers: Integers
    countries: Integers
    texts: Texts
    whole: bool = True


@dataclass(frozen=True)
class Entities:
    """The entities of a level in the order of window, affiliate and sub-ID: `keys` (rows, 3) of window and codes (-1: the affiliate as a
    whole), and the texts of these codes. The sub-IDs without rows of their own stand together under the code `others`, behind the last."""

    keys: Integers
    affiliates: pa.Array
    subs: pa.Array

    @property
    def others(self) -> int:
        """The code of the small sub-IDs of an affiliate."""
        return len(self.subs)

    def __len__(self) -> int:
        return len(self.keys)

    def named(self, level: Level) -> pa.Table:
        """The entities' numbers `e` and windows `w`, with the names that identify them at a level."""
        keys = self.keys
        columns = {
            "e": pa.array(np.arange(len(keys))),
            "w": pa.array(keys[:, 0].astype(np.int32)),
            "affiliate_id": _taken(self.affiliates, keys[:, 1]),
        }
        subs = {"sub_id": self.subs.take(pa.array(keys[:, 2], mask=keys[:, 2] == self.others))} if level == "sub_id" else {}
        return pa.table(columns | subs)


@dataclass(frozen=True)
class _Coding:
    """The texts of clicks and conversions together: the new code of each code of clicks, and the code of each conversion (-1: none)."""

    texts: pa.Array
    of_clicks: Integers
    of_conversions: Integers


def pairs_of(tallies: Sequence[ClickTallies], kind: str, place: Integers) -> Integers:
    """The (row, code, clicks) of all partitions, -1 for an unknown code; `place` is where each entity stands in the whole."""
    parts, before = [], 0
    for part in tallies:
        rows = getattr(part, kind).copy()
        rows[:, 0] = place[rows[:, 0] + before]
        parts.append(rows)
        before += len(part.keys)
    return np.concatenate(parts)


def register(con: duckdb.DuckDBPyConnection, level: Level, found: Tallied) -> Entities:
    """Builds the tables of a level; needs `ft_windows`, `ft_conversion_rows` of this level and the view `affiliates`."""
    sold = con.sql("SELECT w, affiliate_id, sub_id, offer_id, country FROM ft_conversion_rows").to_arrow_table()
    affiliates, subs = _coding(found.texts.affiliates, sold["affiliate_id"]), _coding(found.texts.subs, sold["sub_id"])
    windows = con.sql(f"SELECT w FROM ft_windows WHERE of_{level}").to_arrow_table()["w"].to_numpy()
    rows = np.flatnonzero(np.isin(found.keys[:, 0], windows) & ((found.keys[:, 2] != WHOLE) == (level == "sub_id")))
    clicked = found.keys[rows]
    others = len(subs.texts)
    codes = np.append(subs.of_clicks, [others, -1])[clicked[:, 2]]  # OTHERS and WHOLE count from the end
    window = np.concatenate([clicked[:, 0], sold["w"].to_numpy()])
    affiliate = np.concatenate([affiliates.of_clicks[clicked[:, 1]], affiliates.of_conversions])
    sub = np.concatenate([codes, subs.of_conversions if level == "sub_id" else np.full(len(sold), -1)])
    if level == "sub_id" and not found.whole:
        _gather_others(window, affiliate, sub, len(rows), others)
    entities, entity = _numbered(window, affiliate, sub)
    number = np.cumsum(np.diff(entities[:, :2], axis=0, prepend=-1).any(axis=1)) - 1
    _register_entities(con, entities, number, affiliates.texts)
    _register_clicks(con, found, rows, entity[: len(rows)])
    of_row = np.full(len(found.keys), -1)
    of_row[rows] = entity[: len(rows)]
    offers, countries = _coding(found.texts.offers, sold["offer_id"]), _coding(found.texts.countries, sold["country"])
    _register_pairs(con, ("ft_click_offers", "o"), found.offers, offers, of_row)
    _register_pairs(con, ("ft_click_countries", "c"), found.countries, countries, of_row)
    for name, coding in (("ft_offers", offers), ("ft_countries", countries)):
        create(con, name, pa.table({"code": np.arange(len(coding.texts)), "text": coding.texts}))
    mine = entity[len(rows) :]
    sold_codes = {"o": _behind(offers.of_conversions), "c": _behind(countries.of_conversions)}
    _register_conversions(con, pa.table({"e": mine, "a": number[mine]} | sold_codes))
    return Entities(entities, affiliates.texts, subs.texts)


def create(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """A temporary table with these rows."""
    con.register("ft_incoming", table)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM ft_incoming")
    con.unregister("ft_incoming")


def _coding(clicks: pa.Array, conversions: pa.ChunkedArray) -> _Coding:
    distinct = pc.drop_null(pc.unique(pa.chunked_array([*pa.chunked_array([clicks]).chunks, *conversions.chunks], pa.string())))
    texts = distinct.take(pc.sort_indices(distinct))
    return _Coding(texts, _found(clicks, texts), _found(conversions, texts))


def _taken(texts: pa.Array, codes: Integers) -> pa.Array:
    return texts.take(pa.array(codes))


def _found(texts: pa.Array | pa.ChunkedArray, known: pa.Array) -> Integers:
    return np.asarray(pc.fill_null(pc.index_in(texts, value_set=known), -1), np.int64)


def _translated(codes: Integers, old: Integers, unknown: int) -> Integers:
    """The new codes of old ones, of which -1 is unknown."""
    return np.append(codes, unknown)[old]


def _behind(codes: Integers) -> Integers:
    return np.where(codes < 0, UNKNOWN, codes)


def _gather_others(window: Integers, affiliate: Integers, sub: Integers, clicked: int, others: int) -> None:
    """Puts conversions, which stand behind the `clicked` rows, under the code `others` where their sub-ID has no row."""
    joined = (window * (affiliate.max(initial=0) + 1) + affiliate) * (others + 1) + sub
    sub[clicked:][~np.isin(joined[clicked:], joined[:clicked])] = others


def _numbered(window: Integers, affiliate: Integers, sub: Integers) -> tuple[Integers, Integers]:
    """The distinct (window, affiliate, sub-ID) in their order, and the number of each row among them."""
    affiliates, subs = affiliate.max(initial=0) + 1, sub.max(initial=-1) + 2
    joined, entity = np.unique((window * affiliates + affiliate) * subs + sub + 1, return_inverse=True)
    return np.stack([joined // subs // affiliates, joined // subs % affiliates, joined % subs - 1], axis=1), entity


def _register_entities(con: duckdb.DuckDBPyConnection, entities: Integers, number: Integers, affiliates: pa.Array) -> None:
    create(con, "ft_entities", pa.table({"e": np.arange(len(entities)), "w": entities[:, 0].astype(np.int32), "a": number}))
    first = np.flatnonzero(np.diff(number, prepend=-1))
    names = affiliates.take(pa.array(entities[first, 1]))
    con.register("ft_incoming", pa.table({"a": number[first], "w": entities[first, 0].astype(np.int32), "affiliate_id": names}))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE ft_affiliates AS SELECT a, w, affiliate_id, affiliate_type, group_id, joined_at, "
        "status AS affiliate_status, country AS affiliate_country FROM ft_incoming LEFT JOIN affiliates USING (affiliate_id)"
    )
    con.unregister("ft_incoming")


@compiled
def _as_columns(table: NDArray[np.float64], rows: Integers) -> NDArray[np.float64]:
    """Some rows of a table as columns (columns, rows), turned round block by block, so that both sides stay in the cache."""
    columns = np.empty((table.shape[1], rows.shape[0]))
    for begin in range(0, rows.shape[0], 64):
        end = min(begin + 64, rows.shape[0])
        for column in range(table.shape[1]):
            for place in range(begin, end):
                columns[column, place] = table[rows[place], column]
    return columns


def _register_clicks(con: duckdb.DuckDBPyConnection, found: Tallied, rows: Integers, entity: Integers) -> None:
    counts = _as_columns(found.counts, rows)
    columns = {"e": pa.array(entity)} | {name: pa.array(counts[number]) for number, name in enumerate(TALLIES)}
    con.register(CLICKS, pa.table(columns | {"hour_divergence": pa.array(found.divergence[rows], from_pandas=True)}))


def _register_pairs(con: duckdb.DuckDBPyConnection, named: tuple[str, str], pairs: Integers, coding: _Coding, of_row: Integers) -> None:
    entity = of_row[pairs[:, 0]]
    pairs, entity = pairs[entity >= 0], entity[entity >= 0]
    create(con, named[0], pa.table({"e": entity, named[1]: _translated(coding.of_clicks, pairs[:, 1], UNKNOWN), "n": pairs[:, 2]}))


def _register_conversions(con: duckdb.DuckDBPyConnection, codes: pa.Table) -> None:
    con.register("ft_incoming", codes)
    con.execute("CREATE OR REPLACE TEMP TABLE ft_conversions AS SELECT * FROM ft_conversion_rows POSITIONAL JOIN ft_incoming")
    con.unregister("ft_incoming")
