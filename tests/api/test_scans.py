"""Scans started over HTTP: queued once, looked up while they run and when they are done."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from fraud.api.problems import IdempotencyKeyReused
from fraud.api.scans import ScanAsked, ScanDesk
from tests.api.conftest import NOON, House
from tests.api.problems import problem
from tests.storage.samples import scan


def test_a_scan_is_queued_and_says_where_to_poll(manager: TestClient) -> None:
    response = manager.post("/v1/scans?", json={"days": 1, "budget": 5, "program_id": "shoes"})
    state = response.json()
    assert (response.status_code, state["state"]) == (202, "queued")
    assert response.headers["location"] == state["poll"]
    assert manager.get(state["poll"]).json() == {"scan_id": state["scan_id"], "state": "queued"}


def test_a_request_repeated_under_its_key_is_the_same_scan(manager: TestClient) -> None:
    key = {"Idempotency-Key": "night-1"}
    first = manager.post("/v1/scans", json={"days": 1}, headers=key).json()
    assert manager.post("/v1/scans", json={"days": 1}, headers=key).json()["scan_id"] == first["scan_id"]
    problem(manager.post("/v1/scans", json={"days": 2}, headers=key), 409, "idempotency_key_reused")
    assert manager.post("/v1/scans", json={"days": 1}).json()["scan_id"] != first["scan_id"]


def test_a_request_that_comes_many_times_at_once_is_one_scan(house: House) -> None:
    """Each came before any other was queued: nobody found an earlier one."""
    house.services.jobs.newest = lambda *asked: None  # type: ignore[method-assign]  # as it is for all who come at once
    actor = house.services.actors.keys()[0]
    desk = ScanDesk(house.services)
    states = [desk.start(ScanAsked(), "default", actor, "night-1") for _ in range(3)]
    assert len({state.scan_id for state in states}) == 1
    assert [entry["action"] for entry in house.services.audit.entries("default", 10)] == ["scan.started"]
    with pytest.raises(IdempotencyKeyReused):
        desk.start(ScanAsked(days=2), "default", actor, "night-1")


def test_a_finished_scan_is_found_by_its_job_and_by_its_own_id(house: House, manager: TestClient) -> None:
    state = manager.post("/v1/scans", content=b"").json()
    result = scan(program_id="default")
    house.services.scans.add(result)
    job = house.services.jobs.lease(["scan"], "worker", NOON, timedelta(minutes=1))
    assert job is not None
    house.services.jobs.finish(job.job_id, "worker", {"scan_id": result.scan_id}, NOON)
    for scan_id in (state["scan_id"], result.scan_id):
        found = manager.get(f"/v1/scans/{scan_id}").json()
        assert (found["scan_id"], found["state"]) == (result.scan_id, "done")
        assert all(alert["subject"] == alert["subject_id"] for alert in found["alerts"])


def test_a_job_of_another_kind_is_no_scan(manager: TestClient) -> None:
    application = {"application_id": "app-1", "name": "Ada", "websites": ["https://ada.example"]}
    manager.post("/v1/applications", json=application)
    problem(manager.get("/v1/scans/app-1"), 404, "not_found")


@pytest.mark.parametrize(
    "body",
    [
        {"days": 0},
        {"history_days": "many"},
        {"budget": -1},
        {"as_of": "yesterday"},
        {"as_of": "0001-01-01T00:00:00Z"},
        {"as_of": "0001-01-01T00:00:00+14:00"},
        {"as_of": "9999-12-31T23:59:59"},
    ],
)
def test_a_request_that_cannot_be_met_is_refused(body: dict[str, object], manager: TestClient) -> None:
    problem(manager.post("/v1/scans", json=body), 422, "invalid_input")


def test_trackers_start_no_scans(tracker: TestClient) -> None:
    problem(tracker.post("/v1/scans", json={}), 403, "forbidden")
