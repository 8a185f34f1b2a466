"""A page that was pulled is one that `fraud ingest` recognises by itself, and reads as the pull does."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from fraud.app.parts import App
from fraud.app.pulling import feeds_of
from fraud.app.scanning import ingest_files, ingest_options
from fraud.domain.clock import FixedClock
from fraud.domain.feeds import Window
from fraud.trackers.http import TrackerClient
from fraud.trackers.registry import CONNECTORS, account_of
from tests.trackers.conftest import ENVIRONMENT, NOON, feed_text
from tests.trackers.fakes import FIRST, FakeAffise, FakeEverflow, FakeImpact, FakeTune, every
from tests.trackers.servers import Script, running

MOMENTS = every(1, 5)

CASES: list[tuple[str, str, Script]] = [
    ("everflow", "clicks", FakeEverflow(clicks=MOMENTS)),
    ("everflow", "conversions", FakeEverflow(conversions=MOMENTS)),
    ("tune", "conversions", FakeTune(MOMENTS)),
    ("affise", "clicks", FakeAffise(clicks=MOMENTS)),
    ("affise", "conversions", FakeAffise(conversions=MOMENTS)),
    ("impact", "clicks", FakeImpact(clicks=MOMENTS, looks=1)),
    ("impact", "conversions", FakeImpact(actions=MOMENTS)),
]


@pytest.mark.parametrize(("tracker", "kind", "script"), CASES, ids=[f"{tracker}-{kind}" for tracker, kind, _ in CASES])
def test_a_pulled_page_is_recognised(app: App, tmp_path: Path, tracker: str, kind: str, script: Script) -> None:
    with running(script) as server:
        (app.workspace.root / "feeds.yaml").write_text(feed_text(tracker, server.url, options="{campaign_id: 55}"))
        (feed,) = feeds_of(app)
        with TrackerClient(account_of(feed, ENVIRONMENT), FixedClock(NOON)) as client:
            pages = list(CONNECTORS[tracker](feed, client).pages(kind, Window(FIRST, FIRST + timedelta(hours=1)), tmp_path))
    report = ingest_files(app, "default", kind, [page.path for page in pages], ingest_options(app, "auto", lambda _: None))
    assert (report.format, report.kept, report.rejected) == (tracker, 5, 0)
