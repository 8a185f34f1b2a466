"""impact.com's brand API: clicks by an export that runs as a job, actions page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import msgspec

from fraud.domain.feeds import DAY, Feed, PulledPage, Window
from fraud.errors import InputError, TrackerError
from fraud.trackers.connector import MOST_PAGES, SECOND, Connector, Count, number_option, page_path, write_page
from fraud.trackers.http import Account, Ask, TrackerClient, Unreadable, mapped

ROLES = {"Advertisers": "Programs/{}/ClickExport", "Mediapartners": "ClickExport"}
"""Whose account it is, and where that role asks for clicks; a partner's export holds the clicks of all its programs."""

FAILED = frozenset({"CANCELLED", "ERROR", "FAILED", "ABANDONED"})
COMPLETED = "COMPLETED"
PAGES_ALLOWED = 10
"""More pages than this of one window are refused by impact.com; a window with more is halved."""

FIRST_LOOK_SECONDS, LAST_LOOK_SECONDS = 5.0, 60.0
MOST_LOOKS = 120
"""Looks at a job, about two hours with these pauses, before it is given up."""

JOB_ATTEMPTS = 2
"""How often an export is asked for when its job fails or its result has expired."""

_ENDS = frozenset(b"]}")


class Queued(msgspec.Struct):
    """A job that was accepted: where to look for it and for its result."""

    Status: str = ""
    QueuedUri: str = ""
    ResultUri: str = ""


class _Job(msgspec.Struct):
    Status: str = ""
    StatusMessage: str | None = ""
    ResultUri: str | None = ""


class _Actions(msgspec.Struct):
    Actions: list[msgspec.Raw] | None = None
    total: str | int = msgspec.field(name="@total", default="")
    pages: str | int = msgspec.field(name="@numpages", default="")


class _Lost(Exception):
    """A job that failed, or whose result is gone: asking for another one may help."""


class Impact(Connector):
    """One account SID and its token. Options: `campaign_id` (the program; needed), `role` (`Advertisers`, or `Mediapartners`),
    `page_size`, `unique_clicks`."""

    format = "impact"
    credentials = ("account_sid", "auth_token")
    steps: ClassVar[Mapping[str, timedelta]] = {"clicks": DAY, "conversions": SECOND}
    longest: ClassVar[Mapping[str, timedelta]] = {"conversions": 45 * DAY}
    oldest: ClassVar[Mapping[str, timedelta]] = {"conversions": 3 * 365 * DAY}
    page_size = 20_000
    largest_page = 20_000

    def __init__(self, feed: Feed, client: TrackerClient) -> None:
        super().__init__(feed, client)
        self.campaign = feed.options.get("campaign_id", "")
        if not self.campaign.isdecimal():
            raise InputError(f"The feed {feed.name}: impact.com needs options with campaign_id, the number of the program.")
        self.role = feed.options.get("role", "Advertisers")
        if self.role not in ROLES:
            raise InputError(f"The feed {feed.name}: role is {self.role!r}. Write {' or '.join(ROLES)}.")
        self.room = f"{self.role}/{quote(client.account.user, safe='')}"

    @classmethod
    def account(cls, feed: Feed, secrets: Mapping[str, str]) -> Account:
        """SID and token are user and password of Basic authentication. The SID stands in addresses, so it is no secret."""
        sid, token = secrets["account_sid"], secrets["auth_token"]
        return Account(feed=feed.name, base_url=feed.base_url, auth=(sid, token), secrets=(token,))

    def pages(self, kind: str, window: Window, folder: Path) -> Iterator[PulledPage]:
        """Fetches clicks day by day through an export, actions by the time of the event."""
        if kind == "clicks":
            for number, day in enumerate(window.days(), start=1):
                yield from self._export(day, folder / f"page-{number:05}.json")
        else:
            yield from self._actions(window, folder)

    def _export(self, day: datetime, target: Path) -> Iterator[PulledPage]:
        for attempt in range(JOB_ATTEMPTS):
            try:
                self._run_job(day, target)
                break
            except _Lost as lost:
                if attempt + 1 == JOB_ATTEMPTS:
                    raise TrackerError(
                        f"{self.feed.name}: impact.com could not export the clicks of {day:%Y-%m-%d}: {lost}. Pull again later."
                    ) from lost
        if _has_rows(target):
            yield PulledPage(target, None)

    def _run_job(self, day: datetime, target: Path) -> None:
        query = [("Date", f"{day:%Y-%m-%d}"), ("ResultFormat", "JSON")]
        if self.feed.options.get("unique_clicks", "").lower() == "true":
            query.append(("UniqueClick", "true"))
        path = f"{self.room}/{ROLES[self.role].format(self.campaign)}"
        job = self.client.json(Ask(method="GET", path=path, query=tuple(query)), Queued, target.parent)
        if not job.QueuedUri:
            raise _Lost(f"the export was not accepted ({self.client.clean(job.Status) or 'no status'})")
        result = self._finished(job, target.parent) or job.ResultUri
        ask = Ask(method="GET", path=result, query=(("Mode", "Stream"),))
        try:
            self.client.save(ask, target, _whole)
        except TrackerError as fault:
            if "answered 404" in fault.message or "answered 410" in fault.message:
                raise _Lost("its result has expired") from fault
            raise

    def _finished(self, job: Queued, room: Path) -> str:
        """Waits for a job; where its result is."""
        pause = float(self.feed.options.get("poll_seconds", FIRST_LOOK_SECONDS))
        for _ in range(MOST_LOOKS):
            state = self.client.json(Ask(method="GET", path=job.QueuedUri), _Job, room)
            if state.Status.upper() == COMPLETED:
                return state.ResultUri or ""
            if state.Status.upper() in FAILED:
                raise _Lost(f"the job ended as {state.Status} ({self.client.clean(state.StatusMessage or '') or 'without a reason'})")
            self.client.pause(pause)
            pause = min(pause * 1.5, LAST_LOOK_SECONDS)
        raise TrackerError(f"{self.feed.name}: impact.com's export did not end in time. Pull again later.")

    def _actions(self, window: Window, folder: Path) -> Iterator[PulledPage]:
        waiting, file = [window], 0
        while waiting:
            part = waiting.pop()
            first = self._page(part, 1, folder)
            total = _number(first.total)
            if total is not None and total > PAGES_ALLOWED * self.limit and part.end - part.start > SECOND:
                waiting += reversed(part.halves())
                continue
            count, number, page = Count(), 1, first
            while number < MOST_PAGES:
                rows = page.Actions or []
                count.add(len(rows), _number(page.total))
                if rows:
                    file += 1
                    yield write_page(rows, page_path(folder, file))
                last = _number(page.pages)
                if not rows or (len(rows) < self.limit if last is None else number >= last):
                    break
                number += 1
                page = self._page(part, number, folder)
            count.check(self.feed.name, part)

    def _page(self, window: Window, number: int, folder: Path) -> _Actions:
        query = (
            ("CampaignId", self.campaign),
            ("ActionDateStart", f"{window.start:%Y-%m-%dT%H:%M:%SZ}"),
            ("ActionDateEnd", f"{max(window.start, window.end - SECOND):%Y-%m-%dT%H:%M:%SZ}"),
            ("PageSize", str(number_option(self.feed, "page_size", self.page_size, self.largest_page))),
            ("Page", str(number)),
        )
        return self.client.json(Ask(method="GET", path=f"{self.room}/Actions", query=query), _Actions, folder)


def _number(text: str | int) -> int | None:
    """impact.com writes its counts as text."""
    return int(text) if str(text).isdecimal() else None


def _whole(path: Path) -> None:
    """Raises `Unreadable` for an export that is no JSON or is cut off; a large one is only looked at from both ends."""
    with mapped(path) as data:
        end = bytes(data[-64:]).rstrip()
        start = bytes(data[:64]).lstrip(b"\xef\xbb\xbf \r\n\t")
    if not start.startswith((b"[", b"{")):
        raise Unreadable(f"the export begins {start[:40]!r}, which is no JSON")
    if not end or end[-1] not in _ENDS:
        raise Unreadable("the export is cut off")


def _has_rows(path: Path) -> bool:
    """Whether an export holds any row: an empty one is short and has no object inside an array."""
    if path.stat().st_size > 4096:
        return True
    text = b"".join(path.read_bytes().split())
    return b"[{" in text
