"""A program's brand in a site's name: as it is, hardly changed, or in letters that look the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fraud.checks.applicants.context import Visit, evidence_of
from fraud.checks.applicants.names import ascii_host, edit_distance, host_of, own_labels, skeleton, squeezed, tokens, within
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.programs import ProgramProfile
from fraud.domain.signals import Evidence, Severity, Signal, Tier

_SPEC = CHECKS["website.brand_in_domain"]
_SEVERITIES = {
    "exact": Severity.HIGH,
    "look-alike": Severity.HIGH,
    "near": Severity.MEDIUM,
    "part": Severity.MEDIUM,
    "logo": Severity.MEDIUM,
    "title": Severity.LOW,
}
_SUPPORTING = frozenset({"part", "logo", "title"})
_BETWEEN = re.compile(r"\s[|–—:·-]\s|\s?[|·»]\s?|:\s")
_ADORNED = ("official", "officialsite", "officialstore", "officialwebsite", "home", "homepage", "welcometo")


@dataclass(frozen=True)
class Likeness:
    """How a name is like a brand: `how` is `exact`, `look-alike`, `near` (letters of difference) or `part` of a longer word; of the front
    page `title`, where it is titled as the brand itself, or `logo`, where it shows the brand's logo besides."""

    host: str
    brand: str
    how: str
    said: str


def brand_in_domain(visit: Visit, limits: Limits) -> Signal:
    """W16 over the declared name and the name the visit ended at. Names need no visit, so a finding never waits for an answer."""
    profile = visit.profile
    if profile is None or not (profile.brand_terms or profile.domains):
        return _SPEC.not_applicable(visit.subject, "The program's profile names neither brand terms nor domains of its own.")
    hosts = _hosts(visit)
    found = [likeness for host in hosts if (likeness := likest(host, profile, limits))]
    found += [likeness for likeness in [_posing(visit, profile)] if likeness]
    if found:
        return _finding(visit, max(found, key=lambda likeness: _SEVERITIES[likeness.how].rank))
    if within(host_of(visit.subject), profile.domains):
        return _SPEC.clear(visit.subject, Observation(text=f"{host_of(visit.subject)} is one of the program's own domains."))
    if not visit.site.pages:
        return _SPEC.inconclusive(visit.subject, "The name as given holds no brand of the program, but where the address leads is unknown.")
    text = f"{', '.join(hosts)}: no brand term of the program in the name, and the front page is not titled as one."
    return _SPEC.clear(visit.subject, Observation(text=text, value=None, evidence=(evidence_of(visit.home),)))


def _hosts(visit: Visit) -> list[str]:
    urls = (visit.site.requested_url, visit.site.final_url)
    return list(dict.fromkeys(host for url in urls if (host := host_of(url))))


def _finding(visit: Visit, worst: Likeness) -> Signal:
    detail = {"host": worst.host, "brand": worst.brand, "how": worst.how}
    evidence = evidence_of(visit.home, **detail) if visit.site.pages else Evidence(url=visit.subject, detail=detail)
    seen = Observation(text=f"{worst.host} {worst.said} {worst.brand!r}.", value=detail, evidence=(evidence,))
    tier = Tier.CIRCUMSTANTIAL if worst.how in _SUPPORTING else Tier.ASSOCIATIVE
    return _SPEC.finding(visit.subject, _SEVERITIES[worst.how], seen, tier)


def _posing(visit: Visit, profile: ProgramProfile) -> Likeness | None:
    """Whether the front page is titled as the brand itself; writing about a brand, as affiliates do, puts more into a title."""
    host = host_of(visit.site.final_url or visit.subject)
    if not visit.site.pages or within(host, profile.domains):
        return None
    parts = {squeezed(part) for part in _BETWEEN.split(visit.home.facts.title)}
    for term in profile.brand_terms:
        brand = squeezed(term)
        if brand and parts & {brand, *(f"{word}{brand}" for word in _ADORNED), *(f"{brand}{word}" for word in _ADORNED)}:
            logo = any(_is_logo(embed.tag, embed.excerpt, brand) for embed in visit.home.facts.embeds)
            how, said = ("logo", "has the title and the logo of the brand") if logo else ("title", "has the title of the brand")
            return Likeness(host, term, how, said)
    return None


def _is_logo(tag: str, excerpt: str, brand: str) -> bool:
    return tag == "img" and "logo" in excerpt.lower() and brand in squeezed(excerpt)


def likest(host: str, profile: ProgramProfile, limits: Limits) -> Likeness | None:
    """The strongest likeness of a host to a brand of the program, or `None`; the program's own domains are like none."""
    if within(host, profile.domains):
        return None
    found = list(_likenesses(host, profile, limits))
    return max(found, key=lambda likeness: _SEVERITIES[likeness.how].rank, default=None)


def _likenesses(host: str, profile: ProgramProfile, limits: Limits) -> Iterator[Likeness]:
    labels = own_labels(host)
    words = [word for label in labels for word in dict.fromkeys((squeezed(label), *tokens(label)))]
    words.append(squeezed("".join(labels)))  # a brand that a dot divides
    for term in profile.brand_terms:
        if brand := squeezed(term):
            yield from (Likeness(host, term, *alike) for word in words if (alike := _alike(word, brand, limits)))
            yield from (Likeness(host, term, *alike) for label in labels if (alike := _part(squeezed(label), brand, limits)))
    for domain in profile.domains:
        name = own_labels(ascii_host(domain))
        if name and labels and (alike := _alike(squeezed(labels[-1]), squeezed(name[-1]), limits)):
            yield Likeness(host, domain, *alike)


def _alike(word: str, brand: str, limits: Limits) -> tuple[str, str] | None:
    if word == brand:
        return "exact", "holds the brand"
    if skeleton(word) == skeleton(brand):
        return "look-alike", "is written to look like the brand"
    allowed = (len(brand) >= limits["short_length"]) + (len(brand) >= limits["long_length"])
    if abs(len(word) - len(brand)) <= allowed and edit_distance(word, brand) <= allowed:
        return "near", f"is {edit_distance(word, brand)} letter(s) away from the brand"
    return None


def _part(label: str, brand: str, limits: Limits) -> tuple[str, str] | None:
    """The brand at the head or the end of a longer word, when it is long enough not to be chance."""
    long_enough = len(label) > len(brand) >= limits["short_length"]
    if long_enough and (label.startswith(brand) or label.endswith(brand)):
        return "part", "begins or ends with the brand"
    return None
