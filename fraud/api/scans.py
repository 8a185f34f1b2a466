"""`POST /v1/scans` and `GET /v1/scans/{id}`: a scan started, its state, and its result."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from fraud.api.applications import idempotency_key
from fraud.api.bodies import answer, decoded, read_body
from fraud.api.clicks import EXPECTED_TIME, field_fault, moment_of
from fraud.api.openapi import json_body, responds
from fraud.api.problems import IdempotencyKeyReused
from fraud.api.security import Gate, program_of
from fraud.api.services import ApiServices
from fraud.domain.actors import Actor, Role
from fraud.domain.hashing import sha256_of
from fraud.domain.ids import stable_id
from fraud.domain.jobs import Job, JobState
from fraud.domain.scans import ScanResult
from fraud.errors import NotFound
from fraud.reports.documents import scan_document

SCAN = "scan"
"""The kind of job that scans; its payload is what was asked for."""

Program = Annotated[str | None, Query(description="The program; needed when the key belongs to several.", max_length=500)]

SCAN_EXAMPLE: dict[str, Any] = {"days": 3, "history_days": 28}


class ScanAsked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What to scan: by default the newest three nights against the 28 days before."""

    program_id: Annotated[str, msgspec.Meta(max_length=500)] = ""
    as_of: datetime | None = None
    days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 3
    history_days: Annotated[int, msgspec.Meta(ge=1, le=3660)] = 28
    budget: Annotated[int, msgspec.Meta(ge=0, le=100_000)] | None = None


class ScanState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a scan stands, and where to ask again. Once it is done the result itself is the answer."""

    scan_id: str
    state: JobState
    poll: str = ""
    error: str = ""


_DECODER = msgspec.json.Decoder(ScanAsked)


class ScanDesk:
    """Starts scans, once for each request, and knows from the queue how far they are."""

    def __init__(self, services: ApiServices) -> None:
        self._services = services

    def start(self, asked: ScanAsked, program_id: str, actor: Actor, key: str) -> ScanState:
        """Queues a scan; a repeat under the same `Idempotency-Key` is the same scan, `IdempotencyKeyReused` when it asks for another."""
        payload: dict[str, Any] = msgspec.to_builtins(asked)
        payload.pop("program_id", None)
        request = {"request": stable_id("req", program_id, actor.actor_id, key), "content": sha256_of(payload)} if key else {}
        job = self._services.jobs.newest(program_id, SCAN, "request", request["request"]) if request else None
        if job is None:
            at = self._services.clock.now()
            job = self._services.jobs.enqueue(program_id, SCAN, payload | request, actor, at, request.get("request", ""))
            if job.created_at == at:  # else the same request came at the same moment, to another thread or process, and was first
                self._services.audit.record(actor, program_id, "scan.started", job.job_id, at, payload)
        if request and job.payload["content"] != request["content"]:
            raise IdempotencyKeyReused("This Idempotency-Key came with another scan before; use a new key for a new scan.")
        return ScanState(scan_id=job.job_id, state=job.state, poll=f"/v1/scans/{job.job_id}?program_id={program_id}")

    def look_up(self, program_id: str, scan_id: str) -> ScanResult | ScanState:
        """A result by its own id or by that of the job that made it, or how far the job is; `NotFound` when there is neither."""
        try:
            return self._services.scans.get(program_id, scan_id)
        except NotFound:
            job = self._job(program_id, scan_id)
        if job.state is JobState.DONE and job.result:
            return self._services.scans.get(program_id, str(job.result["scan_id"]))
        return ScanState(scan_id=scan_id, state=job.state, error=job.error)

    def _job(self, program_id: str, scan_id: str) -> Job:
        missing = NotFound(f"There is no scan {scan_id!r} in this program.")
        try:
            job = self._services.jobs.get(program_id, scan_id)
        except NotFound:
            raise missing from None
        if job.kind != SCAN:
            raise missing
        return job


def read_asked(body: bytes) -> ScanAsked:
    """What to scan, from JSON or from nothing. Raises `InvalidFields` for what cannot be used, among it a time that no event can have."""
    asked = decoded(body, _DECODER.decode) if body.strip() else ScanAsked()
    if asked.as_of is not None and moment_of(asked.as_of.isoformat()) is None:
        raise field_fault("as_of", EXPECTED_TIME)
    return asked


def scan_routes(services: ApiServices, gate: Gate) -> APIRouter:
    """The two routes."""
    router = APIRouter(prefix="/v1/scans", tags=["scans"])
    desk = ScanDesk(services)

    @router.post("", openapi_extra=json_body("ScanAsked", SCAN_EXAMPLE) | responds("ScanState", status=202))
    async def start(request: Request) -> Response:
        """Starts a scan of the program's events. With an `Idempotency-Key` a repeat of the request starts nothing new."""
        actor = await gate.admit(request, Role.REVIEW)
        body = await read_body(request, services.body_limit)
        asked = read_asked(body)
        program = program_of(actor, asked.program_id)
        state = await run_in_threadpool(desk.start, asked, program, actor, idempotency_key(request))
        return answer(state, 202, {"Location": state.poll})

    @router.get("/{scan_id}", openapi_extra=responds("ScanResult", "ScanState"))
    def look_up(request: Request, scan_id: str, program_id: Program = None) -> Response:
        """The result with `state` `done`, or the state of the scan alone while it is not."""
        found = desk.look_up(program_of(gate.require(request, Role.REVIEW), program_id), scan_id)
        if isinstance(found, ScanState):
            return answer(found)
        return answer(scan_document(found) | {"state": JobState.DONE.value})

    return router
