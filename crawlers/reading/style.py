"""Whether a visitor can see an element, judged by its attributes, its inline style and the page's own simple style rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

DECLARATION = re.compile(r"([a-zA-Z-]{3,30})\s*:\s*([^;]{1,200})")
BRACE = re.compile(r"[{}]")
SIMPLE = re.compile(r"([a-z][a-z0-9]{0,20})?((?:[.#][A-Za-z_-][\w-]{0,80})*)\Z")
PART = re.compile(r"([.#])([\w-]+)")
PIXELS = re.compile(r"(-?\d*\.?\d+)\s*(px|%|em|rem|vw|vh|pt)?\s*(?:!important)?\Z")
MOVED = re.compile(r"translate(?:x|y|3d)?\(\s*-\s*(\d{3,})", re.IGNORECASE)
SCALED_AWAY = re.compile(r"scale(?:x|y|3d)?\(\s*0?\.?0*\s*[,)]", re.IGNORECASE)
CLIPPED = re.compile(r"rect\(\s*[01](?:px)?[\s,]+[01](?:px)?[\s,]+[01](?:px)?[\s,]+[01](?:px)?\s*\)|inset\(\s*(?:50|100)%", re.IGNORECASE)

OFF_SCREEN = -100.0
"""Pixels left of or above the page's edge from which a positioned element is out of sight; screen-reader styles use -9999."""
MOST_RULES = 2_000
"""Rules that are kept of a page."""
MOST_STYLE = 300_000
"""Characters of style rules that are read."""

Style = Mapping[str, str]


class Rule(NamedTuple):
    """A compound selector (`iframe.ad#x`) and the style it gives."""

    tag: str
    classes: frozenset[str]
    id: str
    style: Style


def declarations(text: str) -> Style:
    """Return an inline style as lower-case properties and values."""
    return {name.lower(): value.strip().lower() for name, value in DECLARATION.findall(text[:4000])}


def hiding_rules(sheet: str) -> list[Rule]:
    """Return the rules of a `<style>` element that hide what they match, for selectors without combinators; conditional blocks left out."""
    found = []
    for selectors, body in _plain_rules(_without_comments(sheet[:MOST_STYLE])):
        style = declarations(body)
        if why_hidden(style):
            found += [rule for selector in selectors.split(",") if (rule := _rule(selector.strip(), style))]
    return found


def _plain_rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Yield selectors and bodies that stand in no at-rule (`@media print` hides for printers only)."""
    depth, start, opened = 0, 0, 0
    for brace in BRACE.finditer(sheet):
        if brace.group(0) == "{":
            opened = brace.start() if depth == 0 else opened
            depth += 1
        elif depth == 1:
            selectors = sheet[start:opened].rpartition(";")[2].strip()
            if not selectors.startswith("@"):
                yield selectors, sheet[opened + 1 : brace.start()]
            depth, start = 0, brace.end()
        elif depth:
            depth -= 1


def _without_comments(sheet: str) -> str:
    first, *commented = sheet.split("/*")
    return first + "".join(part.partition("*/")[2] for part in commented)


def _rule(selector: str, style: Style) -> Rule | None:
    match = SIMPLE.match(selector)
    if not selector or match is None:
        return None
    parts = PART.findall(match.group(2))
    names = frozenset(name for mark, name in parts if mark == ".")
    return Rule(match.group(1) or "", names, next((name for mark, name in parts if mark == "#"), ""), style)


def why_hidden(style: Style) -> str:
    """Return by what means a style hides its own element, '' when it does not."""
    return _switched_off(style) or _moved_away(style) or _tiny(style)


def why_contents_hidden(style: Style) -> str:
    """Return by what means a style hides everything inside an element. A height of 0 with padding is how pages keep a video's shape."""
    tiny = _tiny(style)
    cut_off = "hidden" in style.get("overflow", "") or "clip" in style.get("overflow", "")
    return _switched_off(style) or _moved_away(style) or (tiny if tiny and cut_off and not _padded(style) else "")


def is_not_rendered(style: Style) -> bool:
    """Say whether a style keeps text from being shown at all (transparency and position are often the start of an animation)."""
    return style.get("display", "").startswith("none") or style.get("visibility", "").startswith(("hidden", "collapse"))


def tiny_by_attributes(attributes: Mapping[str, str | None]) -> str:
    """Return `1px` or `0px` when a width or height attribute makes an element invisible."""
    for name in ("width", "height"):
        size = _number(attributes.get(name) or "")
        if size is not None and 0 <= size <= 1:
            return f"{size:g}px {name}"
    return ""


def _switched_off(style: Style) -> str:
    if style.get("display", "").startswith("none"):
        return "display:none"
    if style.get("visibility", "").startswith(("hidden", "collapse")):
        return "visibility:hidden"
    opacity = _number(style.get("opacity", ""))
    if (opacity is not None and opacity <= 0.01) or style.get("filter", "").replace(" ", "").startswith("opacity(0"):
        return "opacity:0"
    return ""


def _moved_away(style: Style) -> str:
    positioned = style.get("position", "").startswith(("absolute", "fixed", "relative", "sticky"))
    edges = [name for name in ("left", "top", "right", "bottom") if positioned and _below(style.get(name, ""), OFF_SCREEN)]
    margins = [name for name in ("margin-left", "margin-top") if _below(style.get(name, ""), 10 * OFF_SCREEN)]
    if edges or margins:
        name = (edges + margins)[0]
        return f"off-screen ({name}:{style[name]})"
    transform = style.get("transform", "") or style.get("-webkit-transform", "")
    if MOVED.search(transform) and "%" not in transform:
        return "off-screen (transform)"
    if SCALED_AWAY.search(transform):
        return "scaled to nothing"
    if CLIPPED.search(style.get("clip", "") + style.get("clip-path", "")):
        return "clipped to nothing"
    return ""


def _tiny(style: Style) -> str:
    for name in ("width", "height", "max-width", "max-height"):
        size = _number(style.get(name, ""))
        if size is not None and 0 <= size <= 1:
            return f"{size:g}px {name}"
    return ""


def _padded(style: Style) -> bool:
    return any(name.startswith("padding") and (_number(value.split(" ")[0]) or 0) > 1 for name, value in style.items())


def _below(value: str, bound: float) -> bool:
    match = PIXELS.match(value)
    number = _number(value)
    return match is not None and number is not None and match.group(2) in {None, "px", "em", "rem", "pt"} and number <= bound


def _number(value: str) -> float | None:
    """Return a length's number: pixels where the unit is missing; relative units only count when they are nothing (`0%`) or large."""
    match = PIXELS.match(value.strip())
    if match is None:
        return None
    number = float(match.group(1))
    relative = match.group(2) not in {None, "px", "pt"}
    return None if relative and 0 < abs(number) <= 1 else number


class Sheet:
    """The hiding rules of a page, found by class, id or tag."""

    def __init__(self, rules: list[Rule]) -> None:
        self._by_key: dict[str, list[Rule]] = {}
        for rule in rules[:MOST_RULES]:
            key = f"#{rule.id}" if rule.id else f".{min(rule.classes)}" if rule.classes else rule.tag
            self._by_key.setdefault(key, []).append(rule)

    def style(self, tag: str, attributes: Mapping[str, str | None]) -> Style:
        """Return the hiding declarations that apply to an element, {} for none."""
        if not self._by_key:
            return {}
        classes = frozenset((attributes.get("class") or "").split())
        name = attributes.get("id") or ""
        merged: dict[str, str] = {}
        for key in (tag, f"#{name}", *(f".{one}" for one in classes)):
            for rule in self._by_key.get(key, ()):
                if rule.tag in {"", tag} and rule.classes <= classes and rule.id in {"", name}:
                    merged.update(rule.style)
        return merged
