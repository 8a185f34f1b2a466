"""Trackers' reporting APIs in their documented shapes, over rows made here."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.trackers.servers import Answer, Asked, document

FIRST = datetime(2026, 3, 1, 10, tzinfo=UTC)
"""When the made-up events begin."""

KEY = "k3y-that-nobody-may-see"


def every(minutes: float, count: int, start: datetime = FIRST) -> list[datetime]:
    """Moments at a steady pace."""
    return [start + timedelta(minutes=minutes * number) for number in range(count)]


@dataclass
class FakeEverflow:
    """Clicks in one answer of at most `most`, conversions in pages."""

    clicks: list[datetime] = field(default_factory=list)
    conversions: list[datetime] = field(default_factory=list)
    most: int = 10_000
    status: str = "approved"
    bad: int = 0

    def __call__(self, asked: Asked) -> Answer:
        if asked.headers.get("x-eflow-api-key") != KEY:
            return document({"error": f"invalid API key {asked.headers.get('x-eflow-api-key')}"}, 401)
        begin, end = (datetime.strptime(asked.json[name], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) for name in ("from", "to"))
        assert asked.json["timezone_id"] == 67
        if asked.path == "/v1/networks/reporting/clicks/stream":
            if end - begin > timedelta(days=14):
                return document({"error": "period is longer than 14 days"}, 400)
            rows = [_everflow_click(at) for at in self.clicks if begin <= at <= end]
            return document({"clicks": rows[: self.most]})
        assert asked.path == "/v1/networks/reporting/conversions"
        assert asked.json["show_conversions"] is True
        page, size = int(asked.query["page"]), int(asked.query["page_size"])
        rows = [self._conversion(number, at) for number, at in enumerate(self.conversions) if begin <= at <= end]
        paging = {"page": page, "page_size": size, "total_count": len(rows)}
        return document({"conversions": rows[(page - 1) * size : page * size], "paging": paging})

    def _conversion(self, number: int, at: datetime) -> dict[str, Any]:
        row = {
            "conversion_id": f"c{number}",
            "conversion_unix_timestamp": int(at.timestamp()),
            "transaction_id": f"t{int(at.timestamp())}",
            "status": self.status,
            "payout": 4.5,
            "sale_amount": 59.9,
            "currency_id": "EUR",
            "is_scrub": False,
            "sub1": "blog",
            "conversion_user_ip": "198.51.100.4",
            "relationship": {"affiliate": {"network_affiliate_id": 12}, "offer": {"network_offer_id": 7}},
        }
        return row | ({"conversion_unix_timestamp": "soon"} if number < self.bad else {})


def _everflow_click(at: datetime) -> dict[str, Any]:
    return {
        "transaction_id": f"t{int(at.timestamp())}",
        "unix_timestamp": int(at.timestamp()),
        "tracking_url": "https://t.example/7X/2",
        "sub1": "blog",
        "user_ip": "203.0.113.9",
        "relationship": {
            "affiliate": {"network_affiliate_id": 12 + at.minute % 3},
            "offer": {"network_offer_id": 7},
            "geolocation": {"country_code": "DE"},
        },
    }


@dataclass
class FakeTune:
    """Conversions of a network whose account lives in a time zone of its own; rows come as a list or under numbers."""

    conversions: list[datetime] = field(default_factory=list)
    zone: str = "UTC"
    numbered: bool = False

    def __call__(self, asked: Asked) -> Answer:
        assert asked.path == "/Apiv3/json"
        if asked.field("NetworkToken") != KEY:
            return self.refused(f"NetworkToken {asked.field('NetworkToken')} is not authenticated")
        assert (asked.field("Target"), asked.field("Method")) == ("Report", "getConversions")
        assert asked.field("filters[Stat.datetime][conditional]") == "BETWEEN"
        begin, end = (self._moment(value) for name, value in asked.form if name == "filters[Stat.datetime][values][]")
        page, limit = int(asked.field("page")), int(asked.field("limit"))
        rows = [self._row(number, at) for number, at in enumerate(self.conversions) if begin <= at <= end]
        found: Any = rows[(page - 1) * limit : page * limit]
        if self.numbered:
            found = {str(number): row for number, row in enumerate(found)}
        data = {"page": page, "current": len(found), "count": len(rows), "pageCount": -(-len(rows) // limit), "data": found}
        return document({"request": {"NetworkToken": KEY}, "response": {"status": 1, "httpStatus": 200, "data": data, "errors": []}})

    @staticmethod
    def refused(why: str) -> Answer:
        """An error as TUNE says it: with status 200."""
        return document(
            {"response": {"status": -1, "httpStatus": 200, "data": "", "errors": [{"publicMessage": why}], "errorMessage": why}}
        )

    def _moment(self, text: str) -> datetime:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZoneInfo(self.zone))

    def _row(self, number: int, at: datetime) -> dict[str, Any]:
        local = f"{at.astimezone(ZoneInfo(self.zone)):%Y-%m-%d %H:%M:%S}"
        stat = {"tune_event_id": str(5000 + number), "ad_id": f"102{number}", "affiliate_id": "1002", "offer_id": "44", "datetime": local}
        stat |= {"session_datetime": local, "affiliate_info1": "spring", "ip": "198.51.100.4", "status": "approved", "payout": "4.50"}
        return {"Stat": stat | {"sale_amount": "59.90", "currency": "USD"}, "Goal": {"name": "Default"}}


@dataclass
class FakeAffise:
    """Clicks and conversions by day or by hour of one day, in pages."""

    clicks: list[datetime] = field(default_factory=list)
    conversions: list[datetime] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Answer:
        if asked.headers.get("api-key") != KEY:
            return document({"status": 2, "error": "Wrong API-Key"}, 403)
        kind = asked.path.removeprefix("/3.0/stats/")
        assert asked.query["timezone"] == "UTC"
        moments = self.clicks if kind == "clicks" else self.conversions
        days = asked.query["date_from"], asked.query["date_to"]
        wanted = [(number, at) for number, at in enumerate(moments) if days[0] <= f"{at:%Y-%m-%d}" <= days[1]]
        if "hour" in asked.query:
            assert days[0] == days[1]
            wanted = [(number, at) for number, at in wanted if at.hour == int(asked.query["hour"])]
        page, limit = int(asked.query["page"]), int(asked.query["limit"])
        rows = [(_affise_click if kind == "clicks" else _affise_conversion)(number, at) for number, at in wanted]
        pagination = {"per_page": limit, "total_count": len(rows), "page": page}
        if page * limit < len(rows):
            pagination["next_page"] = page + 1
        return document({"status": 1, kind: rows[(page - 1) * limit : page * limit], "pagination": pagination})


def _affise_click(number: int, at: datetime) -> dict[str, Any]:
    return {
        "id": f"k{number}",
        "created_at": f"{at:%Y-%m-%d %H:%M:%S}",
        "offer": {"id": 7, "title": "Shoes"},
        "partner": {"id": 12, "name": "Blog"},
        "country": "DE",
        "ip": "203.0.113.9",
        "ua": "Mozilla/5.0",
        "sub1": "blog",
    }


def _affise_conversion(number: int, at: datetime) -> dict[str, Any]:
    return {
        "id": f"5bd{number}",
        "action_id": f"A-{number}",
        "status": "confirmed",
        "clickid": f"k{number}",
        "created_at": f"{at:%Y-%m-%d %H:%M:%S}",
        "offer": {"id": 7, "title": "Shoes"},
        "offer_id": "7",
        "partner": {"id": 12, "name": "Blog"},
        "payouts": 4.5,
        "revenue": 6,
        "currency": "EUR",
        "country": "DE",
        "ip": "198.51.100.4",
        "sub1": "blog",
    }


@dataclass
class FakeImpact:
    """Actions in pages, clicks by jobs that take `looks` looks; the first jobs end as `endings` say, results may be `gone` once."""

    clicks: list[datetime] = field(default_factory=list)
    actions: list[datetime] = field(default_factory=list)
    looks: int = 2
    endings: list[str] = field(default_factory=list)
    gone: int = 0
    state: str = "PENDING"
    jobs: dict[str, list[str]] = field(default_factory=dict)
    most_pages: int = 10

    def __call__(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization") != "Basic " + base64.b64encode(f"SID1:{KEY}".encode()).decode():
            return document({"Status": "ERROR", "Message": "Authentication required"}, 401)
        place = asked.path.removeprefix("/Advertisers/SID1/")
        if place == "Actions":
            return self._actions(asked)
        if place == "Programs/55/ClickExport":
            return self._queue(asked.query["Date"])
        job = place.split("/")[1]
        return self._download(asked, job) if place.endswith("/Download") else self._look(job)

    def _queue(self, day: str) -> Answer:
        job = f"j{len(self.jobs)}"
        self.jobs[job] = [day, "0", self.endings.pop(0) if self.endings else "COMPLETED"]
        room = f"/Advertisers/SID1/Jobs/{job}"
        return document({"Status": "QUEUED", "QueuedUri": room, "ResultUri": f"{room}/Download", "ReplayUri": f"{room}/Replay"})

    def _look(self, job: str) -> Answer:
        day, looked, ending = self.jobs[job]
        self.jobs[job][1] = str(int(looked) + 1)
        status = ending if int(looked) + 1 >= self.looks else "RUNNING"
        return document({"Id": job, "Type": "ClickExport", "Status": status, "StatusMessage": f"for {day}", "ResultUri": None})

    def _download(self, asked: Asked, job: str) -> Answer:
        assert asked.query == {"Mode": "Stream"}
        if self.gone:
            self.gone -= 1
            return document({"Status": "ERROR", "Message": "The result has expired"}, 404)
        rows = [_impact_click(number, at) for number, at in enumerate(self.clicks) if f"{at:%Y-%m-%d}" == self.jobs[job][0]]
        return Answer(200, json.dumps(rows, indent=1).encode(), {"Content-Type": "application/octet-stream"})

    def _actions(self, asked: Asked) -> Answer:
        assert asked.query["CampaignId"] == "55"
        begin, end = (datetime.fromisoformat(asked.query[name]) for name in ("ActionDateStart", "ActionDateEnd"))
        page, size = int(asked.query["Page"]), int(asked.query["PageSize"])
        rows = [self._action(number, at) for number, at in enumerate(self.actions) if begin <= at <= end]
        pages = -(-len(rows) // size)
        if pages > self.most_pages and page > 1:
            return document({"Status": "ERROR", "Message": "Too many records"}, 400)
        numbers = {"@page": str(page), "@numpages": str(pages), "@pagesize": str(size), "@total": str(len(rows))}
        return document({**numbers, "Actions": rows[(page - 1) * size : page * size]})

    def _action(self, number: int, at: datetime) -> dict[str, Any]:
        return {
            "Id": f"1000.4636.{number}",
            "CampaignId": 55,
            "ActionTrackerId": 9,
            "ActionTrackerName": "Sale",
            "MediaPartnerId": 12,
            "State": self.state,
            "Payout": 4.5,
            "Amount": 59.9,
            "Currency": "EUR",
            "EventDate": at.astimezone(ZoneInfo("Europe/Berlin")).isoformat(),
            "Oid": f"A-{number}",
        }


def _impact_click(number: int, at: datetime) -> dict[str, Any]:
    return {
        "Id": f"im{number}",
        "CampaignId": 55,
        "IpAddress": "abcdef0123456789",
        "EventDate": at.astimezone(ZoneInfo("Europe/Berlin")).isoformat(),
        "MediaId": 12,
        "AdId": 1,
        "CustomerCountry": "US",
        "DeviceType": "PHONE",
        "ReferringUrl": "https://blog.example/",
        "LandingPageUrl": "https://shop.example/",
        "UniqueClick": True,
        "Payout": 0,
        "PartnerRelated": {"SubId1": "blog", "SubId2": "", "SubId3": ""},
    }
