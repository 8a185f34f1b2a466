"""Fetching and reading pages on loopback against Scrapy fetching them and extracting links, each on one core, politeness off.

`python -m tests.benchmarks.crawl [--pages N] [--repeats N] [--applicants N] [--skip-scrapy]`. The runs take turns, each in its own process;
rates are pages per second of processor time, so that a busy machine slows neither down more than the other. Scrapy is needed for the
comparison only (`pip install scrapy`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from crawlers import CrawlSettings, Fetcher, Survey, collect_site, read_page
from fraud.app.parts import App
from fraud.app.vetting import VettingMeans, vet_batch
from fraud.domain.actors import SYSTEM
from fraud.domain.clock import SystemClock
from fraud.domain.programs import Application
from fraud.settings import Settings
from fraud.workflows.batches import Batch
from tests.benchmarks.report import peak_mib, section, table
from tests.sites.building import Plan, pages_of
from tests.sites.cases import PROFILE, disclosed
from tests.sites.texts import prose

SIZE = 50_000
"""Bytes of a page: about the median of what sites send."""
CHILD_SECONDS = 900


@cache
def big_page(number: int) -> bytes:
    """A page of 50 KB: articles, a menu of 60 links, a few pictures, frames, styles and scripts."""
    menu = "".join(f'<li class="item"><a href="/section/{n}" title="Section {n}">Section {n}</a></li>' for n in range(60))
    head = (
        "<style>.item{display:block}.menu ul{margin:0}.ad{width:300px}.hidden{display:none}</style>"
        "<script>window.dataLayer=window.dataLayer||[];function gtag(){dataLayer.push(arguments)}gtag('config','G-ABCDEF1234');</script>"
        '<link rel="stylesheet" href="/a.css"><link rel="icon" href="/favicon.ico">'
    )
    media = "".join(f'<figure><img src="/p/{n}.jpg" width="640" height="480" alt="Picture {n}"></figure>' for n in range(20))
    plan = Plan(name=f"bench{number}.test", topic="hiking", articles=0, words=5200, head=head,
                front=f'{media}{disclosed("https://www.awin1.com/cread.php?awinmid=1")}<ul class="menu">{menu}</ul>')  # fmt: skip
    text = pages_of(plan)["/"].encode()
    return text + b"<!--" + b"x" * max(0, SIZE - len(text) - 7) + b"-->"


def small_page(host: str) -> bytes:
    """The one page of a batch's site: 250 words of its own, so that nobody copies anybody."""
    return f"<!doctype html><html lang=en><title>{host}</title><main>{prose(host, 'travel', 250)}</main></html>".encode()


class Handler(BaseHTTPRequestHandler):
    """Answers every path with one of ten pages."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        found = not self.path.startswith(("/robots", "/sitemap", "/ads", "/favicon", "/.well", "/page-"))
        host = self.headers.get("Host", "")
        body = (small_page(host) if host.startswith("site") else big_page(sum(self.path.encode()) % 10)) if found else b"<p>none</p>"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Says nothing."""


def settings(port: int) -> CrawlSettings:
    """The way to the bench's server, without pauses."""
    return CrawlSettings(connect_to={80: ("127.0.0.1", port)}, delay=0.0)


async def _ours(port: int, pages: int) -> None:
    async with Fetcher(settings(port)) as fetcher:

        async def work(host: int) -> None:
            for number in range(host, pages, 16):
                answer = await fetcher.fetch(f"http://host{host}.test/p{number}")
                read_page(answer.body, answer.url, answer.content_type)

        await asyncio.gather(*(work(host) for host in range(16)))


def _scrapy(port: int, pages: int) -> None:
    from scrapy import Request, Spider  # noqa: PLC0415 -- only this run needs it
    from scrapy.crawler import CrawlerProcess  # noqa: PLC0415
    from scrapy.linkextractors import LinkExtractor  # noqa: PLC0415

    class Pages(Spider):
        name = "pages"
        extractor = LinkExtractor()

        async def start(self):  # type: ignore[no-untyped-def]  # Scrapy's own protocol
            for number in range(pages):
                yield Request(f"http://127.0.0.1:{port}/p{number}", dont_filter=True)

        def parse(self, response):  # type: ignore[no-untyped-def]  # as above
            self.extractor.extract_links(response)

    process = CrawlerProcess({"LOG_ENABLED": False, "ROBOTSTXT_OBEY": False, "CONCURRENT_REQUESTS": 16,
                              "CONCURRENT_REQUESTS_PER_DOMAIN": 16, "DOWNLOAD_DELAY": 0, "TELNETCONSOLE_ENABLED": False})  # fmt: skip
    process.crawl(Pages)
    process.start()


async def _one_applicant(port: int) -> float:
    async with Fetcher(settings(port)) as fetcher:
        started = time.process_time()
        seen = await collect_site("http://one.test/", fetcher, survey=Survey())
        assert len(seen.pages) > 5
        return time.process_time() - started


def _batch(port: int, count: int) -> dict[str, float]:
    """Vets so many applicants; returns the process's memory (MB) after a fifth of them and at the end, and seconds."""
    marks: list[float] = []
    made = tuple(Application(application_id=f"app{number}", websites=(f"http://site{number}.test/",)) for number in range(count))

    def tell(_text: str) -> None:
        marks.append(_resident())

    with tempfile.TemporaryDirectory() as folder:
        app = App(Settings(workspace=Path(folder), _env_file=None), SystemClock())  # type: ignore[call-arg]  # pydantic-settings' own
        started = time.process_time()
        rows = vet_batch(app, Batch(made, (), "bench"), PROFILE, VettingMeans(actor=SYSTEM, progress=tell, crawl=settings(port)))
        took = time.process_time() - started
        app.close()
    assert all(row.decision_id for row in rows)
    return {
        "early": marks[len(marks) // 5],
        "late": marks[-1],
        "seconds": took,
        "peak": peak_mib(),
    }


def _resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def child(what: str, port: int, count: int) -> None:
    """One run in this process; prints what it took as JSON."""
    if what == "scrapy":
        import_module("scrapy.crawler")  # loading the library is no part of either run
        import_module("scrapy.linkextractors")
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})
    read_page(big_page(0), "http://warm.test/")
    started, used = time.perf_counter(), time.process_time()
    runs: dict[str, Callable[[], object]] = {
        "ours": lambda: asyncio.run(_ours(port, count)),
        "scrapy": lambda: _scrapy(port, count),
        "one": lambda: asyncio.run(_one_applicant(port)),
        "batch": lambda: _batch(port, count),
    }
    result = runs[what]()
    said = result if isinstance(result, dict) else {"result": result}
    print(json.dumps({**said, "wall": time.perf_counter() - started, "processor": time.process_time() - used}))


def run(what: str, port: int, count: int) -> dict[str, float]:
    """One run in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.crawl", "--child", what, "--port", str(port), "--pages", str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=CHILD_SECONDS)
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def measure(pages: int, repeats: int, applicants: int, *, scrapy: bool) -> tuple[list[str], str]:
    """The lines about pages, and what is to be said of a batch ('' when none was asked for)."""
    for number in range(10):
        big_page(number)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = int(server.server_address[1])
    names = ["ours", "scrapy"] if scrapy else ["ours"]
    turns = [{name: run(name, port, pages) for name in names} for _ in range(repeats)]
    ours = median(pages / turn["ours"]["processor"] for turn in turns)
    rows = [["fetch and all facts (ours)", f"{ours:.0f}", "1.00"]]
    if scrapy:
        theirs = median(pages / turn["scrapy"]["processor"] for turn in turns)
        ratio = median(turn["scrapy"]["processor"] / turn["ours"]["processor"] for turn in turns)
        rows.append(["fetch and extract links (Scrapy)", f"{theirs:.0f}", f"{1 / ratio:.2f}"])
    one = median(run("one", port, 0)["result"] for _ in range(min(repeats, 3)))
    lines = [
        f"{pages} pages of {SIZE // 1000} KB over loopback, politeness off, one core, {repeats} turns; pages a second of processor time.",
        "",
        table(("what", "pages/s", "times ours"), rows),
        "",
        f"One applicant of up to 25 requests, survey included: {one:.2f} s of processor time.",
    ]
    said = _said_of(applicants, run("batch", port, applicants)) if applicants else ""
    server.shutdown()
    return lines, said


def _said_of(applicants: int, batch: dict[str, float]) -> str:
    each, early, late = batch["seconds"] / applicants, batch["early"], batch["late"]
    memory = f"resident memory {early:.0f} MB after a fifth of it and {late:.0f} MB at the end ({late / early:.2f} times)"
    return f"A batch of {applicants} applicants with a page each: {each:.2f} s of processor time each; {memory}."


def main() -> None:
    """Measures and writes the sections; `--applicants 0` leaves the batch as it was measured before."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--applicants", type=int, default=1000)
    parser.add_argument("--skip-scrapy", action="store_true")
    parser.add_argument("--child", default="")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.port, given.pages)
        return
    scrapy = find_spec("scrapy") is not None and not given.skip_scrapy
    lines, said = measure(given.pages, given.repeats, given.applicants, scrapy=scrapy)
    print("\n".join([*lines, "", said]))
    section("Crawling", lines)
    if said:
        section("Vetting a batch", [said])


if __name__ == "__main__":
    main()
