"""Cases over HTTP: the next one, one of them with its timeline, and what people do with it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from fraud.api.bodies import answer, decoded, read_body
from fraud.api.looking import entrance
from fraud.api.openapi import json_body, responds
from fraud.api.security import Gate, program_of
from fraud.api.services import ApiServices
from fraud.cases.casework import Step
from fraud.domain.actors import Role
from fraud.domain.cases import CaseAction
from fraud.domain.reviews import Disposition
from fraud.workflows.casework import act, disposition_of, take_next, timeline
from fraud.workflows.reviewing import Word

Program = Annotated[str | None, Query(description="The program; needed when the key belongs to several.", max_length=500)]

STEP_EXAMPLE: dict[str, Any] = {"action": "decide", "disposition": "dismissed", "reason": "A family of six orders through one link."}


class CaseStep(msgspec.Struct, frozen=True, kw_only=True):
    """What is done with a case, and why; `disposition` comes with `decide`."""

    action: CaseAction
    reason: Annotated[str, msgspec.Meta(max_length=4_000)] = ""
    disposition: Disposition | None = None


_STEP = msgspec.json.Decoder(CaseStep)


def case_routes(services: ApiServices, gate: Gate) -> APIRouter:
    """The three routes."""
    router = APIRouter(prefix="/v1/cases", tags=["cases"])
    tools, enter = services.casework, entrance(services, gate)

    @router.post("/next", openapi_extra=responds("Case"), responses={204: {"description": "Nothing is waiting"}})
    def take(request: Request, program_id: Program = None) -> Response:
        """Takes the next case of the queue: most at stake first, never one that somebody else holds; 204 when nothing is waiting."""
        actor = gate.require(request, Role.REVIEW)
        found = take_next(tools, program_of(actor, program_id), (actor.actor_id, actor.name))
        return Response(status_code=204) if found is None else answer(msgspec.to_builtins(found[1]) | {"alert": found[0]})

    @router.get("/{case_id}", openapi_extra=responds("Case"))
    def look_up(request: Request, case_id: str, program_id: Program = None) -> Response:
        """A case with its alert and its timeline."""
        program = enter(request, program_id)
        case = tools.cases.get(program, case_id)
        shown = {"alert": tools.reviewing.alerts.get(program, case.alert_id), "timeline": timeline(tools, program, case_id)}
        return answer(msgspec.to_builtins(case) | shown)

    @router.post("/{case_id}/steps", openapi_extra=json_body("CaseStep", STEP_EXAMPLE) | responds("Case"))
    async def do(request: Request, case_id: str, program_id: Program = None) -> Response:
        """One step with a case: take, release, note, ask, answer, decide, propose, confirm or decline a suspension, appeal.

        A step that is not possible now is a 409 that names those which are.
        """
        actor = await gate.admit(request, Role.REVIEW)
        sent = decoded(await read_body(request, services.body_limit), _STEP.decode)
        step = Step(
            action=sent.action,
            actor_id=actor.actor_id,
            actor_name=actor.name,
            at=services.clock.now(),
            reason=sent.reason,
            disposition=sent.disposition,
        )
        word = Word(actor=actor, disposition=disposition_of(step), reason=sent.reason)
        return answer(await run_in_threadpool(act, tools, program_of(actor, program_id), case_id, step, word))

    return router
