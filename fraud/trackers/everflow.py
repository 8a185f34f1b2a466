"""Everflow's network API: raw clicks (a stream without pages, at most 10,000 rows) and conversions (pages)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import msgspec

from fraud.domain.feeds import DAY, Feed, PulledPage, Window
from fraud.errors import TrackerError
from fraud.trackers.connector import MOST_PAGES, SECOND, Connector, Count, number_option, page_path, write_page
from fraud.trackers.http import Account, Ask

UTC_ZONE = 67
"""Everflow's number for UTC, by its documentation of `timezone_id`."""

MOST_CLICKS = 10_000
"""Clicks that one answer can hold; further ones are left out without a word, so a full answer means that the window is halved."""


class _Paging(msgspec.Struct):
    page: int = 1
    page_size: int = 0
    total_count: int | None = None


class _Clicks(msgspec.Struct):
    clicks: list[msgspec.Raw] | None = None
    table: list[msgspec.Raw] | None = None


class _Conversions(msgspec.Struct):
    conversions: list[msgspec.Raw] | None = None
    paging: _Paging = msgspec.field(default_factory=_Paging)


class Everflow(Connector):
    """One network's API key. Options: `timezone_id` (67 is UTC), `page_size`, `most_clicks`, `events` (also those after the
    conversion), `key_role` (`networks`, `affiliates` or `advertisers`: whose key it is)."""

    format = "everflow"
    credentials = ("api_key",)
    steps: ClassVar[Mapping[str, timedelta]] = {"clicks": SECOND, "conversions": SECOND}
    longest: ClassVar[Mapping[str, timedelta]] = {"clicks": 14 * DAY, "conversions": 365 * DAY}
    oldest: ClassVar[Mapping[str, timedelta]] = {"clicks": 90 * DAY, "conversions": 365 * DAY}
    page_size = 2000
    largest_page = 2000

    @classmethod
    def account(cls, feed: Feed, secrets: Mapping[str, str]) -> Account:
        """The key goes into the header `X-Eflow-Api-Key`."""
        key = secrets["api_key"]
        return Account(feed=feed.name, base_url=feed.base_url, headers={"X-Eflow-Api-Key": key}, secrets=(key,))

    def pages(self, kind: str, window: Window, folder: Path) -> Iterator[PulledPage]:
        """Fetches clicks in windows small enough for one answer, conversions page by page."""
        if kind == "clicks":
            yield from self._clicks(window, folder)
        else:
            yield from self._conversions(window, folder)

    def _clicks(self, window: Window, folder: Path) -> Iterator[PulledPage]:
        most = number_option(self.feed, "most_clicks", MOST_CLICKS, MOST_CLICKS)
        waiting, number = [window], 0
        while waiting:
            part = waiting.pop()
            answer = self.client.json(self._ask("clicks/stream", self._period(part)), _Clicks, folder)
            rows = answer.clicks if answer.clicks is not None else answer.table
            if rows is None:
                raise TrackerError(f"{self.feed.name}: the answer has neither clicks nor table. Compare it with Everflow's documentation.")
            if len(rows) >= most:
                waiting += reversed(self._halved(part))
            elif rows:
                number += 1
                yield write_page(rows, page_path(folder, number))

    def _halved(self, part: Window) -> tuple[Window, Window]:
        if part.end - part.start <= SECOND:
            raise TrackerError(
                f"{self.feed.name}: more than {MOST_CLICKS:,} clicks in the second {part}, which Everflow does not hand out. "
                "Export that hour from its pages and ingest the file."
            )
        return part.halves()

    def _conversions(self, window: Window, folder: Path) -> Iterator[PulledPage]:
        events = self.feed.options.get("events", "false").lower() == "true"
        asked = {**self._period(window), "show_conversions": True, "show_events": events, "query": {"filters": []}}
        count = Count()
        for number in range(1, MOST_PAGES):
            answer = self.client.json(self._ask("conversions", asked, number), _Conversions, folder)
            rows = answer.conversions or []
            count.add(len(rows), answer.paging.total_count)
            if rows:
                yield write_page(rows, page_path(folder, number))
            if not rows or (len(rows) < self.limit if count.complete is None else count.complete):
                break
        count.check(self.feed.name, window)

    def _ask(self, report: str, body: dict[str, object], page: int = 0) -> Ask:
        role = self.feed.options.get("key_role", "networks")
        query = (("page", str(page)), ("page_size", str(self.limit))) if page else ()
        return Ask(method="POST", path=f"v1/{role}/reporting/{report}", query=query, json=body)

    def _period(self, window: Window) -> dict[str, object]:
        """From and to, both included, which is why the last second is taken off."""
        zone = number_option(self.feed, "timezone_id", UTC_ZONE, 1000)
        return {
            "from": f"{window.start:%Y-%m-%d %H:%M:%S}",
            "to": f"{max(window.start, window.end - SECOND):%Y-%m-%d %H:%M:%S}",
            "timezone_id": zone,
        }
