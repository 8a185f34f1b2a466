"""Whether a site shows everybody the same, and what crawlers alone get to see."""

from __future__ import annotations

from crawlers.facts import Variant, VisitedPage
from fraud.checks.applicants.context import Visit, evidence_of, words_of
from fraud.checks.applicants.lexicons import SPAM, terms_in
from fraud.checks.applicants.names import host_of, owner_of
from fraud.checks.applicants.prints import distance, simhash
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Evidence, Severity, Signal

_CLOAKING = CHECKS["website.cloaking"]
_INJECTED = CHECKS["website.injected"]
_WHO = {
    "desktop": "a desktop browser",
    "mobile": "a phone",
    "search_visitor": "a visitor from a search engine",
    "control": "the crawler itself",
}


def cloaking(visit: Visit, limits: Limits) -> Signal:
    """W07: each view of the home page against the crawler's own; the crawler's second view says how much changes by itself."""
    variants = visit.site.variants
    if not variants:
        return _CLOAKING.not_applicable(visit.subject, "The home page was not asked for as other visitors.")
    control = next((one for one in variants if one.name == "control"), None)
    if control is None or control.page is None:
        return _CLOAKING.inconclusive(visit.subject, "The home page did not come a second time, so what changes by itself is unknown.")
    others = [one for one in variants if one.name != "control"]
    noise = _apart(visit.home, control.page, limits) or 0
    differing = [(one, what) for one in others if (what := _difference(visit, one, noise, limits))]
    if differing:
        return _found(visit, differing, noise)
    unseen = [one for one in others if one.page is None]
    if len(unseen) == len(others):
        return _CLOAKING.inconclusive(visit.subject, "No other visitor's view of the home page could be had.")
    seen = Observation(
        text=f"{len(others) - len(unseen)} other view(s) of the home page show what the crawler saw.",
        value={"noise": noise},
        baseline=limits["maximum_distance"],
        sample_size=len(others) - len(unseen),
        evidence=tuple(evidence_of(one.page, visitor=one.name) for one in others if one.page),
    )
    return _CLOAKING.clear(visit.subject, seen)


def _found(visit: Visit, differing: list[tuple[Variant, str]], noise: int) -> Signal:
    evidence = (evidence_of(visit.home, visitor="crawler"), *(_of(visit, one) for one, _ in differing))
    seen = Observation(
        text=f"{'; '.join(f'{_WHO[one.name]} {what}' for one, what in differing)}.".capitalize(),
        value={one.name: what for one, what in differing},
        baseline={"noise": noise},
        sample_size=len(differing),
        evidence=evidence,
    )
    return _CLOAKING.finding(visit.subject, Severity.HIGH, seen)


def _of(visit: Visit, variant: Variant) -> Evidence:
    if variant.page is not None:
        return evidence_of(variant.page, (variant.page.facts.text.splitlines() or [""])[0][:120], visitor=variant.name)
    return Evidence(url=variant.final_url, fetched_at=visit.site.finished_at, detail={"visitor": variant.name})


def _difference(visit: Visit, variant: Variant, noise: int, limits: Limits) -> str:
    """What this visitor gets that the crawler does not; '' for nothing, or nothing that can be told."""
    host = host_of(variant.final_url)
    if host and owner_of(host) != visit.domain:
        return f"is sent on to {owner_of(host)}"
    if variant.page is None:
        return ""
    apart = _apart(visit.home, variant.page, limits)
    if apart is None or apart <= limits["maximum_distance"] + noise:
        return ""
    if variant.page.facts.title == visit.home.facts.title and _mostly_there(visit.home, variant.page):
        return ""
    return f"gets another text ({apart} of 64 bits apart, {noise} by itself)"


def _apart(page: VisitedPage, other: VisitedPage, limits: Limits) -> int | None:
    if min(page.facts.word_count, other.facts.word_count) < limits["minimum_words"]:
        return None
    return distance(simhash(page.facts.text), simhash(other.facts.text))


def _mostly_there(page: VisitedPage, other: VisitedPage) -> bool:
    """Whether the shorter version is a part of the longer one: mobile pages leave out, they do not replace."""
    ours, theirs = set(page.facts.text.lower().split()), set(other.facts.text.lower().split())
    return len(ours & theirs) >= 0.7 * min(len(ours), len(theirs))


def injected(visit: Visit, limits: Limits) -> Signal:
    """W28: spam terms in links to other sites that nobody sees, or on the home page that only crawlers get."""
    hidden = [(page, link) for page in visit.site.pages for link in page.facts.hidden_links if owner_of(link.host) != visit.domain]
    named = {term: (page, link) for page, link in hidden for term in terms_in(f"{link.text} {link.url}", SPAM)}
    if len(named) >= limits["minimum_terms"]:
        evidence = tuple(evidence_of(page, link.text[:120], link=link.url) for page, link in list(named.values())[:5])
        text = f"Links that nobody sees name {', '.join(sorted(named)[:5])}."
        return _INJECTED.finding(visit.subject, Severity.HIGH, Observation(text=text, value=sorted(named), evidence=evidence))
    only = _only_for_crawlers(visit)
    if len(only) >= limits["minimum_terms"]:
        text = f"Only crawlers get a page that names {', '.join(only[:5])}."
        seen = Observation(text=text, value=only, evidence=(evidence_of(visit.home, visitor="crawler"),))
        return _INJECTED.finding(visit.subject, Severity.HIGH, seen)
    if not visit.readable:
        return _INJECTED.inconclusive(visit.subject, "The pages are drawn by scripts, so what they hide is unknown.")
    text = f"{len(hidden)} hidden link(s) to other sites, without spam terms."
    return _INJECTED.clear(visit.subject, Observation(text=text, value=len(hidden), evidence=(evidence_of(visit.home),)))


def _only_for_crawlers(visit: Visit) -> list[str]:
    people = [one.page for one in visit.site.variants or () if one.page is not None and one.name != "control"]
    if not people:
        return []
    ours = terms_in(words_of(visit.home.facts), SPAM)
    theirs = {term for page in people for term in terms_in(words_of(page.facts), SPAM)}
    return sorted(ours - theirs)
