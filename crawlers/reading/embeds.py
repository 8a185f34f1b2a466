"""What a browser loads with a page, and which of it the visitor cannot see; and how the page moves on by itself."""

from __future__ import annotations

import re
from html import escape

import msgspec
from selectolax.lexbor import LexborHTMLParser

from crawlers.facts import AutoNavigation, Embed
from crawlers.reading.affiliate import network_of
from crawlers.reading.guard import bounded
from crawlers.reading.scripts import loaded_by, meta_refresh, navigations, written_html
from crawlers.reading.urls import absolute, clean, is_loaded
from crawlers.reading.walk import EMBEDS, LOADING_LINKS, Attributes, Embedded, Walked, walk

MOST_EMBEDS = 2_000
"""Embedded things kept of one page."""
MOST_FRAMES = 20
"""Frames whose `srcdoc` is read."""
EXCERPT = 300
CSS_URL = re.compile(r"url\(\s*[\"']?([^\"')]{1,2048})[\"']?\s*\)", re.IGNORECASE)
CSS_IMPORT = re.compile(r"@import\s+[\"']([^\"']{1,2048})[\"']", re.IGNORECASE)
NEVER_SEEN = frozenset({"script", "link", "css"})
"""Loaded for the page itself; whether they can be seen is no question."""


def embeds(found: Walked, base: str) -> tuple[Embed, ...]:
    """Return what the page loads, in the order elements, links, styles, scripts; at most 2,000."""
    kept = [embed for element in _with_srcdoc(found.embeds) if (embed := _of_element(element, base))]
    kept += [embed for attributes in found.links if (embed := _of_link(attributes, base))]
    kept += _of_styles(found, base)
    kept += [embed for source in found.scripts for embed in _of_script(source, base)]
    return tuple(dict.fromkeys(kept))[:MOST_EMBEDS]


def auto_navigations(found: Walked, base: str) -> tuple[AutoNavigation, ...]:
    """Return how the page leaves for, or opens, other addresses by itself."""
    kept: list[AutoNavigation] = []
    for meta in found.metas:
        if (meta.attributes.get("http-equiv") or "").strip().lower() == "refresh" and not meta.noscript:
            refresh = meta_refresh(meta.attributes.get("content") or "", base)
            if refresh:
                url, delay = refresh
                kept.append(AutoNavigation(kind="meta_refresh", url=url, delay_seconds=delay, excerpt=outer_html("meta", meta.attributes)))
    onload = [f"{found.onload};"] if found.onload else []
    for source in [*onload, *_with_onload(found)]:
        kept += navigations(source, base, found.forms)
    return tuple(dict.fromkeys(_with_network(navigation) for navigation in kept))


def outer_html(tag: str, attributes: Attributes, inner: str = "") -> str:
    """Return an element's HTML, at most 300 characters; without its contents but for `inner`."""
    written = "".join(f" {name}" if value is None else f' {name}="{escape(value[:EXCERPT])}"' for name, value in attributes.items())
    closing = "" if tag in {"img", "embed", "meta", "link", "input", "source", "frame"} else f"{escape(inner)}</{tag}>"
    return clean(f"<{tag}{written}>{closing}"[:EXCERPT])


def _with_onload(found: Walked) -> list[str]:
    """Return the scripts; those that define what `<body onload>` calls get that call at their end, so that it counts as automatic."""
    call = f"\n;{found.onload};" if found.onload else ""
    return [source + call for source in found.scripts]


def _with_network(navigation: AutoNavigation) -> AutoNavigation:
    return msgspec.structs.replace(navigation, network=network_of(navigation.url))


def _embed(tag: str, url: str, why_hidden: str, excerpt: str) -> Embed:
    return Embed(tag=tag, url=url, hidden=bool(why_hidden), why_hidden=why_hidden, excerpt=excerpt, network=network_of(url))


def _with_srcdoc(elements: list[Embedded]) -> list[Embedded]:
    """Return the elements with those inside the first iframes that carry their page in `srcdoc`; a hidden frame hides them."""
    inside: list[Embedded] = []
    for frame in [element for element in elements if element.attributes.get("srcdoc")][:MOST_FRAMES]:
        hidden = f"hidden ancestor: {frame.hidden}" if frame.hidden else ""
        parts = walk(LexborHTMLParser(bounded(clean(frame.attributes["srcdoc"] or "")))).embeds
        inside += [part._replace(hidden=part.hidden or hidden) for part in parts]
    return elements + inside


def _of_element(element: Embedded, base: str) -> Embed | None:
    tag, attributes, hidden = element
    url = _source(tag, attributes)
    if not is_loaded(url):
        return None
    return _embed(tag, absolute(base, url), "" if tag in NEVER_SEEN else hidden, outer_html(tag, attributes))


def _source(tag: str, attributes: Attributes) -> str:
    if tag == "object":
        return (attributes.get("data") or "").strip()
    if tag == "input" and (attributes.get("type") or "").lower() != "image":
        return ""
    source = (attributes.get("src") or "").strip()
    return source or (attributes.get("srcset") or "").strip().partition(" ")[0].rstrip(",")


def _of_link(attributes: Attributes, base: str) -> Embed | None:
    url = (attributes.get("href") or "").strip()
    words = set((attributes.get("rel") or "").lower().split())
    if not words & LOADING_LINKS or not is_loaded(url):
        return None
    return _embed("link", absolute(base, url), "", outer_html("link", attributes))


def _of_styles(found: Walked, base: str) -> list[Embed]:
    kept = [_embed("css", absolute(base, url), "", excerpt) for sheet in found.sheets for url, excerpt in _urls_in(sheet) if is_loaded(url)]
    for tag, attributes, _hidden in found.inline_styles:
        urls = [url for url, _excerpt in _urls_in(attributes["style"] or "") if is_loaded(url)]
        kept += [_embed("css", absolute(base, url), "", outer_html(tag, attributes)) for url in urls]
    return kept


def _urls_in(style: str) -> list[tuple[str, str]]:
    """Return the addresses in a style with the text around them."""
    matches = [*CSS_URL.finditer(style), *CSS_IMPORT.finditer(style)]
    return [(match.group(1).strip(), clean(style[max(0, match.start() - 100) :][:EXCERPT])) for match in matches]


def _of_script(source: str, base: str) -> list[Embed]:
    kept = [_embed(loaded.tag, loaded.url, loaded.how, loaded.excerpt) for loaded in loaded_by(source, base)]
    written = written_html(source)
    if written:
        inside = walk(LexborHTMLParser("".join(written)))
        kept += [embed for element in inside.embeds if element.tag in EMBEDS and (embed := _of_element(element, base))]
    return kept
