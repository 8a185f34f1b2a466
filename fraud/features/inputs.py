"""What the relations join besides the lake's views: the windows, and the readings of user agents, referrers and addresses."""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import duckdb
import pyarrow as pa

from fraud.domain.clock import as_utc
from fraud.domain.scans import Period
from fraud.enrichment import egress
from fraud.enrichment.agents import read_agents
from fraud.enrichment.referrers import HOST_SQL, registrable_domains
from fraud.errors import InputError


def register(con: duckdb.DuckDBPyConnection, windows: Sequence[Period]) -> None:
    """Builds the `ft_` tables that `fraud.features.relations` names, for these windows."""
    _register_windows(con, windows)
    _register_agents(con)
    _register_referrers(con)
    egress.learn(con)


def naive_utc(moment: datetime) -> datetime:
    """A moment as the lake stores it: UTC without a zone."""
    return as_utc(moment).astimezone(UTC).replace(tzinfo=None)


def _register_windows(con: duckdb.DuckDBPyConnection, windows: Sequence[Period]) -> None:
    starts, ends = ([naive_utc(moment) for moment in side] for side in ([w.start for w in windows], [w.end for w in windows]))
    if len(set(starts)) != len(starts) or any(end <= start for start, end in zip(starts, ends, strict=True)):
        raise InputError("Windows must end after they start, and no two may start together.")
    columns = {"w": pa.array(range(len(starts)), pa.int32()), "starts": _times(starts), "ends": _times(ends)}
    _create(con, "ft_windows", pa.table(columns))


def _register_agents(con: duckdb.DuckDBPyConnection) -> None:
    texts = _distinct(con, "SELECT DISTINCT user_agent FROM clicks WHERE user_agent IS NOT NULL AND {inside}")
    agents = read_agents(texts)
    columns = {
        "user_agent": pa.array(agents.keys(), pa.string()),
        "declared_bot": pa.array((agent.declared_bot for agent in agents.values()), pa.bool_()),
    }
    _create(con, "ft_agents", pa.table(columns))


def _register_referrers(con: duckdb.DuckDBPyConnection) -> None:
    host = HOST_SQL.format(column="referrer")
    known = registrable_domains(_distinct(con, f"SELECT DISTINCT {host} FROM clicks WHERE {host} IS NOT NULL AND {{inside}}"))
    columns = {"host": pa.array(known.keys(), pa.string()), "referrer_domain": pa.array(known.values(), pa.string())}
    _create(con, "ft_referrers", pa.table(columns))
    site = HOST_SQL.format(column="site")
    declared = con.sql(f"SELECT affiliate_id, {site} FROM (SELECT affiliate_id, unnest(websites) AS site FROM affiliates)").fetchall()
    domains = registrable_domains(host for _, host in declared if host)
    pairs = sorted({(affiliate, domains[host]) for affiliate, host in declared if host and domains[host]})
    columns = {
        "affiliate_id": pa.array((pair[0] for pair in pairs), pa.string()),
        "domain": pa.array((pair[1] for pair in pairs), pa.string()),
    }
    _create(con, "ft_declared", pa.table(columns))


def _distinct(con: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    inside = "clicked_at >= (SELECT min(starts) FROM ft_windows) AND clicked_at < (SELECT max(ends) FROM ft_windows)"
    return [row[0] for row in con.sql(sql.format(inside=inside)).fetchall()]


def _times(moments: Iterable[datetime]) -> pa.Array:
    return pa.array(moments, pa.timestamp("us"))


def _create(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    con.register("ft_incoming", table)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM ft_incoming")
    con.unregister("ft_incoming")
