"""Whether the declared site answers, and with pages of its own: reachability, parking and thin content."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from statistics import median
from typing import Any

from crawlers.facts import ParkingSign, VisitedPage
from fraud.checks.applicants.context import Visit, evidence_of, only_scripts
from fraud.checks.applicants.names import host_of, owner_of, within
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Evidence, Severity, Signal, Tier

_REACHABLE = CHECKS["website.reachable"]
_PARKED = CHECKS["website.parked"]
_THIN = CHECKS["website.thin"]

WEAK_SIGNS = frozenset({"title_is_domain", "same_page_everywhere", "same_page_on_any_host", "only_search_links", "empty_page"})
"""Signs that one-page sites of honest people show as well: they count beside another sign, or as three on a page with hardly a word."""

HARDLY_A_WORD = 60
"""Words of a page that has nothing to say: menus and a slogan have as many."""

PARKING_SERVERS = (
    "sedoparking.com", "bodis.com", "parkingcrew.net", "above.com", "afternic.com", "dan.com", "undeveloped.com", "cashparking.com",
    "hugedomains.com", "parklogic.com", "voodoo.com", "parkingspa.com", "uniregistrymarket.link", "domainnamesales.com", "smartname.com",
    "fabulous.com", "namedrive.com", "rookdns.com", "trafficz.com", "skenzo.com", "ztomy.com", "dsredirection.com", "brandbucket.com",
)  # fmt: skip
"""Name servers of parking services (after Zirngibl et al., TMA 2022, and Vissers et al., NDSS 2015)."""
PARKING_NETWORKS = tuple(ip_network(text) for text in ("185.53.176.0/22", "91.195.240.0/23", "199.59.240.0/22"))
"""Addresses of ParkingCrew, Sedo and Bodis."""

NO_CONTENT = frozenset({"http_status", "not_html", "redirects"})
"""Failures that say there is no page; after any other the page may well exist, and is unknown."""

_FEWEST_SEARCHES, _SEARCH_WORDS, _MOSTLY = 3, 4, 0.7
_SIGN_WORDS = {
    "provider_script": "a parking provider's script",
    "sale_phrase": "a phrase of sale",
    "lander_redirect": "a parking provider's redirect",
    "parking_link": "links of a parking provider",
    "title_is_domain": "a title that is only the domain's name",
    "same_page_everywhere": "the same page at every address",
    "same_page_on_any_host": "the same page on every host",
    "only_search_links": "hardly anything but links to searches",
    "parking_server": "a parking provider's name server or address",
    "empty_page": "a page without words of its own",
}


def reachable(visit: Visit, limits: Limits) -> Signal:
    """W01 and W09: the site answers under its own name; a visit that failed never comes here, it is inconclusive."""
    site, declared = visit.site, owner_of(host_of(visit.site.requested_url))
    seen = {"final_url": site.final_url, "hops": [{"url": hop.url, "status": hop.status} for hop in site.hops], "pages": len(site.pages)}
    evidence = (evidence_of(visit.home, hops=seen["hops"]),)
    if declared == visit.domain:
        text = f"{declared} answers; {_count(len(site.pages), 'page')} read."
        return _REACHABLE.clear(visit.subject, Observation(text=text, value=seen, evidence=evidence))
    merchant = visit.profile is not None and within(host_of(site.final_url), visit.profile.domains)
    target = "the program's own site" if merchant else "another site"
    text = f"{declared} sends its visitors on to {visit.domain}, {target}; what was read are that site's pages."
    severity = Severity.HIGH if merchant else Severity.LOW
    return _REACHABLE.finding(visit.subject, severity, Observation(text=text, value=seen, evidence=evidence))


def parked(visit: Visit, limits: Limits) -> Signal:
    """W02: kinds of sign on a home page with few words; two kinds settle it, one asks for a look, as do weak ones that come together."""
    page, signs = visit.home.facts, visit.home.facts.parking_signs
    kinds = sorted({sign.kind for sign in signs} | _weak_signs(visit) | _server_signs(visit))
    strong = [kind for kind in kinds if kind not in WEAK_SIGNS]
    few = page.scripts_needed or page.word_count < limits["maximum_words"]
    settled = bool(strong) and len(kinds) >= limits["signs_for_high"]
    named = " and ".join(_SIGN_WORDS[kind] for kind in kinds)
    seen: dict[str, Any] = {"signs": kinds, "words": page.word_count}
    empty = len(kinds) >= limits["weak_signs"] and page.word_count < HARDLY_A_WORD
    if settled or empty or (strong and few):
        text = f"The home page looks parked: {named}, and {_count(page.word_count, 'word')} of text."
        severity, tier = _parked_strength(settled, few)
        return _PARKED.finding(visit.subject, severity, Observation(text=text, value=seen, evidence=_quoted(visit, signs)), tier)
    if page.scripts_needed:
        return _PARKED.inconclusive(visit.subject, "The home page is drawn by scripts, which are not run, so its content is unknown.")
    text = f"{_count(page.word_count, 'word')} on the home page, and {named or 'no sign of parking'}."
    return _PARKED.clear(visit.subject, Observation(text=text, value=seen, evidence=(evidence_of(visit.home),)))


def _parked_strength(settled: bool, few: bool) -> tuple[Severity, Tier]:
    if settled and few:
        return Severity.HIGH, Tier.CONCLUSIVE
    return Severity.MEDIUM, Tier.ASSOCIATIVE


def _weak_signs(visit: Visit) -> set[str]:
    """An empty shell, or else a made-up path that gives the home page; shells answer every path alike by design."""
    if visit.home.facts.scripts_needed:
        return {"empty_page"}
    links = [link for link in visit.home.facts.links if link.host]
    searches = [
        link for link in links if "?" in link.url and len(link.text.split()) <= _SEARCH_WORDS and owner_of(link.host) == visit.domain
    ]
    signs = {
        "same_page_everywhere": visit.site.random_path_same_as_home,
        "same_page_on_any_host": visit.site.random_subdomain_same_as_home,
        "only_search_links": len(searches) >= _FEWEST_SEARCHES and len(searches) >= _MOSTLY * len(links),
    }
    return {name for name, seen in signs.items() if seen}


def _server_signs(visit: Visit) -> set[str]:
    dns = visit.site.dns
    if dns is None:
        return set()
    by_name = any(within(name, PARKING_SERVERS) for name in (*dns.name_servers, *dns.aliases))
    by_address = any(ip_address(text) in network for text in dns.addresses for network in PARKING_NETWORKS if is_address(text))
    return {"parking_server"} if by_name or by_address else set()


def is_address(text: str) -> bool:
    """Whether the text is an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _quoted(visit: Visit, signs: Sequence[ParkingSign]) -> tuple[Evidence, ...]:
    quoted = tuple(evidence_of(visit.home, _as_written(sign), sign=sign.kind, provider=sign.provider) for sign in signs[:5])
    return quoted or (evidence_of(visit.home),)


def _as_written(sign: ParkingSign) -> str:
    """What stands in the page's source: of a link, whose text and address are reported side by side, the address."""
    return sign.excerpt.rpartition(" ")[2] if sign.kind == "parking_link" else sign.excerpt


def thin(visit: Visit, limits: Limits) -> Signal:
    """W04: content pages read, and the median of their words; unread pages make a thin result inconclusive."""
    pages = _content_pages(visit)
    if not pages:
        return _THIN.inconclusive(visit.subject, only_scripts("words"))
    words = median(page.facts.word_count for page in pages)
    seen = Observation(
        text=f"{_count(len(pages), 'content page')} read; the typical one has {words:g} words.",
        value={"pages": len(pages), "median_words": words},
        baseline={"pages": limits["minimum_pages"], "median_words": limits["minimum_median_words"]},
        sample_size=len(pages),
        evidence=tuple(evidence_of(page, words=page.facts.word_count) for page in pages[:5]),
    )
    short, few = words < limits["minimum_median_words"], len(pages) < limits["minimum_pages"]
    if not (short or few):
        return _THIN.clear(visit.subject, seen)
    if unread := _unread(visit):
        more = f"{_count(unread, 'more page')} could not be read, so there may be more content."
        return _THIN.inconclusive(visit.subject, f"{seen.text} {more}")
    return _THIN.finding(visit.subject, Severity.MEDIUM if short and few else Severity.LOW, seen)


def _content_pages(visit: Visit) -> list[VisitedPage]:
    """The readable pages that are not there to say who runs the site, each text once; the home page always counts."""
    identity = {entry.url for page in visit.site.pages for entry in page.facts.identity_pages} - {visit.home.snapshot.url}
    texts: dict[str, VisitedPage] = {}
    for page in visit.readable:
        if page.snapshot.url not in identity:
            texts.setdefault(page.facts.text, page)
    return list(texts.values())


def _unread(visit: Visit) -> int:
    shells = len(visit.site.pages) - len(visit.readable)
    return shells + sum(failure.kind not in NO_CONTENT for failure in visit.site.failures)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
