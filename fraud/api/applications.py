"""Applications: take one in, and say what came of it."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from fraud.api.bodies import answer, decoded, read_body
from fraud.api.openapi import APPLICATION_EXAMPLE, json_body, responds
from fraud.api.problems import FieldFault, IdempotencyKeyReused, InvalidFields
from fraud.api.security import Gate, program_of
from fraud.api.services import ApiServices
from fraud.domain.actors import Actor, Role
from fraud.domain.dossiers import Dossier
from fraud.domain.ids import new_id, stable_id
from fraud.domain.jobs import Job, JobState
from fraud.domain.programs import Application
from fraud.errors import InputError, NotFound
from fraud.workflows.applications import verified

VET = "vet"
"""The kind of job that vets an application; its payload is `{"application_id": …}`."""

_DECODER = msgspec.json.Decoder(Application)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,199}")
_LONGEST_KEY = 255
_MOST_REMEMBERED = 10_000


class ApplicationState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a vetting stands, and where to ask again. Once it is done the dossier itself is the answer."""

    application_id: str
    state: JobState
    poll: str = ""
    error: str = ""


class VettingDesk:
    """Takes applications in, once each, and knows which job works on which."""

    def __init__(self, services: ApiServices) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._jobs: OrderedDict[tuple[str, str], str] = OrderedDict()

    def submit(self, application: Application, actor: Actor, key: str) -> ApplicationState:
        """Keeps the application and queues its vetting; the same application under the same key is not queued again.

        Raises `IdempotencyKeyReused` when the key came with another application before, `ProfileError` for addresses that are none.
        """
        at = self._services.clock.now()
        derived = stable_id("app", application.program_id, actor.actor_id, key) if key else new_id("app", at)
        given = {"application_id": application.application_id or derived, "applied_at": application.applied_at or at}
        named = verified(msgspec.structs.replace(application, **given), "The application")
        with self._lock:
            if not (key and self._was_taken_in(named)):
                self._services.applications.save(named)
                job = self._services.jobs.enqueue(named.program_id, VET, {"application_id": named.application_id}, actor, at)
                self._remember(named, job)
                self._services.audit.record(actor, named.program_id, "application.submitted", named.application_id, at, {"job": job.job_id})
        poll = f"/v1/applications/{named.application_id}?program_id={named.program_id}"
        return ApplicationState(application_id=named.application_id, state=JobState.QUEUED, poll=poll)

    def state(self, program_id: str, application_id: str) -> Dossier | ApplicationState:
        """The newest dossier, or how far the vetting is; `NotFound` when there is no such application."""
        job = self._job(program_id, application_id)
        if job is not None and job.state is not JobState.DONE:
            return ApplicationState(application_id=application_id, state=job.state, error=job.error)
        try:
            return self._services.applications.dossier(program_id, application_id)
        except NotFound:
            known = self._services.applications.get(program_id, application_id)
            return ApplicationState(application_id=known.application_id, state=JobState.QUEUED)

    def _was_taken_in(self, application: Application) -> bool:
        """Whether this application is already kept and being (or has been) vetted."""
        program_id, application_id = application.program_id, application.application_id
        try:
            kept = self._services.applications.get(program_id, application_id)
        except NotFound:
            return False
        if msgspec.structs.replace(kept, applied_at=application.applied_at) != application:
            raise IdempotencyKeyReused("This Idempotency-Key came with another application before; use a new key for a new application.")
        if self._job(program_id, application_id) is not None:
            return True
        try:
            self._services.applications.dossier(program_id, application_id)
        except NotFound:
            return False
        return True

    def _remember(self, application: Application, job: Job) -> None:
        self._jobs[application.program_id, application.application_id] = job.job_id
        while len(self._jobs) > _MOST_REMEMBERED:
            self._jobs.popitem(last=False)

    def _job(self, program_id: str, application_id: str) -> Job | None:
        job_id = self._jobs.get((program_id, application_id))
        return self._services.jobs.get(program_id, job_id) if job_id else None


def application_routes(services: ApiServices, gate: Gate) -> APIRouter:
    """`POST /v1/applications` and `GET /v1/applications/{id}`."""
    router = APIRouter(prefix="/v1/applications", tags=["applications"])
    desk = VettingDesk(services)

    @router.post("", openapi_extra=json_body("Application", APPLICATION_EXAMPLE) | responds("ApplicationState", status=202))
    async def submit(request: Request) -> Response:
        """Takes an application in and starts its vetting. With an `Idempotency-Key` a repeat of the request changes nothing."""
        actor = gate.require(request, Role.REVIEW)
        key = idempotency_key(request)
        sent = read_application(await read_body(request, services.body_limit))
        application = msgspec.structs.replace(sent, program_id=program_of(actor, sent.program_id))
        state = await run_in_threadpool(desk.submit, application, actor, key)
        return answer(state, 202, {"Location": state.poll})

    @router.get("/{application_id}", openapi_extra=responds("Dossier"))
    def look_up(request: Request, application_id: str, program_id: str | None = None) -> Response:
        """The dossier with `state` `done`, or the state of the vetting alone while it is not."""
        actor = gate.require(request, Role.REVIEW)
        return answer(_wire(desk.state(program_of(actor, program_id), application_id)))

    return router


def read_application(body: bytes) -> Application:
    """An application from JSON. Raises `InvalidFields` for fields that cannot be used, among them files of this machine."""
    application = decoded(body, _DECODER.decode)
    if "program_id" not in msgspec.json.decode(body):
        application = msgspec.structs.replace(application, program_id="")
    if not (application.websites or application.social_profiles):
        raise _fault("websites", "One of websites or social_profiles is required")
    if application.backlinks_file:
        raise _fault("backlinks_file", "A file cannot be named over HTTP; use the command line, where the file is")
    if application.application_id and not _ID.fullmatch(application.application_id):
        raise _fault("application_id", "Expected up to 200 letters, digits and . _ : @ -")
    return application


def idempotency_key(request: Request) -> str:
    """The request's `Idempotency-Key`, empty when there is none; one that is too long is an `InputError`."""
    key = request.headers.get("idempotency-key", "").strip()
    if len(key) > _LONGEST_KEY:
        raise InputError(f"The Idempotency-Key is longer than {_LONGEST_KEY} characters; send a shorter one.")
    return key


def _wire(found: Dossier | ApplicationState) -> Any:
    if isinstance(found, ApplicationState):
        return found
    return {**msgspec.to_builtins(found), "state": JobState.DONE.value}


def _fault(field: str, message: str) -> InvalidFields:
    return InvalidFields(f"{field}: {message}.", (FieldFault(field, message),))
