"""What a page states of reviews: facts, small enough to be kept with a decision."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Rating(Struct, frozen=True, kw_only=True):
    """An aggregate as stated: `value` on a scale from `worst` to `best`, with the number of ratings and of written reviews."""

    value: float
    best: float = 5.0
    worst: float = 1.0
    ratings: int | None = None
    reviews: int | None = None


class Review(Struct, frozen=True, kw_only=True):
    """A review as stated: its `rating` as a share of the scale in 0..1, its day, a hash of the author's name, and a sketch of its text (the
    16 smallest hashes of its three-word runs; empty for fewer than eight words)."""

    rating: float | None = None
    at: datetime | None = None
    author: str = ""
    sketch: tuple[int, ...] = ()
