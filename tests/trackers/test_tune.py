"""TUNE: conversions in pages, an account's own time zone, errors with status 200."""

from __future__ import annotations

import pytest

from fraud.app.parts import App
from fraud.trackers.tune import with_zone
from tests.trackers.conftest import Pull, stored
from tests.trackers.fakes import KEY, FakeTune, every
from tests.trackers.servers import running

TABLES = "{conversions: {since: 2026-03-01}}"


@pytest.mark.parametrize("numbered", [False, True])
def test_conversions_come_in_pages(pull: Pull, app: App, numbered: bool) -> None:
    with running(FakeTune(every(1, 45), numbered=numbered)) as tracker:
        report = pull("tune", tracker.url, tables=TABLES, options="{page_size: 20}")
    assert (report.error, report.tables[0].pages, report.tables[0].kept) == ("", 3, 45)
    columns = "conversion_id, click_id, affiliate_id, sub_id, goal, commission::text, currency, status, converted_at::text"
    assert stored(app, f"select {columns} from conversions order by converted_at limit 1") == [
        ("5000", "1020", "1002", "spring", "Default", "4.5000", "USD", "approved", "2026-03-01 10:00:00")
    ]


def test_times_in_the_accounts_zone_become_utc(pull: Pull, app: App) -> None:
    with running(FakeTune(every(30, 6), zone="America/New_York")) as tracker:
        report = pull("tune", tracker.url, tables=TABLES, zone="America/New_York")
    assert (report.error, report.tables[0].kept) == ("", 6)
    assert stored(app, "select min(converted_at)::text, max(converted_at)::text from conversions") == [
        ("2026-03-01 10:00:00", "2026-03-01 12:30:00")
    ]


def test_the_token_stands_in_no_address(pull: Pull) -> None:
    with running(FakeTune(every(1, 3))) as tracker:
        pull("tune", tracker.url, tables=TABLES)
    assert tracker.asked
    assert not any(KEY in asked.path + str(asked.query) for asked in tracker.asked)


def test_too_many_requests_are_said_with_status_200_and_tried_again(pull: Pull, waits: list[float]) -> None:
    with running(FakeTune(every(1, 3))) as tracker:
        tracker.first += [FakeTune.refused("User has exceeded API rate limit")] * 2
        report = pull("tune", tracker.url, tables=TABLES)
    assert (report.error, report.tables[0].kept, len(waits)) == ("", 3, 2)


def test_a_token_that_is_refused_names_the_variable_and_never_the_token(pull: Pull) -> None:
    with running(FakeTune()) as tracker:
        tracker.first += [FakeTune.refused(f"NetworkToken {KEY} is not authenticated")]
        report = pull("tune", tracker.url, tables=TABLES)
    assert "TRACKER_KEY" in report.error
    assert "NetworkToken *** is not authenticated" in report.error
    assert KEY not in report.error


def test_another_refusal_is_told_as_it_is(pull: Pull) -> None:
    with running(FakeTune()) as tracker:
        tracker.first += [FakeTune.refused("Field Stat.country_code is unknown")]
        report = pull("tune", tracker.url, tables=TABLES)
    assert report.error == "tune: TUNE refused Report::getConversions: Field Stat.country_code is unknown."


@pytest.mark.parametrize(
    ("given", "placed"),
    [
        ("2026-03-01 10:00:00", "2026-03-01T15:00:00+00:00"),
        ("2026-07-01 10:00:00", "2026-07-01T14:00:00+00:00"),
        ("2026-03-01T10:00:00+01:00", "2026-03-01T10:00:00+01:00"),
        ("soon", "soon"),
        (None, None),
        ("0000-00-00 00:00:00", "0000-00-00 00:00:00"),
    ],
)
def test_a_time_without_a_zone_gets_the_accounts(given: str | None, placed: str | None) -> None:
    assert with_zone(given, "America/New_York") == placed
