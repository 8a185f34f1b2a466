"""What a dossier shows besides its signals: each site in figures and as a picture, who links there, who follows, who is like it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from markupsafe import Markup

from crawlers.facts import SiteFacts
from fraud.checks.applicants.context import Resemblance, VettingFacts
from fraud.domain.shapes import Bin
from fraud.reports import words
from fraud.reports.bars import share_rows
from fraud.reports.trends import count_chart

_ANCHORS = {
    "brand": "the brand",
    "url": "the address",
    "generic": "“click here” and such",
    "empty": "a picture or nothing",
    "commercial": "words that sell",
    "other": "other words",
}
_LANGUAGES = 6


@dataclass(frozen=True)
class SiteShown:
    """One site: where it led, its figures in words, and the SHA-256 of its picture ("" without one)."""

    address: str
    facts: tuple[tuple[str, str], ...]
    screenshot: str


@dataclass(frozen=True)
class Drawn:
    """One chart with its title, and what it rests on."""

    title: str
    chart: Markup
    rests_on: str


@dataclass(frozen=True)
class Alike:
    """Somebody else: another applicant or an affiliate, and in words what is the same."""

    kind: str
    name: str
    text: str
    also_explained_by: str


def sites_shown(facts: VettingFacts) -> list[SiteShown]:
    """Every site that was visited."""
    return [
        SiteShown(site.final_url or site.requested_url, _site_facts(site), site.browser.screenshot if site.browser else "")
        for site in facts.sites
    ]


def audience_drawn(facts: VettingFacts) -> list[Drawn]:
    """Charts of backlinks and profiles, as far as anything is known; empty where nobody looked."""
    return [*_backlinks(facts), *_profiles(facts)]


def alike(facts: VettingFacts) -> list[Alike]:
    """Who states the same, and whose site is like one of this applicant's."""
    known = [Alike(one.role, one.other, one.text, one.also_explained_by) for one in facts.known or ()]
    like = [
        Alike("applicant", other.application_id, _likeness(other), "Franchises, agencies and common templates make sites alike.")
        for surroundings in facts.surroundings.values()
        for other in surroundings.earlier or ()
    ]
    return [*known, *like]


def screenshots_of(facts: VettingFacts) -> frozenset[str]:
    """The pictures that a dossier may show."""
    return frozenset(site.browser.screenshot for site in facts.sites if site.browser and site.browser.screenshot)


def _site_facts(site: SiteFacts) -> tuple[tuple[str, str], ...]:
    pages, registration, certificate = site.pages, site.registration, site.certificate
    created = registration.registered_at if registration else None
    return (
        ("Pages read", words.number(len(pages))),
        ("Words on the home page", words.number(pages[0].facts.word_count) if pages else words.UNKNOWN),
        ("Language", (pages[0].facts.detected_language or pages[0].facts.declared_language or words.UNKNOWN) if pages else words.UNKNOWN),
        ("Registered", words.day(created) if created else words.UNKNOWN),
        ("Encrypted", "yes" if certificate else "no certificate seen"),
    )


def _likeness(other: Resemblance) -> str:
    """What two sites have in common, as a sentence."""
    parts = [f"{words.share(other.similarity)} of the text"] if other.similarity else []
    parts += [f"{words.share(other.template)} of the page's make"] if other.template else []
    parts += [f"shared accounts ({words.join(list(other.shared))})"] if other.shared else []
    said = f"{other.domain}: the same {words.join(parts)}" if parts else f"{other.domain}: alike"
    return f"{said}; the same owner by what both stated." if other.same_owner else f"{said}."


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _backlinks(facts: VettingFacts) -> list[Drawn]:
    found = facts.audience.backlinks
    if found is None or found.failure or not found.referring_domains:
        return []
    rest = f"{words.count(found.sampled or found.referring_domains, 'linking domain')}, from {found.source or 'the export given'}"
    drawn = [Drawn("What links say", share_rows(_bins(found.anchors, _ANCHORS), "What links say"), rest)]
    if found.rated:
        deciles = [
            Bin(label=f"{10 * number} to {10 * number + 10}", count=count, own=count / max(sum(found.rated), 1), others=None)
            for number, count in enumerate(found.rated)
        ]
        drawn.append(
            Drawn("How much linking domains count elsewhere (authority)", share_rows(deciles, "Authority of linking domains"), rest)
        )
    if found.languages:
        leading = dict(sorted(found.languages.items(), key=lambda item: (-item[1], item[0]))[:_LANGUAGES])
        drawn.append(Drawn("Languages of linking pages", share_rows(_bins(leading, {}), "Languages of linking pages"), rest))
    return drawn


def _profiles(facts: VettingFacts) -> list[Drawn]:
    drawn = []
    for one in facts.audience.profiles or ():
        name = f"{one.platform or 'A profile'} {one.handle}".strip()
        if len(one.history) > 1:
            points = [(_midnight(entry.day), float(entry.followers)) for entry in one.history]
            rest = words.count(len(points), "day")
            drawn.append(Drawn(f"{name}: followers by day", count_chart(points, f"{name}: followers by day"), rest))
        reactions = [
            (post.at, float((post.likes or 0) + (post.comments or 0)))
            for post in one.recent
            if post.at and (post.likes is not None or post.comments is not None)
        ]
        if len(reactions) > 1:
            rest = words.count(len(reactions), "post")
            chart = count_chart(sorted(reactions), f"{name}: likes and comments by post")
            drawn.append(Drawn(f"{name}: likes and comments by post", chart, rest))
    return drawn


def _bins(counts: Mapping[str, int], spoken: Mapping[str, str]) -> Sequence[Bin]:
    whole = max(sum(counts.values()), 1)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Bin(label=spoken.get(name, name or "unknown"), count=count, own=count / whole, others=None) for name, count in ordered]
