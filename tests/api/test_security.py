"""Who may do what, where: keys, roles, programs, and what answers without a key."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.requests import Request

from fraud.api.security import Gate
from fraud.domain.actors import Actor, Role
from fraud.domain.clock import FixedClock
from fraud.errors import Unauthorised
from fraud.storage.actors import SqlActors
from tests.api.conftest import KEYS, House
from tests.api.problems import problem

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLICK = {"click_id": "c1", "clicked_at": 1772359200, "affiliate_id": "aff"}
GUARDED = [
    ("POST", "/v1/score/click"),
    ("POST", "/v1/score/clicks"),
    ("POST", "/v1/applications"),
    ("GET", "/v1/applications/a"),
    ("GET", "/v1/affiliates/a"),
    ("GET", "/v1/alerts"),
    ("GET", "/v1/scans/a"),
    ("GET", "/v1/decisions/a"),
    ("GET", "/v1/decisions/a/evidence"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
]


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_without_a_key_nothing_is_told(method: str, path: str, house: House) -> None:
    response = house.client().request(method, path)
    problem(response, 401, "unauthorised")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_an_unknown_key_is_no_key(method: str, path: str, house: House) -> None:
    problem(house.client().request(method, path, headers={"X-API-Key": "guess"}), 401, "unauthorised")


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer "}, {"Authorization": "Basic key-of-the-admin"}, {"X-API-Key": " "}])
def test_an_empty_key_is_no_key(headers: dict[str, str], house: House) -> None:
    problem(house.client().get("/v1/alerts", headers=headers), 401, "unauthorised")


def test_both_headers_carry_a_key(house: House) -> None:
    client = house.client()
    assert client.get("/v1/alerts", headers={"X-API-Key": "key-of-the-manager"}).status_code == 200
    assert client.get("/v1/alerts", headers={"Authorization": "bearer key-of-the-manager"}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("X-API-Key", "Bearer key-of-the-tracker")], 401),
        ([("X-API-Key", "key-of-the-tracker"), ("Authorization", "Bearer guess")], 401),
        ([("X-API-Key", "guess"), ("Authorization", "Bearer key-of-the-tracker")], 200),
        ([("X-API-Key", "key-of-the-tracker"), ("Authorization", "Basic guess")], 200),
        ([("X-API-Key", " key-of-the-tracker ")], 200),
    ],
)
def test_a_key_that_was_just_used_is_read_as_every_key(house: House, headers: list[tuple[str, str]], status: int) -> None:
    client = house.client()
    assert client.post("/v1/score/click", json=CLICK, headers={"X-API-Key": KEYS[Role.SCORE]}).status_code == 200
    assert client.post("/v1/score/click", json=CLICK | {"click_id": "again"}, headers=headers).status_code == status


@pytest.mark.parametrize(("method", "path"), [pair for pair in GUARDED[2:] if pair[1].startswith("/v1")])
def test_a_tracker_cannot_do_a_managers_work(method: str, path: str, tracker: TestClient) -> None:
    problem(tracker.request(method, path), 403, "forbidden")


def test_a_higher_role_includes_the_lower_ones(house: House) -> None:
    assert house.client(Role.ADMIN).post("/v1/score/click", json=CLICK).status_code == 200
    assert house.client(Role.ADMIN).get("/v1/alerts").status_code == 200


def test_a_key_stays_in_its_programs(house: House, tracker: TestClient, manager: TestClient) -> None:
    problem(tracker.post("/v1/score/click", json=CLICK | {"program_id": "foreign"}), 403, "forbidden")
    problem(tracker.post("/v1/score/clicks", json=[CLICK, CLICK | {"program_id": "foreign"}]), 403, "forbidden")
    problem(manager.get("/v1/alerts?program_id=foreign"), 403, "forbidden")
    problem(manager.post("/v1/applications", json={"websites": ["https://a.example"], "program_id": "foreign"}), 403, "forbidden")


def test_a_decision_of_one_program_is_not_found_in_another(house: House, tracker: TestClient, manager: TestClient) -> None:
    decision_id = tracker.post("/v1/score/click", json=CLICK | {"program_id": "shoes"}).json()["decision_id"]
    house.writer.flush()
    assert manager.get(f"/v1/decisions/{decision_id}?program_id=shoes").status_code == 200
    problem(manager.get(f"/v1/decisions/{decision_id}"), 404, "not_found")


def test_the_same_click_id_in_two_programs_is_two_clicks(tracker: TestClient) -> None:
    answers = [tracker.post("/v1/score/click", json=CLICK | {"program_id": program}).json() for program in ("shoes", "default")]
    assert answers[0]["decision_id"] != answers[1]["decision_id"]


def test_a_key_of_one_program_need_not_name_it(house: House) -> None:
    house.services.actors.accept_key("key-of-hats", "hats", Role.REVIEW, ("hats",), datetime(2026, 3, 1, tzinfo=UTC))
    headers = {"X-API-Key": "key-of-hats"}
    decision_id = house.client().post("/v1/score/click", json=CLICK, headers=headers).json()["decision_id"]
    house.writer.flush()
    assert house.services.decisions.get("hats", decision_id).program_id == "hats"


@pytest.mark.parametrize("step", [timedelta(seconds=11), timedelta(hours=-3)])
def test_a_revoked_key_opens_for_ten_seconds_at_most_also_where_the_clock_was_put_back(house: House, step: timedelta) -> None:
    clock, now = FixedClock(NOON), NOON
    actors, actor, secret = a_tracker(house)
    gate = Gate(actors, clock)
    request = Request({"type": "http", "headers": [(b"x-api-key", secret.encode())]})
    assert gate.require(request, Role.SCORE).role is Role.SCORE
    actors.revoke(actor.actor_id, now)
    clock.move_to(now + step)
    with pytest.raises(Unauthorised):
        gate.require(request, Role.SCORE)


class Slow:
    """Keys that are looked up only when the test lets them be."""

    def __init__(self, actors: SqlActors) -> None:
        self._actors = actors
        self.may, self.asked = threading.Event(), 0
        self.may.set()

    def authenticate(self, secret: str) -> Actor | None:
        self.asked += 1
        assert self.may.wait(30)
        return self._actors.authenticate(secret)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._actors, name)


def a_tracker(house: House) -> tuple[SqlActors, Actor, str]:
    stored = house.services.actors
    assert isinstance(stored, SqlActors)
    return stored, *stored.create_key("a tracker", Role.SCORE, ("default",), NOON)


def settled(gate: Gate) -> None:
    gate._renewals.submit(lambda: None).result(30)


def test_a_key_in_use_is_looked_up_beside_the_requests_and_once(house: House) -> None:
    clock, now = FixedClock(NOON), NOON
    stored, actor, secret = a_tracker(house)
    actors = Slow(stored)
    gate = Gate(actors, clock)
    gate.require(Request({"type": "http", "headers": [(b"x-api-key", secret.encode())]}), Role.SCORE)
    actors.may.clear()
    clock.move_to(now + timedelta(seconds=6))
    for _ in range(3):
        assert gate.known(secret.encode(), Role.SCORE) == (actor, ()), "nobody waits for the store of keys"
    actors.may.set()
    settled(gate)
    assert actors.asked == 2
    clock.move_to(now + timedelta(seconds=12))
    assert gate.known(secret.encode(), Role.SCORE) == (actor, ()), "found good six seconds ago"
    settled(gate)
    stored.revoke(actor.actor_id, now)
    clock.move_to(now + timedelta(seconds=18))
    assert gate.known(secret.encode(), Role.SCORE) is not None
    settled(gate)
    assert gate.known(secret.encode(), Role.SCORE) is None, "the look that was taken beside found it revoked"


def test_requests_that_wait_for_the_same_old_key_share_one_look(house: House) -> None:
    clock, now = FixedClock(NOON), NOON
    stored, _, secret = a_tracker(house)
    actors = Slow(stored)
    gate, key = Gate(actors, clock), secret.encode()

    async def asked() -> list[bool]:
        actors.may.clear()
        requests = [asyncio.ensure_future(gate.renewed(key)) for _ in range(20)]
        await asyncio.sleep(0)
        requests[3].cancel()  # whoever waits no longer takes the look from nobody
        actors.may.set()
        return [await request for request in requests if request is not requests[3]]

    assert asyncio.run(asked()) == [False] * 19, "a key that was never seen is the route's to look up"
    gate.require(Request({"type": "http", "headers": [(b"x-api-key", key)]}), Role.SCORE)
    assert asyncio.run(asked()) == [False] * 19, "it was looked up just now"
    clock.move_to(now + timedelta(minutes=1))
    assert gate.known(key, Role.SCORE) is None
    assert asyncio.run(asked()) == [True] * 19
    assert actors.asked == 2
    assert gate.known(key, Role.SCORE) is not None
