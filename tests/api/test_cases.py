"""Cases over HTTP: taken, decided by two, contested, each step in the timeline."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from fraud.domain.actors import Role
from tests.api.conftest import NOON, House
from tests.api.problems import problem
from tests.storage.samples import alert

SHOES = {"program_id": "shoes"}


@pytest.fixture
def second(house: House) -> TestClient:
    """A second manager."""
    house.services.actors.accept_key("key-of-the-second", "second", Role.REVIEW, ("shoes",), NOON)
    client = house.client(Role.REVIEW)
    client.headers["Authorization"] = "Bearer key-of-the-second"
    return client


@pytest.fixture
def taken(house: House, manager: TestClient) -> str:
    """A case in the first manager's hands; its id."""
    house.services.alerts.record([alert(program_id="shoes")])
    case_id: str = manager.post("/v1/cases/next", params=SHOES).json()["case_id"]
    return case_id


def do(client: TestClient, case_id: str, action: str, **given: Any) -> Any:
    return client.post(f"/v1/cases/{case_id}/steps", params=SHOES, json={"action": action, "reason": "Looked."} | given)


def test_the_next_case_comes_with_its_alert_and_only_once(taken: str, manager: TestClient, second: TestClient) -> None:
    assert second.post("/v1/cases/next", params=SHOES).status_code == 204
    shown = manager.get(f"/v1/cases/{taken}", params=SHOES).json()
    assert (shown["state"], shown["alert"]["subject_id"], len(shown["timeline"])) == ("taken", "aff_1", 1)


def test_a_suspension_takes_a_second_person(taken: str, manager: TestClient, second: TestClient) -> None:
    assert do(manager, taken, "propose_suspension").json()["state"] == "proposed"
    refused = problem(do(manager, taken, "confirm_suspension"), 409, "conflict")
    assert "second person" in refused["detail"]
    assert do(second, taken, "confirm_suspension").json()["suspended"] is True
    assert manager.get("/v1/alerts", params=SHOES).json()["items"] == []


def test_what_is_not_possible_names_what_is(taken: str, manager: TestClient) -> None:
    found = problem(do(manager, taken, "appeal"), 409, "conflict")
    assert "possible now: take, release, note, ask, decide, propose_suspension" in found["detail"]
    problem(do(manager, taken, "decide"), 422, "invalid_input")
    problem(do(manager, taken, "decide", disposition="dismissed", reason=" "), 422, "invalid_input")
    problem(do(manager, taken, "shrug"), 422, "invalid_input")


def test_a_decision_may_be_contested_and_goes_to_somebody_else(taken: str, manager: TestClient, second: TestClient) -> None:
    assert do(manager, taken, "decide", disposition="confirmed").json()["disposition"] == "confirmed"
    assert do(manager, taken, "appeal").json()["state"] == "appealed"
    assert manager.post("/v1/cases/next", params=SHOES).status_code == 204
    assert second.post("/v1/cases/next", params=SHOES).json()["case_id"] == taken


def test_cases_are_for_reviewers_of_the_program(taken: str, tracker: TestClient, manager: TestClient) -> None:
    problem(tracker.post("/v1/cases/next", params=SHOES), 403, "forbidden")
    problem(manager.get(f"/v1/cases/{taken}", params={"program_id": "default"}), 404, "not_found")
