"""Whether the declared site answers, and with pages of its own: reachability, parking and thin content."""

from __future__ import annotations

from collections.abc import Sequence
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

WEAK_SIGNS = frozenset({"title_is_domain", "same_page_everywhere", "empty_page"})
"""Signs that one-page sites of honest people show as well: they count beside another sign, never by themselves."""

NO_CONTENT = frozenset({"http_status", "not_html", "redirects"})
"""Failures that say there is no page; after any other the page may well exist, and is unknown."""

_SIGN_WORDS = {
    "provider_script": "a parking provider's script",
    "sale_phrase": "a phrase of sale",
    "lander_redirect": "a parking provider's redirect",
    "parking_link": "links of a parking provider",
    "title_is_domain": "a title that is only the domain's name",
    "same_page_everywhere": "the same page at every address",
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
    severity = Severity.MEDIUM if merchant else Severity.LOW
    return _REACHABLE.finding(visit.subject, severity, Observation(text=text, value=seen, evidence=evidence))


def parked(visit: Visit, limits: Limits) -> Signal:
    """W02: kinds of sign on a home page with few words; two kinds settle it, one asks for a look."""
    page, signs = visit.home.facts, visit.home.facts.parking_signs
    kinds = sorted({sign.kind for sign in signs} | _weak_signs(visit))
    strong = [kind for kind in kinds if kind not in WEAK_SIGNS]
    few = page.scripts_needed or page.word_count < limits["maximum_words"]
    settled = bool(strong) and len(kinds) >= limits["signs_for_high"]
    named = " and ".join(_SIGN_WORDS[kind] for kind in kinds)
    seen: dict[str, Any] = {"signs": kinds, "words": page.word_count}
    if settled or (strong and few):
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
    return {"same_page_everywhere"} if visit.site.random_path_same_as_home else set()


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
