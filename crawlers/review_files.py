"""Reviews from a file: CSV, Excel or JSON as review services and shops export them, recognised by the names of their columns."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from heapq import heappush, heapreplace
from pathlib import Path
from typing import Any

from crawlers.backlinks.exports import file_hash, plain
from crawlers.backlinks.tables import UnreadableExport, cells
from crawlers.review_facts import Rating, Review, ReviewFile
from crawlers.reviews import made_review

MOST_KEPT = 500
MOST_JSON = 50 * 1024 * 1024
"""Bytes of a JSON file: it is read as a whole; larger ones come as CSV."""
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "rating": ("rating", "stars", "starrating", "score", "reviewrating", "ratingvalue", "reviewstars", "note", "bewertung", "sterne"),
    "best": ("bestrating", "maxrating", "outof", "scale"),
    "date": ("date", "createdat", "datepublished", "reviewdate", "published", "publishedat", "submittedat", "reviewcreatedutc", "datum"),
    "author": ("author", "name", "reviewer", "reviewername", "user", "username", "customer", "customername", "displayname", "consumername"),
    "text": ("text", "body", "review", "reviewbody", "reviewtext", "reviewcontent", "content", "comment", "message", "description"),
}
_STARS = "★⭐"


def read_reviews(path: Path) -> ReviewFile:
    """Read a file of reviews. Never raises what a bad file causes: `failure` says why there are none."""
    try:
        kept = _Keeping()
        for row in _rows(path):
            kept.add(row)
        return kept.facts(path)
    except UnreadableExport as fault:
        return ReviewFile(failure=fault.message)
    except OSError as fault:
        return ReviewFile(failure=f"{path.name} cannot be read: {fault.strerror}.")


class _Keeping:
    def __init__(self) -> None:
        self.count = self.unreadable = self._rated = 0
        self._sum = 0.0
        self._drawn: list[tuple[int, int, Review]] = []

    def add(self, row: Mapping[str, str]) -> None:
        """Count a review and keep it if it is drawn: those whose hashes are the largest."""
        review = _review(row)
        if review is None:
            self.unreadable += 1
            return
        self.count += 1
        if review.rating is not None:
            self._rated += 1
            self._sum += review.rating
        entry = (_chance(row, self.count), self.count, review)
        if len(self._drawn) < MOST_KEPT:
            heappush(self._drawn, entry)
        elif entry > self._drawn[0]:
            heapreplace(self._drawn, entry)

    def facts(self, path: Path) -> ReviewFile:
        """Sum up."""
        if not self.count:
            return ReviewFile(unreadable=self.unreadable, failure=f"{path.name} has no usable review ({self.unreadable} unreadable).")
        reviews = tuple(review for _, _, review in sorted(self._drawn, key=lambda one: one[1]))
        average = self._sum / self._rated if self._rated else None
        return ReviewFile(count=self.count, unreadable=self.unreadable, average=average, reviews=reviews, sha256=file_hash(path))


def _rows(path: Path) -> Iterator[Mapping[str, str]]:
    with path.open("rb") as file:
        start = file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start in {b"{", b"["}:
        yield from _objects(path)
        return
    with cells(path) as rows:
        header = [plain(cell) for cell in next(rows, [])]
        places = {field: place for field, names in COLUMNS.items() if (place := _place(header, names)) is not None}
        _needed(places, path, header)
        for row in rows:
            if any(row):
                yield {field: row[place].strip() for field, place in places.items() if place < len(row)}


def _objects(path: Path) -> Iterator[Mapping[str, str]]:
    if path.stat().st_size > MOST_JSON:
        raise UnreadableExport(f"{path.name} is larger than {MOST_JSON >> 20} MB; give the reviews as CSV.")
    try:
        said = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as fault:
        raise UnreadableExport(f"{path.name} is no JSON ({str(fault)[:100]}).") from fault
    listed = next((value for value in said.values() if isinstance(value, list)), []) if isinstance(said, dict) else said
    objects = [one for one in listed if isinstance(one, dict)]
    named = [{plain(str(name)): value for name, value in one.items()} for one in objects]
    names = list(dict.fromkeys(name for one in named for name in one))
    _needed({field: 0 for field, known in COLUMNS.items() if set(known) & set(names)}, path, names)
    for one in named:
        yield {field: _told(next((one[name] for name in known if name in one), "")) for field, known in COLUMNS.items()}


def _told(value: Any) -> str:
    if isinstance(value, dict):
        value = next((value[name] for name in ("ratingValue", "name", "displayName", "value") if name in value), "")
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _needed(places: Mapping[str, int], path: Path, names: Sequence[str]) -> None:
    if not places.keys() & {"rating", "text"}:
        listed = ", ".join(names[:12]) or "none"
        raise UnreadableExport(f"{path.name}: no column with a rating or a text was found (columns: {listed}). Name them rating and text.")


def _place(header: Sequence[str], names: Sequence[str]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _review(row: Mapping[str, str]) -> Review | None:
    value = _number(row.get("rating", ""))
    best = _number(row.get("best", ""))
    rating = None if value is None else Rating(value=value, best=best or (5.0 if value <= 5 else 10.0 if value <= 10 else 100.0))
    if rating is not None and rating.value < rating.worst:
        rating = Rating(value=rating.value, best=rating.best, worst=0.0)
    made = made_review(rating, row.get("date", ""), row.get("author", ""), row.get("text", ""))
    return made if made.rating is not None or row.get("text") else None


def _number(text: str) -> float | None:
    if text and set(text) <= {*_STARS, "☆"}:
        return float(sum(letter in _STARS for letter in text))
    try:
        value = float(text.split("/", maxsplit=1)[0].replace(",", ".").strip()) if text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _chance(row: Mapping[str, str], count: int) -> int:
    told = f"{count} {' '.join(row.values())}"
    return int.from_bytes(hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=8).digest())
