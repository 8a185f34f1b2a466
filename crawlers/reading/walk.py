"""One walk over a page's tree, which gathers what all the readers need: text lines, links, embedded things, scripts and metadata.

Pages are walked iteratively (depth is no danger) and at most `MOST_NODES` of them; what comes after is not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawlers.reading.microdata import KINDS, MOST_ITEMS, kind_of
from crawlers.reading.sheets import Sheet, rules_of
from crawlers.reading.style import (
    Style,
    declarations,
    is_not_rendered,
    is_switched_off,
    tiny_by_attributes,
    why_contents_hidden,
    why_hidden,
)
from crawlers.reading.urls import clean

MOST_NODES = 200_000
MOST_TEXT = 1_000_000
"""Characters of text that are gathered."""
MOST_SCRIPT = 200_000
"""Characters read of one inline script."""
MOST_SCRIPTS = 1_000_000
"""Characters read of all inline scripts of a page; large shops put some 500,000 into one."""
MOST_SCRIPT_ELEMENTS = 300
"""Inline scripts read of a page; the handlers count with each of them."""
MOST_HANDLERS = 3_000
"""Characters read of handlers that run by themselves."""
LINE_BREAK = "\u2028"
"""Stands for `<br>` inside a block."""

SILENT = frozenset(
    {
        "script",
        "style",
        "template",
        "noscript",
        "svg",
        "math",
        "iframe",
        "object",
        "select",
        "option",
        "textarea",
        "head",
        "title",
        "audio",
        "video",
        "canvas",
        "noframes",
    }
)
"""Elements whose text is not shown as part of the page's text."""
BOILERPLATE = frozenset({"nav", "footer", "aside", "menu", "dialog"})
BOILERPLATE_ROLES = frozenset({"navigation", "contentinfo", "menu", "menubar", "search", "dialog", "alertdialog"})
CONTENT = frozenset({"main", "article"})
PLACES = BOILERPLATE | CONTENT
SEEN_BY = frozenset({"style", "hidden", "width", "height", "popover"})
"""Attributes that bear on whether an element can be seen."""
INLINE = frozenset(
    {"a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img", "ins", "kbd",
     "label", "mark", "nobr", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u",
     "var", "wbr"}
)  # fmt: skip
EMBEDS = frozenset({"iframe", "frame", "img", "script", "embed", "object", "video", "audio", "source", "input", "image"})
LOADING_LINKS = frozenset({"prefetch", "prerender", "preload", "modulepreload", "stylesheet", "icon", "apple-touch-icon", "manifest"})
RUN_BY_THEMSELVES = ("onload", "onerror", "onpageshow")
"""Handlers that wait for no visitor, on any element."""
MAY_BE_OPENED = "what stands around it may be shown later"
CLOSED = {"dialog": "closed dialog", "details": "closed details"}

Attributes = Mapping[str, str | None]


class State(NamedTuple):
    """What an element passes on to what is inside it."""

    silent: bool = False
    boilerplate: bool = False
    content: bool = False
    unrendered: bool = False
    hidden: str = ""
    doubt: str = ""
    noscript: bool = False
    block: int = 0
    anchor: int = -1


@dataclass
class Line:
    """A run of text in one block; `main` says that it is no boilerplate."""

    block: int
    main: bool
    pieces: list[str] = field(default_factory=list)

    @cached_property
    def text(self) -> str:
        """The words, one blank between them, one line for each row; to be asked for when the walk is over."""
        rows = (" ".join(row.split()) for row in "".join(self.pieces).split(LINE_BREAK))
        return clean("\n".join(row for row in rows if row))


@dataclass
class Anchor:
    """An `a` or `area` element. `label` is what it says besides text (title, alternative text of images); `hidden` that nobody sees it."""

    attributes: Attributes
    pieces: list[str] = field(default_factory=list)
    label: str = ""
    hidden: bool = False

    @property
    def text(self) -> str:
        """The visible words, or the label where there are none."""
        return (" ".join("".join(self.pieces).split()) or self.label)[:300]


class Embedded(NamedTuple):
    """An element that a browser loads something for; `doubt` says why it is not certain whether it is hidden, '' when it is."""

    tag: str
    attributes: Attributes
    hidden: str
    doubt: str = ""


class Meta(NamedTuple):
    """A `meta` element; `noscript` says that it counts only without scripts."""

    attributes: Attributes
    noscript: bool


@dataclass
class Walked:
    """Everything the walk found, in document order."""

    language: str = ""
    title: str = ""
    base: str = ""
    onload: str = ""
    lines: list[Line] = field(default_factory=list)
    anchors: list[Anchor] = field(default_factory=list)
    embeds: list[Embedded] = field(default_factory=list)
    metas: list[Meta] = field(default_factory=list)
    links: list[Attributes] = field(default_factory=list)
    forms: list[Attributes] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    json_ld: list[str] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)
    inline_styles: list[tuple[str, Attributes, str]] = field(default_factory=list)
    noscript_text: list[str] = field(default_factory=list)
    obscured_emails: list[str] = field(default_factory=list)
    items: list[LexborNode] = field(default_factory=list)
    script_files: int = 0
    outside_styles: bool = False
    script_length: int = 0
    empty_mounts: int = 0
    text_length: int = 0
    shapes: set[tuple[str, str, str]] = field(default_factory=set)


def walk(tree: LexborHTMLParser) -> Walked:
    """Return what is in the tree."""
    found = Walked(sheets=[node.text()[:300_000] for node in tree.css("style")[:200]])
    sheet = Sheet(rules_of(found.sheets))
    walker = _Walker(found, sheet)
    root = tree.root
    if root is not None:
        walker.run(root)
    imported = any("@import" in text.lower() for text in found.sheets)
    found.outside_styles = sheet.exhausted or imported or any("stylesheet" in (link.get("rel") or "").lower() for link in found.links)
    return found


class _Walker:
    def __init__(self, found: Walked, sheet: Sheet) -> None:
        self._found = found
        self._sheet = sheet
        self._states: dict[int, State] = {}

    def run(self, root: LexborNode) -> None:
        start = State()
        for count, node in enumerate(root.traverse(include_text=True)):
            if count >= MOST_NODES:
                return
            parent = node.parent
            inherited = start if parent is None else self._states.get(parent.mem_id, start)
            if node.is_text_node:
                self._text(node, inherited)
            elif node.is_element_node:
                self._states[node.mem_id] = self._element(node, (parent.tag if parent is not None else "") or "", inherited)

    def _text(self, node: LexborNode, state: State) -> None:
        text = node.text_content
        if not text or self._found.text_length > MOST_TEXT:
            return
        if state.anchor >= 0 and not state.silent:
            self._found.anchors[state.anchor].pieces.append(text)
        if state.noscript:
            self._found.noscript_text.append(text[:500])
        if state.silent or state.unrendered:
            return
        lines = self._found.lines
        if not lines or lines[-1].block != state.block:
            lines.append(Line(state.block, not state.boilerplate))
        lines[-1].pieces.append(text)
        self._found.text_length += len(text)

    def _element(self, node: LexborNode, around: str, inherited: State) -> State:
        tag = node.tag or ""
        attributes = node.attributes
        state = inherited
        self._found.shapes.add((around, tag, (attributes.get("class") or "").partition(" ")[0]))
        if tag not in INLINE:
            state = State(*inherited[:7], node.mem_id, inherited.anchor)  # several times as fast as _replace, for most elements
        if tag == "br":
            self._break()
        if tag in SILENT:
            state = state._replace(silent=True, noscript=state.noscript or tag == "noscript")
        if tag in PLACES or "role" in attributes:
            state = self._place(tag, attributes, state)
        own, state = self._visibility(node, tag, attributes, state)
        return self._collect(node, tag, own, state)

    def _break(self) -> None:
        if self._found.lines:
            self._found.lines[-1].pieces.append(LINE_BREAK)

    def _place(self, tag: str, attributes: Attributes, state: State) -> State:
        if tag in CONTENT or attributes.get("role") in {"main", "article"}:
            return state._replace(content=True)
        if not state.content and (tag in BOILERPLATE or attributes.get("role") in BOILERPLATE_ROLES or tag == "nav"):
            return state._replace(boilerplate=True)
        return state._replace(boilerplate=True) if tag == "nav" else state

    def _visibility(self, node: LexborNode, tag: str, attributes: Attributes, state: State) -> tuple[Embedded, State]:
        """Return the element with why it is hidden, and the state for what is inside. A hidden `body` is shown later by a script."""
        if tag in {"html", "body"}:
            return Embedded(tag, attributes, ""), state
        applied = self._sheet.applied(node, tag, attributes)
        if not (applied.style or applied.others or tag in CLOSED) and SEEN_BY.isdisjoint(attributes):
            return Embedded(tag, attributes, state.hidden, state.doubt), state  # most elements: nothing bears on them but what is around
        inline = declarations(attributes["style"] or "") if attributes.get("style") else {}
        style = applied.with_inline(inline) if inline else applied.style
        by_style = (why_hidden(style) if style else "") if inline else applied.hidden
        own = ("hidden attribute" if "hidden" in attributes else "") or tiny_by_attributes(attributes) or by_style
        doubt = ""
        if (applied.others or applied.style) and own == by_style:
            doubt = applied.doubt(inline, by_style) if inline else applied.doubtful
        contents = (why_contents_hidden(style) if style else "") if inline else applied.hidden_contents
        inside = _inside(tag, attributes, (style, contents), doubt, state)
        unrendered = state.unrendered or "hidden" in attributes or is_not_rendered(inline)
        if inside is not state or unrendered:
            inside = inside._replace(unrendered=unrendered)
        return _the_surer(Embedded(tag, attributes, own, doubt), state), inside

    def _collect(self, node: LexborNode, tag: str, own: Embedded, state: State) -> State:
        found, attributes = self._found, own.attributes
        if attributes or tag == "app-root":
            self._oddments(node, tag, attributes, own.hidden)
        if tag in {"a", "area"}:
            found.anchors.append(
                Anchor(
                    attributes,
                    label=clean(attributes.get("title") or attributes.get("aria-label") or attributes.get("alt") or ""),
                    hidden=bool(own.hidden) and not own.doubt,
                )
            )
            return state._replace(anchor=len(found.anchors) - 1)
        if tag in EMBEDS:
            found.embeds.append(own)
        if tag == "img" and state.anchor >= 0 and not found.anchors[state.anchor].label:
            found.anchors[state.anchor].label = clean(attributes.get("alt") or "")
        if tag == "script":
            self._script(node, attributes)
        elif tag in _COLLECTORS:
            _COLLECTORS[tag](found, node, attributes, state)
        return state

    def _oddments(self, node: LexborNode, tag: str, attributes: Attributes, own: str) -> None:
        style = attributes.get("style")
        if style and "url(" in style.lower():
            self._found.inline_styles.append((tag, attributes, own))
        for name in RUN_BY_THEMSELVES:
            if attributes.get(name) and len(self._found.onload) < MOST_HANDLERS:
                self._found.onload += f"{(attributes[name] or '')[:MOST_HANDLERS]};"
        if "itemtype" in attributes and kind_of(attributes["itemtype"] or "") in KINDS and len(self._found.items) < MOST_ITEMS:
            self._found.items.append(node)
        if "data-cfemail" in attributes:
            self._found.obscured_emails.append(attributes["data-cfemail"] or "")
        if tag in {"div", "main", "app-root"} and (attributes.get("id") or tag == "app-root") and node.first_child is None:
            self._found.empty_mounts += 1

    def _script(self, node: LexborNode, attributes: Attributes) -> None:
        if attributes.get("src"):
            self._found.script_files += 1
            return
        kind = (attributes.get("type") or "").lower()
        source = node.text_content or node.text() or ""
        if "ld+json" in kind:
            self._found.json_ld.append(source[:MOST_TEXT])
        elif not kind or "javascript" in kind or kind == "module":
            source = source[: min(MOST_SCRIPT, max(0, MOST_SCRIPTS - self._found.script_length))]
            self._found.script_length += len(source)
            if source and len(self._found.scripts) < MOST_SCRIPT_ELEMENTS:
                self._found.scripts.append(source)


def _inside(tag: str, attributes: Attributes, styled: tuple[Style, str], doubt: str, state: State) -> State:
    """Return the state for what is inside; `styled` is the element's style and by what means it hides its contents.

    What is only switched off, as tabs and dialogs are, may be shown by the visitor's own act."""
    gone = "hidden attribute" if "hidden" in attributes else "popover" if "popover" in attributes else ""
    closed = CLOSED.get(tag, "") if "open" not in attributes else ""
    style, contents = styled
    inner = gone or closed or contents
    if not inner or (state.hidden and not state.doubt):
        return state
    later = gone or closed or is_switched_off(style)
    return state._replace(hidden=state.hidden or f"hidden ancestor: {inner}", doubt=MAY_BE_OPENED if later else doubt)


def _the_surer(own: Embedded, state: State) -> Embedded:
    """Return the element as hidden by what is around it, unless it is hidden by itself and that is the surer."""
    if not state.hidden or (own.hidden and not own.doubt and state.doubt):
        return own
    return own._replace(hidden=state.hidden, doubt=state.doubt)


def _html(found: Walked, node: LexborNode, attributes: Attributes, state: State) -> None:
    found.language = found.language or (attributes.get("lang") or attributes.get("xml:lang") or "")


def _body(found: Walked, node: LexborNode, attributes: Attributes, state: State) -> None:
    found.language = found.language or (attributes.get("lang") or "")


def _title(found: Walked, node: LexborNode, attributes: Attributes, state: State) -> None:
    in_svg = node.parent is not None and node.parent.tag in {"svg", "g", "symbol", "path"}
    if not found.title and not in_svg:
        found.title = " ".join(node.text().split())[:1000]


def _meta(found: Walked, node: LexborNode, attributes: Attributes, state: State) -> None:
    found.metas.append(Meta(attributes, state.noscript))


def _link(found: Walked, node: LexborNode, attributes: Attributes, state: State) -> None:
    found.links.append(attributes)


def _form(found: Walked, node: LexborNode, attributes: Attributes, state: State) -> None:
    found.forms.append(attributes)


def _base(found: Walked, node: LexborNode, attributes: Attributes, state: State) -> None:
    found.base = found.base or (attributes.get("href") or "")


_COLLECTORS = {"html": _html, "body": _body, "title": _title, "meta": _meta, "link": _link, "form": _form, "base": _base}
