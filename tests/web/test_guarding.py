"""What is sent to a page is read up to a size: before anybody has signed in, a little; afterwards, files."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI

from fraud.web.forms import LARGEST_FORM, LARGEST_UPLOAD
from fraud.web.visits import COOKIE
from tests.web.conftest import Browser

CHUNK = 256 * 1024
HEAD = b'--x\r\nContent-Disposition: form-data; name="clicks"; filename="c.csv"\r\n\r\n'


@dataclass
class Upload:
    """Somebody who sends a file of so many bytes in pieces; `sent` is how many were asked for."""

    size: int
    sent: int = 0

    async def receive(self) -> dict[str, Any]:
        if self.sent == 0:
            self.sent = len(HEAD)
            return {"type": "http.request", "body": HEAD, "more_body": True}
        piece = min(CHUNK, self.size - self.sent)
        self.sent += piece
        end = b"\r\n--x--\r\n" if self.sent >= self.size else b""
        return {"type": "http.request", "body": b"0" * piece + end, "more_body": not end}


def status_of(app: FastAPI, path: str, upload: Upload, *, cookie: str = "", announced: int | None = None) -> int:
    headers = [(b"content-type", b"multipart/form-data; boundary=x"), (b"host", b"fraud.example")]
    headers += [(b"content-length", str(announced).encode())] if announced is not None else []
    headers += [(b"cookie", f"{COOKIE}={cookie}".encode())] if cookie else []
    told: list[int] = []

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            told.append(message["status"])

    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}
    asyncio.run(app({**scope, "client": ("203.0.113.7", 1), "server": ("fraud.example", 80), "scheme": "http"}, upload.receive, send))  # type: ignore[arg-type]  # ASGI's own types, in other words
    return told[0]


@pytest.mark.parametrize("path", ["/login", "/start/scan", "/settings/keys"])
def test_who_is_not_signed_in_fills_no_disk(visitor: Browser, path: str) -> None:
    upload = Upload(100 * LARGEST_FORM)
    assert status_of(visitor.app, path, upload) == 413
    assert upload.sent <= LARGEST_FORM + CHUNK
    made_up = Upload(100 * LARGEST_FORM)
    assert status_of(visitor.app, path, made_up, cookie="made.up") == 413
    assert made_up.sent <= LARGEST_FORM + CHUNK


def test_what_is_announced_as_too_large_is_not_read_at_all(visitor: Browser) -> None:
    upload = Upload(100 * LARGEST_FORM)
    assert status_of(visitor.app, "/login", upload, announced=upload.size) == 413
    assert status_of(visitor.app, "/login", upload, announced=10**30) == 413
    assert upload.sent == 0


def test_who_is_signed_in_may_send_files_and_no_more_than_the_page_takes(reviewer: Browser) -> None:
    cookie = reviewer.cookies[COOKIE]
    assert status_of(reviewer.app, "/start/scan", Upload(10 * LARGEST_FORM), cookie=cookie) == 403, "read, and refused without a token"
    upload = Upload(2 * LARGEST_UPLOAD)
    assert status_of(reviewer.app, "/start/scan", upload, cookie=cookie) == 413
    assert upload.sent <= LARGEST_UPLOAD + CHUNK
