"""Conversions to rows with the flags that features count, in SQL: they are few beside clicks.

`match` finds the click of every conversion once, for all windows and levels; `prepare` then says what `ft_conversion_rows` of a level is.
Nothing in a window's row depends on an event at or after the window's end.
"""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

import duckdb

from fraud.features.constants import (
    DEFAULT_LOOKBACK_HOURS,
    FAST_SECONDS,
    FAST_SIGMAS,
    MAD_TO_SD,
    OVERWRITE_S,
    OVERWRITTEN_HOURS,
    PACE_AFFILIATES,
    PACE_CONVERSIONS,
    SAME_MINUTE_CONVERSIONS,
    SHORT_FORM_MS,
)
from fraud.features.definition import ENTITY, Level
from fraud.features.visits import LANDED

COLUMNS = (
    "conversion_id, converted_at, affiliate_id, click_id, offer_id, sub_id, goal, customer_id, customer_email, customer_email_kind, "
    "customer_phone, new_customer, ip, device_id, country, amount, commission, currency, status, status_changed_at, form_ms"
)

MATCHED = f"""
CREATE OR REPLACE TEMP TABLE ft_matched AS
WITH named AS (
    SELECT {COLUMNS} FROM conversions
    WHERE converted_at < (SELECT max(ends) FROM ft_windows)
), found AS (
    SELECT click_id, clicked_at, sub_id AS click_sub_id, offer_id AS click_offer_id, ip AS click_ip, country AS click_country,
        device_id AS click_device, referrer IS NOT NULL AS linked
    FROM clicks WHERE click_id IN (SELECT click_id FROM named) AND clicked_at < (SELECT max(ends) FROM ft_windows)
), late AS (
    SELECT conversion_id, affiliate_id, clicked_at, click_device, click_offer_id FROM named JOIN found USING (click_id)
    WHERE click_device IS NOT NULL AND clicked_at <= converted_at AND converted_at <= clicked_at + to_seconds({OVERWRITE_S})
), rivals AS (
    SELECT DISTINCT late.conversion_id FROM late JOIN clicks c ON c.device_id = late.click_device AND c.affiliate_id <> late.affiliate_id
    WHERE c.offer_id IS NOT DISTINCT FROM late.click_offer_id
        AND c.clicked_at < late.clicked_at AND c.clicked_at >= late.clicked_at - to_hours({OVERWRITTEN_HOURS})
)
SELECT named.*, found.* EXCLUDE (click_id, click_device),
    CASE WHEN click_device IS NOT NULL THEN conversion_id IN (SELECT conversion_id FROM rivals) END AS overwrites
FROM named LEFT JOIN found USING (click_id)
"""
"""Every conversion beside its click: `clicked_at`, `click_sub_id`, `click_offer_id`, `click_ip`, `click_country` and whether it had a
referrer (`linked`), NULL when the log has none; and whether that click came between another affiliate's and the order (`overwrites`, NULL
when the click's device is unknown)."""

CONVERSIONS = f"""
CREATE OR REPLACE TEMP TABLE ft_conversion_rows AS
WITH matched AS (
    SELECT w.w, v.* EXCLUDE (sub_id, offer_id),
        coalesce(v.sub_id, CASE WHEN v.clicked_at < w.ends THEN v.click_sub_id END) AS sub_id,
        coalesce(v.offer_id, CASE WHEN v.clicked_at < w.ends THEN v.click_offer_id END) AS offer_id,
        coalesce(v.clicked_at < w.ends, false) AS click_found,
        CASE WHEN v.clicked_at <= v.converted_at THEN (epoch_us(v.converted_at) - epoch_us(v.clicked_at)) / 1e6 END AS delay_s,
        CASE WHEN v.status IN ('approved', 'rejected', 'refunded', 'chargeback') AND coalesce(v.status_changed_at < w.ends, true)
             THEN v.status ELSE 'pending' END AS known_status
    FROM ft_matched v JOIN ft_windows w ON v.converted_at >= w.starts AND v.converted_at < w.ends
    WHERE {{wanted}}
), windows AS (
    SELECT w, bool_or(click_id IS NOT NULL) AS carry_clicks, bool_or(status IS NOT NULL) AS carry_status,
        quantile_cont(delay_s, 0.99) / 3600 AS usual_lookback_hours FROM matched GROUP BY w
), own_paces AS (
    SELECT w, offer_id, affiliate_id, median(ln(1 + delay_s)) AS centre, mad(ln(1 + delay_s)) AS spread FROM matched
    WHERE delay_s IS NOT NULL GROUP BY ALL HAVING count(*) >= {PACE_CONVERSIONS}
), paces AS (
    -- The median over affiliates: one large affiliate, or one that is in a hurry, does not set the pace of its offer.
    SELECT w, offer_id, median(centre) AS centre, {MAD_TO_SD} * median(spread) AS spread FROM own_paces
    GROUP BY ALL HAVING count(*) >= {PACE_AFFILIATES}
), usual_paces AS (
    SELECT w, median(ln(1 + delay_s)) AS centre, {MAD_TO_SD} * mad(ln(1 + delay_s)) AS spread FROM matched
    WHERE delay_s IS NOT NULL GROUP BY w
), keyed AS (
    SELECT m.*, e.ip IS NOT NULL AS shared, landed.untouched,
        x.carry_status,
        coalesce(o.attribution_window_hours, x.usual_lookback_hours, {DEFAULT_LOOKBACK_HOURS}) AS lookback_hours, x.carry_clicks,
        CASE WHEN customer_id IS NULL AND customer_email IS NULL AND customer_phone IS NULL AND device_id IS NULL
                  AND e.ip IS NULL THEN m.ip END AS lone_ip
    FROM matched m JOIN windows x ON x.w = m.w
    LEFT JOIN offers o ON o.offer_id = m.offer_id
    LEFT JOIN ft_shared e ON e.w = m.w AND e.ip = m.ip
    LEFT JOIN ft_landed landed ON landed.w = m.w AND landed.click_id = m.click_id
    WHERE {{entity_known}}
), placed AS (
    SELECT *, row_number() OVER (ORDER BY converted_at, conversion_id) AS place FROM keyed
), known AS (
    {{known}}
), firsts AS (
    SELECT w, affiliate_id, goal, kind, key, min(place) AS first FROM known GROUP BY ALL HAVING count(*) > 1
), again AS (
    SELECT DISTINCT k.place FROM known k JOIN firsts f ON f.key = k.key AND f.kind = k.kind AND f.w = k.w
        AND f.affiliate_id = k.affiliate_id AND f.goal IS NOT DISTINCT FROM k.goal WHERE k.place > f.first
)
SELECT w, affiliate_id, sub_id, offer_id, converted_at, ip, shared, country, delay_s, amount, commission, currency, new_customer,
    known_status, customer_email, customer_phone, device_id, overwrites, untouched, linked,
    CASE WHEN NOT shared THEN country <> click_country END AS elsewhere, form_ms < {SHORT_FORM_MS} AS rushed,
    (epoch_us(converted_at) - epoch_us(lag(converted_at) OVER (
        PARTITION BY w, {{gap_entity}} ORDER BY converted_at, conversion_id))) / 1e6 AS gap_s,
    CASE WHEN carry_status AND known_status <> 'pending' THEN known_status <> 'approved' END AS reversed,
    customer_email_kind = 'disposable' AS disposable,
    CASE WHEN NOT carry_clicks THEN NULL WHEN click_id IS NULL THEN true WHEN click_found THEN false
         WHEN converted_at >= (SELECT min(clicked_at) FROM clicks) + to_seconds(lookback_hours * 3600) THEN true END AS no_click,
    count(*) OVER (PARTITION BY w, affiliate_id, date_trunc('minute', converted_at)) >= {SAME_MINUTE_CONVERSIONS} AS same_minute,
    date_trunc('hour', converted_at) AS hour,
    (count(*) OVER (PARTITION BY w, affiliate_id, date_trunc('hour', converted_at)) - 1) / 60.0 AS others_per_minute,
    CASE WHEN coalesce(customer_id, customer_email, customer_phone, device_id, lone_ip) IS NOT NULL THEN again.place IS NOT NULL END
        AS repeated,
    ln(1 + delay_s) - coalesce(p.centre, u.centre) AS relative_delay,
    ln(1 + delay_s) < least(ln(1 + {FAST_SECONDS[1]}), greatest(ln(1 + {FAST_SECONDS[0]}),
        coalesce(p.centre - {FAST_SIGMAS} * p.spread, u.centre - {FAST_SIGMAS} * u.spread))) AS fast
FROM placed LEFT JOIN again USING (place) LEFT JOIN paces p USING (w, offer_id) LEFT JOIN usual_paces u USING (w)
ORDER BY w, affiliate_id, sub_id, converted_at, conversion_id
"""

REPEAT_KEYS = ("customer_id", "customer_email", "customer_phone", "device_id", "lone_ip")
"""The columns by which a customer is known again."""

_KNOWN = "SELECT place, w, affiliate_id, goal, '{key}' AS kind, {key} AS key FROM placed WHERE {key} IS NOT NULL"


def match(con: duckdb.DuckDBPyConnection) -> None:
    """Builds `ft_matched` and `ft_landed` from the views of a lake's connection, for the windows in `ft_windows`."""
    con.execute(MATCHED)
    con.execute(LANDED)


def prepare(level: Level) -> str:
    """The statement that builds `ft_conversion_rows` for a level; rows without a sub-ID are no part of that level.

    Needs `ft_matched`, `ft_landed`, `ft_windows` and `ft_shared` (`w`, `ip`: the shared addresses among the conversions').
    """
    known = " AND ".join(f"{column} IS NOT NULL" for column in ENTITY[level])
    keys = " UNION ALL ".join(_KNOWN.format(key=key) for key in REPEAT_KEYS)
    return CONVERSIONS.format(entity_known=known, known=keys, wanted=f"w.of_{level}", gap_entity=", ".join(ENTITY[level]))


def definitions() -> list[str]:
    """Every text that a feature's value depends on, for the hash of the feature set."""
    return [MATCHED, CONVERSIONS, _KNOWN, *REPEAT_KEYS]
