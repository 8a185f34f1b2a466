"""How a site's texts were made: what generators leave behind, texts that repeat themselves, pages that are copies of one another."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from statistics import median

from crawlers.facts import VisitedPage
from fraud.checks.applicants.context import Visit, evidence_of, only_scripts
from fraud.checks.applicants.prints import shingles
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Evidence, Severity, Signal

_MADE = CHECKS["website.machine_made"]
_DOORWAYS = CHECKS["website.doorways"]

LEFT_BEHIND = re.compile(
    r"\bas an AI (?:language )?(?:model|assistant)\b|\bas a large language model\b"
    r"|\bI(?:'m| am) sorry,? but I (?:can(?:no|')t|am unable to)"
    r"|\bI (?:cannot|can't) fulfill (?:this|that|your) request\b|\bmy knowledge cutoff\b|\bregenerate response\b"
    r"|\bals (?:ein )?KI-Sprachmodell\b|\ben tant que modèle de langage\b|\bcomo modelo de lenguaje\b"
    r"|\[(?:insert|your|add|enter) [^\]\n]{2,40}\]|\{\{ ?[a-z_]{2,30} ?\}\}|\blorem ipsum dolor\b"
    r"|\{(?:[^{}|\n]{1,40}\|){2,}[^{}|\n]{1,40}\}",
    re.IGNORECASE,
)
"""A chatbot's excuses, placeholders nobody filled, filler text, and spinner syntax (`{good|great|fine}`) that was never spun."""
_AROUND = 60
_COMPARED = 8  # pages; each pair is compared
_SHORTEST = 40  # three-word runs of a page before it is compared
_SLUG = re.compile(r"[a-z0-9]+")


def machine_made(visit: Visit, limits: Limits) -> Signal:
    """W06: leavings settle it where two pages have them, one asks for a look; repetition and bursts count only together."""
    if not visit.readable:
        return _MADE.inconclusive(visit.subject, only_scripts("texts"))
    left = [(page, match) for page in visit.readable for match in _leavings(page)]
    weak = [name for name, seen in _weak_signs(visit, limits).items() if seen]
    pages = {page.snapshot.url for page, _ in left}
    seen = Observation(
        text=_said(len(left), len(pages), weak),
        value={"leavings": len(left), "pages": len(pages), "signs": weak},
        sample_size=len(visit.readable),
        evidence=tuple(evidence_of(page, match) for page, match in left[:5]) or (evidence_of(visit.home),),
    )
    if left:
        return _MADE.finding(visit.subject, Severity.HIGH if len(pages) > 1 else Severity.MEDIUM, seen)
    return _MADE.finding(visit.subject, Severity.LOW, seen) if len(weak) > 1 else _MADE.clear(visit.subject, seen)


def _leavings(page: VisitedPage) -> Iterator[str]:
    text = page.facts.text
    for match in LEFT_BEHIND.finditer(text):
        yield text[max(0, match.start() - _AROUND) : match.end() + _AROUND].replace("\n", " ")


def _weak_signs(visit: Visit, limits: Limits) -> dict[str, bool]:
    data = visit.text.encode()
    ratio = len(zlib.compress(data)) / len(data) if len(data) >= limits["minimum_characters"] else 1.0
    sitemap = visit.site.sitemap
    return {
        "text that repeats itself": ratio < limits["maximum_ratio"],
        "more pages in a day than people write": sitemap is not None and sitemap.most_on_a_day > limits["most_on_a_day"],
    }


def _said(left: int, pages: int, weak: Sequence[str]) -> str:
    if left:
        return f"{left} unfilled placeholder(s) or leavings of a text generator on {pages} page(s)."
    return f"No leavings of text generators; {' and '.join(weak) or 'nothing that looks automatically produced'}."


def doorways(visit: Visit, limits: Limits) -> Signal:
    """W06, W26: the median similarity of the content pages with one another, and the share of addresses that one pattern makes."""
    pages = _content(visit)
    shares = [_jaccard(left, right) for left, right in combinations([runs for _, runs in pages], 2)]
    alike = median(shares) if len(pages) >= limits["minimum_pages"] else None
    patterned = _pattern(visit, limits)
    if alike is None and patterned is None:
        return _DOORWAYS.not_applicable(visit.subject, f"{len(pages)} content page(s) are too few to be compared with one another.")
    copies = alike is not None and alike >= limits["minimum_similarity"]
    pattern, share = patterned or ("", 0.0)
    made = share >= limits["pattern_share"]
    seen = Observation(
        text=_described(alike, len(pages), pattern, share),
        value={"similarity": None if alike is None else round(alike, 3), "pattern": pattern, "pattern_share": round(share, 3)},
        baseline={"similarity": limits["minimum_similarity"], "pattern_share": limits["pattern_share"]},
        sample_size=len(pages),
        evidence=_quoted(visit, [page for page, _ in pages]),
    )
    if copies:
        return _DOORWAYS.finding(visit.subject, Severity.HIGH if made else Severity.MEDIUM, seen)
    return _DOORWAYS.finding(visit.subject, Severity.LOW, seen) if made else _DOORWAYS.clear(visit.subject, seen)


def _described(alike: float | None, pages: int, pattern: str, share: float) -> str:
    text = f"{pages} content page(s) are too few to compare" if alike is None else f"{pages} pages share {alike:.0%} of their wording"
    return text + (f"; {share:.0%} of the addresses follow the pattern {pattern!r}." if pattern else ".")


def _quoted(visit: Visit, pages: list[VisitedPage]) -> tuple[Evidence, ...]:
    return tuple(evidence_of(page, (page.facts.text.splitlines() or [""])[0][:120]) for page in pages[:4]) or (evidence_of(visit.home),)


def _content(visit: Visit) -> list[tuple[VisitedPage, frozenset[str]]]:
    """The pages that are not there to say who runs the site, with their three-word runs; alike texts count: they are looked for."""
    identity = {entry.url for page in visit.site.pages for entry in page.facts.identity_pages}
    kept = [page for page in visit.readable[1:] if page.snapshot.url not in identity]
    runs = [(page, frozenset(shingles(page.facts.text, 3))) for page in kept[:_COMPARED]]
    return [(page, own) for page, own in runs if len(own) >= _SHORTEST]


def _jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    return len(left & right) / len(left | right)


def _pattern(visit: Visit, limits: Limits) -> tuple[str, float] | None:
    """The commonest beginning or end (two words) of the addresses' last parts, and its share; None with too few addresses."""
    sitemap = visit.site.sitemap
    links = {link.url for page in visit.site.pages for link in page.facts.links if link.host.endswith(visit.domain)}
    paths = sitemap.paths if sitemap and sitemap.paths else tuple(sorted(links))
    slugs = [_SLUG.findall(path.rstrip("/").rpartition("/")[2].lower().partition(".")[0]) for path in paths]
    wordy = [slug for slug in slugs if len(slug) >= 3]
    if len(slugs) < limits["minimum_urls"] or not wordy:
        return None
    kinds = Counter(f"{slug[0]}-{slug[1]}-*" for slug in wordy) + Counter(f"*-{slug[-2]}-{slug[-1]}" for slug in wordy)
    pattern, count = kinds.most_common(1)[0]
    return pattern, count / len(slugs)
