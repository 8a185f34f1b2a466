"""The catalogue's aggregates of clicks as one would write them in pandas and in Polars: what the engine is measured against.

pandas forms every aggregate of clicks that the engine forms, the judgement of addresses and the hours' divergence with them; marks that
need a table of offers or affiliates, which the benchmark's day has not, and all that is said of conversions are left out. Polars leaves
out more: the judgement of addresses, stacked clicks, the pace and the divergence.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from fraud.enrichment import egress
from fraud.enrichment.agents import declares_automation
from fraud.enrichment.referrers import registrable_domain
from fraud.features.constants import PACE_CLICKS, SHORT_DWELL_MS, SPIKE_CLICKS, STACKED_OFFERS

LEVELS = (["affiliate_id"], ["affiliate_id", "sub_id"])
WITHIN = 20_000_000
"""Microseconds."""

DAY = 86_400_000_000

MARKS = ["duplicate", "spiky", "short", "no_script", "bot", "hosting_like", "aged", "fresh", "stacked", "timed", "paired"]
COLUMNS = ["dwell_ms", "js_executed", "ip", "user_agent", "device_id", "referrer", "landing_url", "sub_id"]


def pandas_features(files: Sequence[Path], sold: Sequence[Path], columns: Sequence[str]) -> list[pd.DataFrame]:
    """Every aggregate of clicks at both levels, in which `sold` are the files of conversions."""
    clicks = pd.concat([pd.read_parquet(file, columns=list(columns)) for file in files], ignore_index=True)
    clicks["time"] = clicks.pop("clicked_at").astype("int64")
    clicks = clicks.sort_values(["affiliate_id", "time"], ignore_index=True)
    _mark_repeats(clicks)
    clicks["short"] = clicks["dwell_ms"].lt(SHORT_DWELL_MS)
    clicks["no_script"] = clicks["js_executed"].eq(False)
    agents = clicks["user_agent"].dropna().unique()
    clicks["bot"] = clicks["user_agent"].map(dict(zip(agents, map(declares_automation, agents), strict=True))).eq(True)
    clicks["domain"] = clicks["referrer"].str.extract(r"//([^/]+)", expand=False)
    hosts = clicks["domain"].dropna().unique()
    clicks["domain"] = clicks["domain"].map(dict(zip(hosts, map(registrable_domain, hosts), strict=True)))
    clicks["hour"] = clicks["time"] // 3_600_000_000 % 24
    converted = pd.concat([pd.read_parquet(file, columns=["click_id"]) for file in sold])["click_id"]
    shared, hosting = _judged(clicks, clicks[clicks.pop("click_id").isin(converted)])
    clicks["hosting_like"] = clicks["ip"].isin(hosting)
    clicks["shared"] = clicks["ip"].isin(shared)
    return [_pandas_level(clicks, keys) for keys in LEVELS]


def _mark_repeats(clicks: pd.DataFrame) -> None:
    """What is told of a click by its neighbours in time."""
    client = clicks["device_id"].where(clicks["device_id"].notna(), clicks["ip"] + clicks["user_agent"])
    clicks["timed"] = client.notna()
    clicks["duplicate"] = clicks.groupby(["affiliate_id", "offer_id", client], sort=False)["time"].diff().le(WITHIN)
    minute = clicks["time"] // 60_000_000
    of_minute = clicks.groupby(["affiliate_id", "offer_id", "ip", "user_agent", minute], sort=False)["time"].transform("size")
    clicks["paired"] = clicks["ip"].notna() & clicks["user_agent"].notna()
    clicks["spiky"] = of_minute.ge(SPIKE_CLICKS)
    clicks["aged"] = clicks["sub_id"].notna() & clicks["time"].ge(clicks["time"].min() // DAY * DAY + DAY)
    clicks["fresh"] = clicks["aged"] & ~clicks.duplicated(["affiliate_id", "sub_id"])
    second = [clicks["affiliate_id"], clicks["time"] // 1_000_000, clicks["device_id"]]
    near = clicks.groupby(second, sort=False)["time"].transform("size").ge(STACKED_OFFERS)
    offers = clicks[near].groupby([keys[near] for keys in second], sort=False)["offer_id"].transform("nunique")
    clicks["stacked"] = offers.ge(STACKED_OFFERS).reindex(clicks.index, fill_value=False)


def _judged(clicks: pd.DataFrame, sold: pd.DataFrame) -> tuple[pd.Index, pd.Index]:
    """The addresses that are shared, and those that are server-like, alone or with their networks."""
    rate = len(sold) / len(clicks)
    groups = clicks.groupby("ip", sort=False)
    seen = groups[["affiliate_id", "device_id", "user_agent"]].nunique().assign(clicks=groups.size())
    seen["entropy"] = _entropy(clicks, clicks["ip"])
    seen["sold"] = sold.groupby("ip").size().reindex(seen.index, fill_value=0)
    network = clicks["ip"].str.rpartition(".")[0]
    pool = pd.DataFrame({"clicks": network.groupby(network, sort=False).size(), "entropy": _entropy(clicks, network)})
    pool["sold"] = network[sold.index].value_counts().reindex(pool.index, fill_value=0)
    people = seen["device_id"].ge(egress.SHARED_DEVICES_FLOOR) | (
        seen["device_id"].eq(0) & seen["user_agent"].ge(egress.SHARED_DEVICES_FLOOR)
    )
    expected = seen["clicks"] * rate
    idle = expected.ge(egress.SIGNIFICANT_EXPECTATION) & seen["sold"].lt(egress.SHARED_CONVERSION_RATIO * expected)
    shared = seen["affiliate_id"].ge(egress.SHARED_AFFILIATES) & seen["entropy"].ge(egress.SHARED_ENTROPY_NATS) & people & ~idle
    servers = pool.index[_server_like(pool, rate)]
    hosting = _server_like(seen, rate) | pd.Series(seen.index.str.rpartition(".").get_level_values(0).isin(servers), seen.index)
    return seen.index[shared], seen.index[hosting]


def _server_like(seen: pd.DataFrame, rate: float) -> pd.Series[bool]:
    few = seen["sold"].lt(egress.HOSTING_CONVERSION_RATIO * seen["clicks"] * rate)
    return seen["clicks"].ge(egress.HOSTING_CLICKS) & seen["entropy"].lt(egress.HOSTING_ENTROPY_NATS) & few


def _entropy(clicks: pd.DataFrame, group: pd.Series[str]) -> pd.Series[float]:
    """Of the user agents of each group, with the Miller-Madow correction."""
    counts: pd.Series[Any] = clicks.groupby([group, "user_agent"], sort=False).size()
    of_group = counts.groupby(level=0, sort=False)
    total = of_group.sum()
    logs: pd.Series[Any] = (counts * np.log(counts)).groupby(level=0, sort=False).sum()
    return pd.Series(np.log(total)) - logs / total + (of_group.size() - 1) / (2 * total)


def _pandas_level(clicks: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    groups = clicks.groupby(keys, sort=False)
    out: pd.DataFrame = groups[MARKS].sum().assign(clicks=groups.size())
    out = out.join(groups[[name for name in COLUMNS if name not in keys]].count().add_prefix("with_"))
    out = out.join(groups[[name for name in ("device_id", "domain", "sub_id") if name not in keys]].nunique().add_prefix("distinct_"))
    gaps = groups["time"].diff()
    of_gaps = gaps.groupby([clicks[key] for key in keys], sort=False)
    out["gap_mean"], out["gap_sd"] = of_gaps.mean(), of_gaps.std(ddof=0)
    out = out.join(_pace(clicks, keys)).join(_unshared(clicks[~clicks["shared"]], keys))
    agents: pd.Series[Any] = clicks.groupby([*keys, "user_agent"], sort=False).size()
    of_agents = agents.groupby(level=keys, sort=False)
    out["agents"], out["top_agent"] = of_agents.size(), of_agents.max()
    out["agent_logs"] = (agents * np.log(agents)).groupby(level=keys, sort=False).sum()
    for column in ("offer_id", "country"):
        counts = clicks.groupby([*keys, column], sort=False).size()
        out[f"main_{column}"] = counts.groupby(level=keys, sort=False).max()
    out["hour_divergence"] = _divergence(clicks, keys)
    return out


def _unshared(clicks: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    counts = clicks.groupby([*keys, "ip"], sort=False).size().groupby(level=keys, sort=False)
    return pd.DataFrame({"addresses": counts.size(), "address_clicks": counts.sum(), "top_address": counts.max()})


def _pace(clicks: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Neighbouring stretches of about `PACE_CLICKS` clicks: how many pairs, and how far they jump."""
    groups = clicks.groupby(keys, sort=False)["time"]
    bins, first = groups.transform("size") // PACE_CLICKS, groups.transform("min")
    known = bins.ge(2)
    width = (groups.transform("max") - first)[known] // bins[known] + 1
    number = ((clicks["time"] - first)[known] // width).rename("bin")
    counts = (
        clicks[known].assign(bin=number, bins=bins).groupby([*keys, "bin"]).agg(n=("time", "size"), bins=("bins", "first")).reset_index()
    )
    same = counts[keys].eq(counts[keys].shift()).all(axis=1)
    adjacent = same & counts["bin"].eq(counts["bin"].shift() + 1)
    before = counts["n"].shift().where(adjacent, 0.0)
    inside = counts["bin"].gt(0)
    empty = ~adjacent.shift(-1, fill_value=False) & counts["bin"].lt(counts["bins"] - 1)
    counts["pairs"] = inside.astype(int) + empty.astype(int)
    counts["jumps"] = ((before - counts["n"]) ** 2 / (before + counts["n"])).where(inside, 0.0) + counts["n"].where(empty, 0)
    return counts.groupby(keys)[["pairs", "jumps"]].sum().add_prefix("pace_")


def _divergence(clicks: pd.DataFrame, keys: list[str]) -> pd.Series[float]:
    """Jensen-Shannon divergence (nats) of the hours from those of the other affiliates."""
    own = clicks.groupby([*keys, "hour"], sort=False).size().unstack(fill_value=0)
    of_affiliate = own.groupby(level=0, sort=False).transform("sum")
    others = own.sum() - of_affiliate
    p, q = own.div(own.sum(axis=1), axis=0), others.div(others.sum(axis=1), axis=0)
    middle = (p + q) / 2
    with np.errstate(divide="ignore"):  # an hour without clicks: 0 * -inf is no number, and counts for nothing
        terms = (p * np.log(p / middle)).fillna(0.0) + (q * np.log(q / middle)).fillna(0.0)
    return terms.sum(axis=1) / 2


def polars_features(files: Sequence[Path]) -> list[pl.DataFrame]:
    """Every aggregate of clicks at both levels."""
    client = pl.coalesce("device_id", pl.col("ip") + pl.col("user_agent"))
    clicks = (
        pl.scan_parquet([str(file) for file in files])
        .with_columns(time=pl.col("clicked_at").cast(pl.Int64), client=client)
        .sort("affiliate_id", "time")
        .with_columns(
            duplicate=(pl.col("time").diff() <= WITHIN).over("affiliate_id", "offer_id", "client"),
            spiky=pl.len().over("affiliate_id", "offer_id", "ip", "user_agent", pl.col("time") // 60_000_000) >= 3,
            short=pl.col("dwell_ms") < 2000,
            no_script=~pl.col("js_executed"),
            domain=pl.col("referrer").str.extract(r"//([^/]+)"),
            hour=pl.col("time") // 3_600_000_000 % 24,
        )
        .select(
            "affiliate_id", "sub_id", "time", "duplicate", "spiky", "short", "no_script", "domain", "hour", "ip", "user_agent",
            "device_id", "offer_id", "country", "dwell_ms", "js_executed", "referrer",
        )
        .collect()
    )  # fmt: skip
    agents = clicks["user_agent"].drop_nulls().unique().to_list()
    hosts = clicks["domain"].drop_nulls().unique().to_list()
    clicks = clicks.with_columns(
        bot=pl.col("user_agent").replace_strict(agents, [declares_automation(text) for text in agents], default=None),
        domain=pl.col("domain").replace_strict(hosts, [registrable_domain(host) for host in hosts], default=None),
    )
    return [_polars_level(clicks, keys) for keys in LEVELS]


def _polars_level(clicks: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    known = clicks.filter(pl.all_horizontal(pl.col(key).is_not_null() for key in keys))
    out = known.group_by(keys).agg(
        pl.col("duplicate", "spiky", "short", "no_script", "bot").sum(),
        pl.col("dwell_ms", "js_executed", "ip", "user_agent", "device_id", "referrer").count(),
        pl.col("device_id").n_unique().alias("devices"),
        pl.col("domain").n_unique().alias("domains"),
        *([pl.col("sub_id").n_unique().alias("subs")] if len(keys) == 1 else []),
        pl.col("time").diff().std(ddof=0).alias("gap_sd"),
    )
    for column in ("ip", "user_agent", "offer_id", "country", "hour"):
        counts = known.group_by([*keys, column]).len().with_columns(n=pl.col("len").cast(pl.Float64))
        of_counts = counts.group_by(keys).agg(
            pl.col("n").max().alias(f"top_{column}"),
            pl.len().alias(f"kinds_{column}"),
            (pl.col("n") * pl.col("n").log()).sum().alias(f"logs_{column}"),
        )
        out = out.join(of_counts, on=keys, how="left")
    return out
