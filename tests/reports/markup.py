"""A strict reader of our own HTML: every element that is opened is closed, in order, and attributes are what they should be."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_APART = frozenset({"dt", "dd", "div", "strong", "small", "span", "code", "p", "li", "td", "th", "summary"})
"""Elements that stand apart from what is before them, although no space does."""

_VOID = frozenset({"meta", "link", "input", "br", "img", "hr"})


@dataclass
class Page:
    """What stands on a page: its text, and every element with its attributes."""

    text: str = ""
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def hrefs(self) -> list[str]:
        return [attributes["href"] for attributes in self.all("a")]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.page.text += " " if tag in _APART else ""
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.page.text += data


def read(html: str) -> Page:
    """Parses a page; one whose elements do not nest fails the test, and so does an id that stands twice."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open, f"never closed: {reader.open}"
    ids = [attributes["id"] for _, attributes in reader.page.elements if "id" in attributes]
    assert len(ids) == len(set(ids)), f"the same id twice: {sorted(one for one in ids if ids.count(one) > 1)}"
    reader.page.text = " ".join(reader.page.text.split())
    return reader.page


def assert_inert(page: Page) -> None:
    """Nothing on the page runs, loads from elsewhere, or carries a style that a strict content policy would block."""
    for tag, attributes in page.elements:
        assert tag not in {"script", "iframe", "img", "object", "embed", "base"}, tag
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
        for name in ("href", "src", "action"):
            address = attributes.get(name, "/")
            assert address.startswith(("/", "#", "data:image/svg+xml,")), (tag, address)
            assert not address.startswith("//"), (tag, address)
