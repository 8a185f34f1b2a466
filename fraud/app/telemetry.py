"""OpenTelemetry, switched on by a setting: spans of requests and jobs go where the standard `OTEL_…` variables say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fraud import __version__
from fraud.domain.jobs import Job, JobState
from fraud.errors import InputError
from fraud.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

NEEDED = "FRAUD_TELEMETRY needs OpenTelemetry: pip install 'affiliate-fraud[telemetry]', or set it to false."


@contextmanager
def job_span(job: Job) -> Iterator[Callable[[JobState | None], None]]:
    """A span around one job, where OpenTelemetry is installed; told how the job ended (`None`: another worker ends it)."""
    try:
        from opentelemetry import trace  # noqa: PLC0415 - an extra
    except ImportError:
        yield lambda state: None
        return
    about: dict[str, str | int] = {"fraud.job_id": job.job_id, "fraud.program_id": job.program_id, "fraud.attempt": job.attempts}
    tracer = trace.get_tracer("fraud.jobs")
    with tracer.start_as_current_span(f"job {job.kind}", kind=trace.SpanKind.CONSUMER, attributes=about) as span:

        def ended(state: JobState | None) -> None:
            span.set_attribute("fraud.job_state", "lease_lost" if state is None else state.value)
            if state is JobState.FAILED:
                span.set_status(trace.StatusCode.ERROR)

        yield ended


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
