"""Affise: by the hour or the day, in pages."""

from __future__ import annotations

from datetime import timedelta

from fraud.app.parts import App
from fraud.domain.clock import FixedClock
from tests.trackers.conftest import NOON, Pull, stored
from tests.trackers.fakes import FakeAffise, every
from tests.trackers.servers import Answer, Asked, document, running


def test_clicks_by_the_hour_and_conversions_by_the_day(pull: Pull, app: App) -> None:
    with running(FakeAffise(clicks=every(1, 130), conversions=every(20, 10))) as tracker:
        tables = "{clicks: {since: 2026-03-01T10:00:00Z}, conversions: {since: 2026-02-28}}"
        report = pull("affise", tracker.url, tables=tables, options="{page_size: 25}")
    assert report.error == ""
    assert [(table.kind, table.windows, table.kept) for table in report.tables] == [("clicks", 3, 130), ("conversions", 2, 9)]
    hours = [asked.query.get("hour") for asked in tracker.asked if asked.query["page"] == "1"]
    assert hours == ["10", "11", "12", None, *(str(hour) for hour in range(13))]  # yesterday as a day, today up to now by the hour
    assert stored(app, "select count(*), any_value(affiliate_id), any_value(user_agent) from clicks") == [(130, "12", "Mozilla/5.0")]
    assert stored(app, "select any_value(affiliate_id), sum(commission)::text, any_value(status) from conversions") == [
        ("12", "40.5000", "approved")
    ]


def test_a_clicks_page_feeds_no_conversions(pull: Pull, app: App) -> None:
    """A click of Affise's has all that a conversion needs."""
    with running(FakeAffise(clicks=every(1, 5))) as tracker:
        pull("affise", tracker.url, tables="{clicks: {since: 2026-03-01T10:00:00Z}}")
    assert stored(app, "select (select count(*) from clicks), (select count(*) from conversions)") == [(5, 0)]


def test_clicks_that_affise_has_forgotten_are_warned_of(pull: Pull, clock: FixedClock) -> None:
    with running(FakeAffise(clicks=every(60, 5))) as tracker:
        pull("affise", tracker.url, tables="{clicks: {since: 2026-03-01T10:00:00Z}}")
        clock.move_to(NOON + timedelta(days=10))
        report = pull("affise", tracker.url, tables="{clicks: {window: 1d}}")
    assert report.error == ""
    (warning,) = report.tables[0].warnings
    assert "from 2026-03-01 13:00 to 2026-03-04 13:00 UTC are no longer handed out" in warning
    assert report.tables[0].reached == NOON + timedelta(days=10, hours=-1)


def test_what_affise_says_is_repeated(pull: Pull) -> None:
    with running(FakeAffise()) as tracker:
        tracker.first.append(document({"status": 2, "message": ["date_from is wrong"]}))
        report = pull("affise", tracker.url, tables="{clicks: {since: 2026-03-01T10:00:00Z}}")
    assert report.error == "affise: Affise refused: date_from is wrong."


def test_a_report_that_changes_while_it_is_read_is_noticed(pull: Pull, app: App) -> None:
    """Rows that go, or come in front, move the others from page to page, and some would be passed by in silence."""

    def changing(asked: Asked) -> Answer:
        answer = fake(asked)
        if asked.query["page"] == "1":
            del fake.conversions[:10]
        return answer

    fake = FakeAffise(conversions=every(0.5, 60))
    with running(changing) as tracker:
        asked = {"tables": "{conversions: {window: 1h, since: 2026-03-01T10:00:00Z}}", "options": "{page_size: 25}"}
        report = pull("affise", tracker.url, **asked)
        assert "(50 rows seen, 60 promised at first, 50 at last)" in report.error
        assert report.tables[0].reached is None
        tracker.script, fake.conversions = fake, every(0.5, 60)
        assert pull("affise", tracker.url, **asked).error == ""
    assert stored(app, "select count(*) from conversions") == [(60,)]
