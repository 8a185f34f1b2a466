"""What is asked about a site besides its pages: records, registration, other visitors' views, icon, ads.txt, sitemap, proof, browser.

Every part is optional: what the `Survey` has no means for stays None in the facts, which is unknown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urljoin, urlsplit

import msgspec

from crawlers.domains import same_site
from crawlers.errors import LookupFailed
from crawlers.facts import BrowserVisit, DnsFacts, Favicon, Fetched, Registration, SiteFacts, Sitemap, VariantName
from crawlers.fetch import Visitor
from crawlers.icons import icon_hash
from crawlers.reading.urls import host_of, path_of
from crawlers.sitemap import ads_txt, feed_dates, sitemap_entries, sitemap_text

DESKTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
MOBILE = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
SEARCH = "https://www.google.com/"
PROOF_PATH = "/.well-known/affiliate-proof.txt"
ICON_BYTES = 256 * 1024
FILE_BYTES = 512 * 1024
SITEMAPS_READ = 2
"""Sitemaps read of one site: the first, and one that an index points to."""


class RecordSource(Protocol):
    """Finds the records of a name."""

    async def of(self, name: str) -> DnsFacts:
        """The records; `failure` says why there are none."""
        ...


class RegistrationSource(Protocol):
    """Finds the registration of a registered name."""

    async def of(self, domain: str) -> Registration:
        """The registration; `failure` says why there is none."""
        ...


class Browser(Protocol):
    """Visits one page as a person's browser does, and clicks nothing."""

    async def visit(self, url: str) -> BrowserVisit:
        """What the page did; `failure` says why nothing is known."""
        ...


@dataclass(frozen=True)
class View:
    """A way to ask for the home page: its name among the variants, and who asks."""

    name: VariantName
    visitor: Visitor


def default_views(desktop: str = DESKTOP, mobile: str = MOBILE) -> tuple[View, ...]:
    """The same crawler once more (for what changes by itself), a desktop, a phone, and a desktop that comes from a search."""
    return (
        View("control", Visitor()),
        View("desktop", Visitor(desktop)),
        View("mobile", Visitor(mobile)),
        View("search_visitor", Visitor(desktop, SEARCH)),
    )


@dataclass(frozen=True)
class Survey:
    """What to ask besides. Sources that are None are not asked; without `views` no variants are fetched.

    `never` are hosts (and all below them) that are not visited when following what a page loads, such as the program's own tracking: a
    visit there would count as somebody's click. The click addresses of known networks are never visited either.
    """

    records: RecordSource | None = None
    registrations: RegistrationSource | None = None
    browser: Browser | None = None
    never: tuple[str, ...] = ()
    views: tuple[View, ...] = field(default_factory=default_views)


Get = Callable[[str, int], Awaitable[Fetched]]
"""Fetches a URL within the visit's budget and robots.txt, up to so many bytes. Raises LookupFailed."""


async def side_files(facts: SiteFacts, get: Get, sitemaps: tuple[str, ...]) -> SiteFacts:
    """Return the facts with icon, ads.txt, sitemap, feed dates and the file that proves ownership; what fails stays unknown."""
    home = facts.pages[0]
    base = home.snapshot.url
    icon = await _maybe(get, home.facts.icon or urljoin(base, "/favicon.ico"), ICON_BYTES)
    ads = await _maybe(get, urljoin(base, "/ads.txt"), FILE_BYTES)
    proof = await _maybe(get, urljoin(base, PROOF_PATH), 4096)
    return msgspec.structs.replace(
        facts,
        favicon=_favicon(icon),
        ads_txt=ads_txt(ads.url, ads.body.decode("utf-8", errors="replace")) if ads and _is_text(ads) else None,
        sitemap=await _sitemap(get, base, sitemaps, home.facts.feeds),
        proof_file=proof.body.decode("utf-8", errors="replace")[:1000] if proof and _is_text(proof) else "",
    )


async def _sitemap(get: Get, base: str, named: tuple[str, ...], feeds: tuple[str, ...]) -> Sitemap | None:
    here = [url for url in named if same_site(host_of(url), host_of(base))]
    found = await _read_sitemap(get, (here or [urljoin(base, "/sitemap.xml")])[0])
    if found is None or found.newest is None:
        feed = next((url for url in feeds if same_site(host_of(url), host_of(base)) and "comment" not in path_of(url)), "")
        answer = await _maybe(get, feed, FILE_BYTES) if feed else None
        dates = feed_dates(answer.body.decode("utf-8", errors="replace")) if answer else ()
        if dates:
            return msgspec.structs.replace(found or Sitemap(url=feed), newest=dates[0])
    return found


async def _read_sitemap(get: Get, url: str) -> Sitemap | None:
    found: Sitemap | None = None
    for _ in range(SITEMAPS_READ):
        answer = await _maybe(get, url, FILE_BYTES)
        if answer is None:
            return found
        found, inner = sitemap_entries(url, sitemap_text(answer.body))
        nearest = [one for one in inner if same_site(host_of(one), host_of(url)) and one != url]
        if not nearest:
            break
        url = nearest[0]
    return found if found and found.urls else None


async def _maybe(get: Get, url: str, most: int) -> Fetched | None:
    """Return a file that answered with 200; None where there is none or it could not be had."""
    if urlsplit(url).scheme not in {"http", "https"}:
        return None
    try:
        answer = await get(url, most)
    except LookupFailed:
        return None
    return answer if answer.status == 200 and answer.body else None


def _favicon(answer: Fetched | None) -> Favicon | None:
    if answer is None or (answer.body.lstrip()[:1] == b"<" and b"<svg" not in answer.body[:500]):
        return None
    return Favicon(url=answer.url, sha256=answer.sha256, mmh3=icon_hash(answer.body), size=len(answer.body))


def _is_text(answer: Fetched) -> bool:
    return answer.content_type.partition(";")[0].strip().lower() in {"", "text/plain"}
