"""What people decide over HTTP: kept with its reason, learned from, and never in place of what was there."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from fraud.domain.decisions import DecisionKind
from tests.api.conftest import House
from tests.api.problems import problem
from tests.storage.samples import alert, application, decision, dossier

SHOES = {"program_id": "shoes"}


def labels(house: House) -> list[tuple[Any, ...]]:
    with house.lake.connect("shoes") as events:
        return events.sql("select affiliate_id, label, reason, reviewer from labels order by all").fetchall()


def resolve(manager: TestClient, alert_id: str = "alr_1", **body: Any) -> Any:
    sent = {"disposition": "confirmed", "reason": "Their own phones."} | body
    return manager.post(f"/v1/alerts/{alert_id}/resolve", params=SHOES, json=sent)


@pytest.fixture
def opened(house: House) -> str:
    """An open alert of the program `shoes`; its id."""
    (kept,) = house.services.alerts.record([alert(program_id="shoes")])
    return kept.alert_id


def test_a_resolved_alert_leaves_the_list_and_becomes_a_label(house: House, manager: TestClient, opened: str) -> None:
    answer = resolve(manager, opened).json()
    assert (answer["state"], answer["review"]["disposition"]) == ("resolved", "confirmed")
    assert answer["review"]["reason_codes"] == [reason["code"] for reason in answer["reasons"]]
    assert manager.get("/v1/alerts", params=SHOES).json()["items"] == []
    assert labels(house) == [(answer["subject_id"], "bad", "Their own phones.", "review")]
    assert house.services.audit.entries("shoes", 1)[0]["action"] == "alert.resolved"


def test_a_correction_is_a_new_review_and_both_stand(house: House, manager: TestClient, opened: str) -> None:
    first = resolve(manager, opened).json()
    resolve(manager, opened, disposition="dismissed", reason="A family of six.")
    reviews = house.services.reviewing.reviews.recent("shoes", 10)
    assert [review.disposition.value for review in reviews] == ["dismissed", "confirmed"]
    assert [label for _, label, *_ in labels(house)] == ["bad", "good"]
    assert first["review"]["review_id"] == reviews[1].review_id


def test_an_unclear_review_teaches_nothing(house: House, manager: TestClient, opened: str) -> None:
    assert resolve(manager, opened, disposition="unclear", reason="Asked the affiliate.").status_code == 200
    assert labels(house) == []


def test_a_repeat_under_one_key_is_one_review(house: House, manager: TestClient, opened: str) -> None:
    manager.headers["Idempotency-Key"] = "k1"
    first = resolve(manager, opened).json()
    assert resolve(manager, opened).json()["review"] == first["review"]
    problem(resolve(manager, opened, reason="Another."), 409, "conflict")
    assert len(house.services.reviewing.reviews.recent("shoes", 10)) == 1


@pytest.mark.parametrize(
    ("alert_id", "body", "status", "code"),
    [
        ("alr_9", {}, 404, "not_found"),
        ("alr_1", {"reason": ""}, 422, "invalid_input"),
        ("alr_1", {"reason": "   "}, 422, "invalid_input"),
        ("alr_1", {"disposition": "guilty"}, 422, "invalid_input"),
    ],
)
def test_a_resolution_needs_an_alert_a_disposition_and_a_reason(
    alert_id: str, body: dict[str, str], status: int, code: str, manager: TestClient, opened: str
) -> None:
    problem(resolve(manager, alert_id if alert_id == "alr_9" else opened, **body), status, code)


@pytest.fixture
def vetted(house: House) -> str:
    """A vetted application of the program `shoes`; its id."""
    kept = decision("dec_9", kind=DecisionKind.VET, subject_id="app_1", program_id="shoes", signals=())
    house.services.applications.save(application(program_id="shoes"))
    house.services.decisions.add([kept])
    house.services.reviewing.applications.add_dossier(dossier(program_id="shoes", decision_id=kept.decision_id))
    return "app_1"


def test_a_persons_decision_stands_beside_the_dossier(house: House, manager: TestClient, vetted: str) -> None:
    sent = {"outcome": "reject", "reason": "A copy of a partner's site."}
    answer = manager.post(f"/v1/applications/{vetted}/decision", params=SHOES, json=sent).json()
    assert (answer["verdict"]["outcome"], answer["decided_by"] != "system") == ("reject", True)
    assert "a_person_decided" in answer["verdict"]["guards"]
    shown = manager.get(f"/v1/applications/{vetted}", params=SHOES).json()
    assert shown["decision"]["outcome"] == "reject"
    assert shown["decision"]["decision_id"] == answer["decision_id"] != shown["decision_id"]
    assert house.services.decisions.get("shoes", "dec_9").verdict.outcome != "reject", "what the evidence gave is still there"


@pytest.mark.parametrize("sent", [{"outcome": "review", "reason": "x"}, {"outcome": "reject", "reason": ""}, {"outcome": "reject"}])
def test_a_decision_needs_an_outcome_and_a_reason(sent: dict[str, str], manager: TestClient, vetted: str) -> None:
    problem(manager.post(f"/v1/applications/{vetted}/decision", params=SHOES, json=sent), 422, "invalid_input")


def test_an_application_that_was_never_vetted_is_not_decided(manager: TestClient) -> None:
    sent = {"outcome": "approve", "reason": "I know them."}
    problem(manager.post("/v1/applications/app_7/decision", params=SHOES, json=sent), 404, "not_found")


def test_a_trackers_feedback_is_kept_and_a_reviewers_is_learned_from(house: House, tracker: TestClient, manager: TestClient) -> None:
    sent = {"kind": "affiliate", "id": "aff-7", "verdict": "bad", "reason": "Charged back.", "program_id": "shoes"}
    assert tracker.post("/v1/feedback", json=sent).json()["disposition"] == "confirmed"
    assert labels(house) == []
    assert manager.post("/v1/feedback", json=sent | {"verdict": "good"}).status_code == 200
    assert [label for _, label, *_ in labels(house)] == ["good"]
    problem(tracker.post("/v1/feedback", json=sent | {"kind": "ring"}), 422, "invalid_input")


def test_trackers_decide_nothing(tracker: TestClient, opened: str, vetted: str) -> None:
    problem(resolve(tracker, opened), 403, "forbidden")
    sent = {"outcome": "approve", "reason": "x"}
    problem(tracker.post(f"/v1/applications/{vetted}/decision", params=SHOES, json=sent), 403, "forbidden")
