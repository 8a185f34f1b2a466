"""impact.com: actions in pages, clicks by a job that takes its time, fails, or expires."""

from __future__ import annotations

from datetime import timedelta

from fraud.app.parts import App
from tests.trackers.conftest import Pull, stored
from tests.trackers.fakes import FIRST, FakeImpact, every
from tests.trackers.servers import Answer, document, running

OPTIONS = "{campaign_id: 55}"
CLICKS = "{clicks: {since: 2026-03-01}}"
ACTIONS = "{conversions: {since: 2026-03-01}}"


def test_clicks_come_by_a_job_that_is_waited_for(pull: Pull, app: App, waits: list[float]) -> None:
    with running(FakeImpact(clicks=every(1, 40), looks=4)) as tracker:
        report = pull("impact", tracker.url, tables=CLICKS, options=OPTIONS)
    assert (report.error, report.tables[0].kept) == ("", 40)
    assert waits == [5.0, 7.5, 11.25]
    columns = "affiliate_id, offer_id, sub_id, ip, country, referrer, clicked_at::text"
    assert stored(app, f"select {columns} from clicks order by clicked_at limit 1") == [
        ("12", "55", "blog", "abcdef0123456789", "US", "https://blog.example/", "2026-03-01 10:00:00")
    ]


def test_a_job_that_fails_is_asked_for_again(pull: Pull) -> None:
    with running(FakeImpact(clicks=every(1, 3), endings=["FAILED"])) as tracker:
        report = pull("impact", tracker.url, tables=CLICKS, options=OPTIONS)
    assert (report.error, report.tables[0].kept) == ("", 3)


def test_a_job_that_fails_again_is_an_error_with_its_reason(pull: Pull) -> None:
    with running(FakeImpact(endings=["FAILED", "CANCELLED"])) as tracker:
        report = pull("impact", tracker.url, tables=CLICKS, options=OPTIONS)
    assert "the clicks of 2026-03-01: the job ended as CANCELLED (for 2026-03-01)" in report.error


def test_a_result_that_has_expired_is_exported_again(pull: Pull) -> None:
    with running(FakeImpact(clicks=every(1, 3), gone=1)) as tracker:
        report = pull("impact", tracker.url, tables=CLICKS, options=OPTIONS)
    assert (report.error, report.tables[0].kept, len([a for a in tracker.asked if a.path.endswith("ClickExport")])) == ("", 3, 2)


def test_a_day_without_clicks_is_no_error(pull: Pull) -> None:
    with running(FakeImpact()) as tracker:
        report = pull("impact", tracker.url, tables=CLICKS, options=OPTIONS)
    assert (report.error, report.tables[0].pages, report.tables[0].reached) == ("", 0, FIRST + timedelta(hours=3, minutes=55))


def test_a_job_elsewhere_is_not_followed(pull: Pull) -> None:
    """What a tracker answers may send nobody, with the credentials, to another host."""
    with running(FakeImpact()) as tracker, running(lambda _: Answer()) as other:
        tracker.first.append(document({"Status": "QUEUED", "QueuedUri": f"{other.url}/Jobs/1", "ResultUri": ""}))
        report = pull("impact", tracker.url, tables=CLICKS, options=OPTIONS)
    assert "another host, where its credentials must not go" in report.error
    assert other.asked == []


def test_actions_come_in_pages(pull: Pull, app: App) -> None:
    with running(FakeImpact(actions=every(1, 55))) as tracker:
        report = pull("impact", tracker.url, tables=ACTIONS, options="{campaign_id: 55, page_size: 10}")
    assert (report.error, report.tables[0].pages, report.tables[0].kept) == ("", 6, 55)
    columns = "conversion_id, affiliate_id, status, amount::text, order_id, converted_at::text"
    assert stored(app, f"select {columns} from conversions order by converted_at limit 1") == [
        ("1000.4636.0", "12", "pending", "59.9000", "A-0", "2026-03-01 10:00:00")
    ]


def test_a_window_with_too_many_pages_is_halved(pull: Pull, app: App) -> None:
    with running(FakeImpact(actions=every(1, 90), most_pages=10)) as tracker:
        report = pull("impact", tracker.url, tables=ACTIONS, options="{campaign_id: 55, page_size: 5}")
    assert (report.error, report.tables[0].kept) == ("", 90)


def test_the_program_must_be_named(pull: Pull) -> None:
    report = pull("impact", "http://127.0.0.1:1", tables=ACTIONS)
    assert report.error == "The feed impact: impact.com needs options with campaign_id, the number of the program."
