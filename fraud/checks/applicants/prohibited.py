"""Categories of content that a program's terms forbid."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from crawlers.facts import VisitedPage
from fraud.checks.applicants.context import Visit, evidence_of, only_scripts
from fraud.checks.applicants.lexicons import SPAM, lexicons, occurrences
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Evidence, Severity, Signal

_SPEC = CHECKS["website.prohibited"]
_QUOTE = 60


@dataclass(frozen=True)
class Category:
    """How strongly a site speaks of a category: its terms with their counts, per 1,000 words, and whether titles name it too."""

    name: str
    terms: Counter[str]
    density: float
    headed: bool


def prohibited(visit: Visit, limits: Limits) -> Signal:
    """W17: a category takes several different strong terms, often enough, in a title or description too; the terms say if it matters."""
    if not visit.readable:
        return _SPEC.inconclusive(visit.subject, only_scripts("words"))
    found = [one for name in lexicons() if name != SPAM and _speaks(one := category(visit, name), limits)]
    if not found:
        text = "No category of content stands out that programs forbid."
        return _SPEC.clear(visit.subject, Observation(text=text, evidence=(evidence_of(visit.home),)))
    forbidden = {name.strip().lower().replace(" ", "_") for name in visit.profile.prohibited_categories} if visit.profile else set()
    against = [one for one in found if one.name in forbidden]
    named = ", ".join(one.name.replace("_", " ") for one in against or found)
    seen = Observation(
        text=f"The site is about {named}, which the terms {'forbid' if against else 'do not mention'}.",
        value={one.name: {"terms": sorted(one.terms), "per_1000_words": round(one.density, 1)} for one in found},
        baseline=limits["minimum_per_1000"],
        sample_size=sum(page.facts.word_count for page in visit.readable),
        evidence=tuple(_quoted(visit, one) for one in (against or found)[:3]),
    )
    return _SPEC.finding(visit.subject, Severity.HIGH if against else Severity.LOW, seen)


def category(visit: Visit, name: str) -> Category:
    """What the site says in the words of one category."""
    bodies = [word for page in visit.readable for word in occurrences(page.facts.text, name)]
    heads = [word for page in visit.readable for word in occurrences(f"{page.facts.title}\n{page.facts.description}", name)]
    words = sum(page.facts.word_count for page in visit.readable)
    return Category(name, Counter(bodies + heads), 1000 * len(bodies) / max(words, 1), bool(heads))


def _speaks(one: Category, limits: Limits) -> bool:
    return len(one.terms) >= limits["minimum_terms"] and one.density >= limits["minimum_per_1000"] and one.headed


def _quoted(visit: Visit, one: Category) -> Evidence:
    page, term = next((page, term) for page in visit.readable if (term := _first(page, one.name)))
    place = page.facts.text.lower().find(term.split()[0])
    return evidence_of(page, page.facts.text[max(0, place - _QUOTE) : place + _QUOTE].replace("\n", " "), term=term)


def _first(page: VisitedPage, name: str) -> str:
    return next(iter(occurrences(page.facts.text, name)), "")
