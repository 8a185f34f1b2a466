"""The plain facts beside the features: counts, money, the main offer, and conversions that carry the affiliate's own details."""

from __future__ import annotations

from fraud.features.definition import ENTITY, Level

OWN_DETAILS: dict[str, str] = {
    "email": "c.customer_email = a.email",
    "phone": "c.customer_phone = a.phone",
    "device": "c.device_id = a.signup_device_id",
    "ip": "CASE WHEN NOT c.shared THEN c.ip = a.signup_ip END",
}
"""Comparisons of a conversion `c` with its affiliate `a`; NULL when either side is unknown. Equal hashes are equal values."""

_TEMPLATE = """
WITH active AS (
    SELECT w, {entity}, sum(clicks) AS clicks, sum(conversions) AS conversions
    FROM (SELECT w, {entity}, clicks, 0 AS conversions FROM ft_clicks UNION ALL SELECT w, {entity}, 0, 1 FROM ft_conversions) GROUP BY ALL),
offers_seen AS (
    SELECT w, {entity}, first(offer_id ORDER BY n DESC, offer_id) AS main_offer FROM (
        SELECT w, {entity}, offer_id, sum(n) AS n FROM (
            SELECT w, {entity}, offer_id, n FROM ft_click_offers UNION ALL SELECT w, {entity}, offer_id, 1 FROM ft_conversions)
        WHERE offer_id IS NOT NULL GROUP BY ALL) GROUP BY w, {entity}),
countries_seen AS (
    SELECT w, {entity}, first(country ORDER BY n DESC, country) AS main_country FROM (
        SELECT w, {entity}, country, sum(n) AS n FROM (
            SELECT w, {entity}, country, n FROM ft_click_countries UNION ALL SELECT w, {entity}, country, 1 FROM ft_conversions)
        WHERE country IS NOT NULL GROUP BY ALL) GROUP BY w, {entity}),
money AS (
    SELECT w, {entity}, currency, count(*) AS n, sum(commission) AS commission,
        sum(CASE WHEN known_status = 'pending' THEN commission END) AS pending,
        count(commission) FILTER (known_status <> 'pending') AS settled
    FROM ft_conversions WHERE commission IS NOT NULL GROUP BY ALL),
main_money AS (
    SELECT w, {entity}, first(currency ORDER BY n DESC, currency) AS currency,
        first(commission ORDER BY n DESC, currency) AS commission,
        first(coalesce(pending, CASE WHEN settled > 0 THEN 0 END) ORDER BY n DESC, currency) AS pending_commission
    FROM money GROUP BY w, {entity}),
expected AS (SELECT w, {entity}, sum(e) AS e FROM ft_expected GROUP BY w, {entity}),
own AS (
    SELECT c.w, {c_entity}, {comparisons} FROM ft_conversions c JOIN affiliates a ON a.affiliate_id = c.affiliate_id),
self AS (SELECT w, {entity}, {matched} AS self_matches, {kinds} AS self_match_kinds FROM own GROUP BY w, {entity})
SELECT active.w, {active_entity}, active.clicks::BIGINT AS clicks, active.conversions::BIGINT AS conversions,
    CASE WHEN expected.e > 0 THEN expected.e END AS expected_conversions,
    main_money.commission, main_money.pending_commission, main_money.currency,
    offers_seen.main_offer, countries_seen.main_country, self.self_matches::BIGINT AS self_matches, self.self_match_kinds,
    lower(a.affiliate_type) AS affiliate_type, a.group_id,
    timezone('UTC', a.joined_at) AS joined_at, a.status AS affiliate_status, a.country AS affiliate_country
FROM active
LEFT JOIN offers_seen USING (w, {entity}) LEFT JOIN countries_seen USING (w, {entity}) LEFT JOIN main_money USING (w, {entity})
LEFT JOIN expected USING (w, {entity}) LEFT JOIN self USING (w, {entity})
LEFT JOIN affiliates a ON a.affiliate_id = active.affiliate_id
"""


def sql(level: Level) -> str:
    """The SQL of the facts of a level, over the tables of `fraud.features.relations` and the view `affiliates`."""
    entity = ENTITY[level]
    kinds = list(OWN_DETAILS)
    any_match = " OR ".join(f"coalesce({kind}, false)" for kind in kinds)
    any_known = " OR ".join(f"{kind} IS NOT NULL" for kind in kinds)
    listed = ", ".join(f"CASE WHEN coalesce(bool_or({kind}), false) THEN '{kind}' END" for kind in kinds)
    return _TEMPLATE.format(
        entity=", ".join(entity),
        c_entity=", ".join(f"c.{column}" for column in entity),
        active_entity=", ".join(f"active.{column}" for column in entity),
        comparisons=", ".join(f"{comparison} AS {kind}" for kind, comparison in OWN_DETAILS.items()),
        matched=f"CASE WHEN bool_or({any_known}) THEN count_if({any_match}) END",
        kinds=f"nullif(concat_ws(';', {listed}), '')",
    )
