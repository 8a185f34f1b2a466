"""Figures against counts made by hand, and a report that says nothing it must not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from fraud.app.parts import App
from fraud.app.performing import as_rows, notices_for, performance_of, performances
from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.domain.decisions import Outcome
from fraud.domain.scans import Period
from fraud.errors import NotFound
from fraud.reports.performance import UNKNOWN, AffiliateReport, figures_of, performance_report
from tests.app.conftest import Scanned
from tests.app.products import ingest_one
from tests.conftest import MORNING

MARCH = Period(start=datetime(2026, 3, 1, tzinfo=UTC), end=datetime(2026, 4, 1, tzinfo=UTC))
CONVERSIONS = """conversion_id,converted_at,affiliate_id,amount,commission,currency,status,new_customer
v1,2026-03-02T10:00:00Z,a,100,5,EUR,approved,true
v2,2026-03-03T10:00:00Z,a,50,2.5,EUR,pending,false
v3,2026-03-03T11:00:00Z,a,80,4,EUR,refunded,
v4,2026-03-03T12:00:00Z,a,70,4,USD,approved,true
v5,2026-04-03T12:00:00Z,a,999,99,EUR,approved,true
"""


@pytest.fixture
def shop(app: App, tmp_path: Path) -> App:
    """A program with two affiliates, one of which only has clicks."""
    clicks = "".join(f"c{n},2026-03-02T10:00:0{n % 10}Z,{'a' if n < 8 else 'b'}\n" for n in range(10))
    for kind, text in (("clicks", f"click_id,clicked_at,affiliate_id\n{clicks}"), ("conversions", CONVERSIONS)):
        file = tmp_path / f"{kind}.csv"
        file.write_text(text)
        ingest_one(app, kind, file)
    return app


def test_figures_are_those_counted_by_hand(shop: App) -> None:
    found = performance_of(shop, DEFAULT_PROGRAM, "a", MARCH)
    assert (found.clicks, found.conversions, found.reversed, found.currency) == (8, 4, 1, "EUR")
    assert (found.revenue, found.commission) == (Decimal("150.00"), Decimal("7.50"))
    assert found.conversion_rate == 0.5
    assert found.average_order_value == Decimal("50")
    assert found.earnings_per_click == Decimal("0.9375")
    assert found.new_customer_share == pytest.approx(2 / 3)
    assert found.reversal_rate == pytest.approx(1 / 3)


def test_what_nobody_reported_is_unknown_and_not_zero(shop: App) -> None:
    _, quiet = performances(shop, DEFAULT_PROGRAM, MARCH)
    assert (quiet.affiliate_id, quiet.clicks, quiet.conversions, quiet.conversion_rate) == ("b", 2, 0, 0.0)
    assert (quiet.revenue, quiet.average_order_value, quiet.new_customer_share, quiet.reversal_rate) == (None, None, None, None)
    assert {figure.now for figure in figures_of(quiet, None)[3:]} == {UNKNOWN}
    assert as_rows([quiet])[0]["earnings_per_click"] is None


def test_who_was_not_active_is_said(shop: App) -> None:
    with pytest.raises(NotFound, match="'z' had neither clicks nor conversions between 2026-03-01"):
        performance_of(shop, DEFAULT_PROGRAM, "z", MARCH)


def test_the_report_of_somebody_in_review_says_the_public_words_alone(scanned: Scanned) -> None:
    subject = next(one for one in scanned.run.result.affiliates if one.outcome in {Outcome.HOLD, Outcome.REVIEW} and one.reasons)
    period = Period(start=MORNING - timedelta(days=3), end=MORNING)
    figures = performance_of(scanned.app, DEFAULT_PROGRAM, subject.affiliate_id, period)
    notices = notices_for(scanned.app, DEFAULT_PROGRAM, subject.affiliate_id)
    html = performance_report(AffiliateReport("Shoes <&> more", figures, None, notices))
    assert notices
    assert "within 30 days" in html
    assert "Shoes &lt;&amp;&gt; more" in html
    assert all(reason.text not in html and reason.code not in html for reason in subject.reasons)
    others = {one.affiliate_id for one in scanned.run.result.affiliates} - {subject.affiliate_id}
    assert not any(f">{other}<" in html for other in others)


def test_who_is_all_right_is_told_so(scanned: Scanned) -> None:
    subject = next(one for one in scanned.run.result.affiliates if one.outcome is Outcome.PASS)
    assert notices_for(scanned.app, DEFAULT_PROGRAM, subject.affiliate_id) == ()
