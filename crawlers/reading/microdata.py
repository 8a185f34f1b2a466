"""Microdata (HTML standard 5): the reviews and ratings among a page's items, shaped like objects of JSON-LD."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from selectolax.lexbor import LexborNode

KINDS = ("aggregaterating", "review", "userreview", "criticreview")
MOST_ITEMS = 250
MOST_NODES = 400
"""Elements looked at inside one item."""
DEEPEST = 3
LONGEST = 20_000
_NAMES = {"aggregaterating": "AggregateRating", "review": "Review", "userreview": "Review", "criticreview": "Review"}


def kind_of(itemtype: str) -> str:
    """Return the last part of an item's type, lower case: `https://schema.org/Review` gives `review`."""
    return itemtype.strip().rstrip("/").rpartition("/")[2].lower()[:40]


def things_of(items: Iterable[LexborNode]) -> Iterator[dict[str, Any]]:
    """Yield the items that are reviews or ratings as objects of JSON-LD, 250 at most."""
    for _, node in zip(range(MOST_ITEMS), items, strict=False):
        yield _thing(node, 0)


def _thing(item: LexborNode, depth: int) -> dict[str, Any]:
    kind = kind_of(item.attributes.get("itemtype") or "")
    found: dict[str, Any] = {"@type": _NAMES.get(kind, kind)}
    waiting = list(item.iter())
    for _ in range(MOST_NODES):
        if not waiting:
            break
        node = waiting.pop(0)
        attributes = node.attributes
        names = (attributes.get("itemprop") or "").split()
        is_item = "itemscope" in attributes
        for name in names:
            value: Any = _thing(node, depth + 1) if is_item and depth < DEEPEST else _value(node)
            found.setdefault(name, value)
        if not is_item:
            waiting = [*node.iter(), *waiting]
    return found


def _value(node: LexborNode) -> str:
    """The value of a property: what the element says in its own attribute, else its text."""
    attributes = node.attributes
    for name in ("content", "datetime", "value", "href" if node.tag in {"a", "link"} else "content"):
        if attributes.get(name):
            return (attributes[name] or "")[:LONGEST]
    return " ".join(node.text().split())[:LONGEST]
