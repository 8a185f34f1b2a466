"""Servers on loopback that answer as trackers do: real HTTP, a script instead of a database."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def form(self) -> list[tuple[str, str]]:
        """The body as a form."""
        return parse_qsl(self.body.decode(), keep_blank_values=True)

    def field(self, name: str) -> str:
        """A field of the form."""
        return dict(self.form)[name]


@dataclass(frozen=True)
class Answer:
    """What to answer. `promised` is a length to claim that is not kept; `chunks` are sent one after the other without a length."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    promised: int | None = None
    chunks: Callable[[], Iterator[bytes]] | None = None


def document(value: Any, status: int = 200, **headers: str) -> Answer:
    """An answer in JSON."""
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json", **headers})


Script = Callable[[Asked], Answer]


class Tracker:
    """A running server: its address, what it was asked, and answers that come before those of the script."""

    def __init__(self, script: Script) -> None:
        self.script, self.asked, self.first = script, list[Asked](), list[Answer]()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        """Begins to answer."""
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """Ends."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        tracker = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Nothing is to be printed."""

            def _answer(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                asked = Asked(
                    self.command,
                    parts.path,
                    dict(parse_qsl(parts.query, keep_blank_values=True)),
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(length),
                )
                tracker.asked.append(asked)
                answer = tracker.first.pop(0) if tracker.first else tracker.script(asked)
                self._send(answer)

            def _send(self, answer: Answer) -> None:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.chunks is None:
                    self.send_header("Content-Length", str(len(answer.body) if answer.promised is None else answer.promised))
                self.end_headers()
                try:
                    for chunk in answer.chunks() if answer.chunks else (answer.body,):
                        self.wfile.write(chunk)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - names of the standard library

        return Handler


@contextmanager
def running(script: Script) -> Iterator[Tracker]:
    """A server that answers by a script, stopped at the end."""
    tracker = Tracker(script)
    tracker.start()
    try:
        yield tracker
    finally:
        tracker.stop()
