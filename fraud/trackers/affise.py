"""Affise's statistics: clicks and conversions by UTC day, or by hour of one day, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

import msgspec

from fraud.domain.feeds import DAY, EPOCH, Feed, PulledPage, Window
from fraud.errors import TrackerError
from fraud.trackers.connector import MOST_PAGES, Connector, Count, page_path, whole_days, write_page
from fraud.trackers.http import Account, Ask

HOUR = timedelta(hours=1)
Period = tuple[tuple[str, str], ...]
DONE = 1
"""The `status` of an answer that is none of an error."""


class _Paging(msgspec.Struct):
    page: int = 1
    per_page: int | None = None
    total_count: int | None = None
    next_page: int | None = None


class _Page(msgspec.Struct):
    status: int = DONE
    message: str | list[str] | None = None
    error: str | None = None
    clicks: list[msgspec.Raw] | None = None
    conversions: list[msgspec.Raw] | None = None
    pagination: _Paging = msgspec.field(default_factory=_Paging)


class Affise(Connector):
    """One tenant's API key. `base_url` is the tenant's own host (`https://api-COMPANY.affise.com`). Options: `page_size`."""

    format = "affise"
    credentials = ("api_key",)
    steps: ClassVar[Mapping[str, timedelta]] = {"clicks": HOUR, "conversions": HOUR}
    oldest: ClassVar[Mapping[str, timedelta]] = {"clicks": 7 * DAY}
    page_size = 500
    largest_page = 5000

    @classmethod
    def account(cls, feed: Feed, secrets: Mapping[str, str]) -> Account:
        """The key goes into the header `API-Key`."""
        key = secrets["api_key"]
        return Account(feed=feed.name, base_url=feed.base_url, headers={"API-Key": key}, secrets=(key,))

    def complete(self, kind: str, moment: datetime) -> datetime:
        """Only whole hours: what is still coming in would move from page to page."""
        del kind
        return moment.replace(minute=0, second=0, microsecond=0)

    def pages(self, kind: str, window: Window, folder: Path) -> Iterator[PulledPage]:
        """Fetches whole days at once, and other windows hour by hour."""
        number = 0
        for part, period in _periods(window):
            for page in self._part(kind, (part, period), folder, number):
                number += 1
                yield page

    def _part(self, kind: str, what: tuple[Window, Period], folder: Path, before: int) -> Iterator[PulledPage]:
        count = Count()
        for number in range(1, MOST_PAGES):
            query = (*what[1], ("timezone", "UTC"), ("page", str(number)), ("limit", str(self.limit)))
            page = self.client.json(Ask(method="GET", path=f"3.0/stats/{kind}", query=query), _Page, folder)
            rows = page.clicks if kind == "clicks" else page.conversions
            if page.status != DONE or rows is None:
                raise TrackerError(f"{self.feed.name}: Affise refused: {self.client.clean(_why(page))}.")
            count.add(len(rows), page.pagination.total_count)
            if rows:
                yield write_page(rows, page_path(folder, before + number))
            full = len(rows) == self.limit if count.complete is None else not count.complete
            if not rows or not (page.pagination.next_page or full):
                break
        count.check(self.feed.name, what[0])


def _periods(window: Window) -> Iterator[tuple[Window, Period]]:
    """What to ask for: a period of whole days as one, any other as the hours it touches."""
    if not (window.start - EPOCH) % DAY and not (window.end - EPOCH) % DAY:
        first, last = whole_days(window)
        yield window, (("date_from", first), ("date_to", last))
        return
    hour = window.start.replace(minute=0, second=0, microsecond=0)
    while hour < window.end:
        day = f"{hour:%Y-%m-%d}"
        yield Window(hour, hour + HOUR), (("date_from", day), ("date_to", day), ("hour", str(hour.hour)))
        hour += HOUR


def _why(page: _Page) -> str:
    message = page.message if page.message is not None else page.error
    return "; ".join(message) if isinstance(message, list) else message or "no reason given, and no rows"
