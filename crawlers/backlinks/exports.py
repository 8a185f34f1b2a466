"""Backlink exports of the usual services, recognised by their columns and read row by row in flat memory."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct, yaml

from crawlers.backlinks.facts import Backlink
from crawlers.backlinks.tables import UnreadableExport, cells
from crawlers.domains import registrable_domain

HEADER_WITHIN = 25
"""Lines in which the header must stand: some services write a few lines of their own before it."""
_TRUE, _FALSE = frozenset({"true", "1", "yes", "y", "nofollow", "sitewide"}), frozenset({"false", "0", "no", "n", "follow", "dofollow", ""})
_PASSES_NO_WEIGHT = ("nofollow", "ugc", "sponsored")
_DATES = ("%d %b %Y", "%b %d, %Y", "%d.%m.%Y", "%Y/%m/%d", "%d %B %Y", "%B %d, %Y")


class ExportFormat(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A service's export: sets of columns it is known by, and the names that each field may have."""

    id: str
    name: str
    known_by: tuple[tuple[str, ...], ...]
    fields: dict[str, tuple[str, ...]]


@cache
def formats() -> tuple[ExportFormat, ...]:
    """Return the formats, the narrower before the wider."""
    return yaml.decode(files(__package__).joinpath("formats.yaml").read_bytes(), type=tuple[ExportFormat, ...])


class Export:
    """An export being read: iterate it for its links, then see `source`, `missing`, `rows` and `unreadable`.

    Raises UnreadableExport when no header is found; it names the columns that were found.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.source, self.missing = "", tuple[str, ...]()
        self.rows = self.unreadable = 0

    def __iter__(self) -> Iterator[Backlink]:
        with cells(self.path) as rows:
            found = _header(rows, self.path.name)
            self.source = found.format.name
            self.missing = tuple(sorted(found.format.fields.keys() - found.places.keys()))
            for row in rows:
                if not any(row):
                    continue
                self.rows += 1
                link = _backlink(row, found.places)
                if link is None:
                    self.unreadable += 1
                else:
                    yield link


class _Header(Struct, frozen=True):
    format: ExportFormat
    places: dict[str, int]


def _header(rows: Iterator[list[str]], name: str) -> _Header:
    seen: list[str] = []
    for _, row in zip(range(HEADER_WITHIN), rows, strict=False):
        columns = [plain(cell) for cell in row]
        seen = seen if len(seen) >= len(row) else [cell.strip() for cell in row]
        chosen = format_of(columns)
        if chosen is not None:
            return _Header(chosen, _places(chosen, columns))
    listed = ", ".join(filter(None, seen[:12])) or "none"
    raise UnreadableExport(
        f"{name}: no column with the linking page or domain was found (columns: {listed}). "
        "Export the backlinks, or name a column source_url or source_domain."
    )


def format_of(columns: Sequence[str]) -> ExportFormat | None:
    """Return the format that plain column names belong to, None for no export of backlinks."""
    there = set(columns)
    return next((one for one in formats() if any(there.issuperset(signs) for signs in one.known_by)), None)


def plain(column: str) -> str:
    """Return a column's name as it is compared: lower case, letters and digits only."""
    return "".join(letter for letter in column.casefold() if letter.isalnum())


def _places(chosen: ExportFormat, columns: Sequence[str]) -> dict[str, int]:
    first = {name: place for place, name in reversed(list(enumerate(columns)))}
    found = {field: next((first[name] for name in names if name in first), -1) for field, names in chosen.fields.items()}
    return {field: place for field, place in found.items() if place >= 0}


def _backlink(row: list[str], places: Mapping[str, int]) -> Backlink | None:
    size = len(row)
    said = {field: row[place].strip() for field, place in places.items() if place < size}
    url = said.get("source_url", "")
    domain = referring_domain(url or said.get("source_domain", ""))
    if not domain:
        return None
    links = _number(said.get("links", ""))
    return Backlink(
        domain=domain,
        url=url[:2048],
        target=said.get("target_url", "")[:2048],
        anchor=said["anchor"][:300] if "anchor" in said else None,
        title=said.get("title", "")[:300],
        language=said.get("language", "")[:20].lower(),
        authority=_number(said.get("authority", "")),
        traffic=_number(said.get("domain_traffic", "")),
        outbound=_number(said.get("outbound", "")),
        follow=_follow(said, links),
        sitewide=_truth(said["sitewide"]) if "sitewide" in said else None,
        links=max(1, int(links)) if links is not None else 1,
        address=said.get("address", ""),
        first_seen=day_of(said.get("first_seen", "")),
        last_seen=day_of(said.get("last_seen", "")),
        lost=_lost(said),
    )


@lru_cache(maxsize=8_192)
def referring_domain(url: str) -> str:
    """Return the referring domain of an address or a bare host: the registered name, on free hosts the full host; '' for neither."""
    try:
        host = urlsplit(url if "//" in url else f"//{url}").hostname or ""
    except ValueError:
        return ""
    host = host.removeprefix("www.").strip(".")
    if "." not in host or " " in host:
        return ""
    return host if free_host(host) else registrable_domain(host)


def free_host(host: str) -> bool:
    """Return whether the host is somebody's own subdomain of a free host."""
    labels = host.split(".")
    return any(".".join(labels[start:]) in platforms().free_host_set for start in range(1, len(labels)))


class Platforms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where unrelated sites stand together: address ranges by platform, free hosts, and endings that abuse favours."""

    networks: tuple[SharedNetwork, ...]
    free_hosts: tuple[str, ...]
    junk_endings: tuple[str, ...]

    @property
    def free_host_set(self) -> frozenset[str]:
        """The free hosts, for looking up."""
        return _free_host_set()


class SharedNetwork(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ranges (CIDR) behind which one platform puts many customers."""

    name: str
    ranges: tuple[str, ...]


@cache
def platforms() -> Platforms:
    """Return the shared platforms."""
    return yaml.decode(files(__package__).joinpath("platforms.yaml").read_bytes(), type=Platforms)


@cache
def _free_host_set() -> frozenset[str]:
    return frozenset(platforms().free_hosts)


def _number(text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text.replace(",", "").replace("\u00a0", "").rstrip("%"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _truth(text: str) -> bool | None:
    word = text.casefold()
    return True if word in _TRUE else False if word in _FALSE else None


def _follow(said: Mapping[str, str], links: float | None) -> bool | None:
    if "rel" in said:
        return not any(word in said["rel"].lower() for word in _PASSES_NO_WEIGHT)
    marks = [_truth(said[name]) for name in _PASSES_NO_WEIGHT if name in said]
    if marks:
        return None if marks[0] is None else not any(marks)
    followed = _number(said.get("follow_links", ""))
    return None if followed is None or links is None else followed > 0


def _lost(said: Mapping[str, str]) -> bool | None:
    if "lost_link" in said:
        return _truth(said["lost_link"])
    return bool(said["lost_at"]) if "lost_at" in said else None


@lru_cache(maxsize=8_192)
def day_of(text: str) -> date | None:
    """Return the day a cell names; None for an empty, ambiguous or unreadable one."""
    if not text:
        return None
    try:
        if text.isascii() and text.isdigit() and len(text) in {10, 13}:
            return datetime.fromtimestamp(int(text[:10]), UTC).date()
        return date.fromisoformat(text[:10])
    except ValueError:
        return next((day for form in _DATES if (day := _parsed(text, form))), None)


def _parsed(text: str, form: str) -> date | None:
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC).date()
    except ValueError:
        return None


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
