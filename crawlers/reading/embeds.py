"""What a browser loads with a page, and which of it the visitor cannot see; and how the page moves on by itself."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from urllib.parse import unquote

import msgspec
from selectolax.lexbor import LexborHTMLParser

from crawlers.facts import AutoNavigation, Embed
from crawlers.reading.affiliate import network_of
from crawlers.reading.guard import bounded
from crawlers.reading.scripts import Script, Targets, meta_refresh
from crawlers.reading.urls import absolute, clean, host_of, is_loaded
from crawlers.reading.walk import EMBEDS, LOADING_LINKS, Attributes, Embedded, Walked, walk

MOST_EMBEDS = 2_000
"""Embedded things kept of one page."""
MOST_FRAMES = 20
"""Frames that carry their page with them (`srcdoc`, `data:`) and are read, those inside others included."""
MOST_HOSTS = 500
"""Hosts reported of all scripts of a page."""
EXCERPT = 300
MOST_CARRIED = 300_000
"""Characters read of all such frames; a widget's page has a few thousand."""
CSS_URL = re.compile(r"url\(\s*[\"']?([^\"')]{1,2048})[\"']?\s*\)", re.IGNORECASE)
CSS_IMPORT = re.compile(r"@import\s+[\"']([^\"']{1,2048})[\"']", re.IGNORECASE)
NEVER_SEEN = frozenset({"script", "link", "css"})
"""Loaded for the page itself; whether they can be seen is no question."""


@dataclass(frozen=True)
class _Frame:
    """A frame that carries its page with it, and why a visitor cannot see it."""

    element: Embedded
    inside: Walked


def embeds(found: Walked, base: str, scripts: list[Script]) -> tuple[Embed, ...]:
    """Return what the page loads, in the order elements, links, styles, scripts, frames' scripts; at most 2,000."""
    frames = list(_frames(found))
    elements = found.embeds + [_within(part, frame.element) for frame in frames for part in frame.inside.embeds]
    kept = [embed for element in elements if (embed := _of_element(element, base))]
    kept += [embed for attributes in found.links if (embed := _of_link(attributes, base))]
    kept += _of_styles(found, base)
    kept += [embed for script in scripts for embed in _of_script(script, base)]
    kept += [embed for frame in frames for embed in _of_frame(frame, base)]
    return tuple(dict.fromkeys(kept))[:MOST_EMBEDS]


def auto_navigations(found: Walked, base: str, scripts: list[Script]) -> tuple[AutoNavigation, ...]:
    """Return how the page leaves for, or opens, other addresses by itself."""
    kept = _refreshes(found, base)
    for script in scripts:
        kept += script.navigations()
    return tuple(dict.fromkeys(_with_network(navigation) for navigation in kept))


def script_hosts(scripts: list[Script], known: tuple[Embed | AutoNavigation, ...]) -> tuple[str, ...]:
    """Return the hosts that scripts name where they run by themselves, short of those of addresses that could be read."""
    read = {host_of(one.url) for one in known}
    hosts = {host for script in scripts for host in script.hosts()}
    return tuple(sorted(hosts - read))[:MOST_HOSTS]


def _refreshes(found: Walked, base: str) -> list[AutoNavigation]:
    kept: list[AutoNavigation] = []
    for meta in found.metas:
        if (meta.attributes.get("http-equiv") or "").strip().lower() == "refresh" and not meta.noscript:
            refresh = meta_refresh(meta.attributes.get("content") or "", base)
            if refresh:
                url, delay = refresh
                kept.append(AutoNavigation(kind="meta_refresh", url=url, delay_seconds=delay, excerpt=outer_html("meta", meta.attributes)))
    return kept


def scripts_of(found: Walked, base: str) -> list[Script]:
    """Return the handlers that run by themselves and the scripts; what the handlers call counts as automatic, so they end each script."""
    targets = Targets(tuple(found.forms), tuple(anchor.attributes for anchor in found.anchors if anchor.attributes.get("id")))
    call = f"\n;{found.onload};" if found.onload else ""
    defining = [source + call if "function" in source or "=>" in source else source for source in found.scripts]
    return [Script(source, base, targets) for source in ([call, *defining] if call else defining)]


def _frames(found: Walked) -> Iterator[_Frame]:
    waiting, count, left = list(found.embeds), 0, MOST_CARRIED
    while waiting and count < MOST_FRAMES and left > 0:
        element = waiting.pop(0)
        source = _carried(element.attributes) if element.tag in {"iframe", "frame", "object", "embed"} else ""
        if source:
            frame = _Frame(element, walk(LexborHTMLParser(bounded(clean(source[:left])))))
            left -= len(source)
            waiting += [_within(part, element) for part in frame.inside.embeds]
            count += 1
            yield frame


def _carried(attributes: Attributes) -> str:
    """Return the page that a frame carries with it, '' for none."""
    if attributes.get("srcdoc"):
        return attributes["srcdoc"] or ""
    url = (attributes.get("src") or attributes.get("data") or "").strip()
    head, comma, body = url.partition(",")
    if not comma or not head.lower().startswith(("data:text/html", "data:application/xhtml")):
        return ""
    if not head.lower().endswith("base64"):
        return unquote(body)
    try:
        return base64.b64decode(unquote(body), validate=False).decode("utf-8", errors="replace")
    except (binascii.Error, ValueError):
        return ""


def _within(part: Embedded, frame: Embedded) -> Embedded:
    """Return the element as seen through its frame."""
    if not frame.hidden or (part.hidden and not part.doubt):
        return part
    return part._replace(hidden=part.hidden or f"hidden ancestor: {frame.hidden}", doubt=frame.doubt)


def _of_frame(frame: _Frame, base: str) -> list[Embed]:
    """Return what the scripts of a carried page load; where it moves itself, that is what the frame loads."""
    scripts = scripts_of(frame.inside, base)
    kept = [embed for script in scripts for embed in _of_script(script, base)]
    hidden, doubt = frame.element.hidden, frame.element.doubt
    moves = auto_navigations(frame.inside, base, scripts)
    return kept + [_embed("iframe", move.url, hidden, move.excerpt, doubt) for move in moves if move.url != base]


def outer_html(tag: str, attributes: Attributes, inner: str = "") -> str:
    """Return an element's HTML, at most 300 characters; without its contents but for `inner`."""
    written = "".join(f" {name}" if value is None else f' {name}="{escape(value[:EXCERPT])}"' for name, value in attributes.items())
    closing = "" if tag in {"img", "embed", "meta", "link", "input", "source", "frame"} else f"{escape(inner)}</{tag}>"
    return clean(f"<{tag}{written}>{closing}"[:EXCERPT])


def _with_network(navigation: AutoNavigation) -> AutoNavigation:
    return msgspec.structs.replace(navigation, network=network_of(navigation.url))


def _embed(tag: str, url: str, why_hidden: str, excerpt: str, doubt: str = "") -> Embed:
    return Embed(tag=tag, url=url, hidden=bool(why_hidden), why_hidden=why_hidden, doubt=doubt, excerpt=excerpt, network=network_of(url))


def _of_element(element: Embedded, base: str) -> Embed | None:
    tag, attributes, hidden, doubt = element
    url = _source(tag, attributes)
    if not is_loaded(url):
        return None
    if tag in NEVER_SEEN:
        hidden = doubt = ""
    return _embed(tag, absolute(base, url), hidden, outer_html(tag, attributes), doubt)


def _source(tag: str, attributes: Attributes) -> str:
    if tag == "object":
        return (attributes.get("data") or "").strip()
    if tag == "input" and (attributes.get("type") or "").lower() != "image":
        return ""
    if tag == "image":
        return (attributes.get("href") or attributes.get("xlink:href") or "").strip()
    source = (attributes.get("src") or attributes.get("poster") or "").strip()
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


def _of_script(script: Script, base: str) -> list[Embed]:
    kept = [_embed(loaded.tag, loaded.url, loaded.how, loaded.excerpt, loaded.doubt) for loaded in script.loads()]
    written = script.written_html()
    for doubt in dict.fromkeys(doubt for _tag, doubt in written):
        inside = walk(LexborHTMLParser("".join(tag for tag, its_doubt in written if its_doubt == doubt)))
        elements = [element._replace(doubt=element.doubt or doubt) for element in inside.embeds if element.tag in EMBEDS]
        kept += [embed for element in elements if (embed := _of_element(element, base))]
    return kept
