"""Pulls, wired: the workspace's feeds, its lake, and the connectors to trackers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from fraud.app.parts import App
from fraud.app.scanning import ingest_options
from fraud.domain.feeds import Feed
from fraud.errors import FraudError, InputError
from fraud.storage.pulls import PullFolder
from fraud.trackers.feeds_file import read_feeds
from fraud.trackers.http import TrackerClient
from fraud.trackers.registry import CONNECTORS, account_of
from fraud.workflows.pulling import PullReport, PullTools, due, pull

FEEDS_FILE = "feeds.yaml"

Progress = Callable[[str], None]


def feeds_of(app: App, file: Path | None = None, names: Sequence[str] = ()) -> list[Feed]:
    """The feeds of the workspace's `feeds.yaml`, or of another file; only those named, when any are. `InputError` for an unknown name."""
    path = file or app.workspace.root / FEEDS_FILE
    feeds = read_feeds(path)
    known = [feed.name for feed in feeds]
    strange = [name for name in names if name not in known]
    if strange:
        raise InputError(f"There is no feed {strange[0]!r} in {path}. Use: {', '.join(known)}.")
    return [feed for feed in feeds if not names or feed.name in names]


def pulled_at(app: App, feed: Feed) -> datetime | None:
    """When a feed was last pulled to its end; `None` when it never was."""
    return _state(app).pulled_at(feed.name)


def due_feeds(app: App, feeds: list[Feed]) -> list[Feed]:
    """Those of the feeds that are due."""
    return due(feeds, _state(app), app.clock.now())


@dataclass(frozen=True)
class Surroundings:
    """Where credentials come from, and how to wait."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    pause: Callable[[float], None] = time.sleep


def pull_feeds(app: App, feeds: Sequence[Feed], progress: Progress, around: Surroundings | None = None) -> list[PullReport]:
    """Pulls feeds one after the other; one that fails says so in its report and does not keep the others."""
    return [_pull_one(app, feed, progress, around or Surroundings()) for feed in feeds]


def pull_due(app: App, progress: Progress = lambda _: None) -> list[PullReport]:
    """Pulls every feed of the workspace that is due: what a scheduler calls. Without a `feeds.yaml` nothing is."""
    if not (app.workspace.root / FEEDS_FILE).exists():
        return []
    return pull_feeds(app, due_feeds(app, feeds_of(app)), progress)


def _pull_one(app: App, feed: Feed, progress: Progress, around: Surroundings) -> PullReport:
    options = ingest_options(app, CONNECTORS[feed.tracker].format, progress)
    tools = PullTools(lake=app.lake, state=_state(app), options=options, now=app.clock.now, progress=progress)
    try:
        with TrackerClient(account_of(feed, around.environment), app.clock, pause=around.pause) as client:
            return pull(feed, CONNECTORS[feed.tracker](feed, client), tools)
    except FraudError as fault:
        return PullReport(feed.name, error=fault.message)


def _state(app: App) -> PullFolder:
    return PullFolder(app.workspace.root / "pulls")
