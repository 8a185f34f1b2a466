"""Pulling: windows of a tracker's report, fetched page by page, through strict ingestion, into the lake.

How far a table has been fetched is noted only after its window is in the lake. Whatever is fetched twice adds nothing, so a pull that
was stopped anywhere and started again leaves the lake as an undisturbed one would."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from fraud.domain.clock import passed
from fraud.domain.feeds import DAY, EPOCH, Feed, FeedTable, PulledPage, Window
from fraud.errors import FraudError
from fraud.workflows.ingesting import EventLake, IngestOptions, ingest

FIRST_PULL = 7 * DAY
"""How far back the first pull of a table goes whose feed does not say since when."""

Progress = Callable[[str], None]


class FeedLake(EventLake, Protocol):
    """What pulling needs of the lake (`fraud.storage.lake.ParquetLake`)."""

    def quarantined(self, program_id: str) -> Sequence[Any]:
        """The rejected rows of a program, by file (`SetAsideFile`)."""
        ...


class FeedConnector(Protocol):
    """What pulling needs of a connector (`fraud.trackers`)."""

    @property
    def format(self) -> str:
        """The format that ingestion reads its rows with."""
        ...

    def step(self, kind: str) -> timedelta:
        """The smallest window of a table; windows are multiples of it."""
        ...

    def kept_for(self, kind: str) -> timedelta | None:
        """How far back the tracker hands rows out, when it says."""
        ...

    def complete(self, kind: str, moment: datetime) -> datetime:
        """The newest moment, not after the one given, up to which a table can be fetched whole."""
        ...

    def pages(self, kind: str, window: Window, folder: Path) -> Iterator[PulledPage]:
        """Fetches a window, each page into a file in `folder`."""
        ...


class PullState(Protocol):
    """What is remembered of feeds (`fraud.storage.pulls`)."""

    def reached(self, feed: str, kind: str) -> datetime | None:
        """The end of the newest window of a table that is in the lake."""
        ...

    def reach(self, feed: str, kind: str, until: datetime) -> None:
        """Notes that everything before `until` has been fetched; durable when it returns."""
        ...

    def pulled_at(self, feed: str) -> datetime | None:
        """When a feed was last pulled to its end."""
        ...

    def finish(self, feed: str, at: datetime) -> None:
        """Notes that a feed was pulled to its end."""
        ...

    def alone(self, feed: str) -> AbstractContextManager[None]:
        """Holds a feed against other processes; `Conflict` when one has it."""
        ...

    def room(self, feed: str) -> Path:
        """A folder for a feed's pages until they are in the lake."""
        ...


@dataclass(frozen=True)
class PullTools:
    """What a pull works with: the lake, what is remembered, how to ingest, the present moment, and whom to tell."""

    lake: FeedLake
    state: PullState
    options: IngestOptions
    now: Callable[[], datetime]
    progress: Progress


@dataclass
class TableReport:
    """What was fetched of one table; `rows` = `kept` + `duplicates` + `rejected`."""

    kind: str
    windows: int = 0
    pages: int = 0
    rows: int = 0
    kept: int = 0
    duplicates: int = 0
    rejected: int = 0
    reached: datetime | None = None
    warnings: list[str] = field(default_factory=list)


@dataclass
class PullReport:
    """What a pull of one feed did; `error` is empty when it went to its end."""

    feed: str
    tables: list[TableReport] = field(default_factory=list)
    error: str = ""


class _SetAsideOnce:
    """A lake that sets a feed's row aside once, though each look-back brings it again, on another page or in another line."""

    def __init__(self, lake: FeedLake, program_id: str, room: Path) -> None:
        self._lake, self._program_id, self._room = lake, program_id, room
        self.append, self.quarantined = lake.append, lake.quarantined

    def quarantine(
        self,
        kind: str,
        program_id: str,
        rows: Sequence[Mapping[str, object]],
        ingested_at: datetime,
        origin: Mapping[str, object] | None = None,
    ) -> Path:
        """Keeps the rows that are not set aside yet, and says where."""
        fresh = [row for row in rows if (kind, row["raw"]) not in self._known]
        self._known.update((kind, row["raw"]) for row in fresh)
        return self._lake.quarantine(kind, program_id, fresh, ingested_at, origin) if fresh else self._room

    @cached_property
    def _known(self) -> set[tuple[str, object]]:
        files = self._lake.quarantined(self._program_id)
        ours = [file for file in files if Path(str(file.origin.get("file", ""))).is_relative_to(self._room)]
        return {(file.kind, row["raw"]) for file in ours for row in file.rows}


def due(feeds: list[Feed], state: PullState, now: datetime) -> list[Feed]:
    """The feeds whose last whole pull lies at least their `every` back."""
    last = {feed.name: state.pulled_at(feed.name) for feed in feeds}
    return [feed for feed in feeds if (at := last[feed.name]) is None or passed(at, now) >= feed.every]


def windows(table: FeedTable, reached: datetime | None, until: datetime) -> list[Window]:
    """The windows to fetch: from where the look-back begins, cut at the same places by every run, the last one only up to `until`."""
    start = table.since or until - FIRST_PULL
    if reached is not None:
        start = max(start, reached - table.look_back)
    begin = start - (start - EPOCH) % table.window
    found = []
    while begin < until:
        found.append(Window(begin, min(begin + table.window, until)))
        begin += table.window
    return found


def pull(feed: Feed, connector: FeedConnector, tools: PullTools) -> PullReport:
    """Pulls every table of a feed. A failure stops this feed, is told in its report, and loses nothing that came before."""
    report = PullReport(feed.name)
    try:
        with tools.state.alone(feed.name):
            room = tools.state.room(feed.name)
            shutil.rmtree(room, ignore_errors=True)  # what a pull that was stopped has left
            tools = replace(tools, lake=_SetAsideOnce(tools.lake, feed.program_id, room))
            for table in feed.tables:
                report.tables.append(TableReport(table.kind))
                _pull_table(feed, table, connector, tools, report.tables[-1])
            tools.state.finish(feed.name, tools.now())
    except FraudError as fault:
        report.error = fault.message
    return report


def _pull_table(feed: Feed, table: FeedTable, connector: FeedConnector, tools: PullTools, report: TableReport) -> None:
    until = connector.complete(table.kind, (tools.now() - feed.delay).replace(microsecond=0))
    reached = tools.state.reached(feed.name, table.kind)
    report.reached = reached
    for window in _still_kept(feed, table, connector, windows(table, reached, until), (until, reached, report)):
        tools.progress(f"{feed.name}: {table.kind} {window}")
        _pull_window(feed, table.kind, (connector, window), tools, report)
        if report.reached is None or window.end > report.reached:
            tools.state.reach(feed.name, table.kind, window.end)
            report.reached = window.end


def _still_kept(
    feed: Feed,
    table: FeedTable,
    connector: FeedConnector,
    wanted: list[Window],
    state: tuple[datetime, datetime | None, TableReport],
) -> list[Window]:
    """The windows that the tracker still hands out; the report warns of rows that nobody has fetched and that are out of reach."""
    until, reached, report = state
    kept_for = connector.kept_for(table.kind)
    if kept_for is None:
        return wanted
    oldest = until - kept_for
    lost_from = wanted[0].start if reached is None else reached
    if wanted and lost_from < oldest and (table.since is not None or reached is not None):
        report.warnings.append(
            f"{feed.name}: {table.kind} are kept for {kept_for.days} days, so those from {lost_from:%Y-%m-%d %H:%M} to "
            f"{oldest:%Y-%m-%d %H:%M} UTC are no longer handed out. Export them from the tracker's own pages and ingest the file."
        )
    return [Window(max(window.start, oldest), window.end) for window in wanted if window.end > oldest]


def _pull_window(feed: Feed, kind: str, what: tuple[FeedConnector, Window], tools: PullTools, report: TableReport) -> None:
    connector, window = what
    folder = tools.state.room(feed.name) / f"{kind}-{window.start:%Y%m%dT%H%M%SZ}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pages = list(connector.pages(kind, window, folder))
    for number, page in enumerate(pages, start=1):
        tools.progress(f"{feed.name}: {kind} {window}, page {number} of {len(pages)}")
        _ingest_page(feed, (kind, page.path), connector.format, tools, report)
    report.windows += 1
    report.pages += len(pages)
    shutil.rmtree(folder)


def _ingest_page(feed: Feed, what: tuple[str, Path], format_name: str, tools: PullTools, report: TableReport) -> None:
    kind, path = what
    options = replace(tools.options, format=format_name, ingested_at=tools.now(), only_kind=True, progress=None)
    done = ingest(tools.lake, feed.program_id, kind, [path], options)
    report.rows += done.rows_read
    report.kept += done.kept
    report.duplicates += done.duplicates
    report.rejected += done.rejected
