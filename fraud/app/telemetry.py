"""OpenTelemetry, switched on by a setting: spans of requests and jobs go where the standard `OTEL_…` variables say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fraud import __version__
from fraud.errors import InputError
from fraud.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

NEEDED = "FRAUD_TELEMETRY needs OpenTelemetry: pip install 'affiliate-fraud[telemetry]', or set it to false."


def configure_telemetry(settings: Settings) -> None:
    """Sends spans by OTLP over HTTP when the setting asks for it; `InputError` when the packages are not there."""
    if not settings.telemetry:
        return
    try:
        from opentelemetry import trace  # noqa: PLC0415 - an extra
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    except ImportError as fault:
        raise InputError(NEEDED) from fault
    trace.set_tracer_provider(provider_of(OTLPSpanExporter()))


def provider_of(exporter: SpanExporter) -> TracerProvider:
    """A provider of spans that go to one exporter in the background."""
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({"service.name": "affiliate-fraud", "service.version": __version__}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
