"""What anybody would compute first: plain sums and shares per affiliate over one window, for the baselines to work on.

These are the raw features of the comparison, fixed here on purpose: the product's own features may grow, the yardstick must not.
"""

from __future__ import annotations

import duckdb
import pandas as pd

from fraud.domain.scans import Period

_CLICKS = """
SELECT affiliate_id,
       count(*) AS clicks,
       count(DISTINCT ip) / count(*) AS addresses_per_click,
       count(DISTINCT device_id) / count(*) AS devices_per_click,
       count(DISTINCT user_agent) / count(*) AS agents_per_click,
       count(DISTINCT sub_id) AS sub_ids,
       count(DISTINCT referrer) AS referrers,
       count(DISTINCT country) AS countries,
       count(*) FILTER (referrer IS NULL) / count(*) AS without_referrer,
       avg(dwell_ms) AS mean_dwell,
       avg((dwell_ms < 2000)::int) AS short_dwell,
       avg(js_executed::int) AS scripts,
       avg((extract(hour FROM clicked_at) < 6)::int) AS at_night,
       max(same_minute) AS most_in_a_minute,
       max(same_address) / count(*) AS top_address,
       stddev_samp(gap) / avg(gap) AS gap_variation
FROM (
    SELECT *,
           count(*) OVER (PARTITION BY affiliate_id, date_trunc('minute', clicked_at)) AS same_minute,
           count(*) OVER (PARTITION BY affiliate_id, ip) AS same_address,
           epoch_us(clicked_at) - lag(epoch_us(clicked_at)) OVER (PARTITION BY affiliate_id ORDER BY clicked_at) AS gap
    FROM clicks WHERE clicked_at >= $starts AND clicked_at < $ends
)
GROUP BY affiliate_id
"""

_CONVERSIONS = """
SELECT k.affiliate_id,
       count(*) AS conversions,
       sum(k.commission)::double AS commission,
       avg(k.amount)::double AS mean_amount,
       avg(k.new_customer::int) AS new_customers,
       avg((k.status IN ('rejected', 'refunded', 'chargeback'))::int) AS undone,
       avg((k.click_id IS NULL)::int) AS without_click,
       median(epoch_us(k.converted_at) - epoch_us(c.clicked_at)) / 1e6 AS median_delay,
       avg((epoch_us(k.converted_at) - epoch_us(c.clicked_at) < 30e6)::int) AS fast,
       avg((epoch_us(k.converted_at) - epoch_us(c.clicked_at) > 3600e6)::int) AS late,
       count(DISTINCT k.device_id) / count(*) AS buyers_devices
FROM conversions k LEFT JOIN clicks c USING (click_id)
WHERE k.converted_at >= $starts AND k.converted_at < $ends
GROUP BY k.affiliate_id
"""


def raw_aggregates(events: duckdb.DuckDBPyConnection, window: Period) -> pd.DataFrame:
    """26 plain figures (float) of every affiliate active in the window, by affiliate; NaN where there is nothing to divide."""
    bounds = {"starts": window.start, "ends": window.end}
    clicks = events.execute(_CLICKS, bounds).df().set_index("affiliate_id")
    conversions = events.execute(_CONVERSIONS, bounds).df().set_index("affiliate_id")
    table = clicks.join(conversions, how="outer").astype("float64")
    table[["clicks", "conversions"]] = table[["clicks", "conversions"]].fillna(0.0)
    table["conversion_rate"] = table["conversions"] / table["clicks"].where(table["clicks"] > 0)
    return table.sort_index()
