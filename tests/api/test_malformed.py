"""Bodies that nobody should send, to every route that takes one: a 4xx problem, never a failure of ours."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from fraud.api.main import openapi_document
from fraud.domain.actors import Role
from tests.api.conftest import House
from tests.api.known import known_things
from tests.api.problems import problem

EVENT = {
    "click_id": "c",
    "clicked_at": "2026-03-01T10:00:00Z",
    "conversion_id": "v",
    "converted_at": "2026-03-01T10:00:00Z",
    "affiliate_id": "a",
}
MALFORMED: dict[str, bytes] = {
    "half a body": b'{"click_id": "c',
    "no JSON": b"click_id=c&affiliate_id=a",
    "a text": b'"hello"',
    "a number": b"7",
    "wrong types": b'{"click_id": {"a": 1}, "affiliate_id": [7], "reason": 7, "websites": 7, "days": "many", "action": {}, "kind": 1}',
    "NaN": b'{"clicked_at": NaN, "converted_at": Infinity, "days": NaN, "reason": NaN}',
    "a huge number": b'{"click_id": "c", "affiliate_id": "a", "clicked_at": ' + b"9" * 5_000 + b', "days": ' + b"9" * 5_000 + b"}",
    "a huge exponent": b'{"click_id": "c", "affiliate_id": "a", "clicked_at": 1e999999, "converted_at": 1e999999, "days": 1e400}',
    "deep nesting": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "deep lists": b"[" * 20_000 + b"]" * 20_000,
    "bad UTF-8": b'{"click_id": "\xff\xfe\x80", "affiliate_id": "\xc3\x28", "reason": "\xed\xa0\x80"}',
    "half a surrogate": b'{"click_id": "\\ud800", "affiliate_id": "\\udfff", "reason": "\\ud800"}',
    "a byte order mark of UTF-16": b"\xff\xfe{\x00}\x00",
    "binary": bytes(range(256)),
}
MANY = re.compile(r"/v1/(score|events)/\w+s")


def posts(house: House) -> list[str]:
    """The paths of the routes that take a body, with names of what is there filled in."""
    document: dict[str, Any] = openapi_document(house.app)
    known = known_things(house)
    taking = [path for path, methods in document["paths"].items() if "requestBody" in methods.get("post", {})]
    return [re.sub(r"\{([^}]+)\}", lambda found: known[found[1]], path) for path in taking]


@pytest.mark.parametrize("name", MALFORMED)
def test_every_route_refuses_it_politely(name: str, house: House) -> None:
    client = house.client(Role.ADMIN)
    for path in posts(house):
        answer = client.post(path, content=MALFORMED[name])
        assert 400 <= answer.status_code < 500, (path, answer.text)
        problem(answer, answer.status_code, answer.json()["code"])


def test_ten_thousand_and_one_rows_are_too_many_to_be_scored(house: House) -> None:
    client = house.client(Role.ADMIN)
    for path in (path for path in posts(house) if MANY.fullmatch(path)):
        for body in (msgspec.json.encode([EVENT] * 10_001), b"\n".join([msgspec.json.encode(EVENT)] * 10_001)):
            problem(client.post(path, content=body), 413, "body_too_large")


def test_a_body_past_the_limit_is_not_read(house: House) -> None:
    client = house.client(Role.ADMIN)
    for path in posts(house):
        limit = house.services.batch_limit if MANY.fullmatch(path) else house.services.body_limit
        problem(client.post(path, content=b" " * (limit + 1)), 413, "body_too_large")


@pytest.mark.parametrize(
    ("encode", "why"),
    [
        (gzip.compress, "compressed"),
        (lambda body: b"\xef\xbb\xbf" + body, "byte order mark"),
        (lambda body: body.decode().encode("utf-16"), "byte order mark"),
        (lambda body: body.decode().encode("utf-32-le"), "plain UTF-8"),
        (lambda body: body + b"\0", "not valid JSON"),
        (lambda body: body * 2, "not valid JSON"),
    ],
)
def test_a_body_in_another_form_is_told_which_is_read(encode: Callable[[bytes], bytes], why: str, tracker: TestClient) -> None:
    answer = tracker.post("/v1/score/click", content=encode(msgspec.json.encode(EVENT)))
    assert why in problem(answer, 422, "invalid_input")["detail"]


def test_the_last_of_two_values_of_a_field_counts(tracker: TestClient) -> None:
    twice = msgspec.json.encode(EVENT)[:-1] + b',"click_id":"other"}'
    assert tracker.post("/v1/score/click", content=twice).json()["click_id"] == "other"
    assert tracker.post("/v1/score/clicks", content=b"[" + twice + b"]").json()[0]["click_id"] == "other"


def test_a_path_with_a_slash_too_many_is_no_route_and_leads_nowhere(tracker: TestClient) -> None:
    """A redirect would name the scheme that a proxy asked by, and a key would be sent again in the clear."""
    for path in ("/v1/score/click/", "/v1//score/click", "/v1/score/click/x"):
        problem(tracker.post(path, json=EVENT, follow_redirects=False), 404, "not_found")


@pytest.mark.parametrize("length", ["-1", "1e9", "many", "99999999999999999999"])
def test_an_announced_length_that_is_none_breaks_nothing(length: str, tracker: TestClient) -> None:
    answer = tracker.post("/v1/score/click", content=b"{}", headers={"Content-Length": length})
    problem(answer, answer.status_code, answer.json()["code"])
    assert answer.status_code in {413, 422}
