"""How often a key may ask: headers say how it stands, and past the limit the answer is 429."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from fraud.api.main import create_api
from fraud.api.security import KeyLimits, limits_by_role
from fraud.domain.actors import Role
from fraud.domain.clock import FixedClock
from fraud.storage.limits import TokenBuckets
from tests.api.conftest import KEYS, NOON, House
from tests.api.problems import problem

CLICK = {"click_id": "c1", "clicked_at": "2026-03-01T10:00:00Z", "affiliate_id": "aff"}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


def client_of(house: House, clock: FixedClock, role: Role) -> TestClient:
    """One request a second for trackers, two for people, ten seconds' worth at once."""
    limits = KeyLimits(TokenBuckets(clock), limits_by_role(1, 2))
    return TestClient(create_api(replace(house.services, clock=clock, limits=limits)), headers={"X-API-Key": KEYS[role]})


def test_answers_say_how_the_key_stands(house: House, clock: FixedClock) -> None:
    headers = client_of(house, clock, Role.REVIEW).get("/v1/alerts").headers
    assert (headers["ratelimit-policy"], headers["ratelimit"]) == ('"key";q=20;w=10', '"key";r=19;t=0')


def test_past_the_limit_it_is_429_until_it_has_waited(house: House, clock: FixedClock) -> None:
    client = client_of(house, clock, Role.REVIEW)
    assert {client.get("/v1/alerts").status_code for _ in range(20)} == {200}
    refused = client.get("/v1/alerts")
    problem(refused, 429, "too_many_requests")
    assert (refused.headers["retry-after"], refused.headers["ratelimit"]) == ("1", '"key";r=0;t=1')
    clock.move_to(NOON + timedelta(seconds=1))
    assert client.get("/v1/alerts").status_code == 200


def test_clicks_that_are_answered_without_the_framework_say_how_the_key_stands_too(house: House, clock: FixedClock) -> None:
    client = client_of(house, clock, Role.SCORE)
    stands = [client.post("/v1/score/click", json=CLICK | {"click_id": f"c{number}"}).headers["ratelimit"] for number in range(3)]
    assert stands == ['"key";r=9;t=0', '"key";r=8;t=0', '"key";r=7;t=0']


def test_single_clicks_count_too_however_they_are_answered(house: House, clock: FixedClock) -> None:
    client = client_of(house, clock, Role.SCORE)
    statuses = [client.post("/v1/score/click", json=CLICK | {"click_id": f"c{number}"}).status_code for number in range(14)]
    assert statuses.count(200) in {9, 10}  # the first, which looks the key up, or one that falls back, may cost two
    assert statuses[-3:] == [429] * 3


def test_one_key_never_waits_for_another(house: House, clock: FixedClock) -> None:
    client = client_of(house, clock, Role.REVIEW)
    while client.get("/v1/alerts").status_code == 200:
        pass
    assert client.get("/v1/alerts", headers={"X-API-Key": KEYS[Role.ADMIN]}).status_code == 200


def test_without_limits_nothing_is_counted(manager: TestClient) -> None:
    assert "ratelimit" not in manager.get("/v1/alerts").headers
    assert limits_by_role(0, 0) == {}
