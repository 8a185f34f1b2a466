"""The scoring routes: a tracker's clicks and conversions in, allow, review or block out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import msgspec
from fastapi import APIRouter, Request, Response

from fraud.api.bodies import answer, read_body
from fraud.api.clicks import click_of, read_click, read_clicks, received_clicks
from fraud.api.conversions import conversion_of, conversions_of, read_conversion, read_conversions
from fraud.api.lanes import Lane
from fraud.api.metrics import Metrics
from fraud.api.openapi import CLICK_EXAMPLE, CONVERSION_EXAMPLE, json_body, one_of_many, responds
from fraud.api.problems import request_id_of
from fraud.api.security import Gate, program_of, told_to
from fraud.api.services import ApiServices
from fraud.domain.actors import Actor, Role
from fraud.domain.clicks import Clicks
from fraud.domain.events import Click, Conversion
from fraud.workflows.converting import ConversionAnswer
from fraud.workflows.scoring import AnsweredClicks, ClickAnswer

THREADS, WAITING = 8, 256
"""Single clicks that are scored at once, and that wait for it; more are refused, because a tracker has stopped waiting by then."""

BATCH_THREADS, BATCHES_WAITING = 1, 8
"""The same for batches, which have threads of their own so that they never keep a single click waiting for one."""


class EventLanes:
    """Scores single events and batches beside the event loop, each in threads of their own, and counts the answers."""

    def __init__(self, services: ApiServices, metrics: Metrics) -> None:
        self._services = services
        self._metrics = metrics
        self._singles = Lane("scoring", THREADS, WAITING)
        self._batches = Lane("scoring-batches", BATCH_THREADS, BATCHES_WAITING)

    async def click(self, click: Click, request_id: str) -> ClickAnswer:
        """One click's answer."""
        return await self._singles.run(lambda: self.score_click(click, request_id))

    async def conversion(self, conversion: Conversion, request_id: str) -> ConversionAnswer:
        """One conversion's answer."""
        return await self._singles.run(lambda: self.score_conversion(conversion, request_id))

    async def batch(self, work: Callable[[], Response]) -> Response:
        """What a whole batch answers."""
        return await self._batches.run(work)

    def score_click(self, click: Click, request_id: str) -> ClickAnswer:
        """One click's answer, in this thread."""
        given = self._services.scorer_of(click.program_id).answer(click, request_id)
        self._metrics.clicks((given,))
        return given

    def score_clicks(self, clicks: Clicks, request_id: str) -> list[AnsweredClicks | list[ClickAnswer]]:
        """The answers to many clicks in their order, in this thread; those of one program stay together as they were answered."""
        if clicks.program_id is None:
            return [self._of_programs(clicks, request_id)]
        groups = self._services.scorer_of(clicks.program_id).answer_in_groups(clicks, [request_id] * len(clicks))
        for group in groups:
            if isinstance(group, AnsweredClicks):
                self._metrics.tallied(group.tally())
            else:
                self._metrics.clicks(group)
        return groups

    def _of_programs(self, clicks: Clicks, request_id: str) -> list[ClickAnswer]:
        """The answers to many clicks in their order, in this thread; those of one program are scored together."""
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, program_id in enumerate(clicks.column("program_id")):
            places[program_id].append(place)
        scorers = {program_id: self._services.scorer_of(program_id) for program_id in places}  # before any is counted: one may not exist
        answers: dict[int, ClickAnswer] = {}
        for program_id, of in places.items():
            answers.update(zip(of, scorers[program_id].answer_many(clicks.only(of), [request_id] * len(of)), strict=True))
        self._metrics.clicks(answers.values())
        return [answers[place] for place in range(len(clicks))]

    def score_conversions(self, conversions: Sequence[Conversion], request_id: str) -> list[ConversionAnswer]:
        """The answers to many conversions in their order, in this thread; none is counted where one's program does not exist."""
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, conversion in enumerate(conversions):
            places[conversion.program_id].append(place)
        scorers = {program_id: self._services.conversions_of(program_id) for program_id in places}
        answers: dict[int, ConversionAnswer] = {}
        for program_id, of in places.items():
            scored = scorers[program_id].score_many([conversions[place] for place in of], request_id)
            answers.update(zip(of, [one.answer for one in scored], strict=True))
        for given in answers.values():
            self._metrics.conversion(given.decision.value, degraded=given.degraded)
        return [answers[place] for place in range(len(conversions))]

    def score_conversion(self, conversion: Conversion, request_id: str) -> ConversionAnswer:
        """One conversion's answer, in this thread."""
        given = self._services.conversions_of(conversion.program_id).score(conversion, request_id).answer
        self._metrics.conversion(given.decision.value, degraded=given.degraded)
        return given


def _encoded(actor: Actor, groups: Sequence[AnsweredClicks | list[ClickAnswer]]) -> bytes:
    """Answers as one JSON array, as the actor is told them."""
    parts = [
        group.encoded()
        if isinstance(group, AnsweredClicks) and not actor.shadow
        else msgspec.json.encode([told_to(actor, given) for given in group])[1:-1]
        for group in groups
    ]
    return b"[" + b",".join(parts) + b"]"


def scoring_routes(services: ApiServices, gate: Gate, lanes: EventLanes) -> APIRouter:
    """`POST /v1/score/click`, `/clicks`, `/conversion` and `/conversions`."""
    router = APIRouter(prefix="/v1/score", tags=["scoring"])

    @router.post("/click", openapi_extra=json_body("ClickIn", CLICK_EXAMPLE) | responds("ClickAnswer"))
    async def score_click(request: Request) -> Response:
        """Scores one click. A repeated `click_id` gets the very answer it got first, and counts once."""
        actor = await gate.admit(request, Role.SCORE)
        sent = read_click(await read_body(request, services.body_limit))
        click = click_of(sent, program_of(actor, sent.program_id))
        return answer(told_to(actor, await lanes.click(click, request_id_of(request))))

    @router.post("/clicks", openapi_extra=one_of_many("ClickIn", CLICK_EXAMPLE) | responds("ClickAnswer", many=True))
    async def score_clicks(request: Request) -> Response:
        """Scores up to 10,000 clicks (JSON array or NDJSON), one answer each in the same order.

        When one of them cannot be read none is scored, and the error says which it is.
        """
        actor = await gate.admit(request, Role.SCORE)
        body = await read_body(request, services.batch_limit)

        def work() -> Response:
            sent = read_clicks(body)
            programs = {named: program_of(actor, named) for named in {click.program_id for click in sent}}
            clicks = received_clicks(body, sent, programs)
            return Response(_encoded(actor, lanes.score_clicks(clicks, request_id_of(request))), media_type="application/json")

        return await lanes.batch(work)

    @router.post("/conversion", openapi_extra=json_body("ConversionIn", CONVERSION_EXAMPLE) | responds("ConversionAnswer"))
    async def score_conversion(request: Request) -> Response:
        """Scores one conversion, matched to its click when that is known. A repeated `conversion_id` gets the answer it got first."""
        actor = await gate.admit(request, Role.SCORE)
        sent = read_conversion(await read_body(request, services.body_limit))
        conversion = conversion_of(sent, program_of(actor, sent.program_id), services.personal)
        return answer(told_to(actor, await lanes.conversion(conversion, request_id_of(request))))

    @router.post("/conversions", openapi_extra=one_of_many("ConversionIn", CONVERSION_EXAMPLE) | responds("ConversionAnswer", many=True))
    async def score_conversions(request: Request) -> Response:
        """Scores up to 10,000 conversions (JSON array or NDJSON), one answer each in the same order.

        When one of them cannot be read none is scored, and the error says which it is.
        """
        actor = await gate.admit(request, Role.SCORE)
        body = await read_body(request, services.batch_limit)

        def work() -> Response:
            sent = read_conversions(body)
            conversions = conversions_of(sent, [program_of(actor, one.program_id) for one in sent], services.personal)
            given = lanes.score_conversions(conversions, request_id_of(request))
            return answer([told_to(actor, one) for one in given])

        return await lanes.batch(work)

    return router
