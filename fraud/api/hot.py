"""`POST /v1/score/click` without the framework: the same answers as its route, for a tenth of the time.

What is out of the ordinary (a key to look up, a body in pieces, a fault, an event another process may have answered) is left to the
route, which reads the same request again: here nothing has happened yet.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fraud.api.clicks import click_of_body, read_click
from fraud.api.metrics import CLICK_ROUTE, Metrics
from fraud.api.security import Gate, program_of
from fraud.api.services import ApiServices
from fraud.domain.actors import Actor, Role
from fraud.domain.events import Click
from fraud.domain.ids import new_id
from fraud.errors import FraudError
from fraud.workflows.scoring import ClickAnswer

_log = structlog.get_logger(__name__)
_KEY_HEADERS = (b"authorization", b"x-api-key")
_BEARER = b"bearer "
_ENCODE = msgspec.json.Encoder().encode


class HotClicks:
    """An ASGI application that answers ordinary single clicks itself and passes everything else on."""

    def __init__(self, app: ASGIApp, services: ApiServices, gate: Gate, metrics: Metrics) -> None:
        self._app, self._services, self._gate, self._metrics = app, services, gate, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or passes it on untouched."""
        if scope["type"] != "http" or scope["path"] != CLICK_ROUTE or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        actor = self._actor(scope)
        first = await receive() if actor is not None else None
        if actor is None or first is None:
            await self._app(scope, receive, send)
            return
        started = self._services.clock.now()
        request_id = new_id("req", started)
        given = None if first.get("more_body") else self._answer(actor, first, request_id)
        if given is None:
            await self._app(scope, _again(first, receive), send)
            return
        if self._services.kept is not None:
            await self._services.kept()
        body = _ENCODE(given)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), (b"x-request-id", request_id.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        self._count(given, started)

    def _actor(self, scope: Scope) -> Actor | None:
        for name, value in scope["headers"]:
            if name in _KEY_HEADERS:
                secret = value[len(_BEARER) :] if value[: len(_BEARER)].lower() == _BEARER else value
                return self._gate.known(secret, Role.SCORE)
        return None

    def _answer(self, actor: Actor, first: Message, request_id: str) -> ClickAnswer | None:
        """The answer, or `None` when the route must give it; what is wrong with the request is the route's to say."""
        body = first.get("body", b"")
        if first["type"] != "http.request" or len(body) > self._services.body_limit:
            return None
        try:
            sent = read_click(body)
            click = click_of_body(body, sent, program_of(actor, sent.program_id))
        except FraudError:
            return None
        return self._scored(click, request_id)

    def _scored(self, click: Click, request_id: str) -> ClickAnswer | None:
        try:
            scorer = self._services.ready(click.program_id)
            return scorer.answer_from_memory(click, request_id) if scorer is not None else None
        except Exception:
            _log.exception("quick_answer_failed", request_id=request_id)
            return None

    def _count(self, given: ClickAnswer, started: datetime) -> None:
        seconds = max((self._services.clock.now() - started).total_seconds(), 0.0)
        self._metrics.hot_click(given.decision.value, degraded=given.degraded, seconds=seconds)


def _again(first: Message, receive: Receive) -> Receive:
    """What was received already, and then the rest."""
    waiting = [first]

    async def following() -> Message:
        return waiting.pop() if waiting else await receive()

    return following
