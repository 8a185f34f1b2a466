"""A key in shadow hears `allow`, and beside it what a live one would have heard; what is recorded is the verdict."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from fraud.api.security import Gate
from fraud.domain.actors import Actor, ActorKind, Role
from fraud.domain.clock import FixedClock
from fraud.domain.decisions import DecisionKind, Outcome
from fraud.domain.ports import ActorStore
from fraud.errors import StorageError, Unauthorised
from fraud.storage.actors import SqlActors
from tests.api.conftest import NOON, House

ROBOT: dict[str, Any] = {"clicked_at": 1772359200, "affiliate_id": "aff", "user_agent": "curl/8.5.0"}


@pytest.fixture
def shadowed(house: House) -> TestClient:
    """A client whose key is in shadow."""
    actors = SqlActors(house.database)
    actor, secret = actors.create_key("on trial", Role.SCORE, ["default"], NOON)
    actors.set_shadow(actor.actor_id, True)
    client = house.client()
    client.headers["Authorization"] = f"Bearer {secret}"
    return client


def test_what_would_be_blocked_is_allowed_and_said(house: House, shadowed: TestClient) -> None:
    for name in ("first", "second"):  # the first finds its key by the route, the second is answered in front of it
        answer = shadowed.post("/v1/score/click", json=ROBOT | {"click_id": name}).json()
        assert (answer["decision"], answer["live"]) == ("allow", "block")
        assert answer["reasons"][0]["code"] == "device.declared_bot"
    batch = shadowed.post("/v1/score/clicks", json=[ROBOT | {"click_id": "third"}]).json()
    assert [(one["decision"], one["live"]) for one in batch] == [("allow", "block")]
    house.writer.flush()
    recorded = house.services.decisions.latest("default", DecisionKind.SCORE, "second")
    assert recorded is not None
    assert recorded.verdict.outcome is Outcome.BLOCK


def test_a_live_key_hears_the_verdict_on_the_same_click(shadowed: TestClient, tracker: TestClient) -> None:
    shadowed.post("/v1/score/click", json=ROBOT | {"click_id": "c"})
    answer = tracker.post("/v1/score/click", json=ROBOT | {"click_id": "c"}).json()
    assert (answer["decision"], "live" in answer) == ("block", False)


def test_conversions_and_postbacks_too(shadowed: TestClient) -> None:
    sent = {"conversion_id": "v", "converted_at": 1772359200, "affiliate_id": "aff", "user_agent": "curl/8"}
    answer = shadowed.post("/v1/score/conversion", json=sent).json()
    assert (answer["decision"], "live" in answer) == ("allow", True)
    assert shadowed.get("/v1/postback", params={"click_id": "p", "affiliate_id": "aff", "user_agent": "curl/8", "fmt": "text"}).text == "1"


class Absent:
    """A store of keys that answers only while it is there."""

    def __init__(self) -> None:
        self.there, self.live = True, True
        self.actor = Actor(kind=ActorKind.KEY, actor_id="k", name="k", role=Role.SCORE)

    def authenticate(self, secret: str) -> Actor | None:
        if not self.there:
            raise StorageError("away")
        return self.actor if self.live else None

    def used(self, secret: str) -> None:
        """Nothing is noted."""


def test_a_good_key_opens_for_an_hour_while_the_store_is_away_and_no_other_does() -> None:
    clock, store = FixedClock(NOON), Absent()
    gate = Gate(cast(ActorStore, store), clock)
    assert gate.require(request_with("good"), Role.SCORE) == store.actor
    store.there = False
    for minutes in (1, 59):
        clock.move_to(NOON + timedelta(minutes=minutes))
        assert gate.require(request_with("good"), Role.SCORE) == store.actor
        with pytest.raises(StorageError):
            gate.require(request_with("other"), Role.SCORE)
    clock.move_to(NOON + timedelta(minutes=61))
    with pytest.raises(StorageError):
        gate.require(request_with("good"), Role.SCORE)
    store.there, store.live = True, False
    with pytest.raises(Unauthorised):
        gate.require(request_with("good"), Role.SCORE)


def request_with(secret: str) -> Request:
    """A request with a key."""
    return Request({"type": "http", "headers": [(b"x-api-key", secret.encode())]})
