"""What platforms show everybody without an interface of their own: feeds (RSS, Atom), OpenGraph of a public page, oEmbed answers.

None of them tells counts, so followers stay unknown; they tell that a profile exists, what it says of itself, and when it posted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser

from crawlers.sitemap import feed_dates
from crawlers.social.facts import Post, ProfileFacts, ProfileState
from crawlers.social.readers import LONGEST_BIO, ChangedAnswer, links_in, unique_links

MOST_FEED = 2 * 1024 * 1024
MOST_POSTS = 100
_TITLE = re.compile(r"<title[^>]{0,100}>\s*(?:<!\[CDATA\[)?([^<\]]{0,500})", re.IGNORECASE)
_ABOUT = re.compile(r"<(?:description|subtitle)[^>]{0,100}>\s*(?:<!\[CDATA\[)?([^<\]]{0,5000})", re.IGNORECASE)
_LINK = re.compile(
    r"<link>\s*([^<\s]{1,2048})\s*</link>|<link\b(?![^>]{0,300}rel=[\"']self)[^>]{0,300}?href=[\"']([^\"']{1,2048})", re.IGNORECASE
)
_FIRST_ENTRY = re.compile(r"<(?:item|entry)[\s>]", re.IGNORECASE)


def feed(body: bytes, stated: str, platform: str, handle: str) -> ProfileFacts:
    """Return a publication from its feed: title, description, the site it names, and the days of its newest posts."""
    text = body[:MOST_FEED].decode("utf-8", errors="replace")
    if not re.search(r"<(?:rss|feed|rdf:RDF)[\s>]", text[:2_000], re.IGNORECASE):
        raise ChangedAnswer(f"{platform} did not answer with a feed.")
    first = _FIRST_ENTRY.search(text)
    head = text[: first.start()] if first else text
    moments = feed_dates(text[first.start() :]) if first else ()
    about = _first(_ABOUT, head)
    links = [next(filter(None, match.groups()), "") for match in _LINK.finditer(head)]
    return ProfileFacts(
        stated=stated,
        platform=platform,
        state=ProfileState.FOUND,
        source="page",
        handle=handle,
        url=stated,
        name=_first(_TITLE, head)[:300],
        bio=about[:LONGEST_BIO],
        links=unique_links([*links_in(about), *(link for link in map(unescape, links) if not _on_platform(link, stated, platform))]),
        last_post_at=max(moments, default=None),
        recent=tuple(Post(at=moment) for moment in moments[:MOST_POSTS]),
    )


def opengraph(body: bytes, stated: str, platform: str, handle: str) -> ProfileFacts:
    """Return a profile from the OpenGraph of its public page; a page that is about something else is a changed answer."""
    page = LexborHTMLParser(body)
    said: dict[str, str] = {}
    for meta in page.css("meta[property]"):
        said.setdefault(str(meta.attributes.get("property") or "").lower(), str(meta.attributes.get("content") or ""))
    names = " ".join(said.get(name, "") for name in ("og:url", "profile:username", "al:web:url")).lower()
    if not said.get("og:title") or handle.lower() not in names:
        raise ChangedAnswer(f"{platform} shows no public profile of {handle} at this address.")
    about = said.get("og:description", "")
    mine = [str(link.attributes.get("href") or "") for link in page.css("a[rel~=me], link[rel~=me]")]
    return ProfileFacts(
        stated=stated,
        platform=platform,
        state=ProfileState.FOUND,
        source="page",
        handle=handle,
        url=said.get("og:url", stated)[:2_048],
        name=said["og:title"][:300],
        bio=about[:LONGEST_BIO],
        links=unique_links([*links_in(about), *mine]),
        has_picture=True if said.get("og:image") else None,
    )


def oembed(said: Mapping[str, Any], stated: str, platform: str, handle: str) -> ProfileFacts:
    """Return a profile from an oEmbed answer: the author it names must be the one that was asked for."""
    author = str(said.get("author_url") or "")
    if handle.lower() not in author.lower():
        raise ChangedAnswer(f"{platform}'s oEmbed answer does not name {handle}.")
    about = str(said.get("description") or "")
    return ProfileFacts(
        stated=stated,
        platform=platform,
        state=ProfileState.FOUND,
        source="page",
        handle=handle,
        url=author[:2_048],
        name=str(said.get("author_name") or said.get("title") or "")[:300],
        bio=about[:LONGEST_BIO],
        links=unique_links(links_in(about)),
        has_picture=True if said.get("thumbnail_url") else None,
    )


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return " ".join(unescape(match.group(1)).split()) if match else ""


def _on_platform(link: str, stated: str, platform: str) -> bool:
    """Whether a link is the platform's own address of the profile: what it names besides is the publication's own domain."""
    try:
        host, own = urlsplit(link).hostname or "", urlsplit(stated if "//" in stated else f"https://{stated}").hostname or ""
    except ValueError:
        return True
    return not host or host == own or f".{host}".endswith(f".{platform}.com")
