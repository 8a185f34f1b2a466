"""The fetcher against real servers on loopback, honest and hostile."""

from __future__ import annotations

import gzip
import hashlib
import socket
import time
import zlib
from datetime import UTC, datetime
from pathlib import Path

import brotli  # type: ignore[import-untyped]  # it ships no types
import pytest
import zstandard

import crawlers
from crawlers.errors import LookupFailed, RefusedAddress, SettingsError
from crawlers.facts import Fetched, Hop
from crawlers.fetch import Fetcher, Visitor
from crawlers.limits import CrawlSettings, Limits
from crawlers.resolve import Resolver
from tests.crawlers.servers import (
    Answer,
    Authority,
    html,
    local_settings,
    names,
    raw_server,
    redirect,
    resolver,
    run,
    settings_to,
    site,
)

PAGE = "<title>Shop</title><p>Hello"


def get(url: str, settings: CrawlSettings, lookup: Resolver | None = None) -> Fetched:
    """Fetch one URL with a client of its own."""

    async def work() -> Fetched:
        async with Fetcher(settings, resolver=lookup) as fetcher:
            return await fetcher.fetch(url)

    return run(work())


def failure(url: str, settings: CrawlSettings, lookup: Resolver | None = None) -> LookupFailed:
    """Return how fetching the URL fails."""
    with pytest.raises(LookupFailed) as failed:
        get(url, settings, lookup)
    return failed.value


def test_a_page_comes_with_its_evidence() -> None:
    with site({"/a?b=c": html(PAGE)}) as shop:
        fetched = get("http://shop.test/a?b=c#part", settings_to(shop.port))
    assert fetched.status == 200
    assert fetched.body == PAGE.encode()
    assert fetched.sha256 == hashlib.sha256(PAGE.encode()).hexdigest()
    assert fetched.hops == (Hop(url="http://shop.test/a?b=c", status=200),)
    assert fetched.content_type == "text/html; charset=utf-8"
    assert fetched.fetched_at.tzinfo is UTC
    assert not fetched.truncated
    assert fetched.certificate is None


def test_the_request_says_who_we_are_and_carries_nothing_else() -> None:
    with site({"/": html(PAGE)}) as shop:
        get("http://shop.test/", settings_to(shop.port, user_agent="OurBot/1.0", contact_url="https://we.example/bot"))
        request = shop.requests[0]
    assert request.method == "GET"
    assert request.headers["User-Agent"] == "OurBot/1.0 (+https://we.example/bot)"
    assert request.headers["Host"] == "shop.test"
    assert {name.lower() for name in request.headers} == {
        "host",
        "connection",
        "user-agent",
        "accept",
        "accept-language",
        "accept-encoding",
    }


def test_cookies_are_not_kept() -> None:
    setting = Answer(b"", 302, {"Location": "/b", "Set-Cookie": "id=1; Path=/"})
    with site({"/a": setting, "/b": html(PAGE)}) as shop:
        get("http://shop.test/a", settings_to(shop.port))
        assert "Cookie" not in shop.requests[1].headers


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with site({"/": html(PAGE)}) as shop:
        assert get("http://shop.test/", settings_to(shop.port)).status == 200


def test_redirects_are_followed_and_told() -> None:
    with site({"/": redirect("/de/", 301), "/de/": redirect("http://other.test/x"), "/x": html(PAGE)}) as shop:
        fetched = get("http://shop.test/", settings_to(shop.port))
    assert [hop.status for hop in fetched.hops] == [301, 302, 200]
    assert fetched.hops[1].location == "http://other.test/x"
    assert fetched.requested_url == "http://shop.test/"
    assert fetched.url == "http://other.test/x"


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1/",
        "http://2130706433/",
        "//[::ffff:127.0.0.1]/",
        "http://shop.test:22/",
        "file:///etc/passwd",
        "http://a:b@shop.test/",
        "http://localhost/admin",
    ],
)
def test_a_redirect_to_an_unsafe_address_stops_at_the_hop(location: str) -> None:
    with site({"/": redirect(location)}) as shop:
        with pytest.raises(RefusedAddress) as refused:
            get("http://shop.test/", settings_to(shop.port))
        assert shop.paths == ["/"]
    assert refused.value.kind == "refused"
    assert [hop.status for hop in refused.value.hops] == [302]


def test_a_redirect_to_a_name_with_a_private_address_is_refused() -> None:
    with site({"/": redirect("http://inside.test/")}) as shop:
        settings = local_settings(shop.port)
        lookup = resolver(settings, {"shop.test": ["127.0.0.1"], "inside.test": ["10.0.0.7"]})
        failed = failure(f"http://shop.test:{shop.port}/", settings, lookup)
    assert failed.kind == "refused"
    assert "10.0.0.7" in failed.message


def test_redirects_in_a_circle_end() -> None:
    with site({"/a": redirect("/b"), "/b": redirect("/a")}) as shop:
        failed = failure("http://shop.test/a", settings_to(shop.port))
        assert shop.paths == ["/a", "/b"]
    assert failed.kind == "redirects"
    assert len(failed.hops) == 2


def test_more_than_five_redirects_are_not_followed() -> None:
    with site({f"/{number}": redirect(f"/{number + 1}") for number in range(20)}) as shop:
        failed = failure("http://shop.test/0", settings_to(shop.port))
        assert len(shop.requests) == 6
    assert failed.kind == "redirects"


def test_a_redirect_without_a_location_is_an_answer() -> None:
    with site({"/": Answer(b"moved", 302, {})}) as shop:
        assert get("http://shop.test/", settings_to(shop.port)).status == 302


class Rebinding:
    """A name server that tells the truth once: the allowed address first, another address ever after."""

    def __init__(self, first: str, then: str) -> None:
        self.answers = [first]
        self.then = then
        self.asked = 0

    async def __call__(self, host: str) -> list[str]:
        """Answer a question."""
        self.asked += 1
        return [self.answers.pop() if self.answers else self.then]


def test_dns_rebinding_changes_nothing_the_checked_address_is_the_one_connected_to() -> None:
    """The name answers with the right server first and with a trap afterwards; a client that looked it up twice would fall in."""
    with site({"/": html(PAGE)}) as shop, site({"/": html("trap")}) as trap:
        settings = local_settings(shop.port, limits=Limits(ports=frozenset({shop.port, trap.port})))
        lookup = Rebinding("127.0.0.1", "10.0.0.1")
        fetched = get(f"http://shop.test:{shop.port}/", settings, Resolver(settings, lookup))
        assert shop.requests[0].headers["Host"] == f"shop.test:{shop.port}"
    assert fetched.body == PAGE.encode()
    assert lookup.asked == 1
    assert trap.requests == []


def test_a_name_that_turns_private_is_refused_on_the_next_connection() -> None:
    with site({"/": Answer(b"x", headers={"Connection": "close"})}) as shop:
        settings = local_settings(shop.port)
        lookup = Resolver(settings, Rebinding("127.0.0.1", "10.0.0.1"))

        async def twice() -> list[int | str]:
            async with Fetcher(settings, resolver=lookup) as fetcher:
                first = await fetcher.fetch(f"http://shop.test:{shop.port}/")
                with pytest.raises(RefusedAddress) as refused:
                    await fetcher.fetch(f"http://shop.test:{shop.port}/")
                return [first.status, refused.value.kind]

        assert run(twice()) == [200, "refused"]
        assert len(shop.requests) == 1


def test_loopback_is_refused_unless_allowed() -> None:
    with site({"/": html(PAGE)}) as shop:
        limits = Limits(ports=frozenset({shop.port}))
        settings = CrawlSettings(delay=0, limits=limits)
        assert failure(f"http://127.0.0.1:{shop.port}/", settings).kind == "refused"
        assert failure(f"http://localhost:{shop.port}/", settings).kind == "refused"
        assert failure(f"http://shop.test:{shop.port}/", settings, resolver(settings, {"shop.test": ["127.0.0.1"]})).kind == "refused"
        assert shop.requests == []
        assert get(f"http://127.0.0.1:{shop.port}/", local_settings(shop.port)).status == 200


def test_the_second_address_is_tried_when_the_first_does_not_answer() -> None:
    with site({"/": html(PAGE)}) as shop:
        settings = local_settings(shop.port)
        lookup = resolver(settings, {"shop.test": ["::1", "127.0.0.1"]})
        assert get(f"http://shop.test:{shop.port}/", settings, lookup).status == 200


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data, wbits=-15)),
        ("br", brotli.compress),
        ("zstd", zstandard.compress),
    ],
)
def test_compressed_pages_are_read(encoding: str, pack: object) -> None:
    assert callable(pack)
    body = ("<p>" + " ".join(f"Fox {number} jumps." for number in range(30_000))).encode()
    with site({"/": Answer(pack(body), headers={"Content-Encoding": encoding})}) as shop:
        assert get("http://shop.test/", settings_to(shop.port)).body == body


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("br", brotli.compress), ("zstd", zstandard.compress)])
def test_a_bomb_is_stopped_early(encoding: str, pack: object) -> None:
    assert callable(pack)
    bomb = pack(bytes(50_000_000))
    with site({"/": Answer(bomb, headers={"Content-Encoding": encoding})}) as shop:
        failed = failure("http://shop.test/", settings_to(shop.port))
    assert failed.kind == "too_large"
    assert "100 times" in failed.message


def test_a_page_that_inflates_beyond_the_cap_is_not_read() -> None:
    limits = Limits(inflated_bytes=100_000, inflated_ratio=10_000)
    with site({"/": Answer(gzip.compress(bytes(200_000)), headers={"Content-Encoding": "gzip"})}) as shop:
        failed = failure("http://shop.test/", settings_to(shop.port, limits=limits))
    assert failed.kind == "too_large"
    assert "100,000 bytes" in failed.message


def test_a_page_without_end_is_cut() -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        while True:
            connection.sendall(b"<p>more</p>" * 1000)

    with raw_server(endless) as port:
        fetched = get("http://shop.test/", settings_to(port, limits=Limits(page_bytes=50_000)))
    assert fetched.truncated
    assert len(fetched.body) == 50_000


def test_a_server_that_hangs_up_early_leaves_a_truncated_page() -> None:
    def short(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<title>Half")

    with raw_server(short) as port:
        fetched = get("http://shop.test/", settings_to(port))
    assert fetched.truncated
    assert fetched.body == b"<title>Half"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, br", "rot13"])
def test_a_body_that_is_not_what_it_says_is_a_protocol_failure(encoding: str) -> None:
    with site({"/": Answer(b"<title>plain text</title>", headers={"Content-Encoding": encoding})}) as shop:
        assert failure("http://shop.test/", settings_to(shop.port)).kind == "protocol"


def test_a_server_that_drips_bytes_is_left_after_the_total_time() -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)

    with raw_server(drip) as port:
        failed = failure("http://shop.test/", settings_to(port, limits=Limits(total_seconds=0.5, read_seconds=0.3)))
    assert failed.kind == "timeout"
    assert "0.5 seconds" in failed.message


def test_a_server_that_says_nothing_is_left_after_the_read_time() -> None:
    with raw_server(lambda connection: time.sleep(1.0)) as port:
        assert failure("http://shop.test/", settings_to(port, limits=Limits(read_seconds=0.2))).kind == "timeout"


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.0\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00\x01\x02\x03\r\n\r\n"])
def test_what_is_not_http_is_a_protocol_failure(answer: bytes) -> None:
    with raw_server(lambda connection: connection.sendall(answer)) as port:
        assert failure("http://shop.test/", settings_to(port)).kind == "protocol"


def test_a_closed_port_is_a_failed_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    failed = failure("http://shop.test/", settings_to(port))
    assert failed.kind == "connect"
    assert "shop.test" in failed.message


def test_a_name_without_address_is_a_failed_look_up() -> None:
    settings = CrawlSettings(delay=0)
    assert failure("http://gone.test/", settings, Resolver(settings, names({}))).kind == "dns"


def test_https_keeps_the_name_for_the_certificate_and_the_server(authority: Authority) -> None:
    with site({"/": html(PAGE)}, authority.server_context()) as shop:
        fetched = get("https://shop.test/", settings_to(https_port=shop.port, ca_file=authority.ca_file))
        assert shop.server_names == ["shop.test"]
        assert shop.requests[0].headers["Host"] == "shop.test"
    assert fetched.certificate is not None
    assert fetched.certificate.issuer == "Test Authority"
    assert fetched.certificate.names == ("shop.test", "www.shop.test")
    assert fetched.certificate.not_after is not None
    assert fetched.certificate.not_after > fetched.fetched_at


def test_https_keeps_the_name_when_the_address_is_pinned(authority: Authority) -> None:
    with site({"/": html(PAGE)}, authority.server_context()) as shop:
        settings = local_settings(shop.port, ca_file=authority.ca_file)
        fetched = get(f"https://shop.test:{shop.port}/", settings, resolver(settings, {"shop.test": ["127.0.0.1"]}))
        assert shop.server_names == ["shop.test"]
    assert fetched.status == 200


def test_a_certificate_for_another_name_is_a_tls_failure(authority: Authority) -> None:
    with site({"/": html(PAGE)}, authority.server_context()) as shop:
        failed = failure("https://other.test/", settings_to(https_port=shop.port, ca_file=authority.ca_file))
        assert shop.requests == []
    assert failed.kind == "tls"
    assert "other.test" in failed.message


def test_a_certificate_of_an_unknown_authority_is_a_tls_failure(authority: Authority) -> None:
    with site({"/": html(PAGE)}, authority.server_context()) as shop:
        failed = failure("https://shop.test/", settings_to(https_port=shop.port))
    assert failed.kind == "tls"
    assert "certificate" in failed.message


def test_plain_http_on_the_https_port_is_a_tls_failure() -> None:
    with site({"/": html(PAGE)}) as shop:
        assert failure("https://shop.test/", settings_to(https_port=shop.port)).kind == "tls"


def test_an_unreadable_ca_file_is_a_settings_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nothing\.pem"):
        Fetcher(CrawlSettings(ca_file=tmp_path / "nothing.pem"))


def test_head_asks_without_a_body() -> None:
    async def work(settings: CrawlSettings) -> Fetched:
        async with Fetcher(settings) as fetcher:
            return await fetcher.fetch("http://shop.test/", method="HEAD", visitor=Visitor("Other/2"))

    with site({"/": Answer(b"x" * 10, headers={"Content-Encoding": "gzip"})}) as shop:
        fetched = run(work(settings_to(shop.port)))
        assert shop.requests[0].method == "HEAD"
        assert shop.requests[0].headers["User-Agent"] == "Other/2"
    assert fetched.body == b""


def test_the_clock_that_is_given_is_the_one_that_is_read() -> None:
    moment = datetime(2026, 3, 1, 10, tzinfo=UTC)

    async def work(settings: CrawlSettings) -> Fetched:
        async with Fetcher(settings, now=lambda: moment) as fetcher:
            return await fetcher.fetch("http://shop.test/")

    with site({"/": html(PAGE)}) as shop:
        assert run(work(settings_to(shop.port))).fetched_at == moment


def test_the_package_fetches_with_one_call() -> None:
    with site({"/": html(PAGE)}) as shop:
        assert run(crawlers.fetch("http://shop.test/", settings_to(shop.port))).body == PAGE.encode()


def test_the_gate_is_asked_before_every_hop() -> None:
    asked = []

    async def gate(url: str) -> None:
        asked.append(url)
        if "forbidden" in url:
            raise LookupFailed(url, "robots", "No.")

    async def work(settings: CrawlSettings) -> None:
        async with Fetcher(settings) as fetcher:
            await fetcher.fetch("http://shop.test/", gate=gate)

    with site({"/": redirect("/forbidden")}) as shop:
        with pytest.raises(LookupFailed, match="No"):
            run(work(settings_to(shop.port)))
        assert shop.paths == ["/"]
    assert asked == ["http://shop.test/", "http://shop.test/forbidden"]
