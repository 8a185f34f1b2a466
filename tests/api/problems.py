"""What every error of the API must look like."""

from __future__ import annotations

from typing import Any

from httpx import Response


def problem(response: Response, status: int, code: str) -> dict[str, Any]:
    """The problem document, after the checks that hold for every one."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, "about:blank")
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == response.headers["x-request-id"]
    assert "Traceback" not in response.text
    return body
