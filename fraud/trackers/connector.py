"""What all connectors share: the rows of an answer become a file of NDJSON, as they came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

import msgspec

from fraud.domain.feeds import DAY, Feed, PulledPage, Window
from fraud.errors import InputError, TrackerError
from fraud.trackers.http import Account, TrackerClient

Row = msgspec.Raw | bytes

SECOND = timedelta(seconds=1)
MOST_PAGES = 100_000
"""Pages of one window after which a tracker that always promises another one is given up."""


class Connector:
    """A connection to one account. Subclasses say which `format` of ingestion reads their rows, which tables they have, and fetch them.

    `steps` are the smallest windows by table (windows are multiples of them), `longest` the largest the tracker allows, `oldest` how
    far back it keeps rows (absent: it does not say)."""

    format: ClassVar[str]
    credentials: ClassVar[tuple[str, ...]]
    steps: ClassVar[Mapping[str, timedelta]]
    longest: ClassVar[Mapping[str, timedelta]] = {}
    oldest: ClassVar[Mapping[str, timedelta]] = {}
    page_size: ClassVar[int]
    largest_page: ClassVar[int]

    def __init__(self, feed: Feed, client: TrackerClient) -> None:
        self.feed, self.client = feed, client
        self.limit = number_option(feed, "page_size", self.page_size, self.largest_page)

    @classmethod
    def account(cls, feed: Feed, secrets: Mapping[str, str]) -> Account:
        """How this tracker is told who asks; `secrets` by what the tracker calls them."""
        raise NotImplementedError

    def step(self, kind: str) -> timedelta:
        """The smallest window of a table; windows are multiples of it."""
        return self.steps[kind]

    def kept_for(self, kind: str) -> timedelta | None:
        """How far back the tracker hands rows out, when it says."""
        return self.oldest.get(kind)

    def complete(self, kind: str, moment: datetime) -> datetime:
        """The newest moment, not after the one given, up to which a table can be fetched whole."""
        del kind
        return moment

    def pages(self, kind: str, window: Window, folder: Path) -> Iterator[PulledPage]:
        """Fetches the rows of a window, page by page, each into a file of its own in `folder`. `TrackerError` when that is impossible."""
        raise NotImplementedError


@dataclass
class Count:
    """Rows seen over the pages of a window, and how many the tracker said there are on each page."""

    seen: int = 0
    totals: list[int] = field(default_factory=list)

    def add(self, rows: int, total: int | None) -> None:
        """Counts a page."""
        self.seen += rows
        if total is not None:
            self.totals.append(total)

    @property
    def complete(self) -> bool | None:
        """Whether all rows have been seen; `None` when the tracker does not say how many there are."""
        return self.seen >= self.totals[-1] if self.totals else None

    def check(self, feed: str, window: Window) -> None:
        """`TrackerError` when the report changed while it was read: then rows moved from page to page, and some were passed by."""
        if self.totals and (self.seen < self.totals[-1] or len(set(self.totals)) > 1):
            raise TrackerError(
                f"{feed}: the report of {window} changed while it was read ({self.seen:,} rows seen, {self.totals[0]:,} promised at first, "
                f"{self.totals[-1]:,} at last). Pull again; a longer delay in the feed avoids it."
            )


def page_path(folder: Path, number: int) -> Path:
    """The file of a page, by its number from 1."""
    return folder / f"page-{number:05}.ndjson"


def write_page(rows: Iterable[Row], path: Path) -> PulledPage:
    """Writes rows as NDJSON, each on one line as it came."""
    count = 0
    with path.open("wb") as file:
        for row in rows:
            file.write(msgspec.json.format(bytes(row), indent=-1) + b"\n")
            count += 1
    return PulledPage(path, count)


def number_option(feed: Feed, name: str, default: int, most: int) -> int:
    """A number among the feed's options; `InputError` unless it is within 1 and `most`."""
    given = feed.options.get(name, str(default))
    if not given.isdecimal() or not 1 <= int(given) <= most:
        raise InputError(f"The feed {feed.name}: {name} is {given!r}. Give a number from 1 to {most:,}.")
    return int(given)


def whole_days(window: Window) -> tuple[str, str]:
    """The first and the last UTC day of a window, as `YYYY-MM-DD`."""
    days = window.days()
    return f"{days[0]:%Y-%m-%d}", f"{days[-1]:%Y-%m-%d}"


__all__ = ["DAY", "MOST_PAGES", "SECOND", "Connector", "Count", "number_option", "page_path", "whole_days", "write_page"]
