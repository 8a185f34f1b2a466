"""An open loop of single clicks: each is sent when it is due, and its latency counts from then. Prints its figures as JSON.

The client must not be what is measured: requests are made beforehand, connections are bare protocols, and nothing is collected meanwhile.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import sys
import time
from collections import deque
from typing import cast
from urllib.parse import urlsplit

import uvloop

CONNECTIONS = 64
_LENGTH = b"content-length:"
_AT_ONCE = 8
"""Requests that are sent before answers are read, when many are due."""


class Connection(asyncio.Protocol):
    """One connection: sends a request, and on its answer takes the next that waits."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._transport: asyncio.WriteTransport | None = None
        self._due = 0.0
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Is free from now on."""
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's own class does not say that it is one
        self._client.free.append(self)

    def send(self, due: float, request: bytes) -> None:
        """Sends what was due then."""
        assert self._transport is not None
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Notes the time at which the whole answer is here."""
        at = time.perf_counter()
        self._received = self._received + data if self._received else data
        head = self._received.find(b"\r\n\r\n")
        if head < 0:
            return
        lower = self._received[:head].lower()
        length = int(lower[lower.index(_LENGTH) + len(_LENGTH) :].split(b"\r\n", 1)[0])
        if len(self._received) < head + 4 + length:
            return
        self._client.answered(self, at - self._due, b" 200 " in self._received[:16])
        self._received = b""

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever was waiting on it waits for ever: the count of answers says so."""
        self._client.lost += 1


class Client:
    """The connections, those that are free, and what was measured."""

    def __init__(self, requests: int) -> None:
        self.free: list[Connection] = []
        self.waiting: deque[tuple[float, bytes]] = deque()
        self.taken: list[float] = []
        self.failed = self.lost = 0
        self._left = requests
        self.done = asyncio.get_running_loop().create_future()

    def send(self, due: float, request: bytes) -> None:
        """Sends over a free connection, or as soon as there is one."""
        if self.free:
            self.free.pop().send(due, request)
        else:
            self.waiting.append((due, request))

    def answered(self, connection: Connection, seconds: float, good: bool) -> None:
        """Counts an answer and gives its connection to the next that waits."""
        self.taken.append(seconds)
        self.failed += not good
        self._left -= 1
        if self.waiting:
            connection.send(*self.waiting.popleft())
        else:
            self.free.append(connection)
        if not self._left:
            self.done.set_result(None)


def request_of(number: int, path: str, key: str, run: str) -> bytes:
    """One click."""
    draw = random.random
    body = json.dumps(
        {
            "click_id": f"{run}-{number}",
            "clicked_at": int(time.time()),
            "affiliate_id": f"aff-{int(draw() * 200)}",
            "offer_id": f"offer-{int(draw() * 20)}",
            "ip": f"{int(draw() * 220) + 1}.{int(draw() * 255)}.{int(draw() * 255)}.7",
            "user_agent": f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{100 + int(draw() * 40)}.0 Safari/537.36",
            "country": "DE",
        }
    ).encode()
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def paced(host: str, port: int, requests: list[bytes], rate: float) -> dict[str, float]:
    """Sends the requests at the rate: requests per second, p50 and p99 (ms), failures, and p99 of how late requests were sent (ms)."""
    loop = asyncio.get_running_loop()
    client = Client(len(requests))
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: Connection(client), host, port)
    late: list[float] = []
    start = time.perf_counter() + 0.2
    for number, request in enumerate(requests):
        due = start + number / rate
        while time.perf_counter() < due:
            await asyncio.sleep(0)  # the loop's timers are a millisecond apart: between requests it looks for answers instead of sleeping
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
        late.append(time.perf_counter() - due)
        client.send(due, request)
    await asyncio.wait_for(client.done, 60)
    taken, late = sorted(client.taken), sorted(late)
    return {
        "per_second": len(taken) / (time.perf_counter() - start),
        "p50": taken[len(taken) // 2] * 1000,
        "p99": taken[int(len(taken) * 0.99)] * 1000,
        "sent_late_p99": late[int(len(late) * 0.99)] * 1000,
        "failed": client.failed + client.lost,
    }


def main(url: str, key: str, rate: float, seconds: float) -> None:
    """Runs the loop and prints what it found."""
    place, run = urlsplit(url), f"p{time.time_ns():x}"
    requests = [request_of(number, place.path, key, run) for number in range(int(rate * seconds))]
    gc.collect()
    gc.freeze()
    gc.disable()
    print(json.dumps(uvloop.run(paced(str(place.hostname), int(place.port or 80), requests, rate))))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
