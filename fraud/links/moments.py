"""Who clicks when: the moments and patterns by which affiliates act together or repeat what was clicked before (C27, C29)."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from fraud.domain.scans import Period
from fraud.links.edges import bounds_of
from models.arrays import FloatArray
from models.graph.timing import MOMENT_US, gap_patterns, own_repeats

MOST_CLICKS = 2_000_000
"""Clicks looked at; of more a fixed share of the devices is, chosen by hash, with everything those devices did."""

_WINDOW = "clicked_at >= $start and clicked_at < $end"
_SAMPLED = f"""
    select affiliate_id, device_id, clicked_at from clicks
    where {_WINDOW} and device_id is not null
        and hash(device_id) % (1 + (select count(*) from clicks where {_WINDOW}) // {MOST_CLICKS}) = 0
"""  # noqa: S608 - no value of a user stands in it

_MOMENTS = f"""
    with sampled as ({_SAMPLED}), moments as (
        select affiliate_id, device_id || '|' || (epoch_us(clicked_at) % 86400000000 // {MOMENT_US}) as moment, count(*) as n
        from sampled group by all
    ), hours as (
        select affiliate_id, device_id || '|' || (epoch_us(clicked_at) // 3600000000) as hour, count(*) as n from sampled group by all
    )
    select affiliate_id, 'device_moment' as kind, moment as entity, n::bigint as count from moments
    union all select affiliate_id, 'device_hour', hour, n::bigint from hours
    union all
    select affiliate_id, 'customer_hour', coalesce(customer_id, customer_email) || '|' || (epoch_us(converted_at) // 3600000000), count(*)
    from conversions where converted_at >= $start and converted_at < $end and coalesce(customer_id, customer_email) is not null
    group by all
"""  # noqa: S608 - no value of a user stands in it

_REPEATS = f"""
    with days as (
        select affiliate_id, device_id,
            epoch_us(clicked_at) // 86400000000 as day, epoch_us(clicked_at) % 86400000000 // {MOMENT_US} as moment
        from ({_SAMPLED}) group by all
    ), moments as (
        select affiliate_id, device_id, moment, count(distinct day) as days from days group by all
    ), chances as (
        select affiliate_id, sum(n * (n - 1) / 2)::double as chances
        from (select affiliate_id, device_id, count(*) as n from days group by all) group by 1
    )
    select affiliate_id, sum((days > 1)::int)::double as repeated, any_value(chances) as chances
    from moments join chances using (affiliate_id) group by 1 order by 1
"""  # noqa: S608 - no value of a user stands in it

_TIMES = f"select affiliate_id, epoch_us(clicked_at) as at from clicks where {_WINDOW} order by 1, 2"  # noqa: S608 - as above


@dataclass(frozen=True)
class OwnRepeats:
    """Affiliates whose visitors come back at the very same time of day: `repeated` moments, `evidence` -log10 p, by `affiliate_id`."""

    affiliate_id: list[str]
    repeated: FloatArray
    evidence: FloatArray


def moment_edges(events: duckdb.DuckDBPyConnection, window: Period) -> pd.DataFrame:
    """Affiliates with the devices and customers of every hour, and the devices at every ten seconds of the day."""
    return events.execute(_MOMENTS, bounds_of(window)).df()


def pattern_edges(events: duckdb.DuckDBPyConnection, window: Period) -> pd.DataFrame:
    """Affiliates with the patterns of gaps between their clicks."""
    clicks = events.execute(_TIMES, bounds_of(window)).df()
    codes, names = pd.factorize(clicks["affiliate_id"])
    owner, pattern = gap_patterns(codes.astype(np.int64), clicks["at"].to_numpy(dtype=np.int64))
    return pd.DataFrame({"affiliate_id": np.asarray(names)[owner], "kind": "click_pattern", "entity": pattern, "count": 1})


def repeats(events: duckdb.DuckDBPyConnection, window: Period) -> OwnRepeats:
    """Affiliates whose own visitors repeat themselves to the second, day after day."""
    rows = events.execute(_REPEATS, bounds_of(window)).df()
    repeated, chances = (rows[name].to_numpy(dtype=np.float64) for name in ("repeated", "chances"))
    return OwnRepeats([str(one) for one in rows["affiliate_id"]], repeated, own_repeats(repeated, chances))
