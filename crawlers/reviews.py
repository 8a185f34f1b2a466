"""Reviews and ratings that a page states (schema.org AggregateRating and Review, JSON-LD or microdata): facts, never judgements."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from crawlers.reading.dates import moment_of
from crawlers.review_facts import Rating, Review

MOST_REVIEWS = 200
SKETCH = 16
_WORD = re.compile(r"\w+")


def reviews_in(things: Iterable[Mapping[str, Any]]) -> tuple[tuple[Rating, ...], tuple[Review, ...]]:
    """Return the ratings and the first 200 reviews among a page's things; what cannot be read says nothing."""
    ratings: list[Rating] = []
    reviews: list[Review] = []
    for thing in things:
        kinds = thing.get("@type")
        kinds = kinds if isinstance(kinds, list) else [kinds]
        if "AggregateRating" in kinds and (rating := _rating(thing)) is not None:
            ratings.append(rating)
        if "Review" in kinds and len(reviews) < MOST_REVIEWS:
            reviews.append(_review(thing))
    return tuple(dict.fromkeys(ratings))[:20], tuple(reviews)


def _rating(thing: Mapping[str, Any]) -> Rating | None:
    value = _number(thing.get("ratingValue"))
    if value is None:
        return None
    best, worst = _number(thing.get("bestRating")), _number(thing.get("worstRating"))
    return Rating(
        value=value,
        best=5.0 if best is None else best,
        worst=1.0 if worst is None else worst,
        ratings=_count(thing.get("ratingCount")),
        reviews=_count(thing.get("reviewCount")),
    )


def _review(thing: Mapping[str, Any]) -> Review:
    stated = thing.get("reviewRating")
    author = thing.get("author")
    name = author.get("name") if isinstance(author, dict) else author
    text = thing.get("reviewBody") or thing.get("description")
    return made_review(
        _rating(stated) if isinstance(stated, dict) else None,
        str(thing.get("datePublished") or ""),
        name if isinstance(name, str) else "",
        text if isinstance(text, str) else "",
    )


def made_review(rating: Rating | None, day: str, name: str, text: str) -> Review:
    """Return a review as it is kept: without the author's name and without its words."""
    author = name.strip().casefold()
    return Review(rating=share_of(rating), at=moment_of(day), author=_hashed(author) if author else "", sketch=sketch_of(text))


def share_of(rating: Rating | None) -> float | None:
    """Return a rating as a share of its scale, 0..1; None for none, or one outside its own scale."""
    if rating is None or rating.best <= rating.worst or not rating.worst <= rating.value <= rating.best:
        return None
    return (rating.value - rating.worst) / (rating.best - rating.worst)


def sketch_of(text: str) -> tuple[int, ...]:
    """Return the 16 smallest 32-bit hashes of a text's three-word runs; empty for fewer than eight words."""
    words = _WORD.findall(text[:20_000].casefold())
    if len(words) < 8:
        return ()
    runs = {" ".join(words[place : place + 3]) for place in range(len(words) - 2)}
    return tuple(sorted(int(_hashed(run)[:8], 16) for run in runs)[:SKETCH])


def likeness(one: Iterable[int], other: Iterable[int]) -> float:
    """Return the estimated share of runs two sketches have in common, 0..1 (bottom-k: among the k smallest of both together)."""
    first, second = set(one), set(other)
    smallest = sorted(first | second)[:SKETCH]
    return sum(value in first and value in second for value in smallest) / len(smallest) if smallest else 0.0


def _hashed(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


def _number(value: Any) -> float | None:
    try:
        number = float(str(value).replace(",", ".").rstrip("%")) if isinstance(value, str | int | float) else None
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) else None


def _count(value: Any) -> int | None:
    digits = re.sub(r"[\s.,]", "", str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return int(digits[:12]) if digits.isascii() and digits.isdigit() else None
