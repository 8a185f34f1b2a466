"""Whether a visitor can see an element, judged by the declarations that apply to it and by its attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping

DECLARATION = re.compile(r"([a-zA-Z-]{3,30})\s*:\s*([^;]{1,200})")
ESCAPED = re.compile(r"\\(?:([0-9a-fA-F]{1,6})[ \t\n]?|([^\n]))")
CALCULATED = re.compile(r"calc\(\s*([^()\s]{1,30})\s*\)\Z")
PIXELS = re.compile(r"(-?\d*\.?\d+)\s*(px|%|em|rem|vw|vh|pt)?\s*(?:!important)?\Z")
MOVED = re.compile(r"translate(?:x|y|3d)?\([^()%]{0,30}?(?:-\s*\d{3,}|\b\d{4,})(?:\.\d+)?(?:px|r?em|vw|vh|pt)?\s*[,)]")
MOVED_BY = re.compile(r"(?:-\d{3,}|\b\d{4,})(?:\.\d+)?(?:px|r?em|vw|vh|pt)")
NOTHING = re.compile(r"\s*0*\.?0*%?(?:\s|\Z)")
SCALED_AWAY = re.compile(r"scale(?:x|y|3d)?\(\s*0?\.?0*\s*[,)]", re.IGNORECASE)
CLIPPED = re.compile(
    r"rect\(\s*[01](?:px)?[\s,]+[01](?:px)?[\s,]+[01](?:px)?[\s,]+[01](?:px)?\s*\)|inset\(\s*(?:50|100)%"
    r"|(?:circle|ellipse)\(\s*0(?:px|%)?\b(?!\.)",
    re.IGNORECASE,
)

OFF_SCREEN = -100.0
"""Pixels left of or above the page's edge from which a positioned element is out of sight; screen-reader styles use -9999."""
FAR_RIGHT = 5_000.0
"""Pixels right of or below the start from which a positioned element is off every screen; the widest have 3840 or so."""
FAINT = 0.05
"""Opacity under which nobody sees a picture."""

EDGES = ("top", "right", "bottom", "left")

Style = Mapping[str, str]


def declarations(text: str) -> Style:
    """Return an inline style as lower-case properties and values; without comments, with escapes resolved."""
    text = unescaped(without_comments(text[:4000]))
    return {name.lower(): value.strip().lower() for name, value in DECLARATION.findall(text)}


def without_comments(sheet: str) -> str:
    """Return CSS without its comments."""
    first, *commented = sheet.split("/*")
    return first + "".join(part.partition("*/")[2] for part in commented)


def unescaped(text: str) -> str:
    """Return CSS with its escapes (`\\64 isplay`) as the characters they stand for."""
    return ESCAPED.sub(_character, text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    number = int(match.group(1), 16) if match.group(1) else ord(match.group(2))
    return chr(number) if 0 < number < 0xD800 else ""


def why_hidden(style: Style) -> str:
    """Return by what means a style hides its own element, '' when it does not."""
    return _switched_off(style) or _moved_away(style) or _tiny(style)


def why_contents_hidden(style: Style) -> str:
    """Return by what means a style hides everything inside an element. A height of 0 with padding is how pages keep a video's shape."""
    tiny = _tiny(style)
    cut_off = "hidden" in style.get("overflow", "") or "clip" in style.get("overflow", "")
    return _switched_off(style) or _moved_away(style) or (tiny if tiny and cut_off and not _padded(style) else "")


def is_switched_off(style: Style) -> bool:
    """Say whether a style hides by display, visibility or opacity, as pages do with what they show later."""
    return bool(_switched_off(style))


def is_not_rendered(style: Style) -> bool:
    """Say whether a style keeps text from being shown at all (transparency and position are often the start of an animation)."""
    return style.get("display", "").startswith("none") or style.get("visibility", "").startswith(("hidden", "collapse"))


def tiny_by_attributes(attributes: Mapping[str, str | None]) -> str:
    """Return `1px` or `0px` when a width or height attribute makes an element invisible."""
    if "width" not in attributes and "height" not in attributes:
        return ""
    return _too_small({name: attributes.get(name) or "" for name in ("width", "height")}, ("width", "height"))


def _switched_off(style: Style) -> str:
    if style.get("display", "").startswith("none"):
        return "display:none"
    if style.get("visibility", "").startswith(("hidden", "collapse")):
        return "visibility:hidden"
    opacity = _number(style.get("opacity", ""))
    if (opacity is not None and opacity < FAINT) or style.get("filter", "").replace(" ", "").startswith("opacity(0"):
        return "opacity:0"
    return ""


def _moved_away(style: Style) -> str:
    positioned = style.get("position", "").startswith(("absolute", "fixed", "relative", "sticky"))
    style = {**dict(zip(EDGES, _four(style.get("inset", "")), strict=False)), **style}
    edges = [name for name in EDGES if positioned and _is_far(style.get(name, ""))]
    margins = [name for name in ("margin-left", "margin-top") if _below(style.get(name, ""), 10 * OFF_SCREEN)]
    if edges or margins:
        name = (edges + margins)[0]
        return f"off-screen ({name}:{style[name]})"
    transform = style.get("transform", "") or style.get("-webkit-transform", "")
    if MOVED.search(transform) or MOVED_BY.search(style.get("translate", "")):
        return "off-screen (transform)"
    if SCALED_AWAY.search(transform) or any(name in style and NOTHING.match(style[name]) for name in ("scale", "zoom")):
        return "scaled to nothing"
    if CLIPPED.search(style.get("clip", "") + style.get("clip-path", "")):
        return "clipped to nothing"
    return ""


def _tiny(style: Style) -> str:
    return _too_small(style, ("width", "height")) or _too_small(style, ("max-width", "max-height"))


def _too_small(style: Style, names: tuple[str, str]) -> str:
    """A side of at most one pixel, or two of at most two."""
    sizes = {name: size for name in names if (size := _number(style.get(name, ""))) is not None and size >= 0}
    for name, size in sizes.items():
        if size <= 1:
            return f"{size:g}px {name}"
    small = len(sizes) == len(names) and all(size <= 2 for size in sizes.values())
    return "2px width and height" if small else ""


def _padded(style: Style) -> bool:
    return any(name.startswith("padding") and (_number(value.split(" ")[0]) or 0) > 1 for name, value in style.items())


def _four(inset: str) -> list[str]:
    """Return top, right, bottom and left of an `inset`, as far as it gives them."""
    given = inset.split()[:4]
    return [given[place] if place < len(given) else given[max(0, place - 2) % len(given)] for place in range(4)] if given else []


def _is_far(value: str) -> bool:
    number = _number(value)
    right = number is not None and "%" not in value and number >= FAR_RIGHT
    return right or _below(value, OFF_SCREEN)


def _below(value: str, bound: float) -> bool:
    match = PIXELS.match(value)
    number = _number(value)
    return match is not None and number is not None and match.group(2) in {None, "px", "em", "rem", "pt", "vw", "vh"} and number <= bound


def _number(value: str) -> float | None:
    """Return a length's number: pixels where the unit is missing; relative units only count when they are nothing (`0%`) or large."""
    calculated = CALCULATED.match(value)
    match = PIXELS.match(calculated.group(1) if calculated else value.strip())
    if match is None:
        return None
    number = float(match.group(1))
    relative = match.group(2) not in {None, "px", "pt"}
    return None if relative and 0 < abs(number) <= 1 else number
