"""The scoring routes: a tracker's clicks in, allow, review or block out."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from fraud.api.bodies import answer, read_body
from fraud.api.clicks import click_of, clicks_of, read_click, read_clicks
from fraud.api.metrics import Metrics
from fraud.api.openapi import CLICK_EXAMPLE, json_body, one_of_many, responds
from fraud.api.problems import request_id_of
from fraud.api.security import Gate, program_of
from fraud.api.services import ApiServices
from fraud.domain.actors import Role
from fraud.domain.events import Click
from fraud.workflows.scoring import ClickAnswer


def scoring_routes(services: ApiServices, gate: Gate, metrics: Metrics) -> APIRouter:
    """`POST /v1/score/click` and `/v1/score/clicks`."""
    router = APIRouter(prefix="/v1/score", tags=["scoring"])

    def scored(click: Click, request_id: str) -> ClickAnswer:
        given = services.scorer_of(click.program_id).score(click, request_id).answer
        metrics.click(given.decision.value, degraded=given.degraded)
        return given

    def all_scored(clicks: Sequence[Click], request_id: str) -> list[ClickAnswer]:
        return [scored(click, request_id) for click in clicks]

    @router.post("/click", openapi_extra=json_body("ClickIn", CLICK_EXAMPLE) | responds("ClickAnswer"))
    async def score_click(request: Request) -> Response:
        """Scores one click. A repeated `click_id` gets the very answer it got first, and counts once."""
        actor = gate.require(request, Role.SCORE)
        sent = read_click(await read_body(request, services.body_limit))
        click = click_of(sent, program_of(actor, sent.program_id))
        return answer(scored(click, request_id_of(request)))

    @router.post("/clicks", openapi_extra=one_of_many("ClickIn", CLICK_EXAMPLE) | responds("ClickAnswer", many=True))
    async def score_clicks(request: Request) -> Response:
        """Scores up to 10,000 clicks (JSON array or NDJSON), one answer each in the same order.

        When one of them cannot be read none is scored, and the error says which it is.
        """
        actor = gate.require(request, Role.SCORE)
        body = await read_body(request, services.batch_limit)

        def work() -> Response:
            sent = read_clicks(body)
            clicks = clicks_of(sent, [program_of(actor, click.program_id) for click in sent])
            return answer(all_scored(clicks, request_id_of(request)))

        return await run_in_threadpool(work)

    return router
