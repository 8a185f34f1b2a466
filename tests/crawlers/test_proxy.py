"""The browser's proxy: it carries what the crawler may visit, and opens no connection for anything else."""

from __future__ import annotations

import asyncio

import pytest

from crawlers.proxy import GuardingProxy
from tests.crawlers.servers import html, run, settings_to, site
from tests.crawlers.test_safety import canary


async def _ask(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


def through(request: bytes, web_port: int, never: tuple[str, ...] = ()) -> tuple[bytes, list[str]]:
    async def work() -> tuple[bytes, list[str]]:
        async with GuardingProxy(settings_to(web_port), never=never) as proxy:
            return await _ask(proxy.port, request), proxy.refused

    return run(work())


def test_a_page_is_carried_under_its_own_name() -> None:
    with site({"/a?b=1": html("<p>Hello</p>")}) as web:
        answer, refused = through(
            b"GET http://shop.test/a?b=1 HTTP/1.1\r\nHost: evil.test\r\nProxy-Connection: keep-alive\r\n\r\n", web.port
        )
        (request,) = web.requests
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"Connection: close" in answer
    assert answer.endswith(b"<p>Hello</p>")
    assert (request.path, request.headers["Host"], request.headers["Connection"]) == ("/a?b=1", "shop.test", "close")
    assert refused == []


@pytest.mark.parametrize(
    "line",
    [
        "GET http://127.0.0.1:{port}/", "GET http://2130706433:{port}/", "GET http://[::1]:{port}/", "GET http://localhost:{port}/",
        "CONNECT 127.0.0.1:{port}", "CONNECT [::ffff:127.0.0.1]:{port}", "CONNECT localhost:{port}", "GET http://169.254.169.254/",
        "GET file:///etc/passwd", "GET /", "POST http://shop.test/", "GET http://go.tracking.test/click", "CONNECT go.tracking.test:443",
    ],
)  # fmt: skip
def test_what_the_crawler_may_not_visit_gets_no_connection(line: str) -> None:
    with site({"/": html("x")}) as web, canary() as bird:
        answer, refused = through(f"{line.format(port=bird.port)} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), web.port, ("tracking.test",))
        assert (bird.visitors, web.requests) == (0, [])
    assert answer.startswith(b"HTTP/1.1 403")
    assert len(refused) == 1


def test_what_the_browsers_maker_is_called_for_goes_nowhere() -> None:
    with site({"/": html("x")}) as web:
        answer, refused = through(b"GET http://clients2.google.com/time HTTP/1.1\r\nHost: x\r\n\r\n", web.port)
        assert web.requests == []
    assert answer.startswith(b"HTTP/1.1 403")
    assert refused == []


def test_a_head_without_end_is_left() -> None:
    with site({"/": html("x")}) as web:
        answer, _ = through(b"GET http://shop.test/ HTTP/1.1\r\n" + b"X: y\r\n" * 20_000, web.port)
        assert web.requests == []
    assert answer == b""
