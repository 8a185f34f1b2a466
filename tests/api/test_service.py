"""The service around the routes: health, figures, errors, the document, and one whole trip over a real socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest
import uvicorn
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from fraud.api.main import SCHEMAS, create_api, openapi_document
from fraud.domain.actors import Role
from fraud.errors import FraudError, ModelError, PolicyError, StorageError
from fraud.workflows.scoring import ClickScorer
from tests.api.conftest import KEYS, House
from tests.api.problems import problem

CLICK = {"click_id": "c1", "clicked_at": "2026-03-01T10:00:00Z", "affiliate_id": "aff", "ip": "203.0.113.7", "user_agent": "curl/8.5.0"}


def test_alive_and_ready_are_told_to_anybody(house: House) -> None:
    client = house.client()
    assert client.get("/healthz").json() == {"status": "alive"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["ready"] is True
    assert "no model" in ready.json()["degraded"][0]


def test_not_ready_says_what_is_missing_and_nothing_of_where_it_is(house: House) -> None:
    def fails() -> None:
        raise PolicyError("The policy pack /srv/secret/pack.yaml cannot be opened.")

    app = create_api(replace(house.services, probes={"policy": fails, **house.services.probes}))
    response = TestClient(app).get("/readyz")
    assert response.status_code == 503
    assert response.json()["reasons"] == ["policy is not usable yet; the log says why."]


def test_unknown_paths_and_methods_are_problems(house: House) -> None:
    client = house.client(Role.ADMIN)
    problem(client.get("/v1/nothing"), 404, "not_found")
    problem(client.get("/"), 404, "not_found")
    response = client.get("/v1/score/click")
    problem(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "POST"


def test_what_breaks_inside_is_logged_and_not_told(house: House) -> None:
    router = APIRouter()

    @router.get("/broken")
    def broken() -> None:
        raise RuntimeError("secret inside")

    client = TestClient(create_api(house.services, [router]), raise_server_exceptions=False)
    body = problem(client.get("/broken"), 500, "internal")
    assert "secret" not in str(body)


def test_a_failing_store_is_a_503(house: House, tracker: TestClient) -> None:
    house.writer.close()
    response = tracker.post("/v1/score/click", json=CLICK)
    problem(response, 503, "storage_failed")
    assert response.headers["retry-after"]


def test_a_store_that_fails_for_every_click_fills_no_log_with_tracebacks(house: House, tracker: TestClient) -> None:
    """A full disk often is the log's too."""
    assert tracker.post("/v1/score/click", json=CLICK).status_code == 200
    house.writer.close()
    with capture_logs() as logs:
        problem(tracker.post("/v1/score/click", json=CLICK | {"click_id": "c2"}), 503, "storage_failed")
    assert [entry["event"] for entry in logs if entry["log_level"] != "info"] == ["request_failed"]
    assert not any("exc_info" in entry for entry in logs)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (
            StorageError("The PostgreSQL database fraud at db.internal:5432 could not do it (INSERT INTO decisions)."),
            "storage_failed",
        ),
        (ModelError("The manifest /srv/secret/models/zzz.json was altered."), "model_unusable"),
        (PolicyError("The policy pack /srv/secret/pack.yaml cannot be opened."), "invalid_policy"),
    ],
)
def test_what_fails_on_our_side_is_told_in_general_and_logged_in_full(house: House, fault: FraudError, code: str) -> None:
    def fails(program_id: str) -> ClickScorer:
        raise fault

    client = TestClient(create_api(replace(house.services, scorer_of=fails)), headers={"X-API-Key": KEYS[Role.SCORE]})
    with capture_logs() as logs:
        response = client.post("/v1/score/click", json=CLICK)
        ready = client.get("/readyz", headers={"X-API-Key": ""})
    detail = problem(response, 503, code)["detail"]
    assert response.headers["retry-after"] == "2"
    assert ready.status_code == 503
    assert ready.json()["reasons"] == ["scoring is not usable yet; the log says why."]
    for word in ("secret", "db.internal", "INSERT"):
        assert word not in detail + ready.text
    assert [entry["detail"] for entry in logs if entry["log_level"] != "info"] == [fault.message] * 2


def test_while_clicks_wait_for_a_scorer_or_a_store_the_service_still_answers(house: House) -> None:
    gate = threading.Event()

    def slow(program_id: str) -> ClickScorer:
        gate.wait(20)
        return house.services.scorer_of(program_id)

    app = create_api(replace(house.services, scorer_of=slow, ready=lambda program_id: None))
    key = {"X-API-Key": KEYS[Role.SCORE]}
    with serving(house, app) as url, ThreadPoolExecutor(4) as pool, httpx.Client(base_url=url, timeout=20) as client:
        paths = [("click", CLICK | {"click_id": f"c{n}"}) for n in range(2)] + [("clicks", [CLICK])]
        waiting = [pool.submit(httpx.post, f"{url}/v1/score/{path}", json=body, headers=key, timeout=20) for path, body in paths]
        for _ in range(20):
            assert client.get("/healthz").json() == {"status": "alive"}
        assert not any(future.done() for future in waiting)
        gate.set()
        assert [future.result().status_code for future in waiting] == [200, 200, 200]


def test_figures_count_requests_by_route_and_clicks_by_outcome(tracker: TestClient) -> None:
    tracker.post("/v1/score/click", json=CLICK)
    tracker.post("/v1/score/click", json={})
    tracker.get("/v1/decisions/some-id")
    tracker.get("/v1/no/such/path")
    response = tracker.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    lines = response.text.splitlines()
    assert 'fraud_http_requests_total{route="/v1/score/click",method="POST",status="200"} 1' in lines
    assert 'fraud_http_requests_total{route="/v1/score/click",method="POST",status="422"} 1' in lines
    assert 'fraud_http_requests_total{route="/v1/decisions/{decision_id}",method="GET",status="403"} 1' in lines
    assert 'fraud_clicks_scored_total{decision="block",degraded="true"} 1' in lines
    assert 'fraud_http_request_seconds_bucket{route="/v1/score/click",le="+Inf"} 2' in lines
    assert 'fraud_http_request_seconds_count{route="/v1/score/click"} 2' in lines
    assert "some-id" not in response.text
    assert "no/such" not in response.text


def test_the_document_describes_bodies_with_schemas_and_examples(house: House, tracker: TestClient) -> None:
    document = tracker.get("/openapi.json").json()
    assert document == openapi_document(house.app)
    body = document["paths"]["/v1/score/click"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"] == {"$ref": "#/components/schemas/ClickIn"}
    assert document["components"]["schemas"]["ClickIn"]["required"] == ["click_id", "clicked_at", "affiliate_id"]
    assert {kind.__name__ for kind in SCHEMAS} <= set(document["components"]["schemas"])
    assert "application/x-ndjson" in document["paths"]["/v1/score/clicks"]["post"]["requestBody"]["content"]
    answers = document["paths"]["/v1/applications"]["post"]["responses"]
    assert set(answers) == {"202", "401", "403", "404", "409", "413", "422", "429", "503"}


def test_the_examples_of_the_document_are_answered(house: House) -> None:
    document = openapi_document(house.app)
    client = house.client(Role.ADMIN)
    tried = 0
    for path, operations in document["paths"].items():
        if "{" in path:  # about something that is not there
            continue
        for media, content in operations.get("post", {}).get("requestBody", {}).get("content", {}).items():
            example = content["example"]
            sent = {"content": example} if isinstance(example, str) else {"json": example}
            assert client.post(path, headers={"Content-Type": media}, **sent).status_code in {200, 202}
            tried += 1
    assert tried == 13


def test_every_reference_of_the_document_leads_somewhere(house: House) -> None:
    document = openapi_document(house.app)

    def references(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    found = {reference.rsplit("/", 1)[1] for reference in references(document)}
    assert found <= {*document["components"]["schemas"], *document["components"]["responses"]}
    assert found


@contextmanager
def serving(house: House, app: FastAPI | None = None) -> Iterator[str]:
    """The API on a free port of this machine."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(app or house.app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


def test_a_click_over_a_real_socket_from_key_to_replayable_decision(house: House) -> None:
    keys = {role: {"X-API-Key": secret} for role, secret in KEYS.items()}
    with serving(house) as url, httpx.Client(base_url=url, timeout=10) as client:
        answer = client.post("/v1/score/click", json=CLICK, headers=keys[Role.SCORE]).json()
        assert answer["decision"] == "block"
        house.writer.flush()
        decision = client.get(f"/v1/decisions/{answer['decision_id']}", headers=keys[Role.REVIEW]).json()
        assert decision["verdict"]["outcome"] == "block"
        assert client.post("/v1/score/click", content=b"{", headers=keys[Role.SCORE]).status_code == 422
        too_much = (b" " * 65_536 for _ in range(32))
        assert client.post("/v1/score/click", content=too_much, headers=keys[Role.SCORE]).status_code == 413


@pytest.mark.parametrize("path", ["/healthz", "/v1/alerts"])
def test_every_answer_names_its_request(path: str, house: House) -> None:
    client = house.client(Role.ADMIN)
    first, second = (client.get(path).headers["x-request-id"] for _ in range(2))
    assert first.startswith("req_")
    assert first != second
