"""What a site has in common with earlier applicants' sites: text, accounts, make-up."""

from __future__ import annotations

from fraud.checks.applicants.context import Resemblance, Visit, evidence_of
from fraud.domain.catalogue import CHECKS, CheckSpec, Limits, Observation
from fraud.domain.signals import Severity, Signal

_COPIED = CHECKS["website.copied"]
_ACCOUNTS = CHECKS["website.shared_accounts"]
_FARM = CHECKS["website.template_farm"]

_ALIKE = 3
"""Bits between two simhashes of 64 up to which texts are near duplicates (Manku et al., WWW 2007)."""
_NAMED = 10


def _others(visit: Visit) -> tuple[Resemblance, ...] | None:
    """The resemblances to sites of other owners and names; None when there was nothing to compare with."""
    if visit.around.earlier is None:
        return None
    return tuple(one for one in visit.around.earlier if not one.same_owner and one.domain != visit.domain)


def _nothing(visit: Visit, spec: CheckSpec) -> Signal:
    return spec.not_applicable(visit.subject, "There were no earlier applicants' sites to compare with.")


def _accounts(one: Resemblance) -> tuple[str, ...]:
    """The shared account numbers; an icon may be a theme's own."""
    return tuple(mark for mark in one.shared if not mark.startswith("icon "))


def copied(visit: Visit, limits: Limits) -> Signal:
    """W05: the most similar text on an earlier applicant's site of another owner."""
    others = _others(visit)
    if others is None:
        return _nothing(visit, _COPIED)
    words = sum(page.facts.word_count for page in visit.readable)
    if words < limits["minimum_words"]:
        return _COPIED.inconclusive(visit.subject, f"{words} readable words are too few to compare.")
    alike = [one for one in others if one.similarity >= limits["minimum_similarity"] or one.distance <= _ALIKE]
    if not alike:
        text = "No earlier applicant's site has as much of its text."
        return _COPIED.clear(visit.subject, Observation(text=text, value=0, sample_size=words, evidence=(evidence_of(visit.home),)))
    worst = max(alike, key=lambda one: (one.similarity, -one.distance))
    same = worst.similarity >= limits["high_similarity"] or worst.distance <= _ALIKE
    seen = Observation(
        text=f"About {worst.similarity:.0%} of the text also stands on {worst.domain}, which another applicant gave earlier.",
        value={"similarity": round(worst.similarity, 3), "distance": worst.distance, "sites": [one.domain for one in alike[:_NAMED]]},
        baseline=limits["minimum_similarity"],
        sample_size=words,
        evidence=(evidence_of(visit.home, like=worst.domain, application_id=worst.application_id),),
    )
    return _COPIED.finding(visit.subject, Severity.HIGH if same else Severity.MEDIUM, seen)


def shared_accounts(visit: Visit, limits: Limits) -> Signal:
    """W21: account numbers that sites of other applicants use as well; icons alone are no accounts."""
    others = _others(visit)
    if others is None:
        return _nothing(visit, _ACCOUNTS)
    users: dict[str, set[str]] = {}
    for one in others:
        for mark in _accounts(one):
            users.setdefault(mark, set()).add(one.application_id)
    most = max(users.values(), key=len, default=set())
    named = sorted(users, key=lambda mark: -len(users[mark]))[:_NAMED]
    if not most:
        return _ACCOUNTS.clear(
            visit.subject, Observation(text="No other applicant uses its accounts.", evidence=(evidence_of(visit.home),))
        )
    seen = Observation(
        text=f"{len(most)} other applicant(s) use the same account: {', '.join(named)}.",
        value={mark: len(users[mark]) for mark in named},
        baseline=limits["minimum_others"],
        evidence=(evidence_of(visit.home, accounts=named, sites=sorted({one.domain for one in others if _accounts(one)})[:_NAMED]),),
    )
    return _ACCOUNTS.finding(visit.subject, Severity.HIGH if len(most) >= limits["minimum_others"] else Severity.LOW, seen)


def template_farm(visit: Visit, limits: Limits) -> Signal:
    """W22: sites of the same make-up that share text or accounts as well; a common theme alone says nothing."""
    others = _others(visit)
    if others is None:
        return _nothing(visit, _FARM)
    series = [
        one
        for one in others
        if one.template >= limits["minimum_template"] and (one.similarity >= limits["minimum_similarity"] or _accounts(one))
    ]
    domains = sorted({one.domain for one in series})
    seen = Observation(
        text=f"{len(domains)} earlier site(s) of the same make-up share text or accounts: {', '.join(domains[:5]) or 'none'}.",
        value={"sites": domains[:_NAMED]},
        baseline=limits["minimum_others"],
        sample_size=len(others),
        evidence=(evidence_of(visit.home, sites=domains[:_NAMED]),),
    )
    many = len(domains) >= limits["minimum_others"]
    return _FARM.finding(visit.subject, Severity.HIGH, seen) if many else _FARM.clear(visit.subject, seen)
