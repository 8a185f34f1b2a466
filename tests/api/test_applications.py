"""Applications over HTTP: taken in once, queued, followed to their dossier."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from fraud.api.main import create_api
from tests.api.conftest import House
from tests.api.problems import problem
from tests.storage.samples import application, dossier

APPLICATION = {"name": "Ada", "websites": ["https://blog.example.org"], "affiliate_type": "content"}


def queued(house: House) -> list[Any]:
    """Takes every job there is from the queue."""
    jobs = []
    while job := house.services.jobs.lease(["vet"], "test", datetime.now(UTC) + timedelta(seconds=1), timedelta(hours=1)):
        jobs.append(job)
    return jobs


def submit(manager: TestClient, key: str = "", **changes: Any) -> dict[str, Any]:
    response = manager.post("/v1/applications", json=APPLICATION | changes, headers={"Idempotency-Key": key} if key else {})
    assert response.status_code == 202, response.text
    body: dict[str, Any] = response.json()
    assert response.headers["location"] == body["poll"]
    return body


def test_an_application_is_kept_queued_and_logged(house: House, manager: TestClient) -> None:
    state = submit(manager)
    (job,) = queued(house)
    assert job.payload == {"application_id": state["application_id"]}
    assert house.services.applications.get("default", state["application_id"]).websites == ("https://blog.example.org",)
    assert [entry["action"] for entry in house.services.audit.entries("default", 10)] == ["application.submitted"]


def test_its_state_is_followed_to_the_dossier(house: House, manager: TestClient) -> None:
    state = submit(manager, program_id="shoes")
    assert manager.get(state["poll"]).json()["state"] == "queued"
    (job,) = queued(house)
    assert manager.get(state["poll"]).json()["state"] == "running"
    house.services.applications.add_dossier(dossier(state["application_id"], program_id="shoes"))
    house.services.jobs.finish(job.job_id, "test", {}, datetime.now(UTC))
    done = manager.get(state["poll"]).json()
    assert (done["state"], done["application_id"], done["outcome"]) == ("done", state["application_id"], dossier().outcome)


def test_a_vetting_that_failed_says_so(house: House, manager: TestClient) -> None:
    state = submit(manager)
    (job,) = queued(house)
    house.services.jobs.fail(job.job_id, "test", "The disk is full.", datetime.now(UTC), retry=False)
    assert manager.get(state["poll"]).json() == {"application_id": state["application_id"], "state": "failed", "error": "The disk is full."}


def test_a_repeat_under_the_same_key_changes_nothing(house: House, manager: TestClient) -> None:
    assert submit(manager, "k1") == submit(manager, "k1")
    assert submit(manager, "k2")["application_id"] != submit(manager, "k1")["application_id"]
    assert len(queued(house)) == 2


def test_a_repeat_after_the_vetting_starts_no_second_one(house: House, manager: TestClient) -> None:
    state = submit(manager, "k1", application_id="mine")
    queued(house)
    house.services.applications.add_dossier(dossier("mine", program_id="default"))
    assert submit(manager, "k1", application_id="mine") == state
    assert queued(house) == []


def test_a_key_that_comes_with_another_application_is_refused(house: House, manager: TestClient) -> None:
    submit(manager, "k1")
    response = manager.post("/v1/applications", json=APPLICATION | {"name": "Bob"}, headers={"Idempotency-Key": "k1"})
    problem(response, 409, "idempotency_key_reused")
    assert len(queued(house)) == 1


@pytest.mark.parametrize("second", ["app-1", "app-2", ""])
def test_a_key_holds_for_an_application_that_names_its_own_id_too(house: House, manager: TestClient, second: str) -> None:
    submit(manager, "k1", application_id="app-1")
    other = APPLICATION | {"name": "Bob"} | ({"application_id": second} if second else {})
    problem(manager.post("/v1/applications", json=other, headers={"Idempotency-Key": "k1"}), 409, "idempotency_key_reused")
    assert house.services.applications.get("default", "app-1").name == "Ada"
    assert len(queued(house)) == 1


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k2"}])
def test_an_id_that_is_taken_is_never_written_over(house: House, manager: TestClient, headers: dict[str, str]) -> None:
    state = submit(manager, "k1", application_id="app-1")
    other = manager.post("/v1/applications", json=APPLICATION | {"application_id": "app-1", "name": "Bob"}, headers=headers)
    assert "app-1" in problem(other, 409, "conflict")["detail"]
    assert house.services.applications.get("default", "app-1").name == "Ada"
    assert submit(manager, "k3", application_id="app-1") == state == submit(manager, application_id="app-1")
    assert len(queued(house)) == 1


def test_the_same_key_of_another_program_is_another_key(manager: TestClient) -> None:
    submit(manager, "k1")
    submit(manager, "k1", name="Bob", program_id="shoes")


def test_after_a_restart_the_queue_still_says_how_far_a_vetting_is(house: House, manager: TestClient) -> None:
    state = submit(manager, "k1")
    (job,) = queued(house)
    house.services.jobs.fail(job.job_id, "test", "The disk is full.", datetime.now(UTC), retry=False)
    restarted = TestClient(create_api(house.services), headers=manager.headers)
    assert restarted.get(state["poll"]).json()["state"] == "failed"
    assert submit(restarted, "k1") == state
    problem(
        restarted.post("/v1/applications", json=APPLICATION | {"name": "Bob"}, headers={"Idempotency-Key": "k1"}),
        409,
        "idempotency_key_reused",
    )


def test_a_vetting_that_failed_is_tried_again_on_a_new_request_only(house: House, manager: TestClient) -> None:
    submit(manager, "k1", application_id="app-1")
    (job,) = queued(house)
    house.services.jobs.fail(job.job_id, "test", "The disk is full.", datetime.now(UTC), retry=False)
    submit(manager, "k1", application_id="app-1")
    assert queued(house) == []
    submit(manager, "k2", application_id="app-1")
    assert len(queued(house)) == 1


def test_an_application_whose_vetting_was_never_queued_is_queued_when_it_comes_again(house: House, manager: TestClient) -> None:
    house.services.applications.save(application("app-1", program_id="default", name="Ada"))
    assert manager.get("/v1/applications/app-1").json()["state"] == "failed"
    submit(manager, application_id="app-1", websites=["https://example.com/"], affiliate_type="")
    assert manager.get("/v1/applications/app-1").json()["state"] == "queued"


def test_without_a_key_every_request_is_an_application(house: House, manager: TestClient) -> None:
    assert submit(manager)["application_id"] != submit(manager)["application_id"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"websites": []}, "websites"),
        ({"websites": "https://blog.example.org"}, "websites"),
        ({"websites": [1]}, "websites[0]"),
        ({"backlinks_file": "/etc/passwd"}, "backlinks_file"),
        ({"reviews_file": "/etc/passwd"}, "reviews_file"),
        ({"profiles_file": "/etc/passwd"}, "profiles_file"),
        ({"application_id": "../../x"}, "application_id"),
        ({"nonsense": 1}, "nonsense"),
        ({"claimed_monthly_visits": "many"}, "claimed_monthly_visits"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], field: str, house: House, manager: TestClient) -> None:
    body = problem(manager.post("/v1/applications", json=APPLICATION | change), 422, "invalid_input")
    assert body["errors"][0]["field"] == field
    assert queued(house) == []


def test_an_address_that_is_none_is_refused(house: House, manager: TestClient) -> None:
    problem(manager.post("/v1/applications", json=APPLICATION | {"websites": ["not a site"]}), 422, "invalid_profile")
    assert queued(house) == []


def test_a_key_of_any_length_is_not_remembered(manager: TestClient) -> None:
    problem(manager.post("/v1/applications", json=APPLICATION, headers={"Idempotency-Key": "k" * 256}), 422, "invalid_input")


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"[" * 5_000, b'{"websites":' + b"[" * 5_000])
def test_hostile_bodies_are_refused_politely(body: bytes, manager: TestClient) -> None:
    problem(manager.post("/v1/applications", content=body), 422, "invalid_input")


def test_an_application_that_is_not_there_is_not_found(manager: TestClient) -> None:
    problem(manager.get("/v1/applications/nobody"), 404, "not_found")
