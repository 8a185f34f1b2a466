"""What surrounds every request: an id, its time, its line in the log, its trace, and its place in the figures."""

from __future__ import annotations

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fraud.api.metrics import Metrics
from fraud.api.problems import route_of
from fraud.api.security import RATE_HEADERS
from fraud.api.tracing import span_of
from fraud.domain.clock import Clock
from fraud.domain.ids import new_id

_PRIVATE = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
"""What the API answers is for whoever asked, and is what it says it is."""

_log = structlog.get_logger(__name__)


class RequestFrame:
    """ASGI middleware: gives each request an id (`X-Request-ID` in the answer, and in every line it logs) and tells how it ended."""

    def __init__(self, app: ASGIApp, metrics: Metrics, clock: Clock) -> None:
        self._app = app
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on; anything but HTTP goes through untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = self._clock.now()
        request_id = new_id("req", started)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                stands = scope["state"].get(RATE_HEADERS, ())
                own = _PRIVATE if scope["path"].startswith("/v1/") else ()
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode()), *stands, *own]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id), span_of(scope, request_id) as ended:
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                seconds = max((self._clock.now() - started).total_seconds(), 0.0)
                method, route = _method(scope), route_of(scope)
                self._metrics.request(route, method, status, seconds)
                ended(method, route, status)
                _log.info("request", method=method, route=route, status=status, milliseconds=round(seconds * 1000, 1))


def _method(scope: Scope) -> str:
    method = str(scope["method"])
    return method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "(other)"
