"""`POST /v1/score/click` without the framework: the same answers as its route, for a tenth of the time.

Clicks that arrive at the same moment are scored together, which costs each of them less. What is out of the ordinary (a key to look up, a
body in pieces, a fault, an event another process may have answered) is left to the route, which reads the same request again: here nothing
has happened yet.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import cast

import msgspec
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fraud.api.clicks import click_of_body, read_click
from fraud.api.metrics import CLICK_ROUTE, Metrics
from fraud.api.security import Gate, RateHeaders, program_of, told_to
from fraud.api.services import ApiServices
from fraud.domain.actors import Actor, Role
from fraud.domain.events import Click
from fraud.domain.ids import new_ids
from fraud.errors import FraudError
from fraud.workflows.scoring import ClickAnswer

_log = structlog.get_logger(__name__)
_KEY_HEADERS = (b"authorization", b"x-api-key")
_BEARER = b"bearer "
_ENCODE = msgspec.json.Encoder().encode
_JSON = (b"content-type", b"application/json")

TOGETHER = 64
"""Clicks that are scored in one step, while which nothing else is answered unless it is taken beside the loop."""

APART = 0.002
"""Seconds from the beginning of one step to that of the next while fewer wait. A step costs as much as four clicks in it do: one for each
click would fill the processor at half of the rate that it can answer, and answers would wait longer than these two milliseconds."""

BESIDE = 1
"""Steps at once where another machine counts: each in a thread, in which it waits for that machine while the loop goes on."""

_Given = list[ClickAnswer | None]
"""The answers to a group; `None` for those that the route must give."""


@dataclass(eq=False, slots=True)
class _Waiting:
    """A click that is scored with the others of its moment; the answer is `None` when the route must give it."""

    click: Click
    answer: asyncio.Future[ClickAnswer | None]
    request_id: str = ""


class HotClicks:
    """An ASGI application that answers ordinary single clicks itself and passes everything else on."""

    def __init__(self, app: ASGIApp, services: ApiServices, gate: Gate, metrics: Metrics) -> None:
        self._app, self._services, self._gate, self._metrics = app, services, gate, metrics
        self._waiting: list[_Waiting] = []
        self._began = 0.0
        self._due = False
        self._beside = 0
        self._threads = ThreadPoolExecutor(BESIDE, thread_name_prefix="clicks") if services.counts_elsewhere else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or passes it on untouched."""
        if scope["type"] != "http" or scope["path"] != CLICK_ROUTE or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        known = await self._known(scope)
        if known is None:
            await self._app(scope, receive, send)
            return
        actor, stands = known
        first = await receive()
        click = None if first.get("more_body") else self._click(actor, first)
        waiting = self._enqueued(click) if click is not None else None
        given = await waiting.answer if waiting is not None else None
        if waiting is None or given is None:
            await self._app(scope, _again(first, receive), send)
            return
        if self._services.kept is not None:
            await self._services.kept()
        body = _ENCODE(told_to(actor, given))
        headers = [_JSON, (b"content-length", b"%d" % len(body)), (b"x-request-id", waiting.request_id.encode()), *stands]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _known(self, scope: Scope) -> tuple[Actor, RateHeaders] | None:
        secret = _secret_in(scope)
        if secret is None:
            return None
        known = self._gate.known(secret, Role.SCORE)
        if known is None and await self._gate.renewed(secret):
            known = self._gate.known(secret, Role.SCORE)
        return known

    def _click(self, actor: Actor, first: Message) -> Click | None:
        """The click, or `None` when there is something wrong with the request, which is the route's to say."""
        body = first.get("body", b"")
        if first["type"] != "http.request" or len(body) > self._services.body_limit:
            return None
        try:
            sent = read_click(body)
            return click_of_body(body, sent, program_of(actor, sent.program_id))
        except FraudError:
            return None

    def _enqueued(self, click: Click) -> _Waiting:
        """The click among those that wait; it is scored after all requests that have been read by now, and not too soon after others."""
        waiting = _Waiting(click, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._make_due()
        return waiting

    def _make_due(self) -> None:
        """Sees to it that those who wait are scored, unless as many steps as may be are under way: then the end of one does."""
        if self._due or not self._waiting or self._beside >= BESIDE:
            return
        self._due = True
        loop = asyncio.get_running_loop()
        rest = self._began + APART - loop.time() if len(self._waiting) < TOGETHER else 0.0
        if rest > 0:
            loop.call_later(rest, self._score)
        else:
            loop.call_soon(self._score)

    def _score(self) -> None:
        """Answers those who wait, or as many as may be scored in one step."""
        loop = asyncio.get_running_loop()
        self._due, self._began = False, loop.time()
        together, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
        if self._threads is None:
            if self._waiting:
                self._due = True
                loop.call_soon(self._score)
            _tell(together, self._answers(together))
            return
        self._beside += 1
        step = loop.run_in_executor(self._threads, self._answers, together)
        step.add_done_callback(lambda ended: self._ended(together, ended))
        self._make_due()

    def _ended(self, together: Sequence[_Waiting], step: asyncio.Future[_Given]) -> None:
        """Tells those whose step was taken in a thread, and begins the next."""
        self._beside -= 1
        self._make_due()
        fault = step.exception()
        if fault is not None:
            _log.error("quick_answers_failed", clicks=len(together), exc_info=fault)
        _tell(together, step.result() if fault is None else [None] * len(together))

    def _answers(self, together: list[_Waiting]) -> _Given:
        """What each of them is answered, in their order."""
        groups = _by_program(together)
        if len(groups) == 1:
            return self._scored(together[0].click.program_id, together)
        given: dict[int, ClickAnswer | None] = {}
        for program_id, group in groups.items():
            given.update(zip(map(id, group), self._scored(program_id, group), strict=True))
        return [given[id(one)] for one in together]

    def _scored(self, program_id: str, group: list[_Waiting]) -> _Given:
        started = self._services.clock.now()
        nothing: _Given = [None] * len(group)
        try:
            scorer = self._services.ready(program_id)
            if scorer is None:
                return nothing
            ids = new_ids("req", started, len(group))
            for one, request_id in zip(group, ids, strict=True):
                one.request_id = request_id
            given = scorer.answer_many_from_memory([one.click for one in group], ids)
        except FraudError:  # the route meets the same fault for each click, tells it and logs it in a line
            return nothing
        except Exception:
            _log.exception("quick_answers_failed", program_id=program_id, clicks=len(group))
            return nothing
        seconds = max((self._services.clock.now() - started).total_seconds(), 0.0)
        self._metrics.hot_clicks([answer for answer in given if answer is not None], seconds)
        return given


def _tell(waiting: Sequence[_Waiting], given: _Given) -> None:
    """Gives each its answer, unless it has stopped waiting."""
    for one, answer in zip(waiting, given, strict=True):
        if not one.answer.done():
            one.answer.set_result(answer)


def _secret_in(scope: Scope) -> bytes | None:
    """The key of a request that has one of the two headers; where it has both, which of them counts is the route's to say."""
    sent = [(name, value) for name, value in scope["headers"] if name in _KEY_HEADERS]
    if len(sent) != 1:
        return None
    ((name, value),) = sent
    if name == b"x-api-key":
        return cast(bytes, value.strip())
    return cast(bytes, value[len(_BEARER) :].strip()) if value[: len(_BEARER)].lower() == _BEARER else None


def _by_program(waiting: list[_Waiting]) -> dict[str, list[_Waiting]]:
    first = waiting[0].click.program_id
    if all(one.click.program_id == first for one in waiting):
        return {first: waiting}
    programs: defaultdict[str, list[_Waiting]] = defaultdict(list)
    for one in waiting:
        programs[one.click.program_id].append(one)
    return programs


def _again(first: Message, receive: Receive) -> Receive:
    """What was received already, and then the rest."""
    waiting = [first]

    async def following() -> Message:
        return waiting.pop() if waiting else await receive()

    return following
