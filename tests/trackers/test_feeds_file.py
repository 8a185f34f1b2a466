"""`feeds.yaml`: what it may say, and that no secret stands in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fraud.errors import InputError
from fraud.trackers.feeds_file import duration, read_feeds
from fraud.trackers.registry import account_of
from tests.docs.pages import ROOT, blocks
from tests.trackers.conftest import CREDENTIALS, feed_text

URL = "https://api.example.com"


def read(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "feeds.yaml"
    file.write_text(text)
    return [feed.name for feed in read_feeds(file)]


@pytest.mark.parametrize("tracker", CREDENTIALS)
def test_a_short_feed_has_everything_it_needs(tmp_path: Path, tracker: str) -> None:
    file = tmp_path / "feeds.yaml"
    file.write_text(feed_text(tracker, URL))
    (feed,) = read_feeds(file)
    assert (feed.tracker, feed.program_id, feed.zone, feed.every) == (tracker, "default", "UTC", timedelta(hours=1))
    kinds = {"tune": ["conversions"]}.get(tracker, ["clicks", "conversions"])
    assert [table.kind for table in feed.tables] == kinds
    if tracker == "impact":
        assert (feed.tables[0].window, feed.tables[0].look_back) == (timedelta(days=1), timedelta(days=1))


def test_everything_can_be_said(tmp_path: Path) -> None:
    file = tmp_path / "feeds.yaml"
    more = {"program": "shop", "every": "15m", "delay": "90s", "zone": "Europe/Berlin", "options": "{page_size: 5, events: true}"}
    file.write_text(feed_text("everflow", URL, tables="{clicks: {window: 2h, look_back: 1d, since: 2026-03-01}}", **more))
    (feed,) = read_feeds(file)
    (table,) = feed.tables
    assert (table.window, table.look_back, table.since) == (timedelta(hours=2), timedelta(days=1), datetime(2026, 3, 1, tzinfo=UTC))
    assert (feed.program_id, feed.every, feed.delay, feed.options) == (
        "shop",
        timedelta(minutes=15),
        timedelta(seconds=90),
        {"page_size": "5", "events": "true"},
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"tracker": "cake"}, "there is no connector for 'cake'. Use one of: affise, everflow, impact, tune"),
        ({"name": "'../x'"}, "has no usable name"),
        ({"base_url": "http://api.example.com"}, "must begin with https://"),
        ({"zone": "Mars/Base"}, "there is no time zone 'Mars/Base'"),
        ({"every": "often"}, "every is 'often'. Write a number and s, m, h or d"),
        ({"tables": "{offers: {}}"}, "everflow has no report of offers. It has: clicks, conversions"),
        ({"tables": "{}"}, "tables is empty"),
        ({"tables": "{clicks: {window: 0s}}"}, "in steps of 1s"),
        ({"tables": "{clicks: {size: 1h}}"}, "has 'size', which means nothing here"),
        ({"tables": "{clicks: {since: yesterday}}"}, "since is 'yesterday'. Write a date"),
        ({"interval": "1h"}, "has 'interval', which means nothing here"),
        ({"credentials": "{}"}, "credentials needs api_key: NAME"),
        ({"options": "[1]"}, "options is not a list of names and values"),
    ],
)
def test_a_mistake_is_named_with_what_to_write(tmp_path: Path, more: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as raised:
        read(tmp_path, feed_text("everflow", URL, **more))
    assert said in raised.value.message


def test_impact_hands_clicks_out_by_the_day(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="window is 1h, but the tracker reports in steps of 1d"):
        read(tmp_path, feed_text("impact", URL, tables="{clicks: {window: 1h}}"))


def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        read(tmp_path, feed_text("everflow", URL, credentials="{api_key: sk-live-0123}"))
    assert "the name (capitals, digits, underscores) of the environment variable" in raised.value.message
    assert "sk-live" not in raised.value.message


@pytest.mark.parametrize("text", ["", "feeds:", "feeds: []", "feeds: {a: 1}", "[]", "feeds:\n- 1", "a: [", "feeds:\n- {}"])
def test_no_text_breaks_the_reader(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError):
        read(tmp_path, text)


def test_a_missing_file_and_two_feeds_of_one_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There are no feeds"):
        read_feeds(tmp_path / "none.yaml")
    text = feed_text("everflow", URL)
    with pytest.raises(InputError, match="two feeds are named everflow"):
        read(tmp_path, text + text.removeprefix("feeds:\n"))


def test_an_unset_variable_is_named(tmp_path: Path) -> None:
    file = tmp_path / "feeds.yaml"
    file.write_text(feed_text("everflow", URL))
    (feed,) = read_feeds(file)
    with pytest.raises(InputError, match="needs the environment variable TRACKER_KEY, which is not set"):
        account_of(feed, {"TRACKER_KEY": " "})


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("1h", 3600), ("2 d", 172_800)])
def test_durations(text: str, seconds: int) -> None:
    assert duration(text, "x").total_seconds() == seconds


def test_the_feeds_of_the_how_to_are_read(tmp_path: Path) -> None:
    examples = [block for block in blocks(ROOT / "docs" / "pulling.md", "yaml") if block.startswith("feeds:")]
    assert examples
    names = [name for example in examples for name in read(tmp_path, example)]
    assert len(names) >= 4
