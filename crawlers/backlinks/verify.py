"""Looks whether claimed backlinks are there: a sample of the linking pages is fetched politely, and each says what became of its link.

A page that cannot be looked at (robots.txt, no answer, drawn by scripts, read in part) says nothing, neither for nor against.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from crawlers.backlinks.facts import LinkingPage, LinkSeen, LinkState
from crawlers.domains import registrable_domain
from crawlers.errors import LookupFailed
from crawlers.facts import Fetched, Link, PageFacts
from crawlers.fetch import Fetcher
from crawlers.page import read_page
from crawlers.robots import Robots
from crawlers.website import no_page

SECONDS = 90.0
"""The most that the whole sample may take, waiting for turns included."""
GONE = frozenset({404, 410})
PASSES_NO_WEIGHT = frozenset({"nofollow", "ugc", "sponsored"})


@dataclass(frozen=True)
class VerifyMeans:
    """What looking works with: the client, its robots.txt, and what keeps a body and gives its SHA-256 (None: it is only computed)."""

    fetcher: Fetcher
    robots: Robots
    keep: Callable[[bytes], str] | None = None
    seconds: float = SECONDS


async def look_for_links(pages: Sequence[LinkingPage], own: frozenset[str], means: VerifyMeans) -> tuple[LinkSeen, ...]:
    """Return what each page says of its link to one of the registered domains `own`, in order. Never raises what the web causes."""
    found: dict[int, LinkSeen] = {}

    async def one(place: int, page: LinkingPage) -> None:
        found[place] = await _seen(page, own, means)

    try:
        async with asyncio.timeout(means.seconds), asyncio.TaskGroup() as group:
            for place, page in enumerate(pages):
                group.create_task(one(place, page))
    except TimeoutError:
        late = f"The look at the sample was ended after {means.seconds:g} seconds."
        return tuple(found.get(place) or _unknown(page, late) for place, page in enumerate(pages))
    return tuple(found[place] for place in range(len(pages)))


async def _seen(page: LinkingPage, own: frozenset[str], means: VerifyMeans) -> LinkSeen:
    try:
        answer = await means.fetcher.fetch(page.url, gate=means.robots.allow)
    except LookupFailed as failed:
        return _unknown(page, failed.message)
    sha256 = means.keep(answer.body) if means.keep else answer.sha256
    seen = LinkSeen(
        url=page.url, domain=page.domain, stratum=page.stratum, status=answer.status, fetched_at=answer.fetched_at, sha256=sha256
    )
    if answer.status in GONE:
        return msgspec.structs.replace(seen, state=LinkState.GONE, reason="The page is gone.")
    if failure := no_page(answer):
        return msgspec.structs.replace(seen, reason=failure.message)
    return judged(seen, read_page(answer.body, answer.url, answer.content_type), answer, own)


def judged(seen: LinkSeen, facts: PageFacts, answer: Fetched, own: frozenset[str]) -> LinkSeen:
    """Return what was seen of the link on a page that was read: the best of several links counts."""
    links = [link for link in facts.links if link.host and registrable_domain(link.host) in own]
    if not links:
        return _without(seen, facts, answer)
    hidden = {link.url for link in facts.hidden_links}
    shown = [link for link in links if link.url not in hidden]
    words = robot_words(facts, answer)
    elsewhere = facts.canonical and registrable_domain(_host(facts.canonical)) not in {"", registrable_domain(_host(answer.url))}
    return msgspec.structs.replace(
        seen,
        state=LinkState.LIVE if shown else LinkState.HIDDEN,
        followed=not words & {"nofollow", "none"} and any(_passes(link) for link in shown or links),
        indexable=not (words & {"noindex", "none"} or elsewhere),
        anchor=(shown or links)[0].text[:100],
    )


def robot_words(facts: PageFacts, answer: Fetched) -> frozenset[str]:
    """Return what the page says to search engines, in its `robots` element and in the header."""
    header = answer.headers.get("x-robots-tag", "").lower()
    return frozenset(facts.robots) | frozenset(word.strip() for word in header.replace(":", ",").split(","))


def _without(seen: LinkSeen, facts: PageFacts, answer: Fetched) -> LinkSeen:
    if answer.truncated:
        return msgspec.structs.replace(seen, reason="Only the beginning of the page was read.")
    if facts.scripts_needed:
        return msgspec.structs.replace(seen, reason="The page is drawn by scripts, which are not run.")
    return msgspec.structs.replace(seen, state=LinkState.GONE, reason="The page has no link to the site.")


def _passes(link: Link) -> bool:
    return not PASSES_NO_WEIGHT & set(link.rel)


def _host(url: str) -> str:
    return url.partition("//")[2].partition("/")[0].partition("?")[0].rpartition("@")[2].partition(":")[0].lower()


def _unknown(page: LinkingPage, why: str) -> LinkSeen:
    return LinkSeen(url=page.url, domain=page.domain, stratum=page.stratum, reason=why)
