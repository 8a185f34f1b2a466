"""Pulls: windows, what is remembered, what happens when something goes wrong, and that nothing is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.app.parts import App
from fraud.app.pulling import Surroundings, due_feeds, feeds_of, pull_due, pull_feeds
from fraud.app.quarantining import list_quarantine
from fraud.domain.clock import FixedClock
from fraud.domain.feeds import EPOCH, Feed, FeedTable, Window
from fraud.errors import InputError
from fraud.storage.pulls import PullFolder
from fraud.workflows.pulling import due, windows
from tests.conftest import OpenApp
from tests.trackers.conftest import ENVIRONMENT, NOON, Pull, feed_text, files_below, stored
from tests.trackers.fakes import FIRST, KEY, FakeEverflow, every
from tests.trackers.servers import Answer, Asked, Tracker, document, running

TABLES = "{clicks: {since: 2026-03-01T10:00:00Z}, conversions: {since: 2026-03-01}}"

MOMENTS = st.integers(0, 150 * 86_400).map(lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))


@given(MOMENTS, MOMENTS, st.integers(1, 30), st.integers(0, 100))
def test_windows_leave_no_gap_and_look_back(reached: datetime, until: datetime, hours: int, back: int) -> None:
    table = FeedTable(kind="clicks", window=timedelta(hours=hours), look_back=timedelta(hours=back), since=EPOCH)
    found = windows(table, reached, until)
    assert all(first.end == second.start for first, second in pairwise(found))
    assert all((window.start - EPOCH) % table.window == timedelta(0) for window in found)
    if reached < until:
        assert found[0].start <= reached - table.look_back
        assert found[-1].end == until


@pytest.mark.parametrize(("minutes", "is_due"), [(0, False), (59, False), (60, True), (-59, False), (-60, True)])
def test_a_feed_is_due_an_hour_away_from_its_last_pull_whichever_way_the_clock_went(tmp_path: Path, minutes: int, is_due: bool) -> None:
    feed = Feed(name="hourly", tracker="everflow", base_url="https://tracker.example", tables=(), every=timedelta(hours=1))
    state = PullFolder(tmp_path)
    state.finish("hourly", FIRST)
    assert due([feed], state, FIRST + timedelta(minutes=minutes)) == ([feed] if is_due else [])


def test_halves_and_days() -> None:
    window = Window(FIRST, FIRST + timedelta(seconds=3))
    assert [half.end - half.start for half in window.halves()] == [timedelta(seconds=1), timedelta(seconds=2)]
    assert [f"{day:%d}" for day in Window(FIRST, FIRST + timedelta(days=1)).days()] == ["01", "02"]
    assert str(window) == "2026-03-01T10:00:00Z..2026-03-01T10:00:03Z"


def test_pulling_again_asks_for_the_look_back_alone_and_adds_nothing(pull: Pull, app: App) -> None:
    with running(FakeEverflow(clicks=every(1, 200), conversions=every(30, 7))) as tracker:
        first = pull("everflow", tracker.url, tables=TABLES)
        again = pull("everflow", tracker.url, tables=TABLES)
    assert [table.kept for table in first.tables] == [200, 7]
    assert [(table.kept, table.rows == table.duplicates) for table in again.tables] == [(0, True), (0, True)]
    assert again.tables[0].windows == 3  # the two hours of look-back reach into three
    assert stored(app, "select (select count(*) from clicks), (select count(*) from conversions)") == [(200, 7)]


def test_bad_rows_are_set_aside_with_feed_and_page(pull: Pull, app: App) -> None:
    with running(FakeEverflow(conversions=every(1, 30), bad=25)) as tracker:
        tables = "{conversions: {since: 2026-03-01}}"
        report = pull("everflow", tracker.url, tables=tables, options="{page_size: 10}")
        again = pull("everflow", tracker.url, tables=tables, options="{page_size: 10}")
    assert report.error == ""
    assert [(table.rows, table.kept, table.rejected) for table in (*report.tables, *again.tables)] == [(30, 5, 25), (30, 0, 25)]
    reasons = list_quarantine(app, "default", 0).reasons
    assert sum(reason.rows for reason in reasons) == 25  # pulled twice, set aside once
    places = sorted(reason.file.split("/pulls/")[1] for reason in reasons)
    assert [place.split("/")[0] for place in places] == ["everflow"] * 3
    assert [place.split("/")[-1] for place in places] == ["page-00001.ndjson", "page-00002.ndjson", "page-00003.ndjson"]


def test_a_bad_row_that_every_look_back_brings_is_set_aside_once(pull: Pull, app: App, clock: FixedClock) -> None:
    fake = FakeEverflow(conversions=every(1, 10), bad=2)
    with running(fake) as tracker:
        for hours in range(4):  # the page grows, so it is another file each time
            clock.move_to(NOON + timedelta(hours=hours))
            fake.conversions += every(1, 3, FIRST + timedelta(hours=3, minutes=60 * hours))
            assert pull("everflow", tracker.url, tables="{conversions: {since: 2026-03-01}}").tables[0].rejected == 2
    assert sum(reason.rows for reason in list_quarantine(app, "default", 0).reasons) == 2


def test_a_failure_keeps_what_came_before_and_goes_on_from_there(pull: Pull, app: App) -> None:
    fake = FakeEverflow(clicks=every(1, 200))

    def failing_at_noon(asked: Asked) -> Answer:
        return Answer(500) if asked.json["from"].endswith("12:00:00") else fake(asked)

    tables = "{clicks: {since: 2026-03-01T10:00:00Z, look_back: 0s}}"
    with running(failing_at_noon) as tracker:
        report = pull("everflow", tracker.url, tables=tables)
        assert "answered 500" in report.error
        assert (report.tables[0].kept, report.tables[0].reached) == (120, FIRST + timedelta(hours=2))
        assert due_feeds(app, feeds_of(app))
        tracker.script = fake
        tracker.asked.clear()
        assert pull("everflow", tracker.url, tables=tables).tables[0].kept == 80
        assert tracker.asked[0].json["from"] == "2026-03-01 12:00:00"
    assert not due_feeds(app, feeds_of(app))


def test_a_page_that_is_no_report_stops_the_feed_and_is_kept(pull: Pull, app: App) -> None:
    """A tracker that renames its columns must not look like a tracker without clicks."""
    with running(lambda _: document({"clicks": [{"id": 1, "when": 2}]})) as tracker:
        report = pull("everflow", tracker.url, tables=TABLES)
    assert "is no table of clicks: missing:" in report.error
    assert report.tables[0].reached is None
    assert any(path.name == "page-00001.ndjson" for path in files_below(app.workspace.root / "pulls"))


def test_an_expired_key_names_the_variable(pull: Pull) -> None:
    with running(FakeEverflow()) as tracker:
        tracker.first.append(document({"error": "key expired"}, 401))
        report = pull("everflow", tracker.url, tables=TABLES)
    assert "did not accept the credentials in TRACKER_KEY (401 Unauthorized" in report.error


def test_a_feed_that_fails_does_not_keep_the_others(app: App, waits: list[float]) -> None:
    with running(FakeEverflow(clicks=every(1, 5))) as tracker:
        bad = feed_text("affise", tracker.url, credentials="{api_key: UNSET_KEY}")
        (app.workspace.root / "feeds.yaml").write_text(bad + feed_text("everflow", tracker.url, tables=TABLES).removeprefix("feeds:\n"))
        reports = pull_feeds(app, feeds_of(app), lambda _: None, Surroundings(ENVIRONMENT, waits.append))
    assert [(report.feed, bool(report.error)) for report in reports] == [("affise", True), ("everflow", False)]
    assert "UNSET_KEY, which is not set" in reports[0].error


def test_due_is_what_the_schedule_says(app: App, clock: FixedClock, pull: Pull, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pull_due(app) == []
    monkeypatch.setenv("TRACKER_KEY", KEY)
    with running(FakeEverflow()) as tracker:
        pull("everflow", tracker.url, tables=TABLES, every="30m")
        assert pull_due(app) == []
        clock.move_to(NOON + timedelta(minutes=30))
        assert [report.feed for report in pull_due(app)] == ["everflow"]
        assert pull_due(app) == []


def test_two_processes_never_pull_one_feed(pull: Pull, app: App) -> None:
    with PullFolder(app.workspace.root / "pulls").alone("everflow"), running(FakeEverflow()) as tracker:
        report = pull("everflow", tracker.url, tables=TABLES)
    assert report.error == "The feed everflow is being pulled by another process; wait for it, or stop it."
    assert tracker.asked == []


def test_a_program_of_its_own(pull: Pull, app: App) -> None:
    with running(FakeEverflow(clicks=every(1, 5))) as tracker:
        pull("everflow", tracker.url, tables=TABLES, program="shop")
    assert stored(app, "select count(*) from clicks") == [(0,)]
    with app.lake.connect("shop") as events:
        assert events.sql("select count(*) from clicks").fetchall() == [(5,)]


def test_an_unknown_feed_is_an_error(app: App) -> None:
    (app.workspace.root / "feeds.yaml").write_text(feed_text("everflow", "https://api.example.com"))
    with pytest.raises(InputError, match=r"There is no feed 'everflo' in .*Use: everflow"):
        feeds_of(app, names=["everflo"])


def test_no_secret_is_left_in_the_workspace(pull: Pull, app: App) -> None:
    with running(FakeEverflow(clicks=every(1, 5), conversions=every(1, 5), bad=2)) as tracker:
        pull("everflow", tracker.url, tables=TABLES)
    assert [path for path in files_below(app.workspace.root) if KEY.encode() in path.read_bytes()] == []


CONTENT = {
    "clicks": "select click_id, clicked_at, affiliate_id, offer_id, sub_id, ip, country from clicks order by all",
    "conversions": "select conversion_id, converted_at, affiliate_id, commission, status from conversions order by all",
}

CHILD = """
import sys
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from fraud.app.parts import App
from fraud.app.pulling import feeds_of, pull_feeds
from fraud.domain.clock import FixedClock
from fraud.settings import Settings

app = App(Settings(workspace=Path(sys.argv[1]), _env_file=None), FixedClock(datetime.fromisoformat(sys.argv[2])))
(report,) = pull_feeds(app, feeds_of(app), lambda text: print(text, flush=True))
sys.exit(bool(report.error))
"""


def _killed(workspace: Path, chance: random.Random) -> bool:
    """Starts a pull and kills it (`kill -9`) after a random number of steps it tells of, and a random moment more; whether it was hit."""
    environment = {**os.environ, **ENVIRONMENT}
    command = [sys.executable, "-c", CHILD, str(workspace), NOON.isoformat()]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        for _ in range(chance.randrange(1, 25)):
            process.stdout.readline()
        time.sleep(chance.random() * 0.2)
        process.send_signal(signal.SIGKILL)
        return process.wait() == -signal.SIGKILL


def _tracker() -> FakeEverflow:
    return FakeEverflow(clicks=every(1, 230), conversions=every(3, 70), bad=3)


def _disturbed(tracker: Tracker, folder: Path, kills: int, seed: int) -> int:
    """Pulls into a workspace, killed again and again; how often it was hit."""
    folder.mkdir()
    (folder / "feeds.yaml").write_text(feed_text("everflow", tracker.url, tables=TABLES, options="{page_size: 20}"))
    chance = random.Random(seed)
    return sum(_killed(folder, chance) for _ in range(kills))


def _check_kills(open_at: OpenApp, tmp_path: Path, kills: int) -> None:
    with running(_tracker()) as tracker:
        hits = _disturbed(tracker, tmp_path / "disturbed", kills, seed=7)
        apps = {name: open_at(tmp_path / name) for name in ("disturbed", "undisturbed")}
        for app in apps.values():
            (app.workspace.root / "feeds.yaml").write_text(feed_text("everflow", tracker.url, tables=TABLES, options="{page_size: 20}"))
            (report,) = pull_feeds(app, feeds_of(app), lambda _: None, Surroundings(ENVIRONMENT))
            assert report.error == ""
    assert hits > 0
    for sql in CONTENT.values():
        assert stored(apps["disturbed"], sql) == stored(apps["undisturbed"], sql)
    counts = [sum(reason.rows for reason in list_quarantine(app, "default", 0).reasons) for app in apps.values()]
    assert counts == [3, 3]
    assert stored(apps["disturbed"], "select (select count(*) from clicks), (select count(*) from conversions)") == [(230, 67)]


def test_a_pull_killed_at_random_and_repeated_is_as_one_undisturbed(open_at: OpenApp, tmp_path: Path) -> None:
    _check_kills(open_at, tmp_path, kills=2)


@pytest.mark.long
def test_a_pull_killed_fifty_times_and_repeated_is_as_one_undisturbed(open_at: OpenApp, tmp_path: Path) -> None:
    _check_kills(open_at, tmp_path, kills=50)
