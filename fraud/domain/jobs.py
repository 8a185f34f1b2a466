"""Work that outlives a request: queued in a table, leased by a worker, done or failed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class JobState(StrEnum):
    """Where a job stands (CONTRACT 4)."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of work. A running job whose lease has passed may be taken by another worker."""

    job_id: str
    program_id: str
    kind: str
    payload: dict[str, Any]
    state: JobState
    created_at: datetime
    created_by: str
    attempts: int = 0
    worker: str = ""
    lease_until: datetime | None = None
    finished_at: datetime | None = None
    result: dict[str, Any] | None = None
    error: str = ""
