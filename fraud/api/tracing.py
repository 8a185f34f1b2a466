"""Traces of requests by OpenTelemetry, where it is installed and switched on; otherwise nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from starlette.types import Scope

Ended = Callable[[str, str, int], None]
"""Told method, route and status once they are known."""

try:
    from opentelemetry import propagate, trace
except ImportError:  # an extra
    _INSTALLED = False
else:
    _INSTALLED = True

FAILED = 500


def span_of(scope: Scope, request_id: str) -> AbstractContextManager[Ended]:
    """A span around one request, within the trace that its caller has begun (`traceparent`)."""
    return _span(scope, request_id) if _INSTALLED else nullcontext(_nothing)


def _nothing(method: str, route: str, status: int) -> None:
    """Nobody is told."""


@contextmanager
def _span(scope: Scope, request_id: str) -> Iterator[Ended]:
    headers = dict(scope["headers"])
    carrier = {name: headers[name.encode()].decode("latin-1") for name in ("traceparent", "tracestate") if name.encode() in headers}
    tracer = trace.get_tracer("fraud.api")
    with tracer.start_as_current_span("request", context=propagate.extract(carrier), kind=trace.SpanKind.SERVER) as span:

        def ended(method: str, route: str, status: int) -> None:
            span.update_name(f"{method} {route}")
            span.set_attribute("http.request.method", method)
            span.set_attribute("http.route", route)
            span.set_attribute("http.response.status_code", status)
            span.set_attribute("fraud.request_id", request_id)
            if status >= FAILED:
                span.set_status(trace.StatusCode.ERROR)

        yield ended
