"""One HTML page -> facts. Pure: no network, no clock; the same bytes always give the same facts."""

from __future__ import annotations

from zlib import crc32

from selectolax.lexbor import LexborHTMLParser

from crawlers.facts import AutoNavigation, Link, PageFacts
from crawlers.reading.advertising import advertising
from crawlers.reading.dates import copyright_year, page_dates
from crawlers.reading.embeds import auto_navigations, embeds, script_hosts, scripts_of
from crawlers.reading.encoding import decode
from crawlers.reading.guard import bounded
from crawlers.reading.links import identity_pages, links
from crawlers.reading.microdata import things_of
from crawlers.reading.parking import lander_signs, parking_signs, title_signs
from crawlers.reading.phrases import disclosures, trackers
from crawlers.reading.script_signs import script_signs
from crawlers.reading.social import emails, social_profiles
from crawlers.reading.structured import json_ld, things_in
from crawlers.reading.text import MOST_TEXT, count_words, detect_language, main_text, visible_text
from crawlers.reading.urls import absolute, clean, host_of
from crawlers.reading.walk import Walked, walk
from crawlers.reviews import reviews_in

MOST_SOURCE = 10 * 1024 * 1024
"""Characters of HTML that are parsed; `crawlers.limits` lets no more through."""
SHELL_WORDS = 20
"""Words under which a page that loads scripts may be an empty shell."""
SHELL_SAYINGS = ("javascript", "java script")
SKETCH = 64
"""Hashes kept of a page's shapes: the error of the similarity they give is about 1/8."""
MOST_HIDDEN = 200
FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json")


def read_page(html: bytes | str, url: str, content_type: str = "") -> PageFacts:
    """Return the facts of a page that was received from `url` with this Content-Type header. Never raises on bad HTML."""
    source, encoding = decode(html, content_type) if isinstance(html, bytes) else (clean(html), "")
    source = source[:MOST_SOURCE]
    found = walk(LexborHTMLParser(bounded(source)))
    base = absolute(url, found.base) if found.base else url
    return _facts(found, source, url, base, encoding)


def _facts(found: Walked, source: str, url: str, base: str, encoding: str) -> PageFacts:
    host = host_of(url)
    text, everything = main_text(found.lines), visible_text(found.lines)
    words = count_words(text)
    language, confidence = detect_language(text, words)
    all_links, affiliate_links = links(found, base)
    scripts = scripts_of(found, base)
    navigations, loaded = auto_navigations(found, base, scripts), embeds(found, base, scripts)
    types, same_as = json_ld(found.json_ld)
    ratings, reviews = reviews_in([*things_in(found.json_ld), *things_of(found.items)])
    title = clean(found.title)
    ad_slots, services = advertising(source)
    parking = parking_signs(source, everything, words, all_links) + lander_signs(navigations, host) + title_signs(title, host, words)
    return PageFacts(
        url=url,
        title=title,
        description=_meta(found, "description") or _meta(found, "og:description"),
        declared_language=_declared_language(found),
        detected_language=language,
        language_confidence=confidence,
        text=text[:MOST_TEXT],
        word_count=words,
        links=all_links,
        embeds=loaded,
        auto_navigations=navigations,
        affiliate_links=affiliate_links,
        disclosures=disclosures(everything[:MOST_TEXT], (language or _declared_language(found))[:2]),
        social_profiles=social_profiles(all_links, _rel(found, "me", base), same_as),
        emails=emails(found, all_links, everything),
        parking_signs=tuple(parking),
        identity_pages=identity_pages(all_links, host),
        trackers=trackers(source),
        json_ld_types=types,
        ratings=ratings,
        reviews=reviews,
        generator=_meta(found, "generator"),
        canonical=next(iter(_rel(found, "canonical", base)), ""),
        robots=tuple(sorted({word.strip().lower() for text in _named(found, "robots") for word in text.split(",") if word.strip()})),
        scripts_needed=_scripts_needed(found, words, navigations),
        outside_styles=found.outside_styles,
        script_hosts=script_hosts(scripts, (*loaded, *navigations)),
        encoding=encoding,
        hidden_links=_hidden_links(found, all_links, base),
        ad_slots=ad_slots,
        ad_services=services,
        reloads_after=_reloads_after(navigations, found, url),
        script_signs=script_signs(found.scripts, _script_files(found, base), [move.url for move in navigations]),
        dates=page_dates(source, found.metas),
        copyright_year=copyright_year(everything),
        feeds=_feeds(found, base),
        icon=next(iter(_rel(found, "icon", base)), ""),
        structure=sketch(found.shapes),
        proof_tokens=tuple(_named(found, "affiliate-proof"))[:10],
    )


def sketch(shapes: set[tuple[str, str, str]]) -> tuple[int, ...]:
    """Return the 64 smallest hashes of a page's shapes: the overlap of two such sketches estimates that of the pages (bottom-k)."""
    return tuple(sorted({crc32("\x1f".join(shape).encode("utf-8", errors="replace")) for shape in shapes})[:SKETCH])


def _hidden_links(found: Walked, all_links: tuple[Link, ...], base: str) -> tuple[Link, ...]:
    hidden = {absolute(base, (anchor.attributes.get("href") or "").strip()) for anchor in found.anchors if anchor.hidden}
    shown = {absolute(base, (anchor.attributes.get("href") or "").strip()) for anchor in found.anchors if not anchor.hidden}
    only = hidden - shown
    return tuple(link for link in all_links if link.url in only)[:MOST_HIDDEN] if only else ()


def _reloads_after(navigations: tuple[AutoNavigation, ...], found: Walked, url: str) -> float | None:
    """Return the delay in seconds after which the page loads itself again; None where it does not."""
    delays = [move.delay_seconds for move in navigations if move.kind == "meta_refresh" and move.url == url]
    for meta in found.metas:
        content = (meta.attributes.get("content") or "").strip()
        if (meta.attributes.get("http-equiv") or "").strip().lower() == "refresh" and content[:4].isdigit() and ";" not in content:
            delays.append(float(content[:4]))
    return min((delay for delay in delays if delay is not None), default=None)


def _script_files(found: Walked, base: str) -> list[str]:
    return [absolute(base, element.attributes.get("src") or "") for element in found.embeds if element.tag == "script"]


def _feeds(found: Walked, base: str) -> tuple[str, ...]:
    kept = [attributes for attributes in found.links if (attributes.get("type") or "").lower().strip() in FEED_TYPES]
    return tuple(absolute(base, attributes.get("href") or "") for attributes in kept if attributes.get("href"))[:10]


def _named(found: Walked, name: str) -> list[str]:
    metas = (meta.attributes for meta in found.metas if (meta.attributes.get("name") or "").lower() == name)
    return [clean(attributes.get("content") or "")[:100] for attributes in metas]


def _meta(found: Walked, name: str) -> str:
    for meta in found.metas:
        key = meta.attributes.get("name") or meta.attributes.get("property") or ""
        if key.lower() == name and meta.attributes.get("content"):
            return clean(" ".join((meta.attributes["content"] or "").split()))[:1000]
    return ""


def _declared_language(found: Walked) -> str:
    declared = found.language or _meta(found, "content-language")
    for meta in found.metas:
        if not declared and (meta.attributes.get("http-equiv") or "").lower() == "content-language":
            declared = meta.attributes.get("content") or ""
    return clean(declared).strip().lower().replace("_", "-")[:35]


def _rel(found: Walked, word: str, base: str) -> list[str]:
    """Return the addresses of the `link` elements with this relation."""
    kept = [attributes for attributes in found.links if word in (attributes.get("rel") or "").lower().split()]
    return [absolute(base, attributes["href"] or "") for attributes in kept if attributes.get("href")]


def _scripts_needed(found: Walked, words: int, navigations: tuple[AutoNavigation, ...]) -> bool:
    """Say whether the page is an empty shell: no words, no redirect, and scripts with an empty place to fill or said to be needed."""
    has_scripts = bool(found.script_files or found.scripts)
    if words >= SHELL_WORDS or not has_scripts or navigations:
        return False
    asks = any(saying in " ".join(found.noscript_text).lower() for saying in SHELL_SAYINGS)
    return asks or found.empty_mounts > 0
