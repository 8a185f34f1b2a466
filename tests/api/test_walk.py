"""Every route of the document with every role: who may not enter gets a problem and nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from fraud.api.main import openapi_document
from fraud.domain.actors import Role
from tests.api.conftest import NOON, House
from tests.api.problems import problem

OPEN = {("get", "/healthz"), ("get", "/readyz"), ("get", "/tag.js"), ("post", "/v1/tag/{tag_id}")}
"""What answers without a key (CONTRACT 4); pages are no part of the document."""

FOR_TRACKERS = re.compile(r"/v1/(score/.*|postback|events/.*|feedback)|/metrics")
"""What a tracker's key opens (the figures of the process name nobody); everything else needs a manager's."""


def routes(house: House) -> list[tuple[str, str]]:
    document: dict[str, Any] = openapi_document(house.app)
    return [(method, path) for path, methods in document["paths"].items() for method in methods]


def ask(client: TestClient, method: str, path: str, headers: dict[str, str] | None = None) -> Any:
    filled = re.sub(r"\{[^}]+\}", "nobody", path)
    return client.request(method, filled, headers=headers, **({"json": {}} if method == "post" else {}))


def test_nothing_but_what_is_open_answers_without_a_key_or_with_a_made_up_one(house: House) -> None:
    client = house.client()
    for method, path in routes(house):
        tries: tuple[dict[str, str], ...] = ({}, {"X-API-Key": "made-up"}, {"Authorization": "Bearer "})
        for headers in tries:
            answer = ask(client, method, path, headers)
            if (method, path) in OPEN:
                assert answer.status_code != 401
            else:
                problem(answer, 401, "unauthorised")


def test_a_trackers_key_opens_what_trackers_call_and_nothing_else(house: House) -> None:
    client = house.client(Role.SCORE)
    for method, path in routes(house):
        answer = ask(client, method, path)
        if (method, path) in OPEN or FOR_TRACKERS.fullmatch(path):
            assert answer.status_code not in {401, 403}, path
        else:
            problem(answer, 403, "forbidden")


@pytest.mark.parametrize("role", list(Role))
def test_no_route_breaks_whatever_the_role(house: House, role: Role) -> None:
    client = house.client(role)
    assert [(method, path) for method, path in routes(house) if ask(client, method, path).status_code >= 500] == []


def test_a_key_of_one_program_reads_nothing_of_another(house: House) -> None:
    """The other program's things are named by their true ids, and the program by the query where a route takes it."""
    stranger = house.services.actors.accept_key("key-of-a-stranger-to-all", "stranger", Role.ADMIN, ("elsewhere",), NOON)
    click = {"click_id": "c1", "clicked_at": "2026-03-01T10:00:00Z", "affiliate_id": "aff"}
    made = house.client(Role.SCORE).post("/v1/score/click", json=click).json()
    house.writer.flush()
    client = house.client()
    client.headers["X-API-Key"] = "key-of-a-stranger-to-all"
    assert stranger.programs == ("elsewhere",)
    for method, path in routes(house):
        if method != "get" or (method, path) in OPEN or path == "/metrics":
            continue
        filled = re.sub(r"\{[^}]+\}", made["decision_id"], path)
        for program in ("default", ""):
            answer = client.get(
                filled, params={"program_id": program} if program else {}, headers={"X-API-Key": "key-of-a-stranger-to-all"}
            )
            assert '"aff"' not in answer.text, path
            if program:
                assert answer.status_code in {403, 404, 422}, (path, answer.text)
