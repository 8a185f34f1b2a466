"""Affise's statistics: clicks and conversions by UTC day, or by hour of one day, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import msgspec

from fraud.domain.feeds import DAY, Feed, PulledPage, Window
from fraud.errors import TrackerError
from fraud.trackers.connector import MOST_PAGES, Connector, page_path, whole_days, write_page
from fraud.trackers.http import Account, Ask

HOUR = timedelta(hours=1)
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

    def pages(self, kind: str, window: Window, folder: Path) -> Iterator[PulledPage]:
        """Fetches the hour, or else the whole days, that a window touches."""
        seen, total = 0, None
        for number in range(1, MOST_PAGES):
            page = self.client.json(self._ask(kind, window, number), _Page, folder)
            rows = page.clicks if kind == "clicks" else page.conversions
            if page.status != DONE or rows is None:
                raise TrackerError(f"{self.feed.name}: Affise refused: {self.client.clean(_why(page))}.")
            total = page.pagination.total_count
            seen += len(rows)
            if rows:
                yield write_page(rows, page_path(folder, number))
            if not rows or not _has_more(page.pagination, seen, len(rows) == self.limit):
                break
        self.counted(seen, total, window)

    def _ask(self, kind: str, window: Window, page: int) -> Ask:
        first, last = whole_days(window)
        query = [("date_from", first), ("date_to", last), ("timezone", "UTC"), ("page", str(page)), ("limit", str(self.limit))]
        if first == last and window.end - window.start <= HOUR and (window.end - timedelta(microseconds=1)).hour == window.start.hour:
            query.append(("hour", str(window.start.hour)))
        return Ask(method="GET", path=f"3.0/stats/{kind}", query=tuple(query))


def _has_more(paging: _Paging, seen: int, full: bool) -> bool:
    """Whether another page is to be asked for: as the answer says, else when this one was full."""
    if paging.next_page:
        return True
    return full if paging.total_count is None else seen < paging.total_count


def _why(page: _Page) -> str:
    message = page.message if page.message is not None else page.error
    return "; ".join(message) if isinstance(message, list) else message or "no reason given, and no rows"
