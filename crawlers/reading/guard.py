"""Markup that would cost a parser without measure is brought into bounds before it is parsed.

HTML's error recovery can be made to do quadratic work: elements nested a hundred thousand deep, tags with fifty thousand attributes, or
open `<b>`s that every following paragraph has to repeat. No parser in C can be stopped half-way, so a page that could do this, by counts
that cannot be fooled, is first tokenised here and written out again in the plainest form: the parser then gets exactly what was counted.
Honest pages come out with the same tree, less their comments; a page that goes beyond the bounds is cut there.
"""

from __future__ import annotations

import re

MOST_DEPTH = 512
"""Open elements at once, parts of tables and lists not counted; Blink's parser flattens deeper trees, so no page needs more."""
MOST_NODES = 200_000
MOST_ATTRIBUTES = 200
"""Of one element."""

SAFE_TAGS = 8_000
"""Start tags (and `</p>`s, which can make elements) up to which nesting alone costs a parser under a tenth of a second."""
SAFE_PRODUCT = 1_000_000
"""Formatting tags times other tags up to which repeating every one for every other fits into memory."""
SAFE_EQUALS = 10_000
"""Equal signs up to which one element cannot have enough attributes to matter."""
SAFE_STRETCH = 30_000
"""Characters between two `>` up to which the same holds for attributes without values."""

FORMATTING = frozenset({"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"})
VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr", "frame", "keygen"}
)
CLOSED_BY_NEXT = frozenset(
    {"p", "li", "dt", "dd", "option", "optgroup", "tr", "td", "th", "tbody", "thead", "tfoot", "colgroup", "rt", "rp"}
)
CELLS = frozenset({"tr", "td", "th", "tbody", "thead", "tfoot", "caption"})
TABLE = "table"
NEVER_CLOSED = frozenset({"html", "body"})
"""What comes after their end tags is still part of the page."""
RAW = frozenset({"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"})

START_TAG = re.compile(r"<(?:[a-zA-Z]|/[pP][\s/>])")
FORMATTING_TAG = re.compile(r"<(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)[\s/>]", re.IGNORECASE)
TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
ATTRIBUTE = re.compile(r"[\s/]*(?:(>)|([^\s/>=]?[^\s/>=]*)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]*)))?)")
COMMENT = re.compile(r"<!--(?:-?>|.*?--!?>|.*\Z)", re.DOTALL)
BOGUS = re.compile(r"<[!?/][^>]*(?:>|\Z)")
NAME_NOISE = re.compile(r"[\"'<=\x00]")


def bounded(source: str) -> str:
    """Return the source as it is when it cannot do harm, else rewritten and cut to the bounds."""
    return source if _is_harmless(source) else rewritten(source)[0]


def rewritten(source: str) -> tuple[str, int]:
    """Return the source in its plainest form, cut to the bounds, and how many elements a parser makes of it at most."""
    rewriter = _Rewriter(source)
    return rewriter.run(), rewriter.nodes


def _is_harmless(source: str) -> bool:
    tags = len(START_TAG.findall(source))
    formatting = len(FORMATTING_TAG.findall(source))
    if tags > SAFE_TAGS or formatting * (tags - formatting) > SAFE_PRODUCT:
        return False
    return source.count("=") <= SAFE_EQUALS and max(map(len, source.split(">"))) <= SAFE_STRETCH


class _Rewriter:
    """Tokenises from left to right and writes well-nested markup, so that its own stack of open elements is the parser's.

    `nodes` never falls short of what a parser builds: every open formatting element may be repeated for every element that follows.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._written: list[str] = []
        self._open: list[str] = []
        self._formatting = 0
        self.nodes = 0

    def run(self) -> str:
        place = 0
        while 0 <= place < len(self._source) and self.nodes <= MOST_NODES:
            start = self._source.find("<", place)
            if start < 0:
                self._written.append(self._source[place:])
                break
            self._written.append(self._source[place:start])
            place = self._markup(start)
        return "".join(self._written)

    def _markup(self, start: int) -> int:
        """Handle what begins with `<` and return where to go on; -1 to stop."""
        tag = TAG.match(self._source, start)
        if tag:
            return self._tag(tag)
        for pattern in (COMMENT, BOGUS):
            skipped = pattern.match(self._source, start)
            if skipped:
                return skipped.end()
        self._written.append("&lt;")
        return start + 1

    def _tag(self, tag: re.Match[str]) -> int:
        name = NAME_NOISE.sub("", tag.group(2)).lower()[:60] or "x"
        attributes, end = self._attributes(tag.end())
        if end < 0:
            return -1
        if tag.group(1):
            self._close(name)
            return end
        if not self._opened(name):
            return -1
        self._written.append(f"<{name}{attributes}>")
        return self._raw(name, end) if name in RAW else end

    def _attributes(self, place: int) -> tuple[str, int]:
        """Return the attributes in one spelling and the place behind the tag; -1 when it never ends."""
        found: list[str] = []
        while True:
            match = ATTRIBUTE.match(self._source, place)
            if match is None or match.end() == place:
                return "", -1
            place = match.end()
            if match.group(1):
                return "".join(found), place
            name = NAME_NOISE.sub("", match.group(2))
            if name and len(found) < MOST_ATTRIBUTES:
                found.append(_attribute(name, match))

    def _opened(self, name: str) -> bool:
        """Count an element; False when there is no room for it."""
        if name in CELLS and TABLE in self._open:
            self._close_down_to(_last(self._open, TABLE) + 1)
        self.nodes += 1 + self._formatting
        if name not in VOID and name not in RAW and name not in CLOSED_BY_NEXT:
            self._open.append(name)
            self._formatting += name in FORMATTING
        return len(self._open) <= MOST_DEPTH

    def _close(self, name: str) -> None:
        """Write an end tag with those of everything inside; without its start, or with a table between, a parser would ignore it."""
        if name in CLOSED_BY_NEXT:
            self.nodes += 1 + self._formatting
            self._written.append(f"</{name}>")
        elif name in self._open and name not in NEVER_CLOSED:
            start = _last(self._open, name)
            if TABLE not in self._open[start + 1 :]:
                self._close_down_to(start)

    def _close_down_to(self, size: int) -> None:
        while len(self._open) > size:
            name = self._open.pop()
            self._formatting -= name in FORMATTING
            self._written.append(f"</{name}>")

    def _raw(self, name: str, place: int) -> int:
        """Copy the text of an element that holds no markup, so that nothing in it can be taken for any."""
        end = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(self._source, place)
        inner = self._source[place : end.start() if end else len(self._source)]
        stand_in = "\\u003c" if name == "script" else "&lt;" if name in {"title", "textarea"} else " "
        self._written.append(f"{inner.replace('<', stand_in)}</{name}>")
        if end is None:
            return -1
        close = self._source.find(">", end.end())
        return close + 1 if close >= 0 else -1


def _attribute(name: str, match: re.Match[str]) -> str:
    value = next((group for group in match.group(3, 4, 5) if group is not None), None)
    if value is None:
        return f" {name}"
    return f' {name}="{value.replace(chr(34), "&quot;")}"'


def _last(names: list[str], name: str) -> int:
    return len(names) - 1 - names[::-1].index(name)
