"""The shape of an affiliate's traffic beside everybody else's, read from the lake."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fraud.app.cases import append_row
from fraud.app.parts import App
from fraud.app.shapes import DELAYS, ELSEWHERE, NO_REFERRER, REFERRERS, conversions_seen, traffic_shape
from fraud.domain.clock import FixedClock
from fraud.domain.scans import Period
from tests.conftest import settings_of

NIGHT = datetime(2026, 3, 4, tzinfo=UTC)
WINDOW = Period(start=NIGHT - timedelta(days=1), end=NIGHT)


def click(app: App, name: str, at: datetime, affiliate: str, referrer: str = "") -> None:
    append_row(app, "default", "clicks", {"click_id": name, "clicked_at": at.isoformat(), "affiliate_id": affiliate, "referrer": referrer})


def sale(app: App, name: str, at: datetime, affiliate: str, click_id: str = "") -> None:
    row = {"conversion_id": name, "converted_at": at.isoformat(), "affiliate_id": affiliate, "offer_id": "shoes", "click_id": click_id}
    append_row(app, "default", "conversions", {key: value for key, value in row.items() if value})


@pytest.fixture
def app(tmp_path: Path) -> App:
    opened = App(settings_of(tmp_path / "workspace"), FixedClock(NIGHT))
    at = WINDOW.start + timedelta(hours=3)
    click(opened, "c1", at, "mine", "https://www.blog.example/post?x=1")
    click(opened, "c2", at, "mine")
    click(opened, "c3", at + timedelta(hours=1), "other", "https://blog.example/")
    click(opened, "old", WINDOW.start - timedelta(days=2), "mine")
    sale(opened, "v1", at + timedelta(seconds=5), "mine", "c1")
    sale(opened, "v2", at + timedelta(hours=2), "mine", "old")
    sale(opened, "v3", at + timedelta(hours=3), "mine")
    sale(opened, "v4", at + timedelta(hours=1, minutes=30), "other", "c3")
    return opened


def test_hours_are_shares_of_the_window_beside_everybody_elses(app: App) -> None:
    shape = traffic_shape(app, "default", "mine", WINDOW)
    assert [(one.label, one.count, one.others) for one in shape.hours if one.count or one.others] == [("3", 2, 0.0), ("4", 0, 1.0)]


def test_delays_come_from_the_click_a_conversion_names_even_one_before_the_window(app: App) -> None:
    shape = traffic_shape(app, "default", "mine", WINDOW)
    assert {one.label: one.count for one in shape.delays if one.count} == {"under 10 s": 1, "1 to 7 days": 1, "no click known": 1}
    assert next(one.others for one in shape.delays if one.label == "10 to 60 min") == 1.0
    assert [one.label for one in shape.delays] == list(DELAYS)


def test_referrers_are_hosts_and_none_is_said(app: App) -> None:
    shape = traffic_shape(app, "default", "mine", WINDOW)
    assert {one.label: (one.own, one.others) for one in shape.referrers} == {"blog.example": (0.5, 1.0), NO_REFERRER: (0.5, 0.0)}


def test_many_referrers_end_in_one_line_for_the_rest(app: App) -> None:
    for number in range(REFERRERS + 3):
        click(app, f"r{number}", WINDOW.start + timedelta(hours=5), "mine", f"https://site{number:02}.example")
    shape = traffic_shape(app, "default", "mine", WINDOW)
    assert len(shape.referrers) == REFERRERS + 1
    assert shape.referrers[-1].label == ELSEWHERE
    assert sum(one.own for one in shape.referrers) == pytest.approx(1.0)


def test_conversions_are_paged_newest_first_with_unknown_delays_unknown(app: App) -> None:
    found, total = conversions_seen(app, "default", "mine", WINDOW, (2, 1))
    assert total == 3
    assert [(one.conversion_id, one.delay_seconds is None) for one in found] == [("v2", False), ("v1", False)]
    ((newest,), _) = conversions_seen(app, "default", "mine", WINDOW, (1, 0))
    assert (newest.conversion_id, newest.delay_seconds) == ("v3", None)


def test_nobody_has_an_empty_shape(app: App) -> None:
    shape = traffic_shape(app, "default", "nobody", WINDOW)
    assert conversions_seen(app, "default", "nobody", WINDOW, (10, 0)) == ([], 0)
    assert all(one.own == 0.0 for one in (*shape.hours, *shape.delays))
