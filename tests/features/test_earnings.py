"""Earnings beyond those of comparable affiliates (C26): what raises them, what does not, and when nothing can be said."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path

import pytest

from fraud.features.constants import EARNING_DEVICES
from tests.features.programs import Rows, clicks, conversions, features_of, lake_of

CLICKS = 100


def audience(name: str, offer_id: str = "o") -> Rows:
    return clicks(name, CLICKS, device_id=lambda n: f"{name}-visitor-{n}", offer_id=offer_id)


def sales(name: str, count: int, commission: str = "2.00") -> Rows:
    return conversions(name, count, device_id=lambda n: f"{name}-visitor-{n}", commission=Decimal(commission), currency="EUR")


def excess_of(folder: Path, name: str, sold: Rows, made: Rows | None = None, others: int = 24) -> float:
    """The share in excess of one affiliate beside others who each sell five times to a hundred visitors."""
    people = [f"honest{n}" for n in range(others)]
    everything = [row for one in people for row in audience(one)]
    earned = [row for one in people for row in sales(one, 5)]
    table = features_of(lake_of(folder, clicks=[*everything, *(made or audience(name))], conversions=[*earned, *sold]))
    values = table.values.reset_index().set_index("affiliate_id")["excess_earnings_share"]
    return float(values[name])


def test_as_many_sales_as_others_are_no_excess(tmp_path: Path) -> None:
    assert excess_of(tmp_path, "a", sales("a", 5)) == pytest.approx(0.0)


def test_sales_that_no_visitors_explain_are_the_excess(tmp_path: Path) -> None:
    """Five sales are expected; of forty buyers those behind the seventh or so are beyond what anybody else has."""
    assert excess_of(tmp_path, "a", sales("a", 40)) > 0.7


def test_one_large_order_is_an_excess_of_its_size(tmp_path: Path) -> None:
    sold = [*sales("a", 4), *(row | {"conversion_id": "large", "device_id": "a-visitor-9"} for row in sales("a", 1, "200.00"))]
    assert 0.0 <= excess_of(tmp_path, "a", sold) < 1.0


def test_the_price_of_an_offer_is_no_excess(tmp_path: Path) -> None:
    """Everybody sells the same number; the one who alone has an offer of fifty times the price earns what that offer gives."""
    made = audience("a", offer_id="dear")
    sold = [row | {"offer_id": "dear"} for row in sales("a", 5, "100.00")]
    assert math.isnan(value := excess_of(tmp_path, "a", sold, made)) or value == pytest.approx(0.0)


@pytest.mark.parametrize("others", [3, 15])
def test_too_few_to_make_an_envelope_say_nothing(tmp_path: Path, others: int) -> None:
    assert math.isnan(excess_of(tmp_path, "a", sales("a", 40), others=others))


def test_too_few_visitors_say_nothing(tmp_path: Path) -> None:
    few = audience("a")[: EARNING_DEVICES - 1]
    assert math.isnan(excess_of(tmp_path, "a", sales("a", 40), few))


def test_commission_that_nobody_tells_is_unknown(tmp_path: Path) -> None:
    bare = [{name: value for name, value in row.items() if name != "commission"} for row in sales("a", 40)]
    table = features_of(lake_of(tmp_path, clicks=audience("a"), conversions=bare))
    assert table.values["excess_earnings_share"].isna().all()
