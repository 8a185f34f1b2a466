"""Clicks whose counters are another machine's: scored in a thread, one step at a time, while the service goes on answering."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import httpx
import msgspec
import pytest
from starlette.types import ASGIApp, Message

from fraud.api.clicks import click_of_body, read_click
from fraud.api.main import create_api
from fraud.api.services import ApiServices
from fraud.domain.actors import Role
from fraud.domain.events import Click
from fraud.errors import StorageError
from fraud.workflows.scoring import ClickAnswer, ClickScorer
from tests.api.conftest import KEYS, House

KEY = {"X-API-Key": KEYS[Role.SCORE]}


def click(number: int, program_id: str = "default") -> dict[str, object]:
    """One of many clicks of an affiliate."""
    return {"click_id": f"c{number}", "clicked_at": 1_772_359_200 + number, "affiliate_id": "aff", "program_id": program_id}


@dataclass
class Gated:
    """A scorer that waits at a gate, as one does whose Redis hangs, and notes what it was asked for, in which thread."""

    scorer: ClickScorer
    fault: Exception | None = None
    gate: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    steps: list[list[str]] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)

    def answer_many_from_memory(self, clicks: Sequence[Click], request_ids: Sequence[str]) -> list[ClickAnswer | None]:
        """As the scorer, once the gate is open."""
        self.steps.append([one.click_id for one in clicks])
        self.threads.add(threading.current_thread().name)
        self.begun.set()
        assert self.gate.wait(30)
        if self.fault is not None:
            raise self.fault
        return self.scorer.answer_many_from_memory(clicks, request_ids)


@pytest.fixture
def gated(house: House) -> Gated:
    return Gated(house.services.scorer_of("default"))


def elsewhere(house: House, gated: Gated) -> ApiServices:
    """Services whose quick answers wait at the gate, as those with shared counters."""
    return replace(house.services, ready=lambda program_id: gated, counts_elsewhere=True)  # type: ignore[arg-type,return-value]  # the one method that is asked


class WholeBodies(httpx.AsyncBaseTransport):
    """The application in this event loop, which hears each body in one piece, as from a socket."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request."""
        messages: list[Message] = [{"type": "http.request", "body": await request.aread(), "more_body": False}]
        sent: list[Message] = []

        async def receive() -> Message:
            return messages.pop() if messages else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        headers = [(name.lower(), value) for name, value in request.headers.raw]
        scope = {"type": "http", "method": request.method, "path": request.url.path, "query_string": b"", "headers": headers}
        await self._app(scope, receive, send)
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], content=body)


class Trackers:
    """Many trackers at one service, in this event loop."""

    def __init__(self, services: ApiServices) -> None:
        self._client = httpx.AsyncClient(transport=WholeBodies(create_api(services)), base_url="http://test", headers=KEY)

    async def known(self, gated: Gated) -> None:
        """The key has been looked up, so that what follows is answered quickly."""
        gated.gate.set()
        for number in (9_000, 9_001):
            assert (await self.send(click(number))).status_code == 200
        gated.gate.clear()
        gated.begun.clear()
        gated.steps.clear()

    async def send(self, one: dict[str, object]) -> httpx.Response:
        """A click."""
        return await self._client.post("/v1/score/click", json=one)

    async def get(self, path: str) -> httpx.Response:
        """Another page."""
        return await self._client.get(path)

    def many(self, clicks: Sequence[dict[str, object]]) -> list[asyncio.Task[httpx.Response]]:
        """Clicks at the same moment."""
        return [asyncio.ensure_future(self.send(one)) for one in clicks]


async def under_way(gated: Gated) -> None:
    """Returns once a step waits at the gate, and all who came by then wait for it."""
    await asyncio.to_thread(gated.begun.wait, 30)
    await asyncio.sleep(0.05)


def test_while_a_step_waits_everything_else_is_answered_and_the_next_step_gathers(house: House, gated: Gated) -> None:
    async def main() -> None:
        trackers = Trackers(elsewhere(house, gated))
        await trackers.known(gated)
        first = trackers.many([click(0)])
        await under_way(gated)
        later = trackers.many([click(number) for number in range(1, 101)])
        await asyncio.sleep(0.05)
        assert (await trackers.get("/healthz")).status_code == 200
        assert not any(one.done() for one in first + later)
        gated.gate.set()
        answers = [one.json() for one in await asyncio.gather(*first, *later)]
        assert [one["click_id"] for one in answers] == [f"c{number}" for number in range(101)]
        assert [len(step) for step in gated.steps] == [1, 64, 36], "one step at a time, each with all who came meanwhile"
        assert [name for step in gated.steps for name in step] == [f"c{number}" for number in range(101)], "in their order"
        assert all(name.startswith("clicks") for name in gated.threads)
        assert 'fraud_http_requests_total{route="/v1/score/click",method="POST",status="200"} 103' in await figures(trackers)

    asyncio.run(main())


async def figures(trackers: Trackers) -> str:
    """What `/metrics` says."""
    return (await trackers.get("/metrics")).text


def test_who_hangs_up_during_a_step_was_counted_and_the_others_are_answered(house: House, gated: Gated) -> None:
    async def main() -> None:
        trackers = Trackers(elsewhere(house, gated))
        await trackers.known(gated)
        sent = trackers.many([click(number) for number in range(3)])
        await under_way(gated)
        sent[1].cancel()
        await asyncio.sleep(0)
        gated.gate.set()
        ends = await asyncio.gather(*sent, return_exceptions=True)
        assert [end.status_code for end in (ends[0], ends[2]) if isinstance(end, httpx.Response)] == [200, 200]
        assert isinstance(ends[1], asyncio.CancelledError)
        first = gated.scorer.answer_many_from_memory([_click(1)], ["again"])
        assert first[0] is not None
        assert (await trackers.send(click(1))).json()["request_id"] == first[0].request_id, "it was answered, only not to anybody"

    asyncio.run(main())


def _click(number: int) -> Click:
    body = msgspec.json.encode(click(number))
    return click_of_body(body, read_click(body), "default")


@pytest.mark.parametrize("fault", [StorageError("The journal is full."), RuntimeError("a bug")])
def test_a_step_that_breaks_off_leaves_its_clicks_to_the_route_and_the_next_step_goes_on(
    house: House, gated: Gated, fault: Exception
) -> None:
    async def main() -> None:
        trackers = Trackers(elsewhere(house, gated))
        await trackers.known(gated)
        gated.fault = fault
        gated.gate.set()
        broken = await asyncio.gather(*trackers.many([click(number) for number in range(5)]))
        gated.fault = None
        whole = await asyncio.gather(*trackers.many([click(number) for number in range(5, 10)]))
        assert [one.json()["click_id"] for one in (*broken, *whole)] == [f"c{number}" for number in range(10)]

    asyncio.run(main())


def test_clicks_of_several_programs_are_answered_each_with_its_own(house: House, gated: Gated) -> None:
    async def main() -> None:
        trackers = Trackers(elsewhere(house, gated))
        await trackers.known(gated)
        gated.gate.set()
        sent = trackers.many([click(number, ("default", "shoes")[number % 2]) for number in range(20)])
        assert [(await one).json()["click_id"] for one in sent] == [f"c{number}" for number in range(20)]

    asyncio.run(main())
