"""Conversions over HTTP: matched to their click, hashed on the way in, and bodies that nobody should send."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from fraud.domain.decisions import DecisionKind
from fraud.policy.loading import load_pack
from fraud.workflows.replaying import replay
from tests.api.conftest import House
from tests.api.problems import problem

CLICK: dict[str, Any] = {
    "click_id": "c1",
    "clicked_at": "2026-03-01T10:00:00Z",
    "affiliate_id": "aff",
    "device_id": "phone-1",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:135.0) Gecko/20100101 Firefox/135.0",
}
CONVERSION: dict[str, Any] = {
    "conversion_id": "v1",
    "converted_at": "2026-03-01T10:07:00Z",
    "affiliate_id": "aff",
    "click_id": "c1",
    "amount": 59.9,
    "commission": "4.79",
    "currency": "eur",
    "status": "Pending",
}


def codes(answer: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in answer["reasons"]]


def test_an_ordinary_conversion_is_allowed_and_knows_its_click(tracker: TestClient) -> None:
    tracker.post("/v1/score/click", json=CLICK)
    answer = tracker.post("/v1/score/conversion", json=CONVERSION).json()
    assert list(answer) == [
        "request_id",
        "decision_id",
        "conversion_id",
        "decision",
        "score",
        "reasons",
        "degraded",
        "policy",
        "models",
        "click_found",
        "latency_ms",
    ]
    assert (answer["conversion_id"], answer["decision"], answer["click_found"], answer["degraded"]) == ("v1", "allow", True, False)
    assert answer["reasons"] == []


def test_a_conversion_two_seconds_after_its_click_is_reviewed(tracker: TestClient) -> None:
    tracker.post("/v1/score/click", json=CLICK)
    answer = tracker.post("/v1/score/conversion", json=CONVERSION | {"converted_at": "2026-03-01T10:00:02Z"}).json()
    assert (answer["decision"], codes(answer)) == ("review", ["timing.fast_conversion"])


def test_a_click_that_nobody_knows_is_said_and_not_held_against_anybody_alone(tracker: TestClient) -> None:
    answer = tracker.post("/v1/score/conversion", json=CONVERSION).json()
    assert (answer["decision"], codes(answer), answer["click_found"]) == ("allow", ["conversion.untraced"], False)


def test_a_click_of_another_affiliate_is_reviewed(tracker: TestClient) -> None:
    tracker.post("/v1/score/click", json=CLICK | {"affiliate_id": "other"})
    answer = tracker.post("/v1/score/conversion", json=CONVERSION).json()
    assert (answer["decision"], codes(answer)) == ("review", ["conversion.untraced"])


def test_a_click_that_takes_the_place_of_anothers_is_noticed(tracker: TestClient) -> None:
    tracker.post("/v1/score/click", json=CLICK | {"click_id": "c0", "affiliate_id": "writer"})
    tracker.post("/v1/score/click", json=CLICK | {"clicked_at": "2026-03-01T10:05:00Z"})
    answer = tracker.post("/v1/score/conversion", json=CONVERSION | {"converted_at": "2026-03-01T10:05:40Z"}).json()
    assert codes(answer) == ["source.overwritten_click"]


def test_the_same_order_twice_is_reviewed_and_the_same_conversion_twice_is_not(tracker: TestClient) -> None:
    tracker.post("/v1/score/click", json=CLICK)
    first = tracker.post("/v1/score/conversion", json=CONVERSION | {"order_id": "o1"}).json()
    assert tracker.post("/v1/score/conversion", json=CONVERSION | {"order_id": "o1"}).json() == first
    again = tracker.post("/v1/score/conversion", json=CONVERSION | {"order_id": "o1", "conversion_id": "v2"}).json()
    assert (again["decision"], codes(again)) == ("review", ["conversion.repeat_order"])


def test_the_fourth_conversion_of_a_customer_in_a_day_is_reviewed(tracker: TestClient) -> None:
    sent = [
        CONVERSION | {"conversion_id": f"v{number}", "click_id": "", "customer_email": f"A.da+{number}@gmail.com"} for number in range(4)
    ]
    answers = tracker.post("/v1/score/conversions", json=sent).json()
    assert [answer["decision"] for answer in answers] == ["allow", "allow", "allow", "review"]
    assert codes(answers[3]) == ["identity.repeat_customer"]


def test_personal_values_are_hashed_before_anything_is_kept_and_the_decision_replays(house: House, tracker: TestClient) -> None:
    sent = CONVERSION | {"customer_email": "someone@mailinator.com", "customer_phone": "+49 151 234567", "form_ms": 900}
    answer = tracker.post("/v1/score/conversion", json=sent).json()
    assert {"quality.disposable_email", "timing.fast_form"} <= set(codes(answer))
    house.writer.flush()
    decision = house.services.decisions.get("default", answer["decision_id"])
    assert decision.kind is DecisionKind.CONVERSION
    text = json.dumps(decision.inputs, default=str)
    assert "someone" not in text
    assert "234567" not in text
    assert decision.inputs["conversion"]["customer_email_domain"] == "mailinator.com"
    assert replay(decision, load_pack(), {}).same


def test_many_conversions_are_answered_in_order_from_ndjson(tracker: TestClient) -> None:
    body = "\n".join(json.dumps(CONVERSION | {"conversion_id": f"v{number}"}) for number in range(3))
    answers = tracker.post("/v1/score/conversions", content=body, headers={"content-type": "application/x-ndjson"}).json()
    assert [answer["conversion_id"] for answer in answers] == ["v0", "v1", "v2"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"converted_at": "yesterday"}, "converted_at"),
        ({"amount": "12 EUR"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"commission": "1e400"}, "commission"),
        ({"status": "paid out"}, "status"),
        ({"status_changed_at": "later"}, "status_changed_at"),
        ({"conversion_id": ""}, "conversion_id"),
        ({"order_id": "a\u0000b"}, "order_id"),
        ({"form_ms": -1}, "form_ms"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(change: dict[str, Any], field: str, tracker: TestClient) -> None:
    found = problem(tracker.post("/v1/score/conversion", json=CONVERSION | change), 422, "invalid_input")
    assert [fault["field"] for fault in found["errors"]] == [field]


def test_unknown_is_never_zero(house: House, tracker: TestClient) -> None:
    empty = dict.fromkeys(("click_id", "amount", "commission", "currency", "status", "status_changed_at", "form_ms", "new_customer"), "")
    answer = tracker.post("/v1/score/conversion", json=CONVERSION | empty).json()
    house.writer.flush()
    kept = house.services.decisions.get("default", answer["decision_id"]).inputs["conversion"]
    assert {kept[name] for name in empty} == {None}
