"""Feeds: what is fetched regularly from a tracker's reporting API, and the windows it is fetched in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from fraud.domain.actors import DEFAULT_PROGRAM

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Where windows are counted from, so that every run cuts time at the same places."""

DAY = timedelta(days=1)


class Telling(StrEnum):
    """Whether a tracker is told of decisions: not at all, noting only what would be sent, or really."""

    OFF = "off"
    DRY_RUN = "dry_run"
    SEND = "send"


@dataclass(frozen=True, order=True)
class Window:
    """A period `[start, end)` of event time, in UTC."""

    start: datetime
    end: datetime

    def halves(self) -> tuple[Window, Window]:
        """The window in two, cut at a whole second."""
        middle = self.start + timedelta(seconds=int((self.end - self.start).total_seconds()) // 2)
        return Window(self.start, middle), Window(middle, self.end)

    def days(self) -> list[datetime]:
        """The midnights of the UTC days it touches."""
        first = self.start - (self.start - EPOCH) % DAY
        count = -(-(self.end - first) // DAY)
        return [first + number * DAY for number in range(count)]

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%dT%H:%M:%SZ}..{self.end:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, kw_only=True)
class FeedTable:
    """One table of a feed: `clicks` or `conversions`, the size of its windows, how far back each pull looks again for late rows and
    changed statuses, and since when it is wanted (`None`: a week before the first pull)."""

    kind: str
    window: timedelta
    look_back: timedelta
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Feed:
    """One tracker account of one program. `credentials` maps what the tracker calls its secrets to names of environment variables;
    `every` is how often it is due; `delay` is how long rows may take to appear in the tracker's report; `zone` is the time zone of
    times that name none; `actions` says whether the tracker is told of decisions; `options` are the tracker's own."""

    name: str
    tracker: str
    base_url: str
    tables: tuple[FeedTable, ...]
    credentials: dict[str, str] = field(default_factory=dict)
    program_id: str = DEFAULT_PROGRAM
    every: timedelta = timedelta(hours=1)
    delay: timedelta = timedelta(minutes=5)
    zone: str = "UTC"
    actions: Telling = Telling.OFF
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PulledPage:
    """One page of rows as it came, in a file of its own: NDJSON or the tracker's own export, `rows` of it (`None` when not counted)."""

    path: Path
    rows: int | None
