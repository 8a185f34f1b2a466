"""Applications: take one in, and say what came of it."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from fraud.api.bodies import answer, decoded, read_body
from fraud.api.looking import entrance
from fraud.api.openapi import APPLICATION_EXAMPLE, json_body, responds
from fraud.api.problems import FieldFault, IdempotencyKeyReused, InvalidFields
from fraud.api.security import Gate, program_of
from fraud.api.services import ApiServices
from fraud.domain.actors import Actor, Role
from fraud.domain.decisions import Decision, DecisionKind
from fraud.domain.dossiers import Dossier
from fraud.domain.hashing import sha256_of
from fraud.domain.ids import new_id, stable_id
from fraud.domain.jobs import Job, JobState
from fraud.domain.programs import Application
from fraud.errors import Conflict, InputError, NotFound
from fraud.workflows.applications import verified

VET = "vet"
"""The kind of job that vets an application; its payload is `{"application_id": …}`."""

_DECODER = msgspec.json.Decoder(Application)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,199}")
_LONGEST_KEY = 255
_NEVER_VETTED = "Its vetting was never started; send the application again."


class ApplicationState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a vetting stands, and where to ask again. Once it is done the dossier itself is the answer."""

    application_id: str
    state: JobState
    poll: str = ""
    error: str = ""


class VettingDesk:
    """Takes applications in, once each, and knows from the queue how far their vetting is: also after a restart, and beside other desks."""

    def __init__(self, services: ApiServices) -> None:
        self._services = services
        self._lock = threading.Lock()

    def submit(self, sent: Application, actor: Actor, key: str) -> ApplicationState:
        """Keeps the application and queues its vetting; the same application again is neither kept nor queued again.

        Raises `IdempotencyKeyReused` when the key came with another application before, `Conflict` when another one is kept under its id,
        and `ProfileError` for addresses that are none.
        """
        at = self._services.clock.now()
        request = _request(sent, actor, key) if key else {}
        with self._lock:
            application_id = self._id_under(sent.program_id, request) or sent.application_id or _new_id(request, at)
            given = {"application_id": application_id, "applied_at": sent.applied_at or at}
            named = verified(msgspec.structs.replace(sent, **given), "The application")
            _require_same(self._services.applications.add(named), named, timed=sent.applied_at is not None)
            if not self._was_queued(named, request):
                self._queue(named, request, actor, at)
        poll = f"/v1/applications/{named.application_id}?program_id={named.program_id}"
        return ApplicationState(application_id=named.application_id, state=JobState.QUEUED, poll=poll)

    def state(self, program_id: str, application_id: str) -> Dossier | ApplicationState:
        """The newest dossier, or how far the vetting is; `NotFound` when there is no such application."""
        job = self._newest(program_id, "application_id", application_id)
        if job is not None and job.state is not JobState.DONE:
            return ApplicationState(application_id=application_id, state=job.state, error=job.error)
        try:
            return self._services.applications.dossier(program_id, application_id)
        except NotFound:
            known = self._services.applications.get(program_id, application_id)
            return ApplicationState(application_id=known.application_id, state=JobState.FAILED, error=_NEVER_VETTED)

    def document(self, program_id: str, application_id: str) -> Any:
        """The dossier with its `state`, and what a person decided beside it if somebody did; or the state of the vetting alone."""
        found = self.state(program_id, application_id)
        if isinstance(found, ApplicationState):
            return found
        newest = self._services.decisions.latest(program_id, DecisionKind.VET, application_id)
        decided = _persons(newest) if newest is not None and newest.decision_id != found.decision_id else None
        return {**msgspec.to_builtins(found), "state": JobState.DONE.value, "decision": decided}

    def _id_under(self, program_id: str, request: Mapping[str, str]) -> str:
        """The id that the application of this very request got when it came first; empty when it did not come before."""
        job = self._newest(program_id, "request", request["request"]) if request else None
        if job is None:
            return ""
        if job.payload["content"] != request["content"]:
            raise IdempotencyKeyReused("This Idempotency-Key came with another application before; use a new key for a new application.")
        return str(job.payload["application_id"])

    def _was_queued(self, application: Application, request: Mapping[str, str]) -> bool:
        """Whether this application is being, or has been, vetted. A new request tries again what failed; a repeat of one does not."""
        job = self._newest(application.program_id, "application_id", application.application_id)
        if job is not None:
            return job.state is not JobState.FAILED or (bool(request) and job.payload.get("request") == request["request"])
        try:
            self._services.applications.dossier(application.program_id, application.application_id)
        except NotFound:
            return False
        return True

    def _queue(self, application: Application, request: Mapping[str, str], actor: Actor, at: datetime) -> None:
        program_id, application_id = application.program_id, application.application_id
        payload = {"application_id": application_id, **request}
        job = self._services.jobs.enqueue(program_id, VET, payload, actor, at, request.get("request", ""))
        self._services.audit.record(actor, program_id, "application.submitted", application_id, at, {"job": job.job_id})

    def _newest(self, program_id: str, field: str, value: str) -> Job | None:
        return self._services.jobs.newest(program_id, VET, field, value)


def _request(sent: Application, actor: Actor, key: str) -> dict[str, str]:
    """What a job remembers of the request it came from: whose key, and a digest of what came under it."""
    return {"request": stable_id("req", sent.program_id, actor.actor_id, key), "content": sha256_of(sent)}


def _new_id(request: Mapping[str, str], at: datetime) -> str:
    """An id for an application that came without one: under an `Idempotency-Key` the same in every process."""
    return stable_id("app", request["request"]) if request else new_id("app", at)


def _require_same(kept: Application, sent: Application, *, timed: bool) -> None:
    if (kept if timed else msgspec.structs.replace(kept, applied_at=sent.applied_at)) != sent:
        raise Conflict(f"Another application is kept under the id {sent.application_id!r}; send this one under an id of its own.")


def application_routes(services: ApiServices, gate: Gate) -> APIRouter:
    """`POST /v1/applications` and `GET /v1/applications/{id}`."""
    router = APIRouter(prefix="/v1/applications", tags=["applications"])
    desk, enter = VettingDesk(services), entrance(services, gate)

    @router.post("", openapi_extra=json_body("Application", APPLICATION_EXAMPLE) | responds("ApplicationState", status=202))
    async def submit(request: Request) -> Response:
        """Takes an application in and starts its vetting. With an `Idempotency-Key` a repeat of the request changes nothing."""
        actor = await gate.admit(request, Role.REVIEW)
        key = idempotency_key(request)
        sent = read_application(await read_body(request, services.body_limit))
        application = msgspec.structs.replace(sent, program_id=program_of(actor, sent.program_id))
        state = await run_in_threadpool(desk.submit, application, actor, key)
        return answer(state, 202, {"Location": state.poll})

    @router.get("/{application_id}", openapi_extra=responds("Dossier", "ApplicationState"))
    def look_up(request: Request, application_id: str, program_id: str | None = None) -> Response:
        """The dossier with `state` `done`, or the state of the vetting alone while it is not."""
        return answer(desk.document(enter(request, program_id), application_id))

    return router


def read_application(body: bytes) -> Application:
    """An application from JSON. Raises `InvalidFields` for fields that cannot be used, among them files of this machine."""
    application = decoded(body, _DECODER.decode)
    if "program_id" not in msgspec.json.decode(body):
        application = msgspec.structs.replace(application, program_id="")
    if not (application.websites or application.social_profiles):
        raise _fault("websites", "One of websites or social_profiles is required")
    for name in (name for name in ("backlinks_file", "reviews_file", "profiles_file") if getattr(application, name)):
        raise _fault(name, "A file cannot be named over HTTP; use the command line, where the file is")
    if application.application_id and not _ID.fullmatch(application.application_id):
        raise _fault("application_id", "Expected up to 200 letters, digits and . _ : @ -")
    return application


def idempotency_key(request: Request) -> str:
    """The request's `Idempotency-Key`, empty when there is none; one that is too long is an `InputError`."""
    key = request.headers.get("idempotency-key", "").strip()
    if len(key) > _LONGEST_KEY:
        raise InputError(f"The Idempotency-Key is longer than {_LONGEST_KEY} characters; send a shorter one.")
    return key


def _persons(decision: Decision) -> dict[str, Any]:
    """What a person decided, as the document shows it."""
    return {
        "decision_id": decision.decision_id,
        "outcome": decision.verdict.outcome,
        "decided_by": decision.decided_by,
        "decided_at": decision.decided_at,
        "public_reason": decision.verdict.public_reason,
    }


def _fault(field: str, message: str) -> InvalidFields:
    return InvalidFields(f"{field}: {message}.", (FieldFault(field, message),))
