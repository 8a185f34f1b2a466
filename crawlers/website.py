"""One polite visit to a site: home page, the pages that say who is behind it, a few others, and one path that cannot exist.

Nothing that the web does is an exception here: what fails becomes a `Failure` in the facts, and the rest of the visit goes on.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import msgspec

from crawlers.domains import registrable_domain, same_site
from crawlers.errors import LookupFailed
from crawlers.facts import Failure, Fetched, Link, PageFacts, SiteFacts, Snapshot, VisitedPage
from crawlers.fetch import Fetcher
from crawlers.page import read_page
from crawlers.reading.urls import host_of, path_of
from crawlers.robots import Robots

Keep = Callable[[bytes], str]
"""Stores a body and returns its SHA-256 in hex."""

HTML_TYPES = ("text/html", "application/xhtml+xml")
FALL_BACK = frozenset({"connect", "tls", "timeout", "protocol", "refused"})
"""Failures of https after which a site given without a scheme is tried over http."""
NO_PAGES = (
    ".jpg", ".jpeg", ".png", ".gif", ".webp", ".svg", ".ico", ".pdf", ".zip", ".gz", ".rar", ".7z", ".mp3", ".mp4", ".webm", ".avi", ".mov",
    ".css", ".js", ".json", ".xml", ".rss", ".atom", ".txt", ".csv", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".exe", ".apk", ".dmg",
)  # fmt: skip
SAME_TEXT = 0.9
"""Share of common three-word runs from which two pages are the same: dates and counters may differ."""


@dataclass
class _Visit:
    """The state of one visit."""

    url: str
    fetcher: Fetcher
    robots: Robots
    keep: Keep | None
    facts: SiteFacts
    pages: list[VisitedPage] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    requests: int = 0


async def collect_site(url: str, fetcher: Fetcher, *, keep: Keep | None = None, robots: Robots | None = None) -> SiteFacts:
    """Return the facts of the site at `url` (a URL, or a bare host, tried over https and then http).

    `keep` stores each body; without it the SHA-256 is only computed. `robots` may be shared between visits.
    Times are the fetcher's clock. Bounded by `Limits.site_seconds` and `Limits.site_pages`. Raises nothing that the web causes.
    """
    visit = _Visit(url, fetcher, robots or Robots(fetcher), keep, SiteFacts(requested_url=url, started_at=fetcher.now()))
    try:
        async with asyncio.timeout(fetcher.settings.limits.site_seconds):
            await _visit_all(visit)
    except TimeoutError:
        _out_of_time(visit)
    return msgspec.structs.replace(visit.facts, pages=tuple(visit.pages), failures=tuple(visit.failures), finished_at=fetcher.now())


def home_addresses(url: str) -> tuple[str, ...]:
    """Return the addresses to try for a site in order: as given, or https and then http for a bare host."""
    url = url.strip()
    if "://" in url:
        return (url,)
    return f"https://{url.lstrip('/')}", f"http://{url.lstrip('/')}"


async def _visit_all(visit: _Visit) -> None:
    home = await _home(visit)
    if home is None:
        return
    limits = visit.fetcher.settings.limits
    identity = [page.url for page in home.facts.identity_pages]
    for address in _one_per_page(identity, home)[: limits.identity_pages]:
        await _further(visit, address)
    await _random_path(visit, home)
    for address in sample(home, limits.sample_pages, {page.snapshot.url for page in visit.pages} | set(identity)):
        await _further(visit, address)


async def _home(visit: _Visit) -> VisitedPage | None:
    """Visit the home page and write down what became of it."""
    failed: LookupFailed | None = None
    for address in home_addresses(visit.url):
        try:
            answer = await _fetch(visit, address)
        except LookupFailed as error:
            if failed is not None:
                visit.failures.append(failed.failure())
            failed = error
            if error.kind not in FALL_BACK:
                break
        else:
            if failed is not None:
                visit.failures.append(failed.failure())
            return _arrived(visit, answer)
    assert failed is not None
    domain = registrable_domain(host_of(home_addresses(visit.url)[0]))
    visit.facts = msgspec.structs.replace(visit.facts, failure=failed.failure(), hops=failed.hops, registrable_domain=domain)
    return None


def _arrived(visit: _Visit, answer: Fetched) -> VisitedPage | None:
    visit.facts = msgspec.structs.replace(
        visit.facts,
        final_url=answer.url,
        registrable_domain=registrable_domain(host_of(answer.url)),
        hops=answer.hops,
        certificate=answer.certificate,
    )
    failure = no_page(answer)
    if failure is not None:
        visit.facts = msgspec.structs.replace(visit.facts, failure=failure)
        return None
    visit.facts = msgspec.structs.replace(visit.facts, reachable=True)
    return _read(visit, answer)


async def _further(visit: _Visit, address: str) -> None:
    """Visit one more page; a page that leads off the site or back to one we have is left out."""
    try:
        answer = await _fetch(visit, address)
    except LookupFailed as error:
        visit.failures.append(error.failure())
        return
    failure = no_page(answer)
    if failure is not None:
        visit.failures.append(failure)
    elif same_site(host_of(answer.url), visit.facts.registrable_domain) and all(answer.url != page.snapshot.url for page in visit.pages):
        _read(visit, answer)


async def _random_path(visit: _Visit, home: VisitedPage) -> None:
    """Ask for a path that nobody made: an honest server says 404."""
    address = urljoin(home.snapshot.url, f"/{probe_name(visit.url, str(visit.facts.started_at))}")
    try:
        answer = await _fetch(visit, address)
    except LookupFailed as error:
        visit.failures.append(error.failure())
        return
    same = answer.url == home.snapshot.url or answer.sha256 == home.snapshot.sha256
    if not same and _is_html(answer):
        same = same_text(read_page(answer.body, answer.url, answer.content_type), home.facts)
    visit.facts = msgspec.structs.replace(visit.facts, random_path_status=answer.status, random_path_same_as_home=same)


async def _fetch(visit: _Visit, address: str) -> Fetched:
    """Fetch within the site's page budget, asking robots.txt at every hop."""
    visit.requests += 1
    most = visit.fetcher.settings.limits.site_pages
    if visit.requests > most:
        raise LookupFailed(address, "budget", f"The visit had already asked for {most} pages.")
    return await visit.fetcher.fetch(address, gate=visit.robots.allow)


def _read(visit: _Visit, answer: Fetched) -> VisitedPage:
    sha256 = visit.keep(answer.body) if visit.keep else answer.sha256
    snapshot = Snapshot(
        url=answer.url,
        fetched_at=answer.fetched_at,
        sha256=sha256,
        status=answer.status,
        content_type=answer.content_type,
        size=len(answer.body),
        truncated=answer.truncated,
    )
    page = VisitedPage(snapshot=snapshot, facts=read_page(answer.body, answer.url, answer.content_type))
    visit.pages.append(page)
    return page


def _out_of_time(visit: _Visit) -> None:
    seconds = visit.fetcher.settings.limits.site_seconds
    failure = Failure(url=visit.url, kind="budget", message=f"The visit was ended after {seconds:g} seconds.")
    if visit.facts.reachable or visit.facts.failure is not None:
        visit.failures.append(failure)
    else:
        visit.facts = msgspec.structs.replace(visit.facts, failure=failure)


def no_page(answer: Fetched) -> Failure | None:
    """Return why an answer is no page to read: an error status or another type than HTML; None when it is one."""
    host = host_of(answer.url)
    if not 200 <= answer.status < 300:
        return Failure(url=answer.url, kind="http_status", message=f"{host} answered with status {answer.status}.")
    if not _is_html(answer):
        kind = answer.content_type.partition(";")[0].strip()[:80] or "nothing readable"
        return Failure(url=answer.url, kind="not_html", message=f"{host} sent {kind} instead of a page.")
    return None


def _is_html(answer: Fetched) -> bool:
    """Say whether an answer is HTML by its type, or by its first character where the server names none."""
    kind = answer.content_type.partition(";")[0].strip().lower()
    return kind in HTML_TYPES or (not kind and answer.body.lstrip()[:1] == b"<")


def probe_name(url: str, salt: str) -> str:
    """Return a path that no site has: 20 hex digits of a hash, the same for the same visit."""
    return "page-" + hashlib.sha256(f"{url}\n{salt}".encode()).hexdigest()[:20]


def same_text(page: PageFacts, other: PageFacts) -> bool:
    """Say whether two pages show the same words (Jaccard similarity of their three-word runs at least 0.9); pages without words do not."""
    ours, theirs = _runs(page.text), _runs(other.text)
    return bool(ours and theirs) and len(ours & theirs) / len(ours | theirs) >= SAME_TEXT


def _runs(text: str) -> set[tuple[str, ...]]:
    words = text.lower().split()
    return {tuple(words[start : start + 3]) for start in range(max(1, len(words) - 2))} if words else set()


def sample(home: VisitedPage, count: int, seen: set[str]) -> list[str]:
    """Return up to `count` further pages of the home page's site, spread evenly over its links, one per path."""
    host = host_of(home.snapshot.url)
    candidates = [link.url for link in home.facts.links if same_site(link.host, host) and _may_be_page(link)]
    fresh = [address for address in _one_per_page(candidates, home) if address not in seen]
    if len(fresh) <= count:
        return fresh
    return [fresh[index * len(fresh) // count] for index in range(count)]


def _may_be_page(link: Link) -> bool:
    return not path_of(link.url).lower().endswith(NO_PAGES) and "nofollow" not in link.rel


def _one_per_page(addresses: list[str], home: VisitedPage) -> list[str]:
    """Return the addresses without fragments, the home page and repeats of a host and path."""
    home_path = (host_of(home.snapshot.url), path_of(home.snapshot.url).rstrip("/"))
    kept: dict[tuple[str, str], str] = {}
    for address in addresses:
        key = (host_of(address), path_of(address).rstrip("/"))
        if key != home_path:
            kept.setdefault(key, urlsplit(address)._replace(fragment="").geturl())
    return list(kept.values())
