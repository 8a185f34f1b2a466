"""What an affiliate's buyers bring beside what comparable affiliates' buyers bring (C26, after ViceROI: Dave, Guha and Zhang 2013).

Who steals credit or invents sales has to earn more for each visitor than honest affiliates do, however it is done. Every device that bought
has a worth: its commission, in units of the usual commission of its offers. Buyers are ranked by it, and a rank is read against the sales
that the affiliate's clicks would give at others' rates, so neither volume, nor the price, nor the rate of an offer makes an excess. At each
place of that scale the affiliates of the same kind give an envelope that 95 of 100 of them stay below; what lies beyond it is the excess.
"""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

from fraud.domain.signals import Family
from fraud.features.constants import EARNING_DEVICES, ENVELOPE_AFFILIATES, ENVELOPE_SHARE
from fraud.features.definition import AFFILIATE, Feature

_PLACES = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
"""Ranks of buyers at which envelopes are read, in expected sales; before the first nobody's worth is in excess."""

EARNINGS = f"""
WITH usual AS (
    SELECT w, offer_id, currency, median(commission)::DOUBLE AS usual FROM ft_conversions WHERE commission > 0 GROUP BY ALL),
sold AS (
    SELECT e, w, device_id, offer_id, currency, sum(commission) AS commission FROM ft_conversions
    WHERE device_id IS NOT NULL AND commission > 0 GROUP BY ALL),
buyers AS (
    SELECT e, device_id, sum(sold.commission::DOUBLE / u.usual ORDER BY sold.offer_id, sold.currency) AS worth
    FROM sold JOIN usual u ON u.w = sold.w AND u.offer_id IS NOT DISTINCT FROM sold.offer_id
        AND u.currency IS NOT DISTINCT FROM sold.currency
    GROUP BY e, device_id),
ranked AS (SELECT e, worth, row_number() OVER (PARTITION BY e ORDER BY worth DESC, device_id) AS place FROM buyers),
expected AS (SELECT e, sum(e_k ORDER BY o) AS expected FROM ft_expected GROUP BY e),
sized AS (
    SELECT e, en.w, f.affiliate_type, expected FROM ft_clicks JOIN ft_entities en USING (e) JOIN ft_affiliates f USING (a)
    JOIN expected USING (e) WHERE devices >= {EARNING_DEVICES} AND expected >= 1),
scale AS (SELECT unnest({list(_PLACES)}) AS spot),
read AS (
    SELECT s.w, s.affiliate_type, spot, coalesce(r.worth, 0) AS worth
    FROM sized s CROSS JOIN scale LEFT JOIN ranked r ON r.e = s.e AND r.place = ceil(spot * s.expected)::BIGINT),
of_kind AS (
    SELECT w, affiliate_type, spot, quantile_cont(worth, {ENVELOPE_SHARE}) AS most FROM read
    GROUP BY ALL HAVING count(*) >= {ENVELOPE_AFFILIATES}),
of_all AS (SELECT w, spot, quantile_cont(worth, {ENVELOPE_SHARE}) AS most FROM read GROUP BY ALL HAVING count(*) >= {ENVELOPE_AFFILIATES}),
placed AS (
    SELECT s.e, s.w, s.affiliate_type, r.place, r.worth, (SELECT max(spot) FROM scale WHERE spot * s.expected <= r.place) AS spot
    FROM sized s JOIN ranked r ON r.e = s.e)
SELECT p.e, p.place, p.worth, CASE WHEN coalesce(k.most, o.most) IS NOT NULL THEN greatest(p.worth - coalesce(k.most, o.most), 0)
    WHEN p.spot IS NULL AND p.w IN (SELECT w FROM of_all) THEN 0 END AS excess
FROM placed p
LEFT JOIN of_kind k ON k.w = p.w AND k.spot = p.spot AND k.affiliate_type IS NOT DISTINCT FROM p.affiliate_type
LEFT JOIN of_all o ON o.w = p.w AND o.spot = p.spot
"""
"""One row a buyer of an affiliate that is large enough: its rank `place`, its `worth`, and how much of that is in `excess` of the envelope
(NULL where too few affiliates make one)."""

EARNING_FEATURES: tuple[Feature, ...] = (
    Feature(
        name="excess_earnings_share",
        title="Commission beyond what such visitors bring",
        doc="Share of the commission from buyers' devices that lies beyond what 95 of 100 affiliates of the same kind earn with as many "
        "sales to expect, buyer by buyer (ViceROI). A coupon day and a very good audience earn more too.",
        unit="share",
        kind="statistic",
        bad="high",
        missing="Unknown with fewer than 50 devices or less than one sale to expect, and where too few affiliates make an envelope.",
        family=Family.CONVERSION,
        minimum_support=5,
        support_of="buyers",
        relation="earnings",
        expression="sum(excess ORDER BY place) / nullif(sum(worth ORDER BY place) FILTER (excess IS NOT NULL), 0)",
        denominator="count(excess)",
        needs=("clicks.device_id", "conversions.device_id", "conversions.commission"),
        level=AFFILIATE,
    ),
)
"""The features of what buyers bring."""
