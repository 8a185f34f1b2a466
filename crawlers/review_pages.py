"""Pages of review services that a website links to: found among its links, fetched where robots.txt allows, and read as they state it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from re import Pattern

import msgspec

from crawlers.catalogue import ReviewService, ignoring_case, review_services
from crawlers.domains import is_within, registrable_domain
from crawlers.errors import LookupFailed
from crawlers.facts import Link, SiteFacts
from crawlers.fetch import Fetcher
from crawlers.page import read_page
from crawlers.reading.urls import host_of, path_of
from crawlers.review_facts import ReviewPage
from crawlers.robots import Robots
from crawlers.website import no_page

MOST_PAGES = 3
"""Pages of review services that are read for one website."""


@dataclass(frozen=True)
class ReviewMeans:
    """What reading works with: the client, its robots.txt, and what keeps a body and gives its SHA-256 (None: it is only computed)."""

    fetcher: Fetcher
    robots: Robots
    keep: Callable[[bytes], str] | None = None


def review_subject(url: str) -> tuple[str, str] | None:
    """Return the service and whom the page is about when the address is a review page of a known service."""
    found = _found(url)
    return (found[0].id, found[1]) if found else None


def linked_pages(site: SiteFacts) -> tuple[ReviewPage, ...]:
    """Return the review pages that a site's pages link to and that are about it, not read yet; at most three."""
    own = registrable_domain(host_of(site.final_url or site.requested_url))
    links = (link for page in site.pages for link in page.facts.links)
    found: dict[tuple[str, str], ReviewPage] = {}
    for link, service, subject in _review_links(links):
        if not service.by_domain or registrable_domain(subject.lower()) == own:
            page = ReviewPage(url=link.url, service=service.name, subject=subject, website=site.requested_url)
            found.setdefault((service.id, subject.lower()), page)
    return tuple(found.values())[:MOST_PAGES]


async def read_review_page(page: ReviewPage, means: ReviewMeans) -> ReviewPage:
    """Return the page with what it states. Never raises what the web causes: `failure` says why nothing was read."""
    try:
        answer = await means.fetcher.fetch(page.url, gate=means.robots.allow)
    except LookupFailed as failed:
        return msgspec.structs.replace(page, failure=failed.message)
    if wrong := no_page(answer):
        return msgspec.structs.replace(page, failure=wrong.message)
    facts = read_page(answer.body, answer.url, answer.content_type)
    own = registrable_domain(host_of(page.website))
    seen = msgspec.structs.replace(
        page,
        ratings=facts.ratings,
        reviews=facts.reviews,
        links_back=any(registrable_domain(link.host) == own for link in facts.links if link.host),
        fetched_at=answer.fetched_at,
        sha256=means.keep(answer.body) if means.keep else answer.sha256,
    )
    return seen if facts.ratings or facts.reviews else msgspec.structs.replace(seen, failure="The page states no rating that can be read.")


def _review_links(links: Iterable[Link]) -> Iterable[tuple[Link, ReviewService, str]]:
    for link in links:
        found = _found(link.url)
        if found:
            yield link, *found


def _found(url: str) -> tuple[ReviewService, str] | None:
    host = host_of(url)
    for service, patterns in _services():
        if any(is_within(host, known) for known in service.hosts):
            path = path_of(url).rstrip("/")
            match = next((match for pattern in patterns if (match := pattern.fullmatch(path))), None)
            return (service, match.group("subject")) if match else None
    return None


@cache
def _services() -> tuple[tuple[ReviewService, tuple[Pattern[str], ...]], ...]:
    return tuple((service, tuple(ignoring_case(path) for path in service.paths)) for service in review_services())
