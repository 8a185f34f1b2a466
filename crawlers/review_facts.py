"""What pages and files state of reviews: facts, small enough to be kept with a decision."""

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


class ReviewPage(Struct, frozen=True, kw_only=True):
    """The page of a review service on `subject` (a domain or the service's own word for it), which a website links to.

    `failure` says why nothing was read. `links_back` says whether the page links to the website.
    """

    url: str
    service: str
    subject: str
    website: str = ""
    ratings: tuple[Rating, ...] = ()
    reviews: tuple[Review, ...] = ()
    links_back: bool | None = None
    fetched_at: datetime | None = None
    sha256: str = ""
    failure: str = ""


class ReviewFile(Struct, frozen=True, kw_only=True):
    """Reviews that came as a file: `count` of them with `average` (a share of the scale), and at most 500 of them drawn by hash.

    `failure` says why nothing could be read.
    """

    count: int = 0
    unreadable: int = 0
    average: float | None = None
    reviews: tuple[Review, ...] = ()
    sha256: str = ""
    failure: str = ""
