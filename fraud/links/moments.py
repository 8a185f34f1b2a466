"""Who clicks when: the moments and patterns by which affiliates act together or repeat what was clicked before (C27, C29)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from fraud.domain.scans import Period
from fraud.enrichment.egress import LOOKBACK_DAYS
from fraud.links.edges import MOST_OWNERS, bounds_of
from models.arrays import IntArray
from models.graph.replays import DAY_US, MOMENT_US, Replays, Visits, replays
from models.graph.timing import gap_patterns

MOST_CLICKS = 2_000_000
"""Clicks looked at; of more a fixed share of the devices is, chosen by hash, with everything those devices did."""
MOST_VISITS = 8_000_000
"""The same of the four weeks in which recordings are looked for."""

_WINDOW = "clicked_at >= $start and clicked_at < $end"
_SAMPLED = f"""
    select affiliate_id, device_id, clicked_at from clicks
    where {_WINDOW} and device_id is not null
        and hash(device_id) % (1 + (select count(*) from clicks where {_WINDOW}) // {MOST_CLICKS}) = 0
"""  # noqa: S608 - no value of a user stands in it

_MOMENTS = f"""
    with sampled as ({_SAMPLED})
    select affiliate_id, 'device_hour' as kind, device_id || '|' || (epoch_us(clicked_at) // 3600000000) as entity,
        count(*)::bigint as count
    from sampled group by all
    union all
    select affiliate_id, 'customer_hour', coalesce(customer_id, customer_email) || '|' || (epoch_us(converted_at) // 3600000000), count(*)
    from conversions where converted_at >= $start and converted_at < $end and coalesce(customer_id, customer_email) is not null
    group by all
"""  # noqa: S608 - no value of a user stands in it

_RECENT = "clicked_at >= $end::timestamp - to_days({days}) and clicked_at < $end and device_id is not null"
_VISITS = f"""
    with recent as (
        select affiliate_id, hash(device_id) as device, epoch_us(clicked_at) // {DAY_US} as day,
            epoch_us(clicked_at) % {DAY_US} // {MOMENT_US} as moment
        from clicks where {_RECENT.format(days=LOOKBACK_DAYS)}
            and hash(device_id) % (1 + (select count(*) from clicks where {_RECENT.format(days=LOOKBACK_DAYS)}) // {MOST_VISITS}) = 0
    ), again as (select device from recent group by device having min(day) < max(day)
    ), visits as (select distinct affiliate_id, device, day, moment from recent semi join again using (device)
    ), hubs as (select device from visits group by device having count(distinct affiliate_id) > {MOST_OWNERS}
    )
    select affiliate_id, device, day - min(day) over () as day, moment from visits anti join hubs using (device)
"""  # noqa: S608 - as above
"""The visits of every device that came on more than one day of the last four weeks."""

_TIMES = f"select affiliate_id, epoch_us(clicked_at) as at from clicks where {_WINDOW} order by 1, 2"  # noqa: S608 - as above


@dataclass(frozen=True)
class Recording:
    """Affiliates (one or more) who play the same recorded visits: of each, how many it repeats and how sure that is (-log10 p)."""

    repeated: Mapping[str, int]
    evidence: Mapping[str, float]


def moment_edges(events: duckdb.DuckDBPyConnection, window: Period) -> pd.DataFrame:
    """Affiliates with the devices and customers of every hour."""
    return events.execute(_MOMENTS, bounds_of(window)).df()


def pattern_edges(events: duckdb.DuckDBPyConnection, window: Period) -> pd.DataFrame:
    """Affiliates with the patterns of gaps between their clicks."""
    clicks = events.execute(_TIMES, bounds_of(window)).df()
    codes, names = pd.factorize(clicks["affiliate_id"])
    owner, pattern = gap_patterns(codes.astype(np.int64), clicks["at"].to_numpy(dtype=np.int64))
    return pd.DataFrame({"affiliate_id": np.asarray(names)[owner], "kind": "click_pattern", "entity": pattern, "count": 1})


def recordings(events: duckdb.DuckDBPyConnection, window: Period) -> list[Recording]:
    """Who brings devices back at the very time of day they had before, in the four weeks before the window's end; together with whom."""
    rows = events.execute(_VISITS, {"end": window.end.replace(tzinfo=None)}).df()
    affiliate, names = pd.factorize(rows["affiliate_id"], sort=True)
    device = pd.factorize(rows["device"])[0]
    day, moment = (rows[name].to_numpy(dtype=np.int64) for name in ("day", "moment"))
    found = replays(Visits(affiliate.astype(np.int64), device.astype(np.int64), day, moment), len(names))
    return [_recording(found, np.flatnonzero(found.recording == one), names) for one in np.unique(found.recording[found.recording >= 0])]


def _recording(found: Replays, members: IntArray, names: pd.Index) -> Recording:
    ids = [str(names[one]) for one in members.tolist()]
    return Recording(
        repeated={name: int(found.repeated[one]) for name, one in zip(ids, members.tolist(), strict=True)},
        evidence={name: float(found.evidence[one]) for name, one in zip(ids, members.tolist(), strict=True)},
    )
