"""Claimed backlinks are looked for politely: there, hidden, gone, or nobody could look."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from crawlers import Fetcher, Robots
from crawlers.backlinks.facts import LinkingPage, LinkSeen, LinkState
from crawlers.backlinks.verify import VerifyMeans, look_for_links
from tests.workflows.sites import Answer, served

OWN = frozenset({"trailnotes.example"})
LINK = '<a href="https://www.trailnotes.example/lake" {0}>Trail notes</a>'
WORDS = "<p>" + "We walked around the lake and wrote down what we saw. " * 8 + "</p>"


def page(link: str = "", head: str = "") -> Answer:
    return Answer(f"<html><head>{head}</head><body>{WORDS}{link}</body></html>".encode())


WEB: Mapping[str, Answer] = {
    "plain.example/": page(LINK.format("")),
    "sold.example/": page(LINK.format('rel="sponsored nofollow"')),
    "hidden.example/": page(LINK.format('style="display:none"')),
    "unlisted.example/": page(LINK.format(""), '<meta name="ROBOTS" content="noindex, nofollow">'),
    "copy.example/": page(LINK.format(""), '<link rel="canonical" href="https://original.example/">'),
    "without.example/": page(),
    "gone.example/": Answer(b"gone", 410),
    "down.example/": Answer(b"down", 503),
    "closed.example/robots.txt": Answer(b"User-agent: *\nDisallow: /"),
    "closed.example/": page(LINK.format("")),
    "shell.example/": Answer(b'<html><body><div id="root"></div><script src="/a.js"></script></body></html>'),
    "moved.example/": Answer(status=301, location="http://plain.example/"),
}


def looked_for(*names: str, seconds: float = 30.0) -> list[LinkSeen]:
    async def work() -> tuple[LinkSeen, ...]:
        async with Fetcher(settings) as fetcher:
            pages = [LinkingPage(url=f"http://{name}.example/", domain=f"{name}.example") for name in names]
            return await look_for_links(pages, OWN, VerifyMeans(fetcher, Robots(fetcher), seconds=seconds))

    with served(WEB) as settings:
        return list(asyncio.run(work()))


def test_each_page_says_what_became_of_its_link() -> None:
    names = ("plain", "sold", "hidden", "unlisted", "copy", "without", "gone", "moved")
    found = looked_for(*names)
    assert {name: (one.state.value, one.followed, one.indexable) for name, one in zip(names, found, strict=True)} == {
        "plain": ("live", True, True),
        "sold": ("live", False, True),
        "hidden": ("hidden", True, True),
        "unlisted": ("live", False, False),
        "copy": ("live", True, False),
        "without": ("gone", None, None),
        "gone": ("gone", None, None),
        "moved": ("live", True, True),
    }
    assert all(one.sha256 and one.fetched_at for one in found)


def test_a_page_that_cannot_be_looked_at_says_nothing_and_why() -> None:
    found = looked_for("down", "closed", "shell")
    assert [one.state for one in found] == [LinkState.UNKNOWN] * 3
    assert ["503" in found[0].reason, "robots.txt" in found[1].reason, "scripts" in found[2].reason] == [True] * 3


def test_the_look_ends_in_time() -> None:
    found = looked_for("plain", "without", seconds=0.0)
    assert [one.state for one in found] == [LinkState.UNKNOWN] * 2
    assert "ended after" in found[0].reason
