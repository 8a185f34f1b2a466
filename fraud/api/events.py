"""`POST /v1/events/clicks` and `/v1/events/conversions`: events to keep, without an answer to each."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response

from fraud.api.bodies import answer, read_body
from fraud.api.clicks import require_no_more
from fraud.api.lanes import Lane
from fraud.api.openapi import CLICK_EXAMPLE, CONVERSION_EXAMPLE, one_of_many, responds
from fraud.api.problems import FieldFault
from fraud.api.security import Gate, program_of
from fraud.api.services import ApiServices
from fraud.domain.actors import Role
from fraud.workflows.ingesting import IngestReport

Program = Annotated[str | None, Query(description="The program; needed when the key belongs to several.", max_length=500)]

_ROWS = msgspec.json.Decoder(list[msgspec.Raw])

SHOWN = 20
"""Rows set aside that an answer names; all of them stand in the quarantine."""


class EventsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the rows: `rows` = `kept` + `duplicates` + `rejected`. `rejects` names the first that were set aside, and why."""

    rows: int
    kept: int
    duplicates: int
    rejected: int
    rejects: tuple[FieldFault, ...]


def event_routes(services: ApiServices, gate: Gate) -> APIRouter:
    """The two routes."""
    router = APIRouter(prefix="/v1/events", tags=["events"])
    lane = Lane("events", threads=1, waiting=16)

    async def keep(request: Request, kind: str, program_id: str | None) -> Response:
        program = program_of(await gate.admit(request, Role.SCORE), program_id)
        body = await read_body(request, services.batch_limit)
        require_no_more(rows_in(body))
        return answer(events_answer(await lane.run(lambda: services.append(program, kind, body))))

    @router.post("/clicks", openapi_extra=one_of_many("ClickIn", CLICK_EXAMPLE) | responds("EventsAnswer"))
    async def clicks(request: Request, program_id: Program = None) -> Response:
        """Keeps clicks (JSON array or NDJSON). Rows that cannot be read are set aside and reported; a row sent twice counts once."""
        return await keep(request, "clicks", program_id)

    @router.post("/conversions", openapi_extra=one_of_many("ConversionIn", CONVERSION_EXAMPLE) | responds("EventsAnswer"))
    async def conversions(request: Request, program_id: Program = None) -> Response:
        """Keeps conversions, in the same way; one that comes again changed is a new version of it."""
        return await keep(request, "conversions", program_id)

    return router


def rows_in(body: bytes) -> int:
    """The rows of a body, before any of them is read; 0 for one that cannot be told apart, whose reader says what is wrong with it."""
    if body.lstrip()[:1] != b"[":
        return sum(1 for line in body.splitlines() if line.strip())
    try:
        return len(_ROWS.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0


def events_answer(report: IngestReport) -> EventsAnswer:
    """The report of an ingestion as the answer shows it."""
    named = tuple(FieldFault(f"row {reject.line}", reject.reason) for reject in report.rejects[:SHOWN])
    return EventsAnswer(rows=report.rows_read, kept=report.kept, duplicates=report.duplicates, rejected=report.rejected, rejects=named)
