"""robots.txt after RFC 9309."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crawlers.errors import LookupFailed
from crawlers.fetch import Fetcher
from crawlers.limits import CrawlSettings, Limits
from crawlers.robots import Robots
from tests.crawlers.servers import Answer, redirect, run, settings_to, site

TEXT = {"Content-Type": "text/plain"}


def rules(text: str, status: int = 200) -> Answer:
    """Return a robots.txt."""
    return Answer(text.encode(), status, TEXT)


def denied(answer: Answer | None, path: str = "/page", **changes: Any) -> str:
    """Return the kind of failure when the path may not be visited, '' when it may."""

    async def work(settings: CrawlSettings) -> str:
        async with Fetcher(settings) as fetcher:
            try:
                await Robots(fetcher).allow(f"http://shop.test{path}")
            except LookupFailed as failed:
                return failed.kind
            return ""

    with site({"/robots.txt": answer} if answer else {}) as shop:
        return run(work(settings_to(shop.port, **changes)))


@pytest.mark.parametrize(
    ("text", "path", "kind"),
    [
        ("User-agent: *\nDisallow: /", "/page", "robots"),
        ("User-agent: *\nDisallow: /private", "/page", ""),
        ("User-agent: *\nDisallow: /private", "/private/x", "robots"),
        ("User-agent: *\nDisallow: /\nAllow: /page", "/page", ""),
        ("User-agent: *\nDisallow: /*.php$", "/a.php", "robots"),
        ("User-agent: *\nDisallow: /*.php$", "/a.php?x", ""),
        ("User-agent: AffiliateScreening\nDisallow: /\n\nUser-agent: *\nAllow: /", "/page", "robots"),
        ("User-agent: *\nDisallow: /\n\nUser-agent: affiliatescreening\nAllow: /", "/page", ""),
        ("User-agent: OtherBot\nDisallow: /", "/page", ""),
        ("", "/page", ""),
        ("<html>not a robots.txt</html>", "/page", ""),
        ("\ufeffUser-agent: *\nDisallow: /", "/page", "robots"),
    ],
)
def test_rules(text: str, path: str, kind: str) -> None:
    assert denied(rules(text), path) == kind


@pytest.mark.parametrize(
    ("status", "kind"), [(404, ""), (401, ""), (403, ""), (410, ""), (429, "robots"), (500, "robots"), (503, "robots")]
)
def test_a_missing_robots_txt_allows_and_a_broken_server_forbids(status: int, kind: str) -> None:
    assert denied(rules("User-agent: *\nDisallow: /", status)) == kind


def test_redirects_are_followed_and_a_circle_counts_as_absent() -> None:
    assert denied(redirect("/robots.txt")) == ""
    assert denied(redirect("http://169.254.169.254/robots.txt")) == "refused"


def test_the_rules_beyond_the_cap_are_not_read() -> None:
    text = "User-agent: *\nDisallow: /private\n" + "# filler\n" * 1000 + "Disallow: /page\n"
    assert denied(rules(text), limits=Limits(robots_bytes=1000)) == ""
    assert denied(rules(text)) == "robots"


class Later:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the time that was set."""
        return self.at


def test_rules_are_believed_for_a_day() -> None:
    clock = Later()

    async def work(settings: CrawlSettings) -> list[int]:
        asked = []
        async with Fetcher(settings, now=clock) as fetcher:
            robots = Robots(fetcher)
            for hours in (0, 23, 25):
                clock.at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hours)
                await robots.allow("http://shop.test/page")
                asked.append(len(shop.requests))
        return asked

    with site({"/robots.txt": rules("")}) as shop:
        assert run(work(settings_to(shop.port))) == [1, 1, 2]


def test_a_crawl_delay_is_handed_to_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    slowed = []

    async def work(settings: CrawlSettings) -> tuple[str, ...]:
        async with Fetcher(settings) as fetcher:
            monkeypatch.setattr(fetcher.pace, "slow_down", lambda host, delay: slowed.append((host, delay)))
            return await Robots(fetcher).sitemaps("http://shop.test/")

    with site({"/robots.txt": rules("User-agent: *\nCrawl-delay: 2\nSitemap: http://shop.test/map.xml")}) as shop:
        assert run(work(settings_to(shop.port))) == ("http://shop.test/map.xml",)
    assert slowed == [("shop.test", 2.0)]
