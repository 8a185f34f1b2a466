"""The worker: takes a job, does it, and says how it ended."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from fraud.app.parts import App
from fraud.app.working import LEASE, MOST_ATTEMPTS, Handler, Worker
from fraud.cli.jobs import HANDLERS
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.clock import FixedClock
from fraud.domain.jobs import Job, JobState
from fraud.errors import InputError, StorageError
from fraud.storage.jobs import MOST_ATTEMPTS as LOST

WITHIN_SECONDS = 10.0
"""Far more than the half second between two looks: a busy machine must not fail a test."""


def enqueue(app: App, kind: str, **payload: Any) -> Job:
    return app.stores.jobs.enqueue(DEFAULT_PROGRAM, kind, payload, SYSTEM, app.clock.now())


def ended(app: App, job: Job) -> Job:
    return app.stores.jobs.get(DEFAULT_PROGRAM, job.job_id)


def raising(fault: Exception) -> Handler:
    def handler(app: App, job: Job) -> dict[str, Any]:
        raise fault

    return handler


def test_a_job_is_done_with_its_result(app: App) -> None:
    job = enqueue(app, "add", a=1, b=2)
    worker = Worker(app, {"add": lambda app, job: {"sum": job.payload["a"] + job.payload["b"]}})
    assert worker.run_one()
    assert (ended(app, job).state, ended(app, job).result) == (JobState.DONE, {"sum": 3})
    assert not worker.run_one()


@pytest.mark.parametrize(("handler", "state"), [(lambda app, job: {}, "done"), (raising(InputError("No.")), "failed")])
def test_a_job_is_a_span_that_says_how_it_ended(app: App, monkeypatch: pytest.MonkeyPatch, handler: Handler, state: str) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    job = enqueue(app, "scan")
    Worker(app, {"scan": handler}).run_one()
    (span,) = exporter.get_finished_spans()
    assert (span.name, span.status.is_ok) == ("job scan", state == "done")
    attributes = {"fraud.job_id": job.job_id, "fraud.program_id": DEFAULT_PROGRAM, "fraud.attempt": 1, "fraud.job_state": state}
    assert dict(span.attributes or {}) == attributes


def test_wrong_input_fails_at_once_with_its_sentence(app: App) -> None:
    job = enqueue(app, "scan")
    Worker(app, {"scan": raising(InputError("There is nothing to scan."))}).run_one()
    assert (ended(app, job).state, ended(app, job).error) == (JobState.FAILED, "There is nothing to scan.")


def test_what_breaks_is_tried_again_and_then_given_up_with_a_trace_in_the_log(app: App) -> None:
    job = enqueue(app, "scan")
    worker = Worker(app, {"scan": raising(RuntimeError("wires crossed"))})
    with capture_logs() as logs:
        runs = [worker.run_one() for _ in range(MOST_ATTEMPTS + 1)]
    assert runs == [True] * MOST_ATTEMPTS + [False]
    assert ended(app, job).state is JobState.FAILED
    assert "RuntimeError" in ended(app, job).error
    assert [entry["event"] for entry in logs] == ["job_failed"] * MOST_ATTEMPTS


def test_a_store_that_fails_is_tried_again_and_its_details_stay_in_the_log(app: App) -> None:
    job = enqueue(app, "scan")
    fault = StorageError("The PostgreSQL database at db.internal:5432 cannot be reached.")
    with capture_logs() as logs:
        Worker(app, {"scan": raising(fault)}).run_one()
    assert ended(app, job).state is JobState.QUEUED
    assert "db.internal" not in ended(app, job).error
    assert logs[0]["event"] == "job_failed"
    Worker(app, {"scan": lambda app, job: {}}).run_one()
    assert ended(app, job).state is JobState.DONE


def test_a_job_whose_workers_die_is_given_up(app: App, clock: FixedClock) -> None:
    job = enqueue(app, "scan")
    for number in range(LOST):
        assert app.stores.jobs.lease(["scan"], f"dead-{number}", clock.now(), LEASE) is not None
        clock.move_to(clock.now() + 2 * LEASE)
    assert not Worker(app, {"scan": lambda app, job: {}}).run_one()
    assert ended(app, job).state is JobState.FAILED


def test_a_job_taken_over_by_another_worker_is_left_to_it(app: App, clock: FixedClock) -> None:
    job = enqueue(app, "scan")

    def slow(app: App, job: Job) -> dict[str, Any]:
        clock.move_to(clock.now() + 2 * LEASE)
        assert app.stores.jobs.lease(["scan"], "another", clock.now(), LEASE) is not None
        return {}

    with capture_logs() as logs:
        Worker(app, {"scan": slow}).run_one()
    assert [entry["event"] for entry in logs] == ["lease_lost"]
    assert (ended(app, job).state, ended(app, job).worker) == (JobState.RUNNING, "another")


def test_the_thread_works_until_it_is_stopped(app: App) -> None:
    job = enqueue(app, "nothing")
    worker = Worker(app, {"nothing": lambda app, job: {}})
    worker.start()
    deadline = time.monotonic() + 20
    while ended(app, job).state is not JobState.DONE and time.monotonic() < deadline:
        time.sleep(0.02)
    worker.stop()
    assert ended(app, job).state is JobState.DONE


def test_a_scan_that_was_asked_for_is_made_and_kept(scanned_copy: App) -> None:
    job = enqueue(scanned_copy, "scan")
    Worker(scanned_copy, HANDLERS).run_one()
    done = ended(scanned_copy, job)
    assert (done.state, done.error) == (JobState.DONE, "")
    assert done.result is not None
    assert scanned_copy.stores.scans.get(DEFAULT_PROGRAM, done.result["scan_id"]).counts.clicks


@pytest.mark.parametrize("kind", ["scan", "vet"])
def test_a_job_about_nothing_says_so(app: App, kind: str) -> None:
    job = enqueue(app, kind, application_id="nobody")
    Worker(app, HANDLERS).run_one()
    assert ended(app, job).state is JobState.FAILED
    assert ended(app, job).error.endswith(".")


ENQUEUE = """
import sys
from datetime import UTC, datetime
from fraud.domain.actors import SYSTEM
from fraud.storage.database import open_database
from fraud.storage.jobs import SqlJobs
print(SqlJobs(open_database(sys.argv[1])).enqueue("default", "nothing", {}, SYSTEM, datetime.now(UTC)).job_id)
"""


def test_a_job_that_another_process_queues_is_found_by_a_worker_that_has_long_been_idle(app: App) -> None:
    worker = Worker(app, {"nothing": lambda app, job: {}})
    worker.start()
    try:
        time.sleep(1.2)  # more than two looks at a database in which nothing happens
        words = [sys.executable, "-c", ENQUEUE, app.workspace.database_url]
        job_id = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
        ends = time.monotonic() + WITHIN_SECONDS
        while app.stores.jobs.get(DEFAULT_PROGRAM, job_id).state is not JobState.DONE and time.monotonic() < ends:
            time.sleep(0.02)
        assert app.stores.jobs.get(DEFAULT_PROGRAM, job_id).state is JobState.DONE
    finally:
        worker.stop()
