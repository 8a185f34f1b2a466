"""Phrases and account numbers found by the catalogue's patterns: disclosures in the text, trackers in the source."""

from __future__ import annotations

from functools import cache

from crawlers.catalogue import disclosures as disclosure_catalogue
from crawlers.catalogue import exact_case, ignoring_case, tracker_patterns
from crawlers.facts import Disclosure, TrackerId
from crawlers.reading.hints import Finder, hints_in

AROUND = 100
"""Characters of context on either side of a disclosure."""
MOST_DISCLOSURES = 50
MOST_SOURCE = 2_000_000
"""Characters of a page's source that are searched."""
MOST_IDS = 100


def disclosures(text: str, language: str = "") -> tuple[Disclosure, ...]:
    """Return the disclosures in a text, in order of place. Where two languages overlap, the page's own (ISO 639-1) wins."""
    hints = _hints().found(text.lower())
    kept: list[tuple[int, int, Disclosure]] = []
    for entry in sorted(disclosure_catalogue(), key=lambda entry: entry.language != language):
        for phrase in entry.phrases:
            if phrase.hint in hints:
                kept += [found for found in _found(phrase.pattern, entry.language, text) if not _overlaps(found, kept)]
    return tuple(disclosure for _, _, disclosure in sorted(kept, key=lambda one: one[:2]))[:MOST_DISCLOSURES]


@cache
def _hints() -> Finder:
    return Finder([phrase.hint for entry in disclosure_catalogue() for phrase in entry.phrases])


def _found(pattern: str, language: str, text: str) -> list[tuple[int, int, Disclosure]]:
    found = []
    for match in ignoring_case(pattern.replace(" ", r"\s+")).finditer(text):
        start, end = match.span()
        said = " ".join(match.group(0).split())
        excerpt = text[max(0, start - AROUND) : end + AROUND]
        found.append((start, end, Disclosure(phrase=said, language=language, offset=start, excerpt=excerpt)))
    return found[:MOST_DISCLOSURES]


def _overlaps(one: tuple[int, int, Disclosure], others: list[tuple[int, int, Disclosure]]) -> bool:
    return any(one[0] < end and start < one[1] for start, end, _ in others)


def trackers(source: str) -> tuple[TrackerId, ...]:
    """Return the account numbers in a page's source, once each."""
    source = source[:MOST_SOURCE]
    found: dict[TrackerId, None] = {}
    hints = hints_in(source)
    for entry in tracker_patterns():
        if entry.hint in hints:
            for value in exact_case(entry.pattern).findall(source):
                found.setdefault(TrackerId(kind=entry.kind, value=value))
    return tuple(found)[:MOST_IDS]
