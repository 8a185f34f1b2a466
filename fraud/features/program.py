"""The program's small tables, read once for all windows: its affiliates, offers, countries, agents, referrers and sub-IDs as codes."""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fraud.enrichment.agents import declaring_automation
from fraud.enrichment.compiled import Codes, Integers, KeyTable, key_table, positions
from fraud.enrichment.referrers import HOST_SQL, registrable_domains
from fraud.features.clicks import Program

_BATCH = 50_000
INSIDE = "clicked_at >= (SELECT min(starts) FROM ft_windows) AND clicked_at < (SELECT max(ends) FROM ft_windows)"
"""SQL: the clicks that lie between the first window's start and the last one's end."""

_HOST = (
    "CASE WHEN regexp_full_match(referrer, 'https?://[a-z0-9.-]+(/.*)?') THEN split_part(referrer, '/', 3) "
    f"ELSE {HOST_SQL.format(column='referrer')} END"
)
"""SQL of a referrer's host: `HOST_SQL`, of which most referrers do not need the whole."""


@dataclass(frozen=True)
class Coding:
    """Distinct values as codes: `table` finds the row of a value's key, `codes` the code of that row (none: the row itself), `texts` the
    value of a code."""

    table: KeyTable
    codes: Codes
    texts: pa.Array

    def of(self, keys: Integers) -> Codes:
        """The codes of keys; -1 where a key has none."""
        found = positions(self.table, keys)
        return np.where(found >= 0, self.codes[found], np.int32(-1)) if len(self.codes) else found


@dataclass(frozen=True)
class Codings:
    """What the program's clicks hold, as codes in the order of the texts."""

    affiliates: Coding
    subs: Coding
    offers: Coding
    countries: Coding
    agents: Coding
    domains: Coding


@dataclass(frozen=True)
class Distinct(Codings):
    """The codings; `clicks` counts each affiliate's clicks inside the windows, `total` all that there are before the last one's end."""

    clicks: Integers
    total: int
    tables: Program

    @property
    def nbytes(self) -> int:
        """What the codings take."""
        codings = (self.affiliates, self.subs, self.offers, self.countries, self.agents, self.domains)
        return sum(one.table.keys.nbytes + one.table.values.nbytes + one.codes.nbytes + one.texts.nbytes for one in codings)


def distinct_values(con: duckdb.DuckDBPyConnection) -> Distinct:
    """Reads the program's distinct values from the views of a lake's connection, for the windows in `ft_windows`."""
    busy = _rows(
        con,
        f"SELECT affiliate_id AS text, hash(affiliate_id) AS key, count_if({INSIDE})::BIGINT AS n, count(*) AS total FROM clicks "
        f"WHERE clicked_at < (SELECT max(ends) FROM ft_windows) GROUP BY affiliate_id ORDER BY affiliate_id",
    )
    offers, countries = (_coded(con, column) for column in ("offer_id", "country"))
    agents, subs = _numbered(con, "user_agent", "ft_agents"), _numbered(con, "sub_id", "ft_subs")
    codings = Codings(_coding(busy), subs, offers, countries, agents, _domains(con))
    return distinct_of(con, codings, _bots(con), _integers(busy["n"]), int(_integers(busy["total"]).sum()))


def distinct_of(con: duckdb.DuckDBPyConnection, codings: Codings, bots: NDArray[np.bool_], clicks: Integers, total: int) -> Distinct:
    """The codings with the tables of the views `offers` and `affiliates` that go with them; `bots` says by code which agents declare
    themselves, `clicks` and `total` are as in `Distinct`."""
    names_countries, targets = _targets(con, codings.offers, codings.countries)
    declares, declared = _declared(con, codings.affiliates, codings.domains)
    tables = Program(bots, names_countries, targets, declares, declared, _forbids_paid(con, codings.offers))
    return Distinct(**vars(codings), clicks=clicks, total=total, tables=tables)


def _numbered(con: duckdb.DuckDBPyConnection, column: str, table: str) -> Coding:
    """The texts of a column in their order, in which they stay in a temporary table: there may be as many as clicks."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM ({_distinct(column)}) ORDER BY text")
    keys = _integers(_rows(con, f"SELECT key FROM {table} ORDER BY rowid")["key"])
    return Coding(key_table(keys), np.empty(0, np.int32), _texts([]))


def _bots(con: duckdb.DuckDBPyConnection) -> NDArray[np.bool_]:
    """Which user agents say that they are none of people's, by code; needs `ft_agents`."""
    batches = con.sql("SELECT text FROM ft_agents ORDER BY rowid").to_arrow_reader(_BATCH)
    return np.concatenate([np.zeros(0, bool), *(declaring_automation(batch.column(0).to_pylist()) for batch in batches)])


def texts_of_subs(con: duckdb.DuckDBPyConnection, codes: Integers) -> pa.Array:
    """The texts of some codes of sub-IDs, which ascend; needs `ft_subs`."""
    con.register("ft_incoming", pa.table({"code": codes}))
    rows = _rows(con, "SELECT text FROM ft_subs JOIN ft_incoming ON ft_subs.rowid = code ORDER BY code")
    con.unregister("ft_incoming")
    return rows["text"].combine_chunks()


def coding_of(con: duckdb.DuckDBPyConnection, texts: pa.Array) -> Coding:
    """The coding of some distinct texts, in the order of the texts."""
    con.register("ft_incoming", pa.table({"text": texts.cast(pa.string())}))
    rows = _rows(con, "SELECT text, hash(text) AS key FROM ft_incoming ORDER BY text")
    con.unregister("ft_incoming")
    return _coding(rows)


def domain_coding(hosts: Coding) -> Coding:
    """The registrable domains of hosts: the keys are the hosts', the codes and texts the domains'."""
    names = hosts.texts.to_pylist()
    known = registrable_domains(names)
    texts = sorted({domain for domain in known.values() if domain})
    code: dict[str | None, int] = {domain: number for number, domain in enumerate(texts)}
    codes = np.array([code.get(known[name], -1) for name in names], np.int32)
    return Coding(hosts.table, codes, _texts(texts))


def _rows(con: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    return con.sql(sql).to_arrow_table().combine_chunks()


def _integers(column: pa.ChunkedArray) -> Integers:
    values: Integers = np.ascontiguousarray(column.to_numpy()).view(np.int64)
    return values


def _coding(rows: pa.Table) -> Coding:
    texts = rows["text"].combine_chunks()
    return Coding(key_table(_integers(rows["key"])), np.arange(len(texts), dtype=np.int32), texts)


def _coded(con: duckdb.DuckDBPyConnection, column: str) -> Coding:
    return _coding(_rows(con, f"SELECT * FROM ({_distinct(column)}) ORDER BY text"))


def _distinct(column: str) -> str:
    """SQL of the distinct texts of a column with their keys, found by key: that is what clicks are told apart by."""
    return f"SELECT any_value({column}) AS text, hash({column}) AS key FROM clicks WHERE {column} IS NOT NULL AND {INSIDE} GROUP BY key"


def _domains(con: duckdb.DuckDBPyConnection) -> Coding:
    """Registrable domains of referrers: the keys are the referrers', the codes and texts the domains'."""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE ft_hosts AS SELECT key, {_HOST} AS host "
        f"FROM (SELECT key, text AS referrer FROM ({_distinct('referrer')}))"
    )
    known = registrable_domains(row[0] for row in con.sql("SELECT DISTINCT host FROM ft_hosts WHERE host IS NOT NULL").fetchall())
    texts = sorted({domain for domain in known.values() if domain})
    code = {domain: number for number, domain in enumerate(texts)}
    pairs = [(host, code[domain]) for host, domain in known.items() if domain]
    con.register("ft_incoming", pa.table({"host": _texts(h for h, _ in pairs), "code": pa.array((c for _, c in pairs), pa.int32())}))
    rows = _rows(con, "SELECT key, code FROM ft_hosts JOIN ft_incoming USING (host)")
    con.unregister("ft_incoming")
    return Coding(key_table(_integers(rows["key"])), rows["code"].to_numpy(), _texts(texts))


def _texts(values: Any) -> pa.Array:
    return pa.array(values, pa.string())


def _targets(con: duckdb.DuckDBPyConnection, offers: Coding, countries: Coding) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    names = np.zeros(len(offers.texts), bool)
    targets = np.zeros((len(offers.texts), len(countries.texts)), bool)
    offer = {text: number for number, text in enumerate(offers.texts.to_pylist())}
    country = {text: number for number, text in enumerate(countries.texts.to_pylist())}
    for offer_id, served in con.sql("SELECT offer_id, countries FROM offers WHERE len(countries) > 0").fetchall():
        if offer_id in offer:
            names[offer[offer_id]] = True
            targets[offer[offer_id], [country[one] for one in served if one in country]] = True
    return names, targets


def _forbids_paid(con: duckdb.DuckDBPyConnection, offers: Coding) -> NDArray[np.bool_]:
    """Which offers forbid paid search; those that do not say forbid nothing."""
    named = {row[0] for row in con.sql("SELECT offer_id FROM offers WHERE NOT allows_paid_search").fetchall()}
    return np.array([text in named for text in offers.texts.to_pylist()], bool)


def _declared(con: duckdb.DuckDBPyConnection, affiliates: Coding, domains: Coding) -> tuple[NDArray[np.bool_], KeyTable]:
    site = HOST_SQL.format(column="site")
    rows = con.sql(f"SELECT affiliate_id, {site} FROM (SELECT affiliate_id, unnest(websites) AS site FROM affiliates)").fetchall()
    known = registrable_domains(host for _, host in rows if host)
    affiliate = {text: number for number, text in enumerate(affiliates.texts.to_pylist())}
    domain = {text: number for number, text in enumerate(domains.texts.to_pylist())}
    declares = np.zeros(len(affiliate), bool)
    pairs = {(affiliate[name], known[host]) for name, host in rows if host and known[host] and name in affiliate}
    declares[[number for number, _ in pairs]] = True
    keys = sorted((number << 32) | domain[text] for number, text in pairs if text in domain)
    return declares, key_table(np.array(keys, np.int64))
