"""The links of a page and what they say: affiliate tracking, and the pages that tell who is behind the site."""

from __future__ import annotations

import re
from functools import cache

from crawlers.catalogue import IdentityWords, identity_words, ignoring_case
from crawlers.domains import same_site
from crawlers.facts import AffiliateLink, IdentityPage, Link
from crawlers.reading.affiliate import network_of
from crawlers.reading.embeds import outer_html
from crawlers.reading.urls import absolute, clean, host_of, path_of
from crawlers.reading.walk import Walked

MOST_LINKS = 5_000
MOST_IDENTITY_PAGES = 20
LONGEST_NAME = 60
"""Characters of a link text up to which it can be the name of an identity page rather than a headline."""
ENDING = re.compile(r"\.(?:html?|php|aspx?|jsp|cfm)\Z", re.IGNORECASE)


def links(found: Walked, base: str) -> tuple[tuple[Link, ...], tuple[AffiliateLink, ...]]:
    """Return the page's links (no scripts, no places within the page), and those with an affiliate network's tracking; at most 5,000."""
    kept: list[Link] = []
    affiliates: list[AffiliateLink] = []
    for anchor in found.anchors[:MOST_LINKS]:
        url = (anchor.attributes.get("href") or "").strip()
        if not url or url.startswith("#") or url.lower().startswith("javascript:"):
            continue
        url = absolute(base, url)
        rel = tuple((anchor.attributes.get("rel") or "").lower().split())
        link = Link(url=url, text=clean(anchor.text), rel=rel, host=host_of(url))
        kept.append(link)
        network = network_of(url)
        if network:
            excerpt = outer_html("a", anchor.attributes, anchor.text)
            affiliates.append(AffiliateLink(url=url, network=network, text=link.text, rel=rel, excerpt=excerpt))
    return tuple(kept), tuple(affiliates)


def identity_pages(links: tuple[Link, ...], host: str) -> tuple[IdentityPage, ...]:
    """Return the links within the site that look like privacy, terms, contact, imprint or about pages; one per address and kind."""
    kept: dict[tuple[str, str], IdentityPage] = {}
    for link in links:
        if not same_site(link.host, host) or not _may_be_one(link.text, path_of(link.url)):
            continue
        for words in identity_words():
            if looks_like(words, link.text, path_of(link.url)):
                kept.setdefault((words.kind, link.url), IdentityPage(kind=words.kind, url=link.url, text=link.text[:200]))
    return tuple(kept.values())[:MOST_IDENTITY_PAGES]


def looks_like(words: IdentityWords, text: str, path: str) -> bool:
    """Say whether a link with this text and path leads to the kind of page that `words` describe."""
    last = ENDING.sub("", path.rstrip("/").rpartition("/")[2]).lower()
    if last and last in _paths(words.kind):
        return True
    return len(text) <= LONGEST_NAME and _named(words.kind).match(text.strip()) is not None


def _may_be_one(text: str, path: str) -> bool:
    """Say whether a link may lead to any kind of these pages: one look that spares most links five."""
    last = ENDING.sub("", path.rstrip("/").rpartition("/")[2]).lower()
    return last in _all_paths() or (len(text) <= LONGEST_NAME and _any_name().match(text.strip()) is not None)


@cache
def _all_paths() -> frozenset[str]:
    return frozenset(path for words in identity_words() for path in words.paths)


@cache
def _any_name() -> re.Pattern[str]:
    return ignoring_case("|".join(f"(?:{_named(words.kind).pattern})" for words in identity_words()))


@cache
def _paths(kind: str) -> frozenset[str]:
    return frozenset(path for words in identity_words() if words.kind == kind for path in words.paths)


@cache
def _named(kind: str) -> re.Pattern[str]:
    """Return the pattern of link texts that begin with a name of this kind of page, as whole words (parts of words in Japanese, and German
    compounds such as Datenschutzerklärung)."""
    names = {name for words in identity_words() if words.kind == kind for group in words.words.values() for name in group}
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    return ignoring_case("(?:" + "|".join(_name(name) for name in longest_first) + ")")


def _name(name: str) -> str:
    open_ended = not name.isascii() or len(name) >= 9
    return re.escape(name) + ("" if open_ended else r"(?!\w)")
