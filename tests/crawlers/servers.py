"""Loopback web servers for the tests: each answers from a table of paths, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeVar

from crawlers.limits import CrawlSettings, Limits
from crawlers.resolve import Resolver

Result = TypeVar("Result")
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end."""
    return asyncio.run(work)


@dataclass
class Answer:
    """What a path answers."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "text/html; charset=utf-8"})


def html(text: str) -> Answer:
    """Return an answer that is a page."""
    return Answer(text.encode())


def redirect(location: str, status: int = 302) -> Answer:
    """Return an answer that points elsewhere."""
    return Answer(status=status, headers={"Location": location})


@dataclass
class Request:
    """A request as the server saw it."""

    method: str
    path: str
    headers: dict[str, str]


class Site:
    """A running server: `port`, the `requests` it saw, and `pages`, which may be changed while it runs."""

    def __init__(self, pages: Mapping[str, Answer], tls: ssl.SSLContext | None = None) -> None:
        self.pages = dict(pages)
        self.requests: list[Request] = []
        self.server_names: list[str | None] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        if tls is not None:
            tls.sni_callback = lambda _socket, name, _context: self.server_names.append(name)
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [request.path for request in self.requests]

    def close(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.requests.append(Request(self.command, self.path, dict(self.headers.items())))
            answer = site.pages.get(self.path) or Answer(b"<title>Not found</title>", 404)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if "Content-Length" not in answer.headers:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is the base class's)
            return

        def handle(self) -> None:
            try:
                super().handle()
            except (ConnectionError, ssl.SSLError):
                self.close_connection = True

    return Handler


@contextmanager
def site(pages: Mapping[str, Answer], tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Run a server for the length of a block."""
    running = Site(pages, tls)
    try:
        yield running
    finally:
        running.close()


@contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """Run a server that hands every connection to `talk`, for answers that no proper server gives; yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    closing = threading.Event()

    def serve() -> None:
        while not closing.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    connection.recv(65536)
                    talk(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        closing.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def names(table: Mapping[str, list[str]]) -> Callable[[str], Awaitable[list[str]]]:
    """Return a name look-up that knows only the names in the table."""

    async def lookup(host: str) -> list[str]:
        if host not in table:
            raise OSError(f"no such name as {host}")
        return table[host]

    return lookup


def settings_to(http_port: int | None = None, https_port: int | None = None, **changes: Any) -> CrawlSettings:
    """Return settings that send ports 80 and 443 to local servers, without pauses; `changes` are further settings."""
    targets = {80: http_port, 443: https_port}
    connect_to = {port: ("127.0.0.1", local) for port, local in targets.items() if local is not None}
    return CrawlSettings(**{"connect_to": connect_to, "delay": 0.0, **changes})


def local_settings(port: int, **changes: Any) -> CrawlSettings:
    """Return settings that may reach loopback at one port, by address, without pauses."""
    limits = changes.pop("limits", Limits(ports=frozenset({80, 443, port})))
    return CrawlSettings(allow_networks=LOOPBACK, delay=0.0, limits=limits, **changes)


def resolver(settings: CrawlSettings, table: Mapping[str, list[str]]) -> Resolver:
    """Return a resolver that knows only the names in the table."""
    return Resolver(settings, names(table))


@dataclass(frozen=True)
class Authority:
    """A certificate authority made for a test run, and a server certificate for `shop.test` signed by it."""

    ca_file: Path
    server_file: Path

    def server_context(self) -> ssl.SSLContext:
        """Return the server's side of TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server_file)
        return context


def make_authority(folder: Path, openssl: str) -> Authority:
    """Make the authority and the certificate with the `openssl` program."""
    ca, ca_key = folder / "ca.pem", folder / "ca.key"
    _openssl(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/O=Test Authority/CN=Test CA",
             "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
             "-keyout", str(ca_key), "-out", str(ca))  # fmt: skip
    request, key, certificate = folder / "shop.csr", folder / "shop.key", folder / "shop.pem"
    _openssl(openssl, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=shop.test", "-keyout", str(key), "-out", str(request))
    extensions = folder / "extensions"
    extensions.write_text("subjectAltName=DNS:shop.test,DNS:www.shop.test\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n")
    _openssl(openssl, "x509", "-req", "-in", str(request), "-CA", str(ca), "-CAkey", str(ca_key), "-set_serial", "2", "-days", "2",
             "-extfile", str(extensions), "-out", str(certificate))  # fmt: skip
    both = folder / "both.pem"
    both.write_text(certificate.read_text() + key.read_text())
    return Authority(ca, both)


def _openssl(program: str, *arguments: str) -> None:
    subprocess.run([program, *arguments], check=True, capture_output=True)
