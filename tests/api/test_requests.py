"""What a request leaves behind: a line with its id in the log, a span within its caller's trace, and no secret in either."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from fraud.api.main import create_api
from fraud.domain.actors import Role
from tests.api.conftest import KEYS, House


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Where the spans of a test go."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    yield exporter
    provider.shutdown()


def test_answers_of_the_api_are_kept_by_nobody_in_between(manager: TestClient) -> None:
    for path in ("/v1/alerts", "/v1/decisions/nobody"):
        headers = manager.get(path).headers
        assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")


def test_every_line_of_a_request_has_its_id(house: House, manager: TestClient) -> None:
    with capture_logs(processors=[merge_contextvars]) as logs:
        answer = manager.get("/v1/decisions/nobody?program_id=shoes")
    assert answer.status_code == 404
    (line,) = [entry for entry in logs if entry["event"] == "request"]
    assert (line["route"], line["status"]) == ("/v1/decisions/{decision_id}", 404)
    assert line["request_id"] == answer.headers["x-request-id"]


def test_a_key_in_the_address_reaches_no_log(house: House) -> None:
    with capture_logs(processors=[merge_contextvars]) as logs:
        house.client().get(f"/v1/postback?key={KEYS[Role.SCORE]}&affiliate_id=a&click_id=c1")
        house.client().get("/v1/postback?key=made-up&affiliate_id=a&click_id=c1")
        house.client(Role.ADMIN).post("/v1/score/click", content=b"{")
    assert len(logs) == 3
    assert not any(secret in str(logs) for secret in (*KEYS.values(), "made-up"))


def test_what_breaks_names_its_route_and_not_what_stands_in_the_path(house: House) -> None:
    router = APIRouter()

    @router.get("/report/{token}")
    def broken(token: str) -> None:
        raise RuntimeError("inside")

    with capture_logs() as logs:
        TestClient(create_api(house.services, [router]), raise_server_exceptions=False).get("/report/signed-and-secret")
    assert "signed-and-secret" not in str(logs)
    assert "/report/{token}" in {entry.get("route") for entry in logs}


def test_a_request_is_a_span_of_its_callers_trace(spans: InMemorySpanExporter, manager: TestClient) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = manager.get("/v1/alerts", headers={"traceparent": parent})
    (span,) = spans.get_finished_spans()
    assert span.name == "GET /v1/alerts"
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "http.route": "/v1/alerts",
        "http.response.status_code": 200,
        "fraud.request_id": answer.headers["x-request-id"],
    }


def test_without_telemetry_nothing_is_traced(manager: TestClient) -> None:
    assert manager.get("/v1/alerts").status_code == 200
    assert not trace.get_current_span().is_recording()
