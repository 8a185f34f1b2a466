"""Clicks and conversions for the benchmark of pages: a program's two months, so that what pages look up in the lake takes what it takes."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta

import duckdb

from fraud.app.parts import App

DAYS = 61
"""Days of clicks: an affiliate's report of 30 days, and the 30 before."""

_CLICKS = """
SELECT 'clk_' || i AS click_id, TIMESTAMP '{start}' + to_microseconds(i * {step}::BIGINT) AS clicked_at,
    'aff-' || lpad((power(hash(i) % 10000 / 10000.0, 2) * {affiliates})::BIGINT::VARCHAR, 5, '0') AS affiliate_id,
    'off_' || hash(i + 1) % 40 AS offer_id, 'sub_' || hash(i + 2) % 9 AS sub_id,
    'ip_' || hash(i + 3) % ({clicks} // 4) AS ip, 'Mozilla/5.0 (' || hash(i + 4) % 60 || ')' AS user_agent,
    CASE WHEN hash(i + 5) % 3 = 0 THEN 'dev_' || hash(i + 6) % ({clicks} // 5) END AS device_id,
    'https://site-' || hash(i + 7) % 30 || '.example/page' AS referrer
FROM range({clicks}) t(i)
"""
_CONVERSIONS = """
SELECT 'cnv_' || i AS conversion_id, clicked_at + to_seconds((60 + hash(i + 8) % 90000)::BIGINT) AS converted_at, affiliate_id,
    click_id, offer_id, sub_id, 40 + hash(i + 9) % 100 AS amount, 4 + hash(i + 9) % 10 AS commission, 'EUR' AS currency, 'pending' AS status
FROM (SELECT row_number() OVER () AS i, * FROM given) WHERE hash(i + 10) % 50 = 0
"""


def fill_lake(app: App, affiliates: int, clicks: int, end: datetime) -> None:
    """Clicks of heavy-tailed affiliates that end at a time, a fiftieth of them with a conversion."""
    start = end.replace(tzinfo=None) - timedelta(days=DAYS)
    step = int(timedelta(days=DAYS) / timedelta(microseconds=1)) // clicks
    with closing(duckdb.connect()) as memory:
        told = {"start": start.isoformat(sep=" "), "step": step, "affiliates": affiliates - 1, "clicks": clicks}
        given = memory.sql(_CLICKS.format(**told)).to_arrow_table()
        memory.register("given", given)
        app.lake.append("clicks", "default", given, end)
        app.lake.append("conversions", "default", memory.sql(_CONVERSIONS).to_arrow_table(), end)
