"""Reading affiliates, alerts, scans and decisions."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.conftest import House
from tests.api.problems import problem
from tests.storage.samples import alert, decision, scan


def test_an_affiliate_as_the_newest_scan_saw_it(house: House, manager: TestClient) -> None:
    problem(manager.get("/v1/affiliates/aff_1?program_id=shoes"), 404, "not_found")
    house.services.scans.add(scan())
    found = manager.get("/v1/affiliates/aff_1?program_id=shoes").json()
    assert (found["affiliate_id"], found["score"], found["scan_id"], found["as_of"]) == ("aff_1", 0.75, "scn_1", "2026-03-01T12:00:00Z")
    assert found["sub_ids"][0]["sub_id"] == "s1"
    assert found["rings"][0]["ring_id"] == "rng_1"
    problem(manager.get("/v1/affiliates/nobody?program_id=shoes"), 404, "not_found")
    problem(manager.get("/v1/affiliates/aff_1"), 404, "not_found")


def test_an_affiliate_id_may_hold_a_slash(house: House, manager: TestClient) -> None:
    house.services.scans.add(scan())
    body = problem(manager.get("/v1/affiliates/a%2Fb?program_id=shoes"), 404, "not_found")
    assert "'a/b'" in body["detail"]


def test_a_scan_with_its_state(house: House, manager: TestClient) -> None:
    house.services.scans.add(scan())
    found = manager.get("/v1/scans/scn_1?program_id=shoes").json()
    assert (found["scan_id"], found["state"], found["window"]["to"]) == ("scn_1", "done", "2026-03-01T12:00:00Z")
    problem(manager.get("/v1/scans/scn_2?program_id=shoes"), 404, "not_found")


def test_a_decision_and_its_evidence(house: House, manager: TestClient) -> None:
    house.services.decisions.add([decision(evidence_manifest=("ab" * 32, "cd" * 32))])
    assert manager.get("/v1/decisions/dec_1?program_id=shoes").json()["inputs"]["features"]["clicks"] == 480
    evidence = manager.get("/v1/decisions/dec_1/evidence?program_id=shoes").json()
    assert evidence == {"items": ["ab" * 32, "cd" * 32], "next_cursor": None}


def pages(manager: TestClient, limit: int) -> list[list[dict[str, Any]]]:
    """Every page of the alerts."""
    found = []
    cursor: str | None = ""
    while cursor is not None:
        page = manager.get("/v1/alerts", params={"program_id": "shoes", "limit": limit} | ({"cursor": cursor} if cursor else {})).json()
        found.append(page["items"])
        cursor = page["next_cursor"]
    return found


@pytest.mark.parametrize(("limit", "sizes"), [(2, [2, 2, 1]), (5, [5]), (500, [5])])
def test_alerts_come_in_pages_largest_loss_first(limit: int, sizes: list[int], house: House, manager: TestClient) -> None:
    losses = {"alr_1": 5.0, "alr_2": 50.0, "alr_3": 5.0, "alr_4": 0.0, "alr_5": 7.25}
    house.services.alerts.record([alert(alert_id, expected_loss=loss) for alert_id, loss in losses.items()])
    found = pages(manager, limit)
    assert [len(page) for page in found] == sizes
    assert [item["alert_id"] for page in found for item in page] == ["alr_2", "alr_5", "alr_1", "alr_3", "alr_4"]


def test_no_alerts_are_an_empty_page(manager: TestClient) -> None:
    assert manager.get("/v1/alerts").json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "cursor=x", "cursor=%00", "cursor=W10", "cursor=ünï"])
def test_a_wrong_query_names_its_field(query: str, manager: TestClient) -> None:
    body = problem(manager.get(f"/v1/alerts?{query}"), 422, "invalid_input")
    assert body["errors"][0]["field"] == query.split("=", 1)[0]


@pytest.mark.parametrize(
    "path", ["/v1/decisions/a%00b", "/v1/decisions/" + "a" * 3000, "/v1/scans/%FF", "/v1/affiliates/%00", "/v1/applications/%00"]
)
def test_hostile_names_are_refused_politely(path: str, manager: TestClient) -> None:
    response = manager.get(path)
    problem(response, response.status_code, "not_found" if response.status_code == 404 else "invalid_input")
    assert response.status_code in {404, 422}
