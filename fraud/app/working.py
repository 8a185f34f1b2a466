"""The worker: takes jobs from the table, one at a time, keeps its lease alive, and says how they ended."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog

from fraud.app.parts import App
from fraud.app.telemetry import job_span
from fraud.domain.jobs import Job, JobState
from fraud.errors import Conflict, FraudError
from fraud.storage.changes import Lookout
from fraud.storage.jobs import jobs_due

LEASE = timedelta(minutes=2)
POLL_SECONDS = 0.5
MOST_ATTEMPTS = 3

_FAILURES_OF_OURS = 500
"""From this status on a failure is ours, and another attempt may go well."""

Handler = Callable[[App, Job], dict[str, Any]]
_log = structlog.get_logger(__name__)


class Worker:
    """A thread that works off jobs of the kinds it has handlers for."""

    def __init__(self, app: App, handlers: Mapping[str, Handler]) -> None:
        self._app, self._handlers = app, dict(handlers)
        self._name = f"worker-{uuid.uuid4().hex[:12]}"
        self._lookout = Lookout(app.database, jobs_due(list(handlers)))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)

    def start(self) -> None:
        """Starts working."""
        self._thread.start()

    def stop(self, timeout: float = 30.0) -> None:
        """Finishes the job in hand and stops; a job that takes longer is taken up again by the next worker when its lease has passed."""
        self._stop.set()
        self._thread.join(timeout)

    def run_one(self) -> bool:
        """Takes and ends one job; false when there was none."""
        job = self._app.stores.jobs.lease(list(self._handlers), self._name, self._app.clock.now(), LEASE)
        if job is None:
            return False
        with _Lease(self._app, job, self._name), job_span(job) as ended:
            ended(self._end(job))
        return True

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                worked = self._lookout.sees(self._app.clock.now()) and self.run_one()
            except Exception:  # whatever broke, other jobs wait, and the next time it may go well
                _log.exception("worker_failed", worker=self._name)
                worked = False
            if not worked:
                self._stop.wait(POLL_SECONDS)
        self._lookout.close()

    def _end(self, job: Job) -> JobState | None:
        """Works on a job and says how it ended, `None` when it was no longer this worker's to end."""
        jobs, now = self._app.stores.jobs, self._app.clock.now
        try:
            jobs.finish(job.job_id, self._name, self._handlers[job.kind](self._app, job), now())
        except Conflict:
            _log.warning("lease_lost", job_id=job.job_id, worker=self._name)
            return None
        except Exception as fault:
            if isinstance(fault, FraudError) and fault.status < _FAILURES_OF_OURS:
                jobs.fail(job.job_id, self._name, fault.message, now(), retry=False)
                return JobState.FAILED
            # Whatever broke, the job must say so and the worker must live; the log keeps the traceback, and what names hosts and files.
            _log.exception("job_failed", job_id=job.job_id, kind=job.kind)
            jobs.fail(
                job.job_id,
                self._name,
                f"The job broke off ({type(fault).__name__}); the log has the details.",
                now(),
                retry=job.attempts < MOST_ATTEMPTS,
            )
            return JobState.FAILED
        return JobState.DONE


class _Lease:
    """Extends a job's lease in the background for as long as the job is worked on."""

    def __init__(self, app: App, job: Job, worker: str) -> None:
        self._app, self._job, self._worker = app, job, worker
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._done.wait(LEASE.total_seconds() / 4):
            try:
                self._app.stores.jobs.extend(self._job.job_id, self._worker, self._app.clock.now() + LEASE)
            except Exception as fault:  # whatever broke, it is asked again before the lease ends
                reason = fault.message if isinstance(fault, FraudError) else f"{type(fault).__name__}: {fault}"
                _log.warning("lease_not_extended", job_id=self._job.job_id, reason=reason)
