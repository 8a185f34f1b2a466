"""The relations that features aggregate, as SQL over what the stages before it leave.

Entities, affiliates, offers and countries stand in them as codes, which are joined and grouped faster than texts: `ft_entities` has one row
an entity (`e`, in the order of window, affiliate and sub-ID) with its window `w` and the number `a` of its affiliate there, `ft_affiliates`
one a number `a` with the affiliate's own texts. `ft_clicks` has one row an entity with the tallies of `fraud.features.click_kernels`,
`ft_click_offers` and `ft_click_countries` count its clicks by offer `o` and by country `c`, `ft_visits` those that the tag reported
(`fraud.features.visits`), and `ft_conversions` has one row a conversion
(`fraud.features.conversions`) with all of these codes. An unknown offer or country has the code `UNKNOWN`. All of them hold the level
that is being computed.
"""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

from fraud.features import earnings, visits
from fraud.features.constants import CLICKS_OF_ONE, KIND_PRIOR_CLICKS, MEDIANS_OF_ONE, RATE_PRIOR_CLICKS

UNKNOWN = 2**31 - 1
"""The code of what is not known: behind all others, and found in a join like them."""
PARTS = 1024
"""Parts of a conversion that are told apart where an affiliate's say is bounded: sums of them are exact in any order."""

EXPECTED = f"""
WITH events AS (SELECT e, o, n, 0 AS k FROM ft_click_offers UNION ALL SELECT e, o, 0, 1 FROM ft_conversions),
grouped AS (SELECT e, o, sum(n)::DOUBLE AS n, sum(k)::DOUBLE AS k FROM events GROUP BY e, o),
own AS (SELECT grouped.*, a FROM grouped JOIN ft_entities USING (e)),
whole AS (
    SELECT own.a, o, any_value(f.w) AS w, any_value(f.affiliate_type) AS affiliate_type, sum(n) AS n, sum(k) AS k
    FROM own JOIN ft_affiliates f USING (a) GROUP BY own.a, o),
-- One affiliate's coupon day or flood must not become what is usual for everybody else on the offer.
bounded AS (
    SELECT *, least(n, greatest({CLICKS_OF_ONE}, round({MEDIANS_OF_ONE} * median(n) OVER (PARTITION BY w, o)))) AS said FROM whole),
affiliate AS (
    SELECT a, o, w, affiliate_type, said AS n, CASE WHEN said < n THEN round({PARTS} * k * said / n) / {PARTS} ELSE k END AS k
    FROM bounded),
offer AS (SELECT w, o, sum(n) AS n, sum(k) AS k FROM affiliate GROUP BY ALL),
total AS (SELECT w, sum(n) AS n, sum(k) AS k FROM affiliate GROUP BY ALL),
kind AS (SELECT w, affiliate_type, o, sum(n) AS n, sum(k) AS k FROM affiliate GROUP BY ALL),
rest AS (
    SELECT a.a, a.o, o.n - a.n AS n, o.k - a.k AS k, kind.n - a.n AS kind_n, kind.k - a.k AS kind_k,
        (t.k - sum(a.k) OVER affiliate) / nullif(t.n - sum(a.n) OVER affiliate, 0) AS rate
    FROM affiliate a JOIN offer o ON o.w = a.w AND o.o = a.o JOIN total t ON t.w = a.w
    JOIN kind ON kind.w = a.w AND kind.o = a.o AND kind.affiliate_type IS NOT DISTINCT FROM a.affiliate_type
    WINDOW affiliate AS (PARTITION BY a.a)),
rated AS (
    SELECT a, o, kind_n AS n, kind_k AS k, (k + {RATE_PRIOR_CLICKS} * rate) / (n + {RATE_PRIOR_CLICKS}) AS rate FROM rest)
SELECT own.e, own.o, own.n, own.k,
    own.n * (rated.k + {KIND_PRIOR_CLICKS} * rated.rate) / (rated.n + {KIND_PRIOR_CLICKS}) AS e_k
FROM own JOIN rated ON rated.a = own.a AND rated.o = own.o
ORDER BY own.e, own.o"""
"""Clicks `n`, conversions `k` and the conversions `e_k` that other affiliates' rates would give, by offer: built once a level as
`ft_expected`. How much one affiliate has to say about a rate is bounded (`said` clicks)."""

ONE_ROW_EACH = "clicks"
"""The relation with one row an entity: its sums are the same in any order."""

RELATIONS: dict[str, str] = {
    "clicks": "SELECT * FROM ft_clicks",
    "conversions": "SELECT * FROM ft_conversions",
    "conversion_addresses": "SELECT e, ip, any_value(shared) AS shared, count(*) AS n FROM ft_conversions "
    "WHERE ip IS NOT NULL GROUP BY e, ip",
    "conversion_hours": "SELECT e, hour, count(*) AS n, "
    "sum(same_minute::INTEGER) - count(*) * any_value(1 - exp(-others_per_minute) * (1 + others_per_minute)) AS excess "
    "FROM ft_conversions GROUP BY e, hour",
    "expected": "SELECT * FROM ft_expected",
    "amounts": """
        WITH own AS (
            SELECT e, a, w, offer_id, currency, sum(amount) AS amount, count(*) AS n FROM ft_conversions
            WHERE amount IS NOT NULL GROUP BY ALL),
        affiliate AS (SELECT w, a, offer_id, currency, sum(amount) AS amount, sum(n) AS n FROM own GROUP BY ALL),
        offer AS (SELECT w, offer_id, currency, sum(amount) AS amount, sum(n) AS n FROM affiliate GROUP BY ALL)
        SELECT own.* REPLACE (own.amount::DOUBLE AS amount), (o.amount - a.amount)::DOUBLE / nullif(o.n - a.n, 0) AS usual
        FROM own
        JOIN affiliate a ON a.a = own.a
            AND a.offer_id IS NOT DISTINCT FROM own.offer_id AND a.currency IS NOT DISTINCT FROM own.currency
        JOIN offer o ON o.w = own.w AND o.offer_id IS NOT DISTINCT FROM own.offer_id AND o.currency IS NOT DISTINCT FROM own.currency
        WHERE o.n > a.n""",
    "earnings": earnings.EARNINGS,
    "visits": "SELECT * FROM ft_visits",
    "tagged": visits.TAGGED,
}
"""Groupings by name."""


def definitions() -> list[str]:
    """Every text that a feature's value depends on, for the hash of the feature set."""
    return [EXPECTED, *RELATIONS.values()]
