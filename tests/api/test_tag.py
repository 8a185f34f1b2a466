"""The landing pages' tag: its script, the collector that anybody may write to, and the conversions that know of the visit."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from fraud.api.main import create_api
from fraud.api.security import KeyLimits, per_second
from fraud.api.tag import MOST_BYTES, VISIT_EXAMPLE, script
from fraud.domain.clock import FixedClock
from fraud.domain.events import Visit
from fraud.errors import StorageError
from fraud.storage.limits import TokenBuckets
from fraud.workflows.visiting import VisitBook, VisitBounds
from tests.api.conftest import NOON, TAG, House
from tests.api.problems import problem


def kept(house: House) -> list[dict[str, Any]]:
    """The reports in the lake."""
    house.visits.flush()
    with closing(house.lake.connect("default")) as con:
        rows: list[dict[str, Any]] = con.sql("SELECT * FROM visits ORDER BY visit_id").to_arrow_table().to_pylist()
    return rows


def named(number: int, **said: Any) -> dict[str, Any]:
    return VISIT_EXAMPLE | {"visit_id": f"{number:032x}"} | said


def test_the_script_is_small_and_kept_by_browsers(house: House) -> None:
    client = house.client()
    answer = client.get("/tag.js")
    assert len(answer.content) < 4_096
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "public, max-age=3600, stale-while-revalidate=3600"
    assert "set-cookie" not in answer.headers
    again = client.get("/tag.js", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_script_asked_for_by_its_hash_is_kept_for_a_year(house: House) -> None:
    own, other = (house.client().get("/tag.js", params={"v": version}) for version in (script()[1], "0" * 64))
    assert "immutable" in own.headers["cache-control"]
    assert "immutable" not in other.headers["cache-control"], "after an upgrade a page with the old hash gets the new script"
    assert own.headers["access-control-allow-origin"] == "*", "so that pages may demand its hash"


@pytest.mark.parametrize("media_type", ["text/plain;charset=UTF-8", "application/json", None])
def test_a_report_is_read_whatever_the_browser_calls_it(house: House, media_type: str | None) -> None:
    headers = {"content-type": media_type} if media_type else {}
    answer = house.client().post(f"/v1/tag/{TAG}", content=msgspec.json.encode(VISIT_EXAMPLE), headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "access-control-allow-origin" not in answer.headers, "no page reads what is answered"
    (row,) = kept(house)
    assert {name: row[name] for name in VISIT_EXAMPLE} == VISIT_EXAMPLE
    assert row["seen_at"].replace(tzinfo=UTC) <= datetime.now(UTC), "the service's own clock, not the browser's"


def test_a_later_report_of_a_visit_takes_the_place_of_the_earlier(house: House) -> None:
    client = house.client()
    for said in (named(1, final=False, visible_ms=0), named(1)):
        client.post(f"/v1/tag/{TAG}", json=said)
    assert [row["visible_ms"] for row in kept(house)] == [VISIT_EXAMPLE["visible_ms"]]
    client.post(f"/v1/tag/{TAG}", json=named(1, visible_ms=50_000))
    assert [row["visible_ms"] for row in kept(house)] == [50_000], "also when the earlier is in the lake already"


def test_there_is_no_other_tag(house: House) -> None:
    problem(house.client().post("/v1/tag/made-up", json=VISIT_EXAMPLE), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "invalid_input"),
        (b"not json", 422, "invalid_input"),
        (b"\xff\xfe", 422, "invalid_input"),
        (b"[" * 3_000, 422, "invalid_input"),
        (b'{"visit_id": "x", "click_id": "c"}', 422, "invalid_input"),
        (msgspec.json.encode(named(1, elapsed_ms=-1)), 422, "invalid_input"),
        (msgspec.json.encode(named(1, viewport_width=1e99)), 422, "invalid_input"),
        (msgspec.json.encode(named(1, click_id="")), 422, "invalid_input"),
        (b" " * (MOST_BYTES + 1), 413, "body_too_large"),
    ],
)
def test_what_is_no_report_is_refused_and_not_kept(house: House, body: bytes, status: int, code: str) -> None:
    problem(house.client().post(f"/v1/tag/{TAG}", content=body), status, code)
    assert kept(house) == []


def test_an_address_that_reports_too_often_is_told_to_wait(house: House) -> None:
    clock = FixedClock(NOON)
    services = replace(house.services, limits=KeyLimits(TokenBuckets(clock)), tag=replace(house.services.tag, limit=per_second(1)))
    client = TestClient(create_api(services))
    statuses = [client.post(f"/v1/tag/{TAG}", json=named(number)).status_code for number in range(12)]
    assert statuses == [204] * 10 + [429] * 2


CLICK = {"click_id": "c-1029", "affiliate_id": "aff"}
SALE = {"conversion_id": "v1", "click_id": "c-1029", "affiliate_id": "aff", "user_agent": "Mozilla/5.0 Chrome/126"}


def sold(house: House, tracker: TestClient, *reports: dict[str, Any]) -> dict[str, Any]:
    """What a conversion is answered whose click was reported on like this."""
    now = datetime.now(UTC)
    tracker.post("/v1/score/click", json=CLICK | {"clicked_at": now.isoformat()})
    for said in reports:
        house.client().post(f"/v1/tag/{TAG}", json=said)
    answer: dict[str, Any] = tracker.post(
        "/v1/score/conversion", json=SALE | {"converted_at": (now + timedelta(minutes=2)).isoformat()}
    ).json()
    return answer


def signals_of(house: House, decision_id: str) -> dict[str, str]:
    house.writer.flush()
    return {signal.check_id: signal.status.value for signal in house.services.decisions.find(decision_id).signals}


def test_a_conversion_after_an_automated_visit_says_so(house: House, tracker: TestClient) -> None:
    answer = sold(house, tracker, named(1, webdriver=True))
    (reason,) = [reason for reason in answer["reasons"] if reason["code"] == "device.automated_visit"]
    assert (reason["severity"], reason["text"]) == ("high", "On the landing page the browser said that a program drives it.")
    assert "disabilities" in reason["also_explained_by"]
    stored = house.services.decisions
    house.writer.flush()
    assert stored.find(answer["decision_id"]).inputs["features"]["visit_driven"] == 1.0


def test_a_persons_visit_is_clear_and_none_is_not_known(house: House, tracker: TestClient) -> None:
    seen = sold(house, tracker, named(1, elapsed_ms=1_000, visible_ms=900, first_input_ms=700))
    assert signals_of(house, seen["decision_id"])["conversion.visit"] == "clear"
    none = tracker.post(
        "/v1/score/conversion", json=SALE | {"conversion_id": "v2", "click_id": "c-2", "converted_at": NOON.isoformat()}
    ).json()
    assert signals_of(house, none["decision_id"])["conversion.visit"] == "inconclusive"


def visit(number: int, click: str = "c") -> Visit:
    return Visit(visit_id=f"{number:032x}", click_id=click, seen_at=NOON)


def test_a_flood_of_reports_is_counted_and_forgotten() -> None:
    book = VisitBook(lambda program_id, visits: None, VisitBounds(waiting=3, clicks=1, of_click=2))
    assert [book.take(visit(number)) for number in range(3)] == [True, True, False], "two visits of a click are plenty"
    assert [book.take(visit(number, f"c{number}")) for number in range(3, 6)] == [True, False, False]
    assert book.of_click("default", "c") == ()
    assert (book.figures()["visits_taken"], book.figures()["visits_refused"]) == (3, 3)


def test_reports_wait_for_a_lake_that_cannot_be_written() -> None:
    arrived: list[Visit] = []
    broken = [True]

    def keep(program_id: str, visits: Any) -> None:
        if broken.pop():
            raise StorageError("The disk is full.")
        arrived.extend(visits)

    book = VisitBook(keep)
    book.take(visit(1))
    with pytest.raises(StorageError):
        book.flush()
    broken.append(False)
    book.close()
    assert [one.visit_id for one in arrived] == [visit(1).visit_id]
    assert book.figures()["visits_waiting"] == 0
