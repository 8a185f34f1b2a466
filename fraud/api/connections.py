"""A connection that is not held for those who do not use it: uvicorn's own reads a request for as long and as large as its sender likes.

Limits are per connection: the head of a request (its line and headers) has a size and a time, a whole request has a time, and an answer
that nobody takes is dropped. A proxy in front sees to how many connections there may be.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fraud.api.problems import MEDIA_TYPE

_CODES = {400: "bad_request", 408: "too_slow", 431: "head_too_large"}


class BoundedConnection(HttpToolsProtocol):
    """One client's connection, within limits. Costs a request two readings of the loop's clock."""

    longest_head = 65_536
    """Bytes of a head that is still not whole: eight times what common proxies let through. So many may also stand around the pieces of a
    body, or follow it as trailers, without any of it being body."""

    head_seconds = 15.0
    """Time for a head, and for the first byte of a new connection: the time Apache and nginx give is 20 to 60, a tracker takes none."""

    request_seconds = 120.0
    """Time for a whole request: the largest body there is (32 MB) at 2 Mbit/s."""

    answer_seconds = 60.0
    """Time in which a client that is sent something must take some of it."""

    look_seconds = 5.0
    """Time between two looks at a connection, by which it may live longer."""

    _looking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it: it is a Transport
        """Begins to look at the connection every few seconds."""
        super().connection_made(transport)
        self._reading_since: float | None = self.loop.time()
        self._in_head, self._is_body, self._head = True, False, 0
        self._untaken, self._untaken_since = 0, 0.0
        self._looking = self.loop.call_later(self.look_seconds, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends with the connection."""
        if self._looking is not None:
            self._looking.cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._reading_since, self._in_head, self._head = self.loop.time(), True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is whole; what follows as trailers is no part of it."""
        self._in_head, self._head = False, 0
        super().on_headers_complete()
        self.headers = []

    def on_body(self, body: bytes) -> None:
        """Some of its body."""
        self._is_body = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """It is whole."""
        self._reading_since = None
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Takes what was sent, unless it is a head, a trailer or the length of a piece without end."""
        self._is_body = False
        super().data_received(data)
        if self._is_body:
            self._head = 0
        elif self._reading_since is not None:
            self._head += len(data)
            if self._head > self.longest_head and not self.transport.is_closing():
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"The headers are larger than {self.longest_head:,} bytes.")

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio asks whether to stay open; uvicorn's own never does
        """A client that has said all it will say still hears the answers to what it has said whole."""
        waits = self._reading_since is None and self.cycle is not None and not self.cycle.response_complete
        if waits:
            self.cycle.keep_alive = False
        return waits

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is told so in the form of every other error."""
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _look(self) -> None:
        if self.transport.is_closing():
            return
        self._looking = self.loop.call_later(self.look_seconds, self._look)
        now = self.loop.time()
        if self._reading_since is not None:
            allowed = self.head_seconds if self._in_head else self.request_seconds
            if now - self._reading_since > allowed:
                self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"The request was not whole after {allowed:g} seconds.")
                return
        untaken = self.transport.get_write_buffer_size()
        if untaken != self._untaken:
            self._untaken, self._untaken_since = untaken, now
        elif untaken and now - self._untaken_since > self.answer_seconds:
            self.transport.abort()

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Says why, unless an answer is under way already, and hangs up."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(_refusal(status, detail))
        self.transport.close()


def _refusal(status: HTTPStatus, detail: str) -> bytes:
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        "code": _CODES[int(status)],
    }
    body = msgspec.json.encode(problem)
    head = (
        f"HTTP/1.1 {int(status)} {status.phrase}\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
