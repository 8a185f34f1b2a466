"""The demonstration's program, its three applicants, and a loopback server that shows their sites.

The names end in `.example` and resolve nowhere: a crawler reaches the sites by connecting every host on port 80 to the server, for
instance with `FRAUD_CRAWL_CONNECT_TO=80=HOST:PORT`.
"""

from __future__ import annotations

import contextlib
import mimetypes
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from fraud.domain.programs import Application, ProgramProfile

SITES = Path(__file__).parent
"""One folder per host, named like the host."""

PROFILE = ProgramProfile(
    name="Northtrail Outdoor",
    description="Tents, boots and rain gear for people who walk.",
    vertical="outdoor",
    keywords=("hiking", "tent", "boots", "trail", "rucksack", "rain jacket", "camping"),
    domains=("northtrail.example",),
    brand_terms=("northtrail",),
    tracking_hosts=("go.northtrail.example",),
    languages=("en",),
    prohibited_categories=("adult", "gambling", "counterfeit", "hate", "malware"),
    allows_paid_search=False,
    allows_incentive=False,
    allows_email=True,
    allows_coupon=True,
    requires_disclosure=True,
)
"""The program they apply to."""

HONEST = Application(
    application_id="demo-trailnotes",
    name="Marit Solvang",
    email="marit@trailnotes.example",
    company="Trail Notes",
    websites=("http://trailnotes.example/",),
    social_profiles=("https://social.example/@trailnotes",),
    affiliate_type="content",
    traffic_sources=("website",),
    description="Long-term reviews of hiking gear: tents, boots and rain gear, carried for at least a month before they are judged.",
)
"""A small review blog with real articles, marked links and a name behind it."""

PARKED = Application(
    application_id="demo-maplecrossing",
    name="Dale Winter",
    email="dale.winter@maplecrossing.example",
    websites=("http://maplecrossing.example/",),
    affiliate_type="content",
    traffic_sources=("website",),
    claimed_monthly_visits=80_000,
    description="Outdoor magazine with daily articles.",
)
"""Says it is a magazine; the domain is parked and for sale."""

FORCED = Application(
    application_id="demo-northtrail-coupons",
    name="NT Savings Team",
    email="deals@northtrail-coupons.example",
    websites=("http://northtrail-coupons.example/",),
    affiliate_type="coupon",
    traffic_sources=("website", "search"),
    claimed_monthly_visits=250_000,
    description="Coupon codes for Northtrail customers.",
)
"""Loads the program's tracking link in a hidden frame, redirects by script, discloses nothing, and has the brand in its domain."""

APPLICATIONS: tuple[Application, ...] = (HONEST, PARKED, FORCED)
"""All three."""

_WILDCARD_HOSTS = frozenset({"maplecrossing.example"})


class _SiteHandler(BaseHTTPRequestHandler):
    """Serves the folder named by the Host header; parked hosts answer every path with the same page."""

    protocol_version = "HTTP/1.1"
    server_version = "simulated-site"
    sys_version = ""
    timeout: ClassVar[float] = 10.0

    def do_GET(self) -> None:
        """A page with its body."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """The same without the body."""
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Keeps quiet: a demonstration's output is the product's, not the server's."""

    def _answer(self, *, with_body: bool) -> None:
        path = find_page(self.headers.get("Host", ""), self.path)
        body = path.read_bytes() if path else b"<!doctype html><title>Not found</title><p>There is nothing here.</p>\n"
        kind = (mimetypes.guess_type(path.name)[0] if path else None) or "text/html"
        self.send_response(HTTPStatus.OK if path else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)


def find_page(host: str, target: str) -> Path | None:
    """The file behind a Host header and a request target, or None; only files inside that host's folder are ever found."""
    name = host.rsplit(":", 1)[0].lower().removeprefix("www.")
    folders = {folder.name: folder for folder in SITES.iterdir() if folder.name.endswith(".example")}
    if name not in folders:
        return None
    wanted = unquote(urlsplit(target).path).lstrip("/") or "index.html"
    files = {file.relative_to(folders[name]).as_posix(): file for file in folders[name].rglob("*") if file.is_file()}
    return files.get(wanted) or (files["index.html"] if name in _WILDCARD_HOSTS and wanted != "robots.txt" else None)


@contextlib.contextmanager
def serve_sites() -> Iterator[tuple[str, int]]:
    """Serves the three sites by Host header on a free loopback port while the context lasts; yields (host, port)."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _SiteHandler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="simulated-sites", daemon=True)
    thread.start()
    try:
        yield "127.0.0.1", server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
