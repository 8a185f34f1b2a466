"""TUNE (HasOffers), Network API v3: `Report::getConversions`, page by page. There is no report of single clicks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import msgspec

from fraud.domain.feeds import DAY, Feed, PulledPage, Window
from fraud.errors import TrackerError
from fraud.trackers.connector import MOST_PAGES, SECOND, Connector, Count, page_path, write_page
from fraud.trackers.http import Account, Ask, NotDone, TrackerClient, read_json

ENDPOINT = "Apiv3/json"

FIELDS = (
    *("Stat.tune_event_id", "Stat.ad_id", "Stat.affiliate_id", "Stat.advertiser_id", "Stat.offer_id", "Stat.goal_id", "Goal.name"),
    *("Stat.source", "Stat.affiliate_info1", "Stat.affiliate_info2", "Stat.affiliate_info3", "Stat.affiliate_info4"),
    *("Stat.affiliate_info5", "Stat.session_ip", "Stat.ip", "Stat.session_datetime", "Stat.datetime", "Stat.user_agent", "Stat.refer"),
    *("Stat.status", "Stat.status_code", "Stat.payout", "Stat.revenue", "Stat.sale_amount", "Stat.currency", "Stat.country_code"),
)
"""What is asked for. Addresses shorten the time for which TUNE hands rows out."""

TIMES = ("datetime", "session_datetime")
"""Times without a zone, in the account's."""

RATE_LIMIT = "rate limit"
"""What an answer says when there were too many: TUNE answers 200 even then."""


class Answer(msgspec.Struct):
    """The `response` of every answer: `status` is 1, or -1 with a message. `data` is what was asked for."""

    status: int = 1
    data: msgspec.Raw = msgspec.Raw(b"null")
    errorMessage: str | None = ""  # noqa: N815 - its name there


class Envelope(msgspec.Struct):
    """An answer; the request is repeated beside it, with the token, and is not read."""

    response: Answer


class _Page(msgspec.Struct):
    data: list[msgspec.Raw] | dict[str, msgspec.Raw] | None = None
    count: int | None = None
    pageCount: int | None = None  # noqa: N815 - its name there


class Tune(Connector):
    """One network's token. `base_url` is the network's own API host (`https://NETWORKID.api.hasoffers.com`); the feed's `zone` is the
    account's. Options: `page_size`."""

    format = "tune"
    credentials = ("network_token",)
    steps: ClassVar[Mapping[str, timedelta]] = {"conversions": SECOND}
    oldest: ClassVar[Mapping[str, timedelta]] = {"conversions": 762 * DAY}
    page_size = 1000
    largest_page = 10_000

    @classmethod
    def account(cls, feed: Feed, secrets: Mapping[str, str]) -> Account:
        """The token is a field of the form, so that it stands in no address and in no log."""
        token = secrets["network_token"]
        return Account(feed=feed.name, base_url=feed.base_url, hidden_form=(("NetworkToken", token),), secrets=(token,))

    def pages(self, kind: str, window: Window, folder: Path) -> Iterator[PulledPage]:
        """Fetches conversions in the order of their time; `kind` is `conversions`."""
        del kind
        count = Count()
        for number in range(1, MOST_PAGES):
            page = self._page(window, number, folder)
            rows = list(page.data.values()) if isinstance(page.data, dict) else page.data or []
            count.add(len(rows), page.count)
            if rows:
                yield write_page((self._placed(row) for row in rows), page_path(folder, number))
            if not rows or (len(rows) < self.limit if page.pageCount is None else number >= page.pageCount):
                break
        count.check(self.feed.name, window)

    def _page(self, window: Window, number: int, folder: Path) -> _Page:
        period = (self._local(window.start), self._local(max(window.start, window.end - SECOND)))
        form = [
            *(("fields[]", name) for name in FIELDS),
            ("filters[Stat.datetime][conditional]", "BETWEEN"),
            *(("filters[Stat.datetime][values][]", moment) for moment in period),
            ("sort[Stat.datetime]", "asc"),
            ("limit", str(self.limit)),
            ("page", str(number)),
        ]
        data = call(self.client, ("Report", "getConversions"), form, folder)
        try:
            page = msgspec.json.decode(data, type=_Page | list[msgspec.Raw] | str | None)
        except msgspec.ValidationError as fault:
            raise TrackerError(
                f"{self.feed.name}: the report is not as documented ({fault}). Compare it with TUNE's documentation."
            ) from fault
        if isinstance(page, _Page):
            return page
        return _Page(data=page if isinstance(page, list) else [])

    def _local(self, moment: datetime) -> str:
        return f"{moment.astimezone(ZoneInfo(self.feed.zone)):%Y-%m-%d %H:%M:%S}"

    def _placed(self, row: msgspec.Raw) -> bytes:
        """A row whose times say their zone, unless the account's is UTC."""
        if self.feed.zone == "UTC":
            return bytes(row)
        cells = msgspec.json.decode(row)
        stat = cells.get("Stat") if isinstance(cells, dict) else None
        if isinstance(stat, dict):
            stat.update({name: with_zone(stat[name], self.feed.zone) for name in TIMES if name in stat})
        return msgspec.json.encode(cells)


def with_zone(text: Any, zone: str) -> Any:
    """A time such as `2026-03-01 10:00:00` with its zone's offset; whatever else is left as it is. Of an hour that comes twice in
    autumn the first is meant, since the text does not say."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return text
    return moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).isoformat() if moment.tzinfo is None else text


def call(
    client: TrackerClient, method: tuple[str, str], form: list[tuple[str, str]], folder: Path, *, repeated: bool = True
) -> msgspec.Raw:
    """Calls `Target::Method` and returns the answer's data. TUNE answers 200 whatever happens: what it says decides.

    `TrackerError` when it refuses; too many requests are tried again."""
    target, name = method
    ask = Ask(method="POST", path=ENDPOINT, form=(("Target", target), ("Method", name), *form), repeated=repeated)
    answer = client.save(ask, folder / "answer.json", lambda path: _understood(path, client)).response
    if answer.status == 1:
        return answer.data
    why = client.clean(answer.errorMessage or "no reason given")
    if "authenticated" in why.lower() or "permitted" in why.lower() or "token" in why.lower():
        raise TrackerError(client.refused(why))
    raise TrackerError(f"{client.account.feed}: TUNE refused {target}::{name}: {why}.")


def _understood(path: Path, client: TrackerClient) -> Envelope:
    answer = read_json(path, Envelope)
    if answer.response.status != 1 and RATE_LIMIT in (answer.response.errorMessage or "").lower():
        raise NotDone(client.clean(answer.response.errorMessage or ""))
    return answer
