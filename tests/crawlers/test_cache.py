"""Pages with validators are asked for once and confirmed after that; other visitors' views are always fresh."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawlers import Fetched, Fetcher, Visitor
from crawlers.cache import FolderCache, Kept, keepable
from tests.crawlers.servers import Answer, run, settings_to, site

TAGGED = Answer(b"<p>Hello</p>", headers={"Content-Type": "text/html", "ETag": '"one"', "Last-Modified": "Sun, 01 Mar 2026 10:00:00 GMT"})


def twice(folder: Path, first: Answer, second: Answer, visitor: Visitor | None = None) -> tuple[list[Fetched], list[dict[str, str]]]:
    """The page fetched twice, and the headers of both requests."""
    with site({"/": first}) as web:

        async def work() -> list[Fetched]:
            async with Fetcher(settings_to(web.port), cache=FolderCache(folder)) as fetcher:
                answers = [await fetcher.fetch("http://shop.test/")]
                web.pages["/"] = second
                return [*answers, await fetcher.fetch("http://shop.test/", visitor=visitor)]

        return run(work()), [request.headers for request in web.requests]


def test_an_unchanged_page_is_not_sent_again(tmp_path: Path) -> None:
    (first, again), (_, asked) = twice(tmp_path, TAGGED, Answer(status=304, headers={"ETag": '"one"'}))
    assert asked["If-None-Match"] == '"one"'
    assert asked["If-Modified-Since"] == "Sun, 01 Mar 2026 10:00:00 GMT"
    assert (again.status, again.body, again.sha256, again.content_type) == (200, first.body, first.sha256, "text/html")
    assert again.hops[-1].status == 200


def test_a_changed_page_replaces_the_kept_one(tmp_path: Path) -> None:
    changed = Answer(b"<p>Changed</p>", headers={"Content-Type": "text/html", "ETag": '"two"'})
    (_, again), _ = twice(tmp_path, TAGGED, changed)
    assert again.body == b"<p>Changed</p>"
    kept = FolderCache(tmp_path).get("http://shop.test/")
    assert kept is not None
    assert kept.etag == '"two"'


def test_another_visitors_view_is_always_fresh(tmp_path: Path) -> None:
    _, (_, asked) = twice(tmp_path, TAGGED, TAGGED, Visitor("Phone/1"))
    assert "If-None-Match" not in asked


@pytest.mark.parametrize("headers", [{}, {"etag": '"x"', "cache-control": "private, no-store"}])
def test_what_has_no_validator_or_may_not_be_stored_is_not_kept(headers: dict[str, str]) -> None:
    assert keepable("http://a.test/", headers, b"x") is None


def test_a_damaged_file_counts_as_none(tmp_path: Path) -> None:
    cache = FolderCache(tmp_path)
    cache.put(Kept(url="http://a.test/", headers={}, body=b"x", etag='"1"'))
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    file.write_bytes(b"garbage")
    assert cache.get("http://a.test/") is None
