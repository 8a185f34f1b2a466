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

from crawlers.domains import is_within, registrable_domain, same_site
from crawlers.errors import LookupFailed
from crawlers.facts import Embed, Failure, Fetched, Followed, Link, PageFacts, SiteFacts, Snapshot, Variant, VisitedPage
from crawlers.fetch import Fetcher, Gate, Visitor
from crawlers.page import read_page
from crawlers.reading.affiliate import network_of
from crawlers.reading.urls import host_of, path_of
from crawlers.robots import Robots
from crawlers.survey import Survey, View, side_files

Keep = Callable[[bytes], str]
"""Stores a body and returns its SHA-256 in hex."""

HTML_TYPES = ("text/html", "application/xhtml+xml")
FALL_BACK = frozenset({"connect", "tls", "timeout", "protocol", "refused"})
"""Failures of https after which a site given without a scheme is tried over http."""
NO_PAGES = (
    ".jpg", ".jpeg", ".png", ".gif", ".webp", ".svg", ".ico", ".pdf", ".zip", ".gz", ".rar", ".7z", ".mp3", ".mp4", ".webm", ".avi", ".mov",
    ".css", ".js", ".json", ".xml", ".rss", ".atom", ".txt", ".csv", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".exe", ".apk", ".dmg",
)  # fmt: skip
DOCUMENTS = frozenset({"iframe", "frame", "object", "embed"})
MOST_FOLLOWED = 4
"""Unseen things that are followed on one site."""
SAME_TEXT = 0.9
"""Share of common three-word runs from which two pages are the same: dates and counters may differ."""


@dataclass
class _Visit:
    """The state of one visit. `read` holds what was read by address, type and SHA-256: most visitors get the same page."""

    url: str
    fetcher: Fetcher
    robots: Robots
    keep: Keep | None
    facts: SiteFacts
    survey: Survey | None = None
    pages: list[VisitedPage] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    requests: int = 0
    read: dict[tuple[str, str, str], PageFacts] = field(default_factory=dict)


async def collect_site(
    url: str, fetcher: Fetcher, *, keep: Keep | None = None, robots: Robots | None = None, survey: Survey | None = None
) -> SiteFacts:
    """Return the facts of the site at `url` (a URL, or a bare host, tried over https and then http).

    `keep` stores each body; without it the SHA-256 is only computed. `robots` may be shared between visits. `survey` says what to ask
    besides the pages; nothing without it.
    Times are the fetcher's clock. Bounded by `Limits.site_seconds` and `Limits.site_pages`. Raises nothing that the web causes.
    """
    visit = _Visit(url, fetcher, robots or Robots(fetcher), keep, SiteFacts(requested_url=url, started_at=fetcher.now()), survey)
    try:
        async with asyncio.timeout(fetcher.settings.limits.site_seconds):
            await _visit_all(visit)
    except TimeoutError:
        _out_of_time(visit)
    await _ask_registries(visit)
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
    if visit.survey is not None:
        await _look_round(visit, home, visit.survey)


async def _look_round(visit: _Visit, home: VisitedPage, survey: Survey) -> None:
    """Ask for the home page as others get it, for a host nobody made, and for the files beside the pages."""
    if survey.views:
        visit.facts = msgspec.structs.replace(visit.facts, variants=tuple([await _variant(visit, home, view) for view in survey.views]))
    visit.facts = msgspec.structs.replace(visit.facts, followed=await _follow_unseen(visit, survey))
    await _random_subdomain(visit, home)

    async def get(url: str, most: int) -> Fetched:
        return await _fetch(visit, url, most)

    facts = msgspec.structs.replace(visit.facts, surveyed=True, pages=tuple(visit.pages[:1]))
    visit.facts = await side_files(facts, get, await _sitemaps(visit, home))
    if survey.browser is not None:
        visit.facts = msgspec.structs.replace(visit.facts, browser=await survey.browser.visit(home.snapshot.url))


async def _sitemaps(visit: _Visit, home: VisitedPage) -> tuple[str, ...]:
    try:
        return await visit.robots.sitemaps(home.snapshot.url)
    except LookupFailed:
        return ()


async def _variant(visit: _Visit, home: VisitedPage, view: View) -> Variant:
    """Ask for the address as it was given, as this visitor: redirects may depend on who asks too."""
    address = visit.facts.hops[0].url if visit.facts.hops else home.snapshot.url
    seen = Variant(name=view.name, user_agent=view.visitor.user_agent, referrer=view.visitor.referrer)
    try:
        answer = await _fetch(visit, address, visitor=view.visitor)
    except LookupFailed as error:
        return msgspec.structs.replace(seen, failure=error.failure(), hops=error.hops)
    failure = no_page(answer)
    page = None if failure else _page(visit, answer)
    return msgspec.structs.replace(seen, final_url=answer.url, hops=answer.hops, page=page, failure=failure)


async def _follow_unseen(visit: _Visit, survey: Survey) -> tuple[Followed, ...]:
    """Follow what pages load unseen to where it leads, short of clicking anybody's tracking link."""

    async def gate(url: str) -> None:
        if network_of(url) or any(is_within(host_of(url), host) for host in survey.never):
            raise LookupFailed(url, "refused", "A visit to this tracking link would count as a click, so it was not made.")
        await visit.robots.allow(url)

    return tuple([await _followed(visit, url, gate) for url in unseen(visit.pages, survey.never)[:MOST_FOLLOWED]])


async def _followed(visit: _Visit, url: str, gate: Gate) -> Followed:
    try:
        answer = await _fetch(visit, url, gate=gate)
    except LookupFailed as error:
        last = error.hops[-1].location if error.hops else ""
        return Followed(url=url, final_url=last or url, hops=error.hops, failure=error.failure())
    page = None if no_page(answer) else _page(visit, answer)
    return Followed(url=url, final_url=answer.url, hops=answer.hops, page=page)


def unseen(pages: list[VisitedPage], never: tuple[str, ...]) -> list[str]:
    """Return the addresses that pages load where nobody sees it and that may lead on: frames first, then what is no picture file."""
    read = {page.snapshot.url for page in pages}
    embeds = [embed for page in pages for embed in page.facts.embeds if _leads_on(embed) and embed.url not in read]
    ordered = sorted(embeds, key=lambda embed: embed.tag not in DOCUMENTS)
    fresh = [embed.url for embed in ordered if not network_of(embed.url) and not any(is_within(host_of(embed.url), host) for host in never)]
    return list(dict.fromkeys(fresh))


def _leads_on(embed: Embed) -> bool:
    if not embed.url.startswith(("http://", "https://")) or path_of(embed.url).lower().endswith(NO_PAGES):
        return False
    if embed.tag in DOCUMENTS:
        return embed.hidden
    return embed.hidden or embed.tag in {"css", "request"} or (embed.tag in {"link", "script"} and "." not in path_of(embed.url))


async def _random_subdomain(visit: _Visit, home: VisitedPage) -> None:
    """Ask for a host that nobody made below the site's name: parked and farmed names answer for every host alike."""
    domain = visit.facts.registrable_domain
    if not domain or "." not in domain:
        return
    name = probe_name(visit.url, f"host {visit.facts.started_at}").replace("page-", "host-")
    address = urlsplit(home.snapshot.url)._replace(netloc=f"{name}.{domain}", path="/", query="", fragment="").geturl()
    try:
        answer = await _fetch(visit, address)
    except LookupFailed as error:
        # Neither name nor certificate is what an honest site has there; whatever else went wrong says nothing.
        known = False if error.kind in {"dns", "tls", "connect"} else None
        visit.facts = msgspec.structs.replace(visit.facts, random_subdomain_same_as_home=known)
        return
    same = 200 <= answer.status < 300 and f"{name}.{domain}" == host_of(answer.url) and _like_home(answer, home)
    visit.facts = msgspec.structs.replace(visit.facts, random_subdomain_same_as_home=same)


async def _ask_registries(visit: _Visit) -> None:
    """Ask for records and registration of the name the visit ended at, whether or not the site answered; outside the site's own time."""
    survey, domain = visit.survey, visit.facts.registrable_domain
    if survey is None or not domain or "." not in domain:
        return
    if survey.records is not None:
        visit.facts = msgspec.structs.replace(visit.facts, dns=await survey.records.of(domain))
    if survey.registrations is not None:
        visit.facts = msgspec.structs.replace(visit.facts, registration=await survey.registrations.of(domain))


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
    same = answer.url == home.snapshot.url or _like_home(answer, home)
    visit.facts = msgspec.structs.replace(visit.facts, random_path_status=answer.status, random_path_same_as_home=same)


def _like_home(answer: Fetched, home: VisitedPage) -> bool:
    if answer.sha256 == home.snapshot.sha256:
        return True
    return _is_html(answer) and same_text(read_page(answer.body, answer.url, answer.content_type), home.facts)


async def _fetch(
    visit: _Visit, address: str, max_bytes: int | None = None, visitor: Visitor | None = None, gate: Gate | None = None
) -> Fetched:
    """Fetch within the site's page budget, asking robots.txt (or another gate) at every hop."""
    visit.requests += 1
    most = visit.fetcher.settings.limits.site_pages
    if visit.requests > most:
        raise LookupFailed(address, "budget", f"The visit had already asked for {most} pages.")
    return await visit.fetcher.fetch(address, gate=gate or visit.robots.allow, max_bytes=max_bytes, visitor=visitor)


def _read(visit: _Visit, answer: Fetched) -> VisitedPage:
    page = _page(visit, answer)
    visit.pages.append(page)
    return page


def _page(visit: _Visit, answer: Fetched) -> VisitedPage:
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
    key = (answer.url, answer.content_type, answer.sha256)
    if key not in visit.read:
        visit.read[key] = read_page(answer.body, answer.url, answer.content_type)
    return VisitedPage(snapshot=snapshot, facts=visit.read[key])


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
