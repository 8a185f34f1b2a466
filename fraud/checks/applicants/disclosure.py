"""Whether pages with affiliate links say so where a reader sees it."""

from __future__ import annotations

import re
from collections import defaultdict
from enum import StrEnum

from crawlers.facts import VisitedPage
from fraud.checks.applicants.context import Visit, evidence_of, only_scripts
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Evidence, Severity, Signal

_SPEC = CHECKS["website.disclosure"]
_TEXT_KEPT = 20_000  # characters of a page's text that the reader keeps; disclosures behind them are not seen
_SHORTEST_ANCHOR = 3  # characters; shorter link texts are found everywhere


class Standing(StrEnum):
    """Where a page discloses its affiliate links."""

    SEEN = "seen"
    FAR = "far"
    NOWHERE = "nowhere"
    UNKNOWN = "unknown"


def disclosure(visit: Visit, limits: Limits) -> Signal:
    """W11: each page with affiliate links needs a disclosure at its head or near a link."""
    linked = [page for page in visit.site.pages if visit.affiliate_links(page)]
    if not linked:
        return _without_links(visit)
    by_standing: defaultdict[Standing, list[VisitedPage]] = defaultdict(list)
    for page in linked:
        by_standing[_standing(visit, page, limits)].append(page)
    open_pages = by_standing[Standing.NOWHERE] + by_standing[Standing.FAR]
    if open_pages:
        return _finding(visit, open_pages, bool(by_standing[Standing.NOWHERE]), len(linked))
    if by_standing[Standing.UNKNOWN]:
        return _SPEC.inconclusive(visit.subject, "A page with affiliate links is too long to be read whole; its end may disclose them.")
    text = f"The affiliate links on {len(linked)} page(s) are disclosed."
    quoted = tuple(evidence_of(page, page.facts.disclosures[0].excerpt) for page in linked[:5])
    return _SPEC.clear(visit.subject, Observation(text=text, value={"pages": len(linked), "undisclosed": 0}, evidence=quoted))


def _without_links(visit: Visit) -> Signal:
    if not visit.readable:
        return _SPEC.inconclusive(visit.subject, only_scripts("links"))
    return _SPEC.not_applicable(visit.subject, "No affiliate links were found, so there is nothing to disclose.")


def _finding(visit: Visit, pages: list[VisitedPage], nowhere: bool, linked: int) -> Signal:
    required = bool(visit.profile and visit.profile.requires_disclosure)
    text = f"{len(pages)} of {linked} page(s) with affiliate links do not disclose them"
    text += "." if nowhere else " at their head or near the links, only elsewhere on the page."
    seen = Observation(
        text=text,
        value={"pages": linked, "undisclosed": len(pages)},
        baseline=0,
        sample_size=linked,
        evidence=tuple(_undisclosed(visit, page) for page in pages[:5]),
    )
    return _SPEC.finding(visit.subject, Severity.MEDIUM if nowhere and required else Severity.LOW, seen)


def _undisclosed(visit: Visit, page: VisitedPage) -> Evidence:
    link = visit.affiliate_links(page)[0]
    return evidence_of(page, link.excerpt, network=link.network, disclosures=[found.phrase for found in page.facts.disclosures])


def _standing(visit: Visit, page: VisitedPage, limits: Limits) -> Standing:
    facts = page.facts
    if any(found.offset <= limits["head_characters"] for found in facts.disclosures):
        return Standing.SEEN
    phrases = _offsets(facts.text, {found.phrase for found in facts.disclosures})
    anchors = _offsets(facts.text, {link.text for link in visit.affiliate_links(page) if len(link.text) >= _SHORTEST_ANCHOR})
    near = any(abs(phrase - anchor) <= limits["near_characters"] for phrase in phrases for anchor in anchors)
    if near or any(phrase <= limits["head_characters"] for phrase in phrases):
        return Standing.SEEN
    if len(facts.text) >= _TEXT_KEPT or page.snapshot.truncated:
        return Standing.UNKNOWN
    return Standing.FAR if facts.disclosures else Standing.NOWHERE


def _offsets(text: str, wanted: set[str]) -> list[int]:
    """Every place in the main text, which knows no menus, where one of the phrases begins."""
    return [match.start() for phrase in sorted(wanted) if phrase for match in re.finditer(re.escape(phrase), text, re.IGNORECASE)]
