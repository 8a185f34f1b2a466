"""The relations that features aggregate, as SQL over what the stages before it leave.

`ft_clicks` has one row an entity and window with the tallies of `fraud.features.click_kernels`, `ft_click_offers` and
`ft_click_countries` count its clicks by offer and by country, and `ft_conversions` has one row a conversion
(`fraud.features.conversions`). All of them hold the level that is being computed.
"""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

from fraud.features.constants import KIND_PRIOR_CLICKS, RATE_PRIOR_CLICKS
from fraud.features.definition import ENTITY, Level

EXPECTED = f"""
WITH events AS (
    SELECT w, {{entity}}, offer_id, n, 0 AS k FROM ft_click_offers
    UNION ALL SELECT w, {{entity}}, offer_id, 0, 1 FROM ft_conversions),
own AS (SELECT w, {{entity}}, offer_id, sum(n)::DOUBLE AS n, sum(k)::DOUBLE AS k FROM events GROUP BY ALL),
affiliate AS (SELECT w, affiliate_id, offer_id, sum(n) AS n, sum(k) AS k FROM own GROUP BY ALL),
offer AS (SELECT w, offer_id, sum(n) AS n, sum(k) AS k FROM own GROUP BY ALL),
total AS (SELECT w, sum(n) AS n, sum(k) AS k FROM own GROUP BY ALL),
rest AS (
    SELECT a.w, a.affiliate_id, a.offer_id, o.n - a.n AS n, o.k - a.k AS k,
        (t.k - sum(a.k) OVER affiliate) / nullif(t.n - sum(a.n) OVER affiliate, 0) AS rate
    FROM affiliate a JOIN offer o ON o.w = a.w AND o.offer_id IS NOT DISTINCT FROM a.offer_id JOIN total t ON t.w = a.w
    WINDOW affiliate AS (PARTITION BY a.w, a.affiliate_id)),
kinds AS (SELECT affiliate.*, t.affiliate_type FROM affiliate LEFT JOIN affiliates t USING (affiliate_id)),
kind AS (SELECT w, affiliate_type, offer_id, sum(n) AS n, sum(k) AS k FROM kinds GROUP BY ALL),
rated AS (
    SELECT r.w, r.affiliate_id, r.offer_id, kind.n - a.n AS n, kind.k - a.k AS k,
        (r.k + {RATE_PRIOR_CLICKS} * r.rate) / (r.n + {RATE_PRIOR_CLICKS}) AS rate
    FROM rest r JOIN kinds a ON a.w = r.w AND a.affiliate_id = r.affiliate_id AND a.offer_id IS NOT DISTINCT FROM r.offer_id
    JOIN kind ON kind.w = r.w AND kind.offer_id IS NOT DISTINCT FROM r.offer_id
        AND kind.affiliate_type IS NOT DISTINCT FROM a.affiliate_type)
SELECT own.*, own.n * (rated.k + {KIND_PRIOR_CLICKS} * rated.rate) / (rated.n + {KIND_PRIOR_CLICKS}) AS e
FROM own JOIN rated ON rated.w = own.w AND rated.affiliate_id = own.affiliate_id
    AND rated.offer_id IS NOT DISTINCT FROM own.offer_id
ORDER BY w, {{own_entity}}, own.offer_id"""
"""Clicks, conversions and the conversions that other affiliates' rates would give, by offer: built once a level as `ft_expected`."""

RELATIONS: dict[str, str] = {
    "clicks": "SELECT * FROM ft_clicks",
    "conversions": "SELECT * FROM ft_conversions",
    "conversion_addresses": "SELECT w, {entity}, ip, any_value(shared) AS shared, count(*) AS n FROM ft_conversions "
    "WHERE ip IS NOT NULL GROUP BY w, {entity}, ip",
    "conversion_hours": "SELECT w, {entity}, hour, count(*) AS n, "
    "sum(same_minute::INTEGER) - count(*) * any_value(1 - exp(-others_per_minute) * (1 + others_per_minute)) AS excess "
    "FROM ft_conversions GROUP BY w, {entity}, hour",
    "expected": "SELECT * FROM ft_expected",
    "amounts": """
        WITH own AS (
            SELECT w, {entity}, offer_id, currency, sum(amount)::DOUBLE AS amount, count(*) AS n FROM ft_conversions
            WHERE amount IS NOT NULL GROUP BY ALL),
        affiliate AS (SELECT w, affiliate_id, offer_id, currency, sum(amount) AS amount, sum(n) AS n FROM own GROUP BY ALL),
        offer AS (SELECT w, offer_id, currency, sum(amount) AS amount, sum(n) AS n FROM affiliate GROUP BY ALL)
        SELECT own.*, (o.amount - a.amount) / nullif(o.n - a.n, 0) AS usual
        FROM own
        JOIN affiliate a ON a.w = own.w AND a.affiliate_id = own.affiliate_id
            AND a.offer_id IS NOT DISTINCT FROM own.offer_id AND a.currency IS NOT DISTINCT FROM own.currency
        JOIN offer o ON o.w = own.w AND o.offer_id IS NOT DISTINCT FROM own.offer_id AND o.currency IS NOT DISTINCT FROM own.currency
        WHERE o.n > a.n""",
}
"""Groupings by name; `{entity}` stands for the level's key columns."""


def expected(level: Level) -> str:
    """The SQL of `ft_expected` at a level."""
    return EXPECTED.format(entity=", ".join(ENTITY[level]), own_entity=", ".join(f"own.{column}" for column in ENTITY[level]))


def relation(name: str, level: Level) -> str:
    """The SQL of one relation at a level."""
    return RELATIONS[name].format(entity=", ".join(ENTITY[level]))


def definitions() -> list[str]:
    """Every text that a feature's value depends on, for the hash of the feature set."""
    return [EXPECTED, *RELATIONS.values()]
