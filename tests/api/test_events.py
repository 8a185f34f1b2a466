"""Events that are kept without being scored."""

from __future__ import annotations

import json

import pytest
from fastapi.testclient import TestClient

from tests.api.problems import problem

CLICKS = [{"click_id": f"c{number}", "clicked_at": "2026-03-01T10:00:00Z", "affiliate_id": "aff"} for number in range(3)]


def test_clicks_are_kept_once(tracker: TestClient) -> None:
    first = tracker.post("/v1/events/clicks", json=CLICKS).json()
    assert first == {"rows": 3, "kept": 3, "duplicates": 0, "rejected": 0, "rejects": []}
    again = tracker.post("/v1/events/clicks", content="\n".join(map(json.dumps, CLICKS))).json()
    assert (again["kept"], again["duplicates"]) == (0, 3)


def test_rows_that_cannot_be_read_are_named_and_the_others_kept(tracker: TestClient) -> None:
    answer = tracker.post("/v1/events/clicks", json=[*CLICKS, {"click_id": "c9", "clicked_at": "soon", "affiliate_id": "aff"}]).json()
    assert (answer["rows"], answer["kept"], answer["rejected"]) == (4, 3, 1)
    assert "clicked_at" in answer["rejects"][0]["message"]


def test_conversions_are_kept(tracker: TestClient) -> None:
    sent = [{"conversion_id": "v1", "converted_at": "2026-03-01T10:00:00Z", "affiliate_id": "aff", "amount": "9.90"}]
    assert tracker.post("/v1/events/conversions", json=sent).json()["kept"] == 1


def test_rows_of_another_program_are_set_aside(tracker: TestClient) -> None:
    mixed = [CLICKS[0], CLICKS[1] | {"program_id": "theirs"}]
    assert tracker.post("/v1/events/clicks?program_id=default", json=mixed).json()["rejected"] == 1


@pytest.mark.parametrize("body", [b"", b"  ", b"[]", b"{", b"no json at all", b'[{"click_id": "c"}]', b"\xff\xfe\x00"])
def test_a_body_without_a_usable_row_says_what_is_wrong_and_names_no_file(body: bytes, tracker: TestClient) -> None:
    found = problem(tracker.post("/v1/events/clicks", content=body), 422, "invalid_input")
    assert "/tmp" not in found["detail"]


def test_a_reviewer_may_and_a_stranger_may_not(manager: TestClient) -> None:
    assert manager.post("/v1/events/clicks?program_id=default", json=CLICKS).status_code == 200
    problem(manager.post("/v1/events/clicks?program_id=theirs", json=CLICKS), 403, "forbidden")
