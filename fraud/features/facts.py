"""The plain facts beside the features: counts, money, the main offer, and conversions that carry the affiliate's own details."""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

from fraud.features.relations import UNKNOWN

OWN_DETAILS: dict[str, str] = {
    "email": "c.customer_email = a.email",
    "phone": "c.customer_phone = a.phone",
    "device": "c.device_id = a.signup_device_id",
    "ip": "CASE WHEN NOT c.shared THEN c.ip = a.signup_ip END",
}
"""Comparisons of a conversion `c` with its affiliate `a`; NULL when either side is unknown. Equal hashes are equal values."""

_MOST = f"max(n::BIGINT * {UNKNOWN + 1} + ({UNKNOWN} - {{code}})) FILTER ({{code}} < {UNKNOWN})"
"""The count of the commonest of some codes and, of those alike, the first, in one number."""

_TEMPLATE = f"""
WITH sold AS (SELECT e, count(*) AS conversions FROM ft_conversions GROUP BY e),
offers_seen AS (
    SELECT e, {UNKNOWN} - ({_MOST.format(code="o")} & {UNKNOWN}) AS o, sum(e_k) AS e_k
    FROM (SELECT e, o, (n + k) AS n, e_k FROM ft_expected) GROUP BY e),
countries_seen AS (
    SELECT e, {UNKNOWN} - ({_MOST.format(code="c")} & {UNKNOWN}) AS c FROM (
        SELECT e, c, sum(n) AS n FROM (
            SELECT e, c, n FROM ft_click_countries UNION ALL SELECT e, c, 1 FROM ft_conversions) GROUP BY e, c) GROUP BY e),
money AS (
    SELECT e, currency, count(*) AS n, sum(commission) AS commission,
        sum(CASE WHEN known_status = 'pending' THEN commission END) AS pending,
        count(commission) FILTER (known_status <> 'pending') AS settled
    FROM ft_conversions WHERE commission IS NOT NULL GROUP BY e, currency),
main_money AS (
    SELECT e, first(currency ORDER BY n DESC, currency) AS currency,
        first(commission ORDER BY n DESC, currency) AS commission,
        first(coalesce(pending, CASE WHEN settled > 0 THEN 0 END) ORDER BY n DESC, currency) AS pending_commission
    FROM money GROUP BY e),
own AS (SELECT c.e, {{comparisons}} FROM ft_conversions c JOIN affiliates a ON a.affiliate_id = c.affiliate_id),
self AS (SELECT e, {{matched}} AS self_matches, {{kinds}} AS self_match_kinds FROM own GROUP BY e)
SELECT active.e, coalesce(clicked.clicks, 0)::BIGINT AS clicks, coalesce(sold.conversions, 0)::BIGINT AS conversions,
    CASE WHEN offers_seen.e_k > 0 THEN offers_seen.e_k END AS expected_conversions,
    main_money.commission, main_money.pending_commission, main_money.currency,
    offer.text AS main_offer, country.text AS main_country, self.self_matches::BIGINT AS self_matches, self.self_match_kinds,
    nullif(lower(trim(sold_as.vertical)), '') AS vertical, lower(a.affiliate_type) AS affiliate_type, a.group_id,
    timezone('UTC', a.joined_at) AS joined_at, a.affiliate_status, a.affiliate_country
FROM ft_entities active
LEFT JOIN ft_clicks clicked USING (e) LEFT JOIN sold USING (e) LEFT JOIN offers_seen USING (e) LEFT JOIN countries_seen USING (e)
LEFT JOIN main_money USING (e) LEFT JOIN self USING (e) LEFT JOIN ft_affiliates a USING (a)
LEFT JOIN ft_offers offer ON offer.code = offers_seen.o LEFT JOIN offers sold_as ON sold_as.offer_id = offer.text
LEFT JOIN ft_countries country ON country.code = countries_seen.c
"""


def sql() -> str:
    """The SQL of the facts, over the tables of `fraud.features.relations` and the view `affiliates`."""
    kinds = list(OWN_DETAILS)
    any_match = " OR ".join(f"coalesce({kind}, false)" for kind in kinds)
    any_known = " OR ".join(f"{kind} IS NOT NULL" for kind in kinds)
    listed = ", ".join(f"CASE WHEN coalesce(bool_or({kind}), false) THEN '{kind}' END" for kind in kinds)
    return _TEMPLATE.format(
        comparisons=", ".join(f"{comparison} AS {kind}" for kind, comparison in OWN_DETAILS.items()),
        matched=f"CASE WHEN bool_or({any_known}) THEN count_if({any_match}) END",
        kinds=f"nullif(concat_ws(';', {listed}), '')",
    )
