"""A workspace with feeds, and a pull that does not wait."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fraud.app.parts import App
from fraud.app.pulling import Surroundings, feeds_of, pull_feeds
from fraud.domain.clock import FixedClock
from fraud.workflows.pulling import PullReport
from tests.trackers.fakes import KEY

NOON = datetime(2026, 3, 1, 14, tzinfo=UTC)
"""When the pulls of these tests happen, unless they move the clock: four hours after the first event."""

ENVIRONMENT = {"TRACKER_KEY": KEY, "TRACKER_SID": "SID1"}

CREDENTIALS = {
    "everflow": "{api_key: TRACKER_KEY}",
    "affise": "{api_key: TRACKER_KEY}",
    "tune": "{network_token: TRACKER_KEY}",
    "impact": "{account_sid: TRACKER_SID, auth_token: TRACKER_KEY}",
}


@pytest.fixture
def waits() -> list[float]:
    """The pauses that clients made, none of which took any time."""
    return []


@pytest.fixture
def clock() -> FixedClock:
    """A clock that a test may move."""
    return FixedClock(NOON)


def feed_text(tracker: str, url: str, /, **more: str) -> str:
    """A feed in YAML."""
    lines = {"name": tracker, "tracker": tracker, "base_url": url, "credentials": CREDENTIALS[tracker], **more}
    return "feeds:\n- " + "\n  ".join(f"{name}: {value}" for name, value in lines.items()) + "\n"


Pull = Callable[..., PullReport]


@pytest.fixture
def pull(app: App, waits: list[float]) -> Pull:
    """Pulls one feed, written into the workspace's `feeds.yaml`."""

    def pull_one(tracker: str, url: str, **more: str) -> PullReport:
        (app.workspace.root / "feeds.yaml").write_text(feed_text(tracker, url, **more))
        (report,) = pull_feeds(app, feeds_of(app), lambda _: None, Surroundings(ENVIRONMENT, waits.append))
        return report

    return pull_one


def stored(app: App, sql: str) -> list[tuple[Any, ...]]:
    """Rows of the default program's lake."""
    with app.lake.connect("default") as events:
        return events.sql(sql).fetchall()


def files_below(folder: Path) -> list[Path]:
    """Every file in a folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
