"""The scoring routes: answers, batches, and bodies that nobody should send."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fraud.api.clicks import moment_of
from fraud.api.main import create_api
from fraud.domain.actors import Role
from fraud.domain.decisions import DecisionKind
from fraud.errors import NotFound
from fraud.policy.loading import load_pack
from fraud.workflows.scoring import ClickScorer, replay_click
from tests.api.conftest import KEYS, House
from tests.api.problems import problem

CLICK: dict[str, Any] = {
    "click_id": "c1",
    "clicked_at": "2026-03-01T10:00:00Z",
    "affiliate_id": "aff",
    "ip": "203.0.113.7",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:135.0) Gecko/20100101 Firefox/135.0",
}


def test_an_ordinary_click_is_allowed_in_the_shape_of_the_contract(tracker: TestClient) -> None:
    response = tracker.post("/v1/score/click", json=CLICK)
    assert response.status_code == 200
    answer = response.json()
    assert list(answer) == [
        "request_id",
        "decision_id",
        "click_id",
        "decision",
        "score",
        "reasons",
        "degraded",
        "policy",
        "models",
        "latency_ms",
    ]
    assert (answer["click_id"], answer["decision"], answer["degraded"]) == ("c1", "allow", True)
    assert answer["policy"] == {"id": "default@1", "hash": load_pack().hash}
    assert answer["request_id"] == response.headers["x-request-id"]


def test_a_declared_robot_is_blocked_with_its_reason(tracker: TestClient) -> None:
    answer = tracker.post("/v1/score/click", json=CLICK | {"user_agent": "curl/8.5.0"}).json()
    assert answer["decision"] == "block"
    assert answer["reasons"][0]["code"] == "device.declared_bot"


def test_a_repeated_click_gets_the_very_same_answer(tracker: TestClient) -> None:
    first = tracker.post("/v1/score/click", json=CLICK).json()
    assert tracker.post("/v1/score/click", json=CLICK).json() == first
    assert [tracker.post("/v1/score/clicks", json=[CLICK, CLICK]).json()] == [[first, first]]


def test_the_decision_is_stored_and_replays(house: House, tracker: TestClient, manager: TestClient) -> None:
    answer = tracker.post("/v1/score/click", json=CLICK | {"dwell_ms": 0, "js_executed": False, "sub_id": "ünï🦉"}).json()
    house.writer.flush()
    decision = house.services.decisions.get("default", answer["decision_id"])
    assert decision.kind is DecisionKind.SCORE
    assert decision.inputs["click"]["dwell_ms"] == 0
    assert decision.inputs["click"]["js_executed"] is False
    assert replay_click(decision, load_pack()) == decision.verdict
    shown = manager.get(f"/v1/decisions/{answer['decision_id']}").json()
    assert shown["inputs"]["click"]["sub_id"] == "ünï🦉"


@pytest.mark.parametrize("time", [1772359200, 1772359200000, 1772359200000000, "1772359200", 1772359200.0, "2026-03-01 11:00:00+01:00"])
def test_every_way_to_write_a_time_is_the_same_moment(time: object, house: House, tracker: TestClient) -> None:
    answer = tracker.post("/v1/score/click", json=CLICK | {"clicked_at": time}).json()
    house.writer.flush()
    assert house.services.decisions.get("default", answer["decision_id"]).as_of.isoformat() == "2026-03-01T10:00:00+00:00"


@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_field_is_unknown_and_not_an_error(empty: object, tracker: TestClient) -> None:
    optional = ["offer_id", "sub_id", "ip", "user_agent", "device_id", "country", "dwell_ms", "js_executed", "viewport", "program_id"]
    answer = tracker.post("/v1/score/click", json=CLICK | dict.fromkeys(optional, empty))
    assert answer.json()["decision"] == "allow"


def batch(count: int) -> list[dict[str, Any]]:
    return [CLICK | {"click_id": f"c{number}", "ip": f"203.0.113.{number % 200}"} for number in range(count)]


@pytest.mark.parametrize("ndjson", [True, False])
def test_a_batch_is_answered_in_order(ndjson: bool, tracker: TestClient) -> None:
    lines = "\n".join(json.dumps(click) for click in batch(50)) + "\n\n"
    body = lines if ndjson else json.dumps(batch(50))
    kind = "application/x-ndjson" if ndjson else "application/json"
    response = tracker.post("/v1/score/clicks", content=body, headers={"Content-Type": kind})
    assert [answer["click_id"] for answer in response.json()] == [click["click_id"] for click in batch(50)]


def test_an_empty_batch_is_answered_with_nothing(tracker: TestClient) -> None:
    assert tracker.post("/v1/score/clicks", json=[]).json() == []


def test_a_batch_with_one_bad_click_scores_none_and_names_it(house: House, tracker: TestClient) -> None:
    body = problem(tracker.post("/v1/score/clicks", json=[*batch(3), CLICK | {"affiliate_id": 7}]), 422, "invalid_input")
    assert body["errors"] == [{"field": "[3].affiliate_id", "message": "Expected `str`, got `int`"}]
    late = problem(tracker.post("/v1/score/clicks", json=[*batch(1), CLICK | {"clicked_at": "yesterday"}]), 422, "invalid_input")
    assert late["errors"][0]["field"] == "[1].clicked_at"
    house.writer.flush()
    assert house.writer.stats().written == 0


def test_a_batch_with_a_program_that_does_not_exist_scores_none(house: House) -> None:
    known, find = house.services.scorer_of("default"), NotFound("There is no program 'shoes'.")

    def scorer_of(program_id: str) -> ClickScorer:
        if program_id == "shoes":
            raise find
        return known

    client = TestClient(create_api(replace(house.services, scorer_of=scorer_of)), headers={"X-API-Key": KEYS[Role.ADMIN]})
    problem(client.post("/v1/score/clicks", json=[*batch(2), CLICK | {"program_id": "shoes"}]), 404, "not_found")
    house.writer.flush()
    assert house.writer.stats().written == 0


def test_ten_thousand_and_one_clicks_are_too_many(tracker: TestClient) -> None:
    body = b"[" + b",".join([json.dumps(CLICK).encode()] * 10_001) + b"]"
    assert "10,000" in problem(tracker.post("/v1/score/clicks", content=body), 413, "body_too_large")["detail"]


@pytest.mark.parametrize(
    ("change", "field", "expected"),
    [
        ({"click_id": None}, "click_id", "str"),
        ({"click_id": ""}, "click_id", "length"),
        ({"click_id": {"a": 1}}, "click_id", "str"),
        ({"click_id": "a" * 501}, "click_id", "length"),
        ({"click_id": "a\x00b"}, "click_id", "NUL"),
        ({"user_agent": "a\x00b"}, "user_agent", "NUL"),
        ({"affiliate_id": 12}, "affiliate_id", "str"),
        ({"clicked_at": "yesterday"}, "clicked_at", "ISO 8601"),
        ({"clicked_at": ""}, "clicked_at", "ISO 8601"),
        ({"clicked_at": 10**30}, "clicked_at", "ISO 8601"),
        ({"clicked_at": -5}, "clicked_at", "ISO 8601"),
        ({"clicked_at": "0001-01-01T00:00:00+14:00"}, "clicked_at", "ISO 8601"),
        ({"clicked_at": []}, "clicked_at", "str"),
        ({"dwell_ms": "soon"}, "dwell_ms", "Invalid"),
        ({"dwell_ms": -1}, "dwell_ms", "Expected"),
        ({"dwell_ms": 10**40}, "dwell_ms", "Expected"),
        ({"js_executed": 1}, "js_executed", "Expected"),
        ({"landing_url": "a" * 20_000}, "landing_url", "length"),
    ],
)
def test_a_wrong_field_is_named_with_what_is_expected(change: dict[str, Any], field: str, expected: str, tracker: TestClient) -> None:
    body = problem(tracker.post("/v1/score/click", json=CLICK | change), 422, "invalid_input")
    assert body["errors"][0]["field"] == field
    assert expected in body["errors"][0]["message"]


@pytest.mark.parametrize("lost", ["click_id", "clicked_at", "affiliate_id"])
def test_a_missing_field_is_named(lost: str, tracker: TestClient) -> None:
    body = problem(tracker.post("/v1/score/click", json={k: v for k, v in CLICK.items() if k != lost}), 422, "invalid_input")
    assert body["errors"] == [{"field": lost, "message": "This field is required"}]


HOSTILE = {
    "nothing": b"",
    "spaces": b"  \n ",
    "not json": b"click_id=c1",
    "half": json.dumps(CLICK).encode()[:-5],
    "deep arrays": b"[" * 50_000,
    "deep objects": b'{"click_id":' * 5_000,
    "deep ignored field": b'{"x":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "not a number": b'{"click_id":"a","affiliate_id":"b","clicked_at":NaN}',
    "infinite": b'{"click_id":"a","affiliate_id":"b","clicked_at":1e999}',
    "huge digits": b'{"click_id":"a","affiliate_id":"b","clicked_at":' + b"9" * 5_000 + b"}",
    "huge digits in text": b'{"click_id":"a","affiliate_id":"b","clicked_at":"' + b"9" * 5_000 + b'"}',
    "lone surrogate": rb'{"click_id":"\ud800","affiliate_id":"b","clicked_at":1772359200}',
    "bad utf-8": b'{"click_id":"\xff\xfe","affiliate_id":"b","clicked_at":1772359200}',
    "nul": rb'{"click_id":"\u0000","affiliate_id":"b","clicked_at":1772359200}',
    "null": b"null",
    "number": b"17",
    "array": b"[]",
    "utf-16": json.dumps(CLICK).encode("utf-16"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("path", ["/v1/score/click", "/v1/score/clicks"])
def test_hostile_bodies_are_refused_politely(path: str, name: str, tracker: TestClient) -> None:
    response = tracker.post(path, content=HOSTILE[name])
    if (path, name) == ("/v1/score/clicks", "array"):
        assert response.json() == []
        return
    problem(response, 422, "invalid_input")


@pytest.mark.parametrize("path", ["/v1/score/click", "/v1/applications"])
def test_ten_megabytes_are_too_large(path: str, house: House, manager: TestClient) -> None:
    problem(manager.post(path, content=b" " * 10_000_000), 413, "body_too_large")
    unannounced = (b" " * 100_000 for _ in range(100))
    problem(manager.post(path, content=unannounced), 413, "body_too_large")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from([*CLICK, "dwell_ms", "country", "program_id", "js_executed", "other"]), VALUES, max_size=4))
def test_no_body_breaks_the_api(tracker: TestClient, change: dict[str, Any]) -> None:
    response = tracker.post("/v1/score/click", json=CLICK | change)
    assert response.status_code in {200, 403, 422}
    assert response.json()


@pytest.mark.parametrize("value", ["99999999999999999999", "1e5", "12:00", "2026-13-01", "2026-03-01T25:00", "1989-12-31", "2100-01-01", 0])
def test_what_is_no_time_of_a_click(value: str | int) -> None:
    assert moment_of(value) is None


def test_what_is_longer_than_an_address_is_kept_as_its_digest(house: House, tracker: TestClient) -> None:
    answers = [
        tracker.post("/v1/score/click", json=CLICK | {"click_id": ip[:9], "ip": ip}).json() for ip in ("x" * 10_000, "{ip}" + "x" * 100)
    ]
    house.writer.flush()
    opaque, unfilled = (house.services.decisions.get("default", answer["decision_id"]).inputs["click"]["ip"] for answer in answers)
    assert opaque == hashlib.sha256(b"x" * 10_000).hexdigest()
    assert unfilled is None
