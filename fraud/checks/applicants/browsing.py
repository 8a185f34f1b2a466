"""What a site does in a browser that nobody touches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crawlers.facts import BrowserVisit
from fraud.checks.applicants.clicks import AddressKind, address_kind
from fraud.checks.applicants.context import OWN_PROGRAM, Visit
from fraud.checks.applicants.names import host_of, owner_of, within
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Evidence, Severity, Signal, Tier

_SPEC = CHECKS["website.browser"]
_QUOTED = 10


@dataclass(frozen=True)
class Deed:
    """Something the browser did by itself: what, to which address, and whose tracking link that is ('' for nobody's)."""

    what: str
    url: str
    network: str


def browser(visit: Visit, limits: Limits) -> Signal:
    """W08 in a browser: the program's own click links settle it; networks', windows and moves to other sites ask for a look."""
    seen = visit.site.browser
    if seen is None:
        return _SPEC.not_applicable(visit.subject, "Not run: no browser was given (FRAUD_BROWSER).")
    if seen.failure:
        return _SPEC.inconclusive(visit.subject, f"Not run: {seen.failure}")
    deeds = list(_deeds(visit, seen))
    own = [deed for deed in deeds if deed.network == OWN_PROGRAM]
    if not deeds:
        text = f"{len(seen.requests)} request(s) and {len(seen.cookies)} cookie(s) without a click, none of them of a tracking link."
        return _SPEC.clear(visit.subject, Observation(text=text, sample_size=len(seen.requests), evidence=(_shown(visit, seen),)))
    tracked = own or [deed for deed in deeds if deed.network]
    first = (tracked or deeds)[0]
    whose = f" of {first.network}" if first.network else ""
    observation = Observation(
        text=f"Without any click the browser {first.what}{whose}: {first.url[:200]}"
        + (f", and {len(deeds) - 1} more." if deeds[1:] else "."),
        value=[{"what": deed.what, "url": deed.url, "network": deed.network} for deed in deeds[:_QUOTED]],
        baseline=0,
        sample_size=len(deeds),
        evidence=(_shown(visit, seen), *(Evidence(url=deed.url, fetched_at=visit.site.finished_at) for deed in deeds[:_QUOTED])),
    )
    if own:
        return _SPEC.finding(visit.subject, Severity.CRITICAL, observation, Tier.CONCLUSIVE)
    return _SPEC.finding(visit.subject, Severity.MEDIUM, observation, Tier.ASSOCIATIVE if tracked else Tier.CIRCUMSTANTIAL)


def _deeds(visit: Visit, seen: BrowserVisit) -> Iterator[Deed]:
    linked = frozenset(link.url for page in visit.site.pages for link in page.facts.links)
    for request in seen.requests:
        network = _network(visit, request.url, request.network)
        if (
            network
            and address_kind(request.url, linked) is not AddressKind.PICTURE
            and (request.network or _opens(request.kind, request.url))
        ):
            yield Deed("asked for a tracking link", request.url, network)
    for url in seen.windows:
        if owner_of(host_of(url)) != visit.domain:
            yield Deed("opened a window", url, _network(visit, url, ""))
    for url, _seconds in seen.redirects:
        if owner_of(host_of(url)) not in {visit.domain, ""}:
            yield Deed("moved to another site", url, _network(visit, url, ""))


def _opens(kind: str, url: str) -> bool:
    """Whether a request to the program's tracking host is a click's: a document, or anything that looks like one."""
    return kind == "document" or address_kind(url, frozenset()) is AddressKind.CLICK


def _network(visit: Visit, url: str, network: str) -> str:
    own = visit.profile is not None and within(host_of(url), visit.profile.tracking_hosts)
    return OWN_PROGRAM if own else network


def _shown(visit: Visit, seen: BrowserVisit) -> Evidence:
    detail = {
        "requests": len(seen.requests),
        "cookies": sorted({cookie.domain for cookie in seen.cookies})[:20],
        "refused": len(seen.refused),
    }
    return Evidence(url=seen.final_url or seen.url, fetched_at=visit.site.finished_at, sha256=seen.screenshot, detail=detail)
