"""What people decide: alerts resolved, applications decided, feedback on what was scored."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from fraud.api.applications import idempotency_key
from fraud.api.bodies import answer, decoded, read_body
from fraud.api.openapi import json_body, responds
from fraud.api.security import Gate, program_of
from fraud.api.services import ApiServices
from fraud.domain.actors import Actor, Role
from fraud.domain.decisions import Outcome, SubjectKind
from fraud.domain.reviews import Disposition
from fraud.workflows.reviewing import Word, decide_application, give_feedback, resolve_alert

_T = TypeVar("_T")
Program = Annotated[str | None, Query(description="The program; needed when the key belongs to several.", max_length=500)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=4_000, description="Why, for whoever asks later.")]

RESOLUTION_EXAMPLE: dict[str, Any] = {"disposition": "confirmed", "reason": "Every order came from the affiliate's own two phones."}
DECISION_EXAMPLE: dict[str, Any] = {"outcome": "reject", "reason": "The site is a copy of a partner's."}
FEEDBACK_EXAMPLE: dict[str, Any] = {"kind": "conversion", "id": "v-77", "verdict": "bad", "reason": "Charged back by the bank."}


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """How an alert was resolved: `confirmed`, `dismissed` (nothing wrong) or `unclear`, and why."""

    disposition: Disposition
    reason: Reason


class PersonsDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decides of an application, and why."""

    outcome: Literal["approve", "request_info", "reject"]
    reason: Reason


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict on something that was scored or scanned."""

    kind: Literal["click", "conversion", "affiliate"]
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    verdict: Literal["bad", "good"]
    reason: Reason
    program_id: Annotated[str, msgspec.Meta(max_length=500)] = ""


_DISPOSITIONS = {"bad": Disposition.CONFIRMED, "good": Disposition.DISMISSED}


def review_routes(services: ApiServices, gate: Gate) -> APIRouter:
    """The three routes."""
    router = APIRouter(prefix="/v1")

    async def said(request: Request, role: Role, kind: type[_T]) -> tuple[Actor, _T]:
        actor = await gate.admit(request, role)
        body = await read_body(request, services.body_limit)
        return actor, decoded(body, msgspec.json.Decoder(kind).decode)

    @router.post(
        "/alerts/{alert_id}/resolve", tags=["alerts"], openapi_extra=json_body("Resolution", RESOLUTION_EXAMPLE) | responds("Alert")
    )
    async def resolve(request: Request, alert_id: str, program_id: Program = None) -> Response:
        """Resolves an alert with a disposition and its reason. Resolving it again is a correction: both stand in the record."""
        actor, sent = await said(request, Role.REVIEW, Resolution)
        program = program_of(actor, program_id)
        word = Word(actor=actor, disposition=sent.disposition, reason=sent.reason, key=idempotency_key(request))
        alert, review = await run_in_threadpool(resolve_alert, services.reviewing, program, alert_id, word)
        return answer(msgspec.to_builtins(alert) | {"review": review})

    @router.post(
        "/applications/{application_id}/decision",
        tags=["applications"],
        openapi_extra=json_body("PersonsDecision", DECISION_EXAMPLE) | responds("Decision"),
    )
    async def decide(request: Request, application_id: str, program_id: Program = None) -> Response:
        """A person's decision of an application, beside the one that the evidence gave."""
        actor, sent = await said(request, Role.REVIEW, PersonsDecision)
        program = program_of(actor, program_id)
        disposition = Disposition.DISMISSED if sent.outcome == "approve" else Disposition.CONFIRMED
        unclear = sent.outcome == "request_info"
        word = Word(
            actor=actor,
            disposition=Disposition.UNCLEAR if unclear else disposition,
            reason=sent.reason,
            key=idempotency_key(request),
        )
        outcome = Outcome(sent.outcome)
        return answer(await run_in_threadpool(decide_application, services.reviewing, program, application_id, outcome, word))

    @router.post("/feedback", tags=["scoring"], openapi_extra=json_body("Feedback", FEEDBACK_EXAMPLE) | responds("Review"))
    async def feedback(request: Request) -> Response:
        """Keeps a verdict on a click, a conversion or an affiliate; a reviewer's verdict on an affiliate is learned from."""
        actor, sent = await said(request, Role.SCORE, Feedback)
        program = program_of(actor, sent.program_id)
        word = Word(actor=actor, disposition=_DISPOSITIONS[sent.verdict], reason=sent.reason, key=idempotency_key(request))
        subject = (SubjectKind(sent.kind), sent.id)
        return answer(await run_in_threadpool(give_feedback, services.reviewing, program, subject, word))

    return router
