"""Everflow: clicks in answers without pages, conversions in pages."""

from __future__ import annotations

from datetime import timedelta

from fraud.app.parts import App
from fraud.domain.clock import FixedClock
from tests.trackers.conftest import Pull, stored
from tests.trackers.fakes import FakeEverflow, every
from tests.trackers.servers import running

TABLES = "{clicks: {since: 2026-03-01}, conversions: {since: 2026-03-01}}"


def test_clicks_and_conversions_reach_the_lake(pull: Pull, app: App) -> None:
    with running(FakeEverflow(clicks=every(1, 200), conversions=every(30, 7))) as tracker:
        report = pull("everflow", tracker.url, tables=TABLES)
    assert report.error == ""
    assert [(table.kind, table.rows, table.kept, table.rejected) for table in report.tables] == [
        ("clicks", 200, 200, 0),
        ("conversions", 7, 7, 0),
    ]
    assert stored(app, "select count(*), min(clicked_at)::text, any_value(sub_id), any_value(country) from clicks") == [
        (200, "2026-03-01 10:00:00", "blog", "DE")
    ]
    assert stored(app, "select count(*), any_value(affiliate_id), sum(commission)::text, any_value(status) from conversions") == [
        (7, "12", "31.5000", "approved")
    ]


def test_a_full_answer_is_asked_for_in_halves(pull: Pull, app: App) -> None:
    """Everflow leaves out what is more than it hands out at once, and does not say so."""
    with running(FakeEverflow(clicks=every(0.5, 300), most=50)) as tracker:
        report = pull("everflow", tracker.url, tables="{clicks: {window: 1d, since: 2026-03-01}}", options="{most_clicks: 50}")
    assert report.error == ""
    assert stored(app, "select count(*) from clicks") == [(300,)]
    assert len(tracker.asked) > 300 // 50


def test_more_in_one_second_than_is_handed_out_is_an_error_and_no_loss(pull: Pull, app: App) -> None:
    with running(FakeEverflow(clicks=every(0, 20), most=10)) as tracker:
        report = pull("everflow", tracker.url, tables="{clicks: {window: 1d, since: 2026-03-01}}", options="{most_clicks: 10}")
    assert "in the second 2026-03-01T10:00:00Z..2026-03-01T10:00:01Z" in report.error
    assert report.tables[0].reached is None


def test_conversions_come_in_pages(pull: Pull, app: App) -> None:
    with running(FakeEverflow(conversions=every(1, 95))) as tracker:
        report = pull("everflow", tracker.url, tables="{conversions: {since: 2026-03-01}}", options="{page_size: 20}")
    assert (report.error, report.tables[0].pages) == ("", 5)
    assert [asked.query["page"] for asked in tracker.asked] == ["1", "2", "3", "4", "5"]
    assert stored(app, "select count(*) from conversions") == [(95,)]


def test_the_next_pull_sees_late_rows_and_changed_statuses(pull: Pull, app: App, clock: FixedClock) -> None:
    fake = FakeEverflow(conversions=every(30, 4))
    with running(fake) as tracker:
        pull("everflow", tracker.url, tables="{conversions: {since: 2026-03-01}}")
        fake.status = "rejected"
        fake.conversions += every(0, 1, fake.conversions[0] + timedelta(minutes=1))
        clock.move_to(clock.now() + timedelta(hours=6))
        report = pull("everflow", tracker.url, tables="{conversions: {since: 2026-03-01}}")
    assert (report.tables[0].rows, report.tables[0].kept, report.tables[0].duplicates) == (5, 5, 0)
    assert stored(app, "select status, count(*) from conversions group by all") == [("rejected", 5)]
