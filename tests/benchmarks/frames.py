"""The catalogue's aggregates of clicks as one would write them in pandas and in Polars: what the engine is measured against."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from fraud.enrichment.agents import declares_automation
from fraud.enrichment.referrers import registrable_domain

LEVELS = (["affiliate_id"], ["affiliate_id", "sub_id"])
WITHIN = 20_000_000
"""Microseconds."""


def pandas_features(files: Sequence[Path], columns: Sequence[str]) -> list[pd.DataFrame]:
    """Every aggregate of clicks at both levels."""
    clicks = pd.concat([pd.read_parquet(file, columns=list(columns)) for file in files], ignore_index=True)
    clicks["time"] = clicks.pop("clicked_at").astype("int64")
    clicks = clicks.sort_values(["affiliate_id", "time"], ignore_index=True)
    client = clicks["device_id"].where(clicks["device_id"].notna(), clicks["ip"] + clicks["user_agent"])
    gap = clicks.groupby(["affiliate_id", "offer_id", client], sort=False)["time"].diff()
    clicks["duplicate"] = gap.le(WITHIN)
    minute = clicks["time"] // 60_000_000
    of_minute = clicks.groupby(["affiliate_id", "offer_id", "ip", "user_agent", minute], sort=False)["time"].transform("size")
    clicks["spiky"] = of_minute.ge(3)
    clicks["short"] = clicks["dwell_ms"].lt(2000)
    clicks["no_script"] = clicks["js_executed"].eq(False)
    clicks["domain"] = clicks["referrer"].str.extract(r"//([^/]+)", expand=False)
    agents = clicks["user_agent"].dropna().unique()
    clicks["bot"] = clicks["user_agent"].map(dict(zip(agents, map(declares_automation, agents), strict=True)))
    hosts = clicks["domain"].dropna().unique()
    clicks["domain"] = clicks["domain"].map(dict(zip(hosts, map(registrable_domain, hosts), strict=True)))
    clicks["hour"] = clicks["time"] // 3_600_000_000 % 24
    return [_pandas_level(clicks, keys) for keys in LEVELS]


def _pandas_level(clicks: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    groups = clicks.groupby(keys, sort=False)
    out = groups[["duplicate", "spiky", "short", "no_script", "bot"]].sum()
    out = out.join(groups[["dwell_ms", "js_executed", "ip", "user_agent", "device_id", "referrer"]].count())
    out = out.join(groups[["device_id", "domain"]].nunique().add_prefix("distinct_"))
    if len(keys) == 1:
        out = out.join(groups["sub_id"].nunique().rename("subs"))
    gaps = groups["time"].diff()
    out["gap_sd"] = gaps.groupby([clicks[key] for key in keys], sort=False).std(ddof=0)
    for column in ("ip", "user_agent"):
        counts = clicks.groupby([*keys, column], sort=False).size()
        of_counts = counts.groupby(level=keys, sort=False)
        out[f"top_{column}"] = of_counts.max()
        out[f"kinds_{column}"] = of_counts.size()
        out[f"logs_{column}"] = (counts * np.log(counts)).groupby(level=keys, sort=False).sum()
    for column in ("offer_id", "country", "hour"):
        counts = clicks.groupby([*keys, column], sort=False).size()
        out[f"top_{column}"] = counts.groupby(level=keys, sort=False).max()
    return out


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
