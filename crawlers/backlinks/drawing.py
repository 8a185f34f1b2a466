"""Draws the linking pages that are looked at: one a domain, every level of claimed authority in proportion.

The draw is by hash, so the same export gives the same pages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from crawlers.backlinks.facts import LinkingPage

MOST_PAGES = 30
"""Pages that are looked at (detection 6.1)."""
STRATA = ("unknown", "under 20", "20 to 40", "40 to 60", "60 to 80", "80 and more")


def stratum_of(authority: float | None) -> str:
    """Return the level of a claimed authority from 0 to 100."""
    return STRATA[0] if authority is None else STRATA[1 + min(4, max(0, int(authority // 20)))]


def drawn(pages: Iterable[LinkingPage], most: int = MOST_PAGES) -> tuple[LinkingPage, ...]:
    """Return at most `most` of the pages, each level with its share of them and at least one."""
    levels: dict[str, list[LinkingPage]] = {}
    for page in pages:
        levels.setdefault(page.stratum, []).append(page)
    for listed in levels.values():
        listed.sort(key=_chance)
    shares = allotted({level: len(listed) for level, listed in levels.items()}, most)
    return tuple(page for level in STRATA if level in levels for page in levels[level][: shares[level]])


def allotted(sizes: Mapping[str, int], most: int) -> dict[str, int]:
    """Return how many of `most` places each level gets: in proportion (largest remainders), at least one, and never more than it has."""
    whole = sum(sizes.values())
    if whole <= most:
        return dict(sizes)
    given = {level: min(size, max(1, most * size // whole)) for level, size in sizes.items()}
    by_remainder: Sequence[str] = sorted(sizes, key=lambda level: (-(most * sizes[level] % whole), level))
    while sum(given.values()) > most:
        given[max(given, key=lambda level: given[level])] -= 1
    for level in (*by_remainder, *by_remainder):
        if sum(given.values()) < most and given[level] < sizes[level]:
            given[level] += 1
    return given


def _chance(page: LinkingPage) -> bytes:
    return hashlib.blake2b(page.domain.encode("utf-8", "replace"), digest_size=8).digest()
