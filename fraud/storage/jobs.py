"""The job queue in SQL: a table with leases, so that a worker that dies loses its job to another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, and_, func, or_, select, update

from fraud.domain.actors import Actor
from fraud.domain.clock import as_utc
from fraud.domain.ids import new_id, stable_id
from fraud.domain.jobs import Job, JobState
from fraud.errors import Conflict, NotFound
from fraud.storage.changes import Due
from fraud.storage.columns import legible
from fraud.storage.database import Database
from fraud.storage.documents import decode_value, encode_value, insert_new
from fraud.storage.tables import jobs as table

MOST_ATTEMPTS = 5
"""How often a job is taken up before it counts as one that takes its workers down with it."""


class SqlJobs:
    """The `JobQueue` of a database. Every worker needs a name of its own: the name is what holds a lease."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def enqueue(self, program_id: str, kind: str, payload: dict[str, Any], actor: Actor, at: datetime, once: str = "") -> Job:
        """Queues a job. `once` names what it is queued for: the job that is known under that name already is given back instead."""
        job = Job(
            job_id=stable_id("job", program_id, kind, once) if once else new_id("job", at),
            program_id=program_id,
            kind=kind,
            payload=payload,
            state=JobState.QUEUED,
            created_at=as_utc(at),
            created_by=actor.actor_id,
        )
        row = {**msgspec.structs.asdict(job), "state": job.state.value, "payload": encode_value(payload)}
        with self._database.transaction() as connection:
            if insert_new(connection, table, row):
                return job
        return self.get(program_id, job.job_id)

    def lease(self, kinds: Sequence[str], worker: str, at: datetime, duration: timedelta) -> Job | None:
        """Takes the oldest job that is queued, or running with its lease past, for `worker`; `None` when there is none.

        A job that was taken up `MOST_ATTEMPTS` times and lost each time is failed instead: it may be what its workers die of.
        PostgreSQL's workers step over rows that another is taking (`SKIP LOCKED`); SQLite's take turns, as all its writers do.
        """
        lost = and_(table.c.kind.in_(kinds), table.c.state == JobState.RUNNING.value, table.c.lease_until <= at)
        oldest = (
            select(table.c.position)
            .where(table.c.kind.in_(kinds), or_(table.c.state == JobState.QUEUED.value, lost))
            .order_by(table.c.created_at, table.c.position)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        taken = {"state": JobState.RUNNING.value, "worker": worker, "lease_until": at + duration, "attempts": table.c.attempts + 1}
        with self._database.transaction() as connection:
            connection.execute(update(table).where(lost, table.c.attempts >= MOST_ATTEMPTS).values(_given_up(at)))
            position = connection.execute(oldest).scalar()
            if position is None:
                return None
            row = connection.execute(update(table).where(table.c.position == position).values(taken).returning(table)).mappings().one()
        return _job(row)

    def extend(self, job_id: str, worker: str, until: datetime) -> None:
        """Keeps a lease alive; `Conflict` when the job is no longer this worker's."""
        self._change(job_id, worker, {"lease_until": until})

    def note(self, job_id: str, worker: str, text: str) -> None:
        """Says how far a job is, where its result will be; `Conflict` when it is no longer this worker's."""
        self._change(job_id, worker, {"result": encode_value({"progress": text})})

    def finish(self, job_id: str, worker: str, result: dict[str, Any], at: datetime) -> None:
        """Ends a job well; `Conflict` when it is no longer this worker's."""
        ended = {"state": JobState.DONE.value, "lease_until": None, "finished_at": at, "result": encode_value(result), "error": ""}
        self._change(job_id, worker, ended)

    def fail(self, job_id: str, worker: str, error: str, at: datetime, *, retry: bool) -> None:
        """Ends a job badly, or queues it again; `Conflict` when it is no longer this worker's.

        The error may quote anything that was met on the way, so what cannot be stored is replaced rather than refused.
        """
        error = legible(error)
        again = {"state": JobState.QUEUED.value, "worker": "", "lease_until": None, "error": error}
        ended = {"state": JobState.FAILED.value, "lease_until": None, "finished_at": at, "error": error}
        self._change(job_id, worker, again if retry else ended)

    def get(self, program_id: str, job_id: str) -> Job:
        """One job, or `NotFound`."""
        query = select(table).where(table.c.program_id == program_id, table.c.job_id == job_id)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise NotFound(f"There is no job {job_id!r} in this program.")
        return _job(row)

    def newest(self, program_id: str, kind: str, field: str, value: str) -> Job | None:
        """The newest job of a kind whose payload has this text in this field; `None` when there is none."""
        written = encode_value({field: value})[1:-1]
        query = (
            select(table)
            .where(table.c.program_id == program_id, table.c.kind == kind, table.c.payload.contains(written, autoescape=True))
            .order_by(table.c.created_at.desc(), table.c.position.desc())
        )
        with self._database.reading() as connection:
            found = (_job(row) for row in connection.execute(query).mappings())
            # SQLite compares without regard to case, and the text may stand deeper in the payload.
            return next((job for job in found if job.payload.get(field) == value), None)

    def counts(self) -> dict[JobState, int]:
        """How many jobs of all programs stand where."""
        with self._database.reading() as connection:
            rows = connection.execute(select(table.c.state, func.count()).group_by(table.c.state)).all()
        return dict.fromkeys(JobState, 0) | {JobState(state): count for state, count in rows}

    def unfinished(self, program_id: str, limit: int) -> list[Job]:
        """Jobs that wait, run or have failed, newest first."""
        query = (
            select(table)
            .where(table.c.program_id == program_id, table.c.state != JobState.DONE.value)
            .order_by(table.c.created_at.desc(), table.c.position.desc())
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [_job(row) for row in connection.execute(query).mappings()]

    def _change(self, job_id: str, worker: str, values: dict[str, Any]) -> None:
        own = update(table).where(table.c.job_id == job_id, table.c.worker == worker, table.c.state == JobState.RUNNING.value)
        with self._database.transaction() as connection:
            if connection.execute(own.values(values)).rowcount == 0:
                raise Conflict(f"The job {job_id!r} is no longer held by the worker {worker!r}; another may have it, so drop this work.")


def jobs_due(kinds: Sequence[str]) -> Due:
    """When `SqlJobs.lease` has something to do next: at once, when a job of these kinds is queued, else when the first lease passes."""
    alive = table.c.state.in_([JobState.QUEUED.value, JobState.RUNNING.value])
    query = select(table.c.state, func.min(table.c.lease_until)).where(table.c.kind.in_(kinds), alive).group_by(table.c.state)

    def due(connection: Connection, at: datetime) -> datetime | None:
        until = {row[0]: row[1] for row in connection.execute(query)}
        return at if JobState.QUEUED.value in until else until.get(JobState.RUNNING.value)

    return due


def _given_up(at: datetime) -> dict[str, Any]:
    error = (
        f"The job was taken up {MOST_ATTEMPTS} times and its worker was lost each time, so it is not tried again; "
        "see in the log what ended the workers, then ask for it anew."
    )
    return {"state": JobState.FAILED.value, "lease_until": None, "finished_at": at, "error": error}


def _job(row: RowMapping) -> Job:
    values: dict[str, Any] = {name: row[name] for name in Job.__struct_fields__}
    values["state"] = JobState(values["state"])
    values["payload"] = decode_value(values["payload"])
    values["result"] = None if values["result"] is None else decode_value(values["result"])
    return Job(**values)
