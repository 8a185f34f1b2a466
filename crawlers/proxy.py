"""A proxy for the browser that goes only where the crawler may go: every connection is checked and pinned like the fetcher's own.

Plain requests (GET and HEAD) and CONNECT tunnels; whatever the crawler's rules refuse gets 403 and no connection. It listens on loopback,
for the one browser that is started with it.
"""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpcore

from crawlers.addresses import Target, check_url
from crawlers.domains import is_within
from crawlers.errors import CrawlError, LookupFailed
from crawlers.limits import CrawlSettings
from crawlers.reading.urls import host_of
from crawlers.resolve import Resolver
from crawlers.transport import PinnedBackend

HEAD_BYTES = 64 * 1024
PIECE = 64 * 1024
HEAD_SECONDS = 10.0
MOST_BYTES = 60 * 1024 * 1024
"""Bytes that all answers of one browser together may have between two calls of `reset`."""
MOST_CONNECTIONS = 400
FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
METHODS = frozenset({"GET", "HEAD"})
SERVICES = (
    "update.googleapis.com", "clients1.google.com", "clients2.google.com", "clients3.google.com", "clients4.google.com",
    "optimizationguide-pa.googleapis.com", "redirector.gvt1.com", "dl.google.com", "safebrowsing.googleapis.com", "edgedl.me.gvt1.com",
    "content-autofill.googleapis.com", "android.clients.google.com", "mtalk.google.com", "clientservices.googleapis.com",
)  # fmt: skip
"""Where Chromium calls home; no page needs it, and nobody asked it to."""
HOP_HEADERS = (b"connection:", b"proxy-connection:", b"keep-alive:", b"proxy-authorization:", b"upgrade:")


class GuardingProxy:
    """The proxy; use it as `async with GuardingProxy(settings) as proxy`. `refused` are the addresses that were not let through.

    `never` are hosts (and all below them) that get no connection although they are public: a visit there would be a click.
    """

    def __init__(self, settings: CrawlSettings, resolver: Resolver | None = None, never: tuple[str, ...] = ()) -> None:
        self._settings = settings
        self._backend = PinnedBackend(settings, resolver or Resolver(settings))
        self._never = never
        self._server: asyncio.Server | None = None
        self._left, self._connections = MOST_BYTES, 0
        self.refused: list[str] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=HEAD_BYTES)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._server is not None:
            self._server.close()

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def reset(self) -> None:
        """Begins a new visit: budgets are whole again and nothing was refused."""
        self._left, self._connections, self.refused = MOST_BYTES, 0, []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            await self._answer(head, reader, writer)
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, httpcore.NetworkError):
            pass  # the browser or the site hung up, or neither said anything
        except httpcore.TimeoutException:
            pass  # the site was silent
        finally:
            writer.close()

    async def _answer(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        address = rest.rpartition(" ")[0]
        url = f"https://{address}/" if method == "CONNECT" else address
        self._connections += 1
        if any(is_within(host_of(url), host) for host in SERVICES):
            writer.write(FORBIDDEN)
            return
        try:
            if method not in METHODS | {"CONNECT"} or self._connections > MOST_CONNECTIONS or self._left <= 0:
                raise LookupFailed(url, "budget", "The browser's budget is used up, or the method is not allowed.")
            target = check_url(url, self._settings)
            if any(is_within(target.host, host) for host in self._never):
                raise LookupFailed(url, "refused", "A visit to this host would count as a click.")
            stream = await self._backend.connect_tcp(target.host, target.port, self._settings.limits.connect_seconds)
        except CrawlError:
            self.refused.append(url[:2048])
            writer.write(FORBIDDEN)
            return
        except (httpcore.ConnectError, httpcore.ConnectTimeout):
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        try:
            await self._carry(method, head, target, (reader, writer, stream))
        finally:
            await stream.aclose()

    async def _carry(
        self, method: str, head: bytes, target: Target, ends: tuple[asyncio.StreamReader, asyncio.StreamWriter, httpcore.AsyncNetworkStream]
    ) -> None:
        reader, writer, stream = ends
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            up = asyncio.create_task(_upload(reader, stream))
            try:
                await self._download(stream, writer)
            finally:
                up.cancel()
                with contextlib.suppress(asyncio.CancelledError, httpcore.NetworkError, httpcore.TimeoutException, ConnectionError):
                    await up
            return
        await stream.write(_own_head(head, target), self._settings.limits.read_seconds)
        await self._download(stream, writer, closing=True)

    async def _download(self, stream: httpcore.AsyncNetworkStream, writer: asyncio.StreamWriter, *, closing: bool = False) -> None:
        """Carry an answer to the browser, at most what is left of the budget; `closing` tells it that no second one follows."""
        held = b""
        while self._left > 0:
            piece = await stream.read(PIECE, self._settings.limits.read_seconds)
            if not piece:
                break
            self._left -= len(piece)
            if closing:
                held += piece
                if b"\r\n\r\n" not in held and len(held) < HEAD_BYTES:
                    continue
                piece, closing = _closing_head(held), False
            writer.write(piece)
            await writer.drain()


async def _upload(reader: asyncio.StreamReader, stream: httpcore.AsyncNetworkStream) -> None:
    while piece := await reader.read(PIECE):
        await stream.write(piece)


def _own_head(head: bytes, target: Target) -> bytes:
    """Return a request as the site gets it: for the checked address, without what concerns the proxy, and for one answer."""
    line, *fields = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    parts = urlsplit(target.url)
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    kept = [field for field in fields if not field.lower().startswith((*HOP_HEADERS, b"host:"))]
    host = parts.netloc.encode("latin-1")
    start = b" ".join([line.partition(b" ")[0], path.encode("latin-1"), b"HTTP/1.1"])
    return b"\r\n".join([start, b"Host: " + host, *kept, b"Connection: close", b"", b""])


def _closing_head(held: bytes) -> bytes:
    head, mark, body = held.partition(b"\r\n\r\n")
    kept = [field for field in head.split(b"\r\n") if not field.lower().startswith((b"connection:", b"keep-alive:"))]
    return b"\r\n".join([*kept, b"Connection: close"]) + mark + body if mark else held
