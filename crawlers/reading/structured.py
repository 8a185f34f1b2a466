"""JSON-LD: the types a page claims to hold and the other addresses it claims as its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from crawlers.reading.urls import clean

MOST_VALUES = 20_000
"""Values looked at in one block."""
MOST_TYPES = 200
WRAPPING = re.compile(r"\A\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[)|(?:-->|//\s*\]\]>|\]\]>)\s*\Z")


def json_ld(blocks: list[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return the `@type`s (once each, in order) and the `sameAs` addresses. Blocks that are no JSON say nothing."""
    types: list[str] = []
    same_as: list[str] = []
    for block in blocks:
        for thing in _things(_parsed(block)):
            types += [clean(name)[:100] for name in _strings(thing.get("@type"))]
            same_as += [clean(url) for url in _strings(thing.get("sameAs"))]
    return tuple(dict.fromkeys(types))[:MOST_TYPES], same_as


def things_in(blocks: list[str]) -> Iterator[dict[str, Any]]:
    """Yield every object of the blocks at any depth, 20,000 values of a block at most."""
    for block in blocks:
        yield from _things(_parsed(block))


def _parsed(block: str) -> Any:
    try:
        return json.loads(WRAPPING.sub("", block), strict=False)
    except (ValueError, RecursionError):
        return None


def _things(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object at any depth, without recursion."""
    waiting = [value]
    for _ in range(MOST_VALUES):
        if not waiting:
            return
        value = waiting.pop(0)
        if isinstance(value, dict):
            yield value
            waiting += [inner for inner in value.values() if isinstance(inner, dict | list)]
        elif isinstance(value, list):
            waiting += [inner for inner in value if isinstance(inner, dict | list)]


def _strings(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str)]
