"""Affiliates' figures from the lake, and what they are told beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from fraud.app.parts import App
from fraud.decisions.deciding import PUBLIC_NOTHING
from fraud.domain.clock import as_utc
from fraud.domain.decisions import Decision, DecisionKind, Outcome, SubjectKind
from fraud.domain.money import cents
from fraud.domain.performance import Notice, Performance
from fraud.domain.reviews import Disposition
from fraud.domain.scans import Period
from fraud.errors import NotFound
from fraud.reports.advice import advice_for

CONTEST = (
    "If you think this is wrong, say why within 30 days, below or in answer to the program's mail; somebody else than before will look."
)
"""How a notice ends: what may be contested, and that it is looked at by another person."""

MEANWHILE = {
    Outcome.REVIEW: "A person will look at it. Until then your commission is counted as always and nothing is held back.",
    Outcome.HOLD: "Pending commission of these days waits until a person has looked. It is not lost: what proves to be in order is paid.",
    Outcome.SUSPEND: "Pending commission waits, and new traffic may not be paid, until a person has looked. A person can set both right.",
}
"""What happens to the affiliate's money until somebody has decided, for every outcome that it is told of."""
_TOLD = frozenset(MEANWHILE)

_QUERY = """
WITH money AS (
    SELECT affiliate_id, mode(currency) AS currency FROM conversions
    WHERE converted_at >= $start AND converted_at < $end AND ($affiliate = '' OR affiliate_id = $affiliate) GROUP BY affiliate_id),
sold AS (
    SELECT v.affiliate_id, count(*) AS conversions,
        count(*) FILTER (v.status IN ('rejected', 'refunded', 'chargeback')) AS reversed,
        count(*) FILTER (v.status IS NOT NULL AND v.status <> 'pending') AS settled,
        any_value(money.currency) AS currency,
        sum(v.amount) FILTER (coalesce(v.status, 'pending') NOT IN ('rejected', 'refunded', 'chargeback')
            AND v.currency IS NOT DISTINCT FROM money.currency) AS revenue,
        sum(v.commission) FILTER (coalesce(v.status, 'pending') NOT IN ('rejected', 'refunded', 'chargeback')
            AND v.currency IS NOT DISTINCT FROM money.currency) AS commission,
        count(*) FILTER (v.new_customer) AS new_customers, count(v.new_customer) AS customers_known
    FROM conversions v JOIN money USING (affiliate_id)
    WHERE v.converted_at >= $start AND v.converted_at < $end GROUP BY v.affiliate_id),
clicked AS (
    SELECT affiliate_id, count(*) AS clicks FROM clicks
    WHERE clicked_at >= $start AND clicked_at < $end AND ($affiliate = '' OR affiliate_id = $affiliate) GROUP BY affiliate_id)
SELECT affiliate_id, coalesce(clicks, 0) AS clicks, coalesce(conversions, 0) AS conversions, coalesce(reversed, 0) AS reversed,
    coalesce(settled, 0) AS settled, currency, revenue, commission, new_customers, coalesce(customers_known, 0) AS customers_known
FROM clicked FULL JOIN sold USING (affiliate_id) ORDER BY affiliate_id
"""


def performances(app: App, program_id: str, period: Period, affiliate_id: str = "") -> list[Performance]:
    """The figures of every affiliate that was active in a period, by id; of one of them, if it is named."""
    asked = {"start": _naive(period.start), "end": _naive(period.end), "affiliate": affiliate_id}
    with app.lake.connect(program_id, since=period.start) as events:
        rows = events.sql(_QUERY, params=asked).to_arrow_table().to_pylist()
    return [_performance(row, period) for row in rows]


def performance_of(app: App, program_id: str, affiliate_id: str, period: Period) -> Performance:
    """One affiliate's figures; `NotFound` when it was not active."""
    found = next(iter(performances(app, program_id, period, affiliate_id)), None) if affiliate_id else None
    if found is None:
        raise NotFound(
            f"The affiliate {affiliate_id!r} had neither clicks nor conversions between {period.start:%Y-%m-%d} and {period.end:%Y-%m-%d}."
        )
    return found


def notices_for(app: App, program_id: str, affiliate_id: str) -> tuple[Notice, ...]:
    """What an affiliate is told of its newest scan: the public sentences, what to change, how to contest; nothing when all is well, or
    when a person has looked since and found it so."""
    decision = app.stores.decisions.latest(program_id, DecisionKind.SCAN, affiliate_id)
    if decision is None or decision.verdict.outcome not in _TOLD or decision.verdict.public_reason == PUBLIC_NOTHING:
        return ()
    if _cleared_since(app, decision):
        return ()
    verdict = decision.verdict
    return (
        Notice(
            said=verdict.public_reason,
            change=advice_for(verdict.typologies),
            contest=CONTEST,
            meanwhile=MEANWHILE[verdict.outcome],
            as_of=decision.as_of,
        ),
    )


def _cleared_since(app: App, decision: Decision) -> bool:
    reviews = app.stores.reviews.of_subject(decision.program_id, SubjectKind.AFFILIATE, decision.subject_id)
    newest = max(reviews, key=lambda review: review.reviewed_at, default=None)
    return newest is not None and newest.reviewed_at >= decision.decided_at and newest.disposition is Disposition.DISMISSED


def as_rows(figures: Sequence[Performance]) -> list[dict[str, Any]]:
    """The figures as rows of a table, with what follows from them."""
    derived = ("conversion_rate", "average_order_value", "earnings_per_click", "new_customer_share", "reversal_rate")
    return [
        {
            **{name: value for name, value in msgspec.structs.asdict(one).items() if name != "period"},
            **{name: getattr(one, name) for name in derived},
        }
        for one in figures
    ]


def _performance(row: dict[str, Any], period: Period) -> Performance:
    money = {name: None if row[name] is None else cents(row[name]) for name in ("revenue", "commission")}
    return Performance(**{**row, **money, "period": period})


def _naive(moment: datetime) -> datetime:
    return as_utc(moment).replace(tzinfo=None)
