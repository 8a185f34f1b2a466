"""Websites on loopback, made for a test: many hosts behind one port, visited by the real crawler."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from crawlers import CrawlSettings, Fetcher, Robots, collect_site
from crawlers.facts import SiteFacts
from fraud.domain.programs import Application, ProgramProfile
from fraud.policy.pack import Pack
from fraud.workflows.vetting import VettingOutcome, VettingTools, vet_many
from tests.checks.applicants.samples import NOW, PACK

PEPPER = b"pepper"


@dataclass(frozen=True)
class Answer:
    """What a server says to one address; `location` makes it a redirect."""

    body: bytes = b""
    status: int = 200
    location: str = ""


Web = Mapping[str, Answer]
"""Answers by host and path, such as `blog.test/about`; a host's `/*` answers every other path of it."""


@contextmanager
def served(web: Web) -> Iterator[CrawlSettings]:
    """Serves a web on loopback; gives settings with which every visit over HTTP goes there."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host = self.headers.get("Host", "").partition(":")[0]
            path = self.path.partition("?")[0]
            answer = web.get(f"{host}{path}") or web.get(f"{host}/*") or Answer(b"<p>Nothing here.</p>", 404)
            self.send_response(answer.status)
            if answer.location:
                self.send_header("Location", answer.location)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield CrawlSettings(connect_to={80: ("127.0.0.1", server.server_address[1])}, delay=0)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def vetted(
    settings: CrawlSettings,
    *applications: Application,
    profile: ProgramProfile | None = None,
    bodies: dict[str, bytes] | None = None,
    pack: Pack = PACK,
) -> list[VettingOutcome]:
    """Vets applications through the real crawler; `bodies` gets what was fetched, by SHA-256."""
    return asyncio.run(_vet_all(settings, applications, profile, {} if bodies is None else bodies, pack))


async def _vet_all(
    settings: CrawlSettings, applications: tuple[Application, ...], profile: ProgramProfile | None, bodies: dict[str, bytes], pack: Pack
) -> list[VettingOutcome]:
    def keep(body: bytes) -> str:
        name = sha256(body).hexdigest()
        bodies[name] = body
        return name

    async with Fetcher(settings, now=lambda: NOW) as fetcher:
        robots = Robots(fetcher)

        async def collect(url: str) -> SiteFacts:
            return await collect_site(url, fetcher, keep=keep, robots=robots)

        tools = VettingTools(collect=collect, actor_id="system", pepper=PEPPER, now=lambda: NOW)
        return await vet_many(applications, profile, pack, tools)
