"""The crawler against a hostile web: canaries on forbidden addresses hear nothing, and whatever is sent costs bounded time and memory."""

from __future__ import annotations

import asyncio
import gzip
import resource
import socket
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import brotli  # type: ignore[import-untyped]  # it ships no types
import pytest
import zstandard

from crawlers import Fetcher, LookupFailed, Robots, Survey, collect_site, read_page
from crawlers.facts import SiteFacts
from crawlers.limits import CrawlSettings, Limits
from crawlers.resolve import Resolver
from crawlers.sitemap import sitemap_entries, sitemap_text
from tests.crawlers.servers import Answer, html, raw_server, redirect, resolver, run, settings_to, site

MOST_MEMORY = 200 * 2**20
"""Bytes that one hostile page or site may cost, parsed tree included (the parser's own memory is not traced, the process's is)."""
SIDE_FILES = ("/robots.txt", "/sitemap.xml", "/ads.txt", "/favicon.ico")
OCTET = {"Content-Type": "text/html"}


class Canary:
    """A listener on a forbidden address that counts who comes."""

    def __init__(self, address: str, family: socket.AddressFamily) -> None:
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._listener.bind((address, 0))
        self._listener.listen()
        self.port: int = self._listener.getsockname()[1]
        self.visitors = 0
        self._thread = threading.Thread(target=self._count, daemon=True)
        self._thread.start()

    def _count(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.visitors += 1
            connection.close()

    def close(self) -> None:
        """Stops listening."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@contextmanager
def canary(address: str = "127.0.0.1", family: socket.AddressFamily = socket.AF_INET) -> Iterator[Canary]:
    """A canary for the length of a block."""
    with closing(Canary(address, family)) as bird:
        yield bird


TRICKS = [
    "http://127.0.0.1:{port}/", "http://127.1:{port}/", "http://0x7f000001:{port}/", "http://2130706433:{port}/", "http://0177.0.0.1:{port}/",
    "http://0x7f.0.0.1:{port}/", "http://127.0.1:{port}/", "http://017700000001:{port}/", "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/", "http://[::1]:{port}/", "http://[::]:{port}/", "http://[::127.0.0.1]:{port}/", "http://0.0.0.0:{port}/",
    "http://0:{port}/", "http://localhost:{port}/", "http://a.localhost:{port}/", "http://localhost.:{port}/", "http://LOCALHOST:{port}/",
    "http://１２７.０.０.１:{port}/", "http://127。0。0。1:{port}/", "http://①②⑦.0.0.1:{port}/", "http://public.test@127.0.0.1:{port}/",
    "http://user:pass@127.0.0.1:{port}/", "http://127.0.0.1:{port}@public.test/", "http://public.test\\@127.0.0.1:{port}/",
    "http://127.0.0.1%2f.public.test:{port}/", "http://%31%32%37.0.0.1:{port}/", "http://127.0.0.1\t:{port}/",
    "http:\\\\127.0.0.1:{port}\\",
    "http:///127.0.0.1:{port}/", "http://[::1%25lo]:{port}/", "http://[64:ff9b::7f00:1]:{port}/", "http://[2002:7f00:1::]:{port}/",
    "http://[2001:0:7f00:1:0:0:80ff:fffe]:{port}/", "http://169.254.169.254/", "http://100.64.0.1:{port}/", "http://168.63.129.16/",
    "gopher://127.0.0.1:{port}/", "file:///etc/passwd", "ftp://127.0.0.1:{port}/", "dict://127.0.0.1:{port}/", "//127.0.0.1:{port}/",
    "http://private.test:{port}/", "http://mixed.test:{port}/", "http://mapped.test:{port}/", "http://nat64.test:{port}/", "http://sixtofour.test:{port}/",
    "http://127.0.0.1:22/", "http://public.test:6379/",
]  # fmt: skip
NAMES = {
    "private.test": ["127.0.0.1"],
    "mixed.test": ["93.184.216.34", "127.0.0.1"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "nat64.test": ["64:ff9b::7f00:1"],
    "sixtofour.test": ["2002:7f00:1::"],
}


@pytest.mark.parametrize("trick", TRICKS)
def test_no_spelling_of_a_forbidden_address_reaches_it(trick: str) -> None:
    with canary() as bird:
        settings = CrawlSettings(delay=0.0, limits=Limits(ports=frozenset({80, 443, bird.port}), connect_seconds=2.0))

        async def work() -> None:
            async with Fetcher(settings, resolver=resolver(settings, NAMES)) as fetcher:
                await fetcher.fetch(trick.format(port=bird.port))

        with pytest.raises(LookupFailed):
            run(work())
        assert bird.visitors == 0


def visit_through(pages: dict[str, Answer], url: str = "http://shop.test/", **limits: float) -> SiteFacts:
    """A whole visit with everything a survey asks, through a gateway that leads to these pages."""
    with site(pages) as web:
        settings = settings_to(web.port)
        settings = replace(settings, limits=replace(settings.limits, **limits))  # type: ignore[arg-type]  # numbers of their kinds

        async def work() -> SiteFacts:
            async with Fetcher(settings) as fetcher:
                return await collect_site(url, fetcher, survey=Survey())

        return run(work())


def test_a_page_full_of_forbidden_addresses_reaches_none_of_them() -> None:
    """Links, frames, icons, feeds, canonical, sitemaps and redirects of a page that all point inside."""
    with canary() as bird, canary("::1", socket.AF_INET6) as other:
        inside = [f"http://127.0.0.1:{bird.port}/", f"http://[::1]:{other.port}/", f"http://2130706433:{bird.port}/"]
        head = "".join(
            f'<link rel=icon href="{url}i"><link rel=alternate type=application/rss+xml href="{url}f"><link rel=canonical href="{url}">'
            for url in inside
        )
        body = "".join(
            f'<iframe style="display:none" src="{url}"></iframe><a href="{url}">x</a><img style="display:none" src="{url}">'
            for url in inside
        )
        pages = {
            "/": html(f"<html><head>{head}</head><body>{body}<a href='/out'>a</a><iframe hidden src='/out'></iframe></body></html>"),
            "/out": redirect(inside[0]),
            "/favicon.ico": redirect(inside[0]),
            "/ads.txt": redirect(inside[1]),
            "/.well-known/affiliate-proof.txt": redirect(inside[2]),
            "/robots.txt": Answer(f"User-agent: *\nSitemap: {inside[0]}sitemap.xml\n".encode(), headers={"Content-Type": "text/plain"}),
            "/sitemap.xml": redirect(inside[0]),
        }
        seen = visit_through(pages)
        assert seen.reachable
        assert (bird.visitors, other.visitors) == (0, 0)


def test_a_name_that_changes_its_mind_between_look_ups_reaches_nothing_inside() -> None:
    """DNS rebinding: a public answer first, loopback ever after."""
    with canary() as bird:
        settings = CrawlSettings(delay=0.0, limits=Limits(ports=frozenset({80, bird.port}), connect_seconds=0.3, addresses_tried=1))
        answers = iter([["192.0.2.1"]])

        async def lookup(_host: str) -> list[str]:
            return next(answers, ["127.0.0.1"])

        async def work() -> list[str]:
            kinds: list[str] = []
            async with Fetcher(settings, resolver=Resolver(settings, lookup)) as fetcher:
                for _ in range(3):
                    try:
                        await fetcher.fetch(f"http://rebind.test:{bird.port}/")
                    except LookupFailed as failed:
                        kinds.append(failed.kind)
            return kinds

        assert run(work()) == ["refused"] * 3
        assert bird.visitors == 0


@contextmanager
def bounded() -> Iterator[None]:
    """Asserts that the block's Python memory stays bounded; the process's own peak is looked at in `peak`."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()


def packed(kind: str, size: int) -> bytes:
    """So many zero bytes, packed."""
    if kind == "zstd":
        writer = zstandard.ZstdCompressor(level=3).compressobj()
        return b"".join([*(writer.compress(bytes(2**20)) for _ in range(size // 2**20)), writer.flush()])
    if kind == "br":
        return bytes(brotli.compress(bytes(size), quality=4))
    return gzip.compress(bytes(size), 6)


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
@pytest.mark.parametrize("path", ["/", *(pytest.param(path, marks=pytest.mark.long) for path in SIDE_FILES)])
def test_a_bomb_anywhere_on_a_site_costs_bounded_memory(encoding: str, path: str) -> None:
    bomb = Answer(packed(encoding, 200 * 2**20), headers={"Content-Type": "text/html", "Content-Encoding": encoding})
    with bounded():
        visit_through({"/": html("<p>Hello there</p>"), path: bomb})


@pytest.mark.long
def test_a_sitemap_that_is_a_bomb_of_its_own_is_unpacked_to_its_cap() -> None:
    with bounded():
        text = sitemap_text(gzip.compress(b"<url><loc>http://a.test/x</loc></url>" * 2_000_000, 1))
        entries, _ = sitemap_entries("http://a.test/sitemap.xml.gz", text)
    assert len(text) <= 4 * 2**20
    assert 0 < entries.urls <= 50_000
    assert entries.truncated


def test_entities_of_a_sitemap_are_not_expanded() -> None:
    laughs = '<!DOCTYPE x [<!ENTITY a "haha">' + "".join(f'<!ENTITY b{n} "&a;&a;&a;&a;">' for n in range(50)) + "]>"
    entries, _ = sitemap_entries("http://a.test/sitemap.xml", f"{laughs}<urlset><url><loc>http://a.test/&b49;</loc></url></urlset>")
    assert entries.paths == ("/&b49;",)


def test_sitemaps_that_point_to_one_another_end() -> None:
    index = b"<sitemapindex><sitemap><loc>http://shop.test/s2.xml</loc></sitemap></sitemapindex>"
    back = b"<sitemapindex><sitemap><loc>http://shop.test/sitemap.xml</loc></sitemap></sitemapindex>"
    seen = visit_through({"/": html("<p>Hello</p>"), "/sitemap.xml": Answer(index), "/s2.xml": Answer(back)})
    assert seen.sitemap is None


HOSTILE: dict[str, Callable[[], bytes]] = {
    "50 MB": lambda: b"<p>word</p>" * (50 * 2**20 // 11),
    "50,000 nested": lambda: b"<div>" * 50_000 + b"deep" + b"</div>" * 50_000,
    "nested tables": lambda: b"<table><tr><td>" * 20_000,
    "nested inline": lambda: b"<b><i><a href=x>" * 20_000,
    "attributes": lambda: b"<p " + b" ".join(b"a%d=1" % number for number in range(100_000)) + b">",
    "one long attribute": lambda: b'<a href="' + b"x" * 2_000_000 + b'">x</a>',
    "many styles": lambda: b"<style>" + b".a .b > .c ~ .d{display:none}" * 30_000 + b"</style>" + b"<p class=d>x</p>" * 5_000,
    "script braces": lambda: b"<script>" + b"function f(){" * 50_000 + b"</script>",
    "json-ld depth": lambda: b'<script type="application/ld+json">' + b'{"a":' * 100_000 + b"</script>",
    "entities": lambda: b"&amp;" * 400_000,
    "copyright": lambda: "©".encode() * 500_000,
    "dates": lambda: b'<time datetime="2026-01-01">' * 100_000,
    "placeholders": lambda: b"<p>" + b"{a|" * 300_000 + b"</p>",
    "base64": lambda: b"<script>var a=['" + b"aHR0cA" * 100_000 + b"']</script>",
}


QUICK = frozenset({"50,000 nested", "one long attribute", "script braces", "json-ld depth", "placeholders"})
"""Read in every run; the others take seconds and belong to the long one."""


@pytest.mark.parametrize("kind", [kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.long) for kind in HOSTILE])
def test_a_hostile_page_is_read_in_bounded_memory(kind: str) -> None:
    body = HOSTILE[kind]()
    with bounded():
        seen = visit_through({"/": Answer(body, headers=OCTET)}, sample_pages=0, identity_pages=0)
    assert seen.reachable
    assert len(seen.pages[0].facts.text) <= 20_000


@pytest.mark.long
def test_a_robots_file_of_rules_without_end_is_cut() -> None:
    rules = b"User-agent: *\n" + b"Disallow: /*a*b*c*d*$\n" * 200_000
    with bounded():
        seen = visit_through({"/": html("<p>Hello</p>"), "/robots.txt": Answer(rules, headers={"Content-Type": "text/plain"})})
    assert seen.reachable


def test_a_body_that_never_ends_is_left_after_the_sites_time() -> None:
    closing_down = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        while not closing_down.wait(0.05):
            connection.sendall(b"<p>")

    with raw_server(drip) as port:
        settings = replace(settings_to(port), limits=Limits(total_seconds=0.5, site_seconds=1.5))

        async def work() -> SiteFacts:
            async with Fetcher(settings) as fetcher:
                return await asyncio.wait_for(collect_site("http://shop.test/", fetcher, survey=Survey()), 20)

        try:
            seen = run(work())
        finally:
            closing_down.set()
    assert seen.failure is not None
    assert seen.failure.kind == "timeout"


@pytest.mark.long
def test_rules_and_paces_of_many_hosts_do_not_pile_up() -> None:
    """A batch of thousands: what is remembered of hosts has a bound."""
    with site({"/": html("<p>Hello</p>")}) as web:

        async def work() -> int:
            async with Fetcher(settings_to(web.port)) as fetcher:
                robots = Robots(fetcher)
                for number in range(700):
                    await robots.allow(f"http://host{number}.test/")
                return robots.remembered

        assert run(work()) <= 512


@pytest.mark.long
def test_reading_never_costs_the_process_more_than_its_share() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for kind in ("50,000 nested", "nested tables", "attributes"):
        read_page(HOSTILE[kind](), "http://shop.test/")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * (1 if sys.platform == "darwin" else 1024)
    assert grown < 5 * MOST_MEMORY
