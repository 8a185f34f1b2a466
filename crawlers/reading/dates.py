"""When a page says it was written or changed: structured data, metadata, `time` elements, and the year beside a copyright sign."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from crawlers.reading.walk import Meta

MOST_DATES = 50
STATED = re.compile(r"\"date(?:Published|Modified|Created)\"\s*:\s*\"([^\"]{8,40})\"")
TIME = re.compile(r"<time\b[^>]{0,200}?\bdatetime\s*=\s*[\"']([^\"']{8,40})[\"']", re.IGNORECASE)
META_NAMES = frozenset({"article:published_time", "article:modified_time", "og:updated_time", "date", "last-modified", "dc.date"})
COPYRIGHT = re.compile(r"(?:©|\(c\)|&copy;|copyright)[^\n]{0,40}?\b((?:19|20)\d{2})(?:\s*[-–]\s*((?:19|20)\d{2}))?", re.IGNORECASE)
EARLIEST = 1990
FOOT = 5_000
"""Characters at the end of a page's text, where copyright notices stand."""


def page_dates(source: str, metas: Iterable[Meta]) -> tuple[datetime, ...]:
    """Return the moments a page states, in UTC, once each; what cannot be read as one says nothing."""
    stated = [meta.attributes.get("content") or "" for meta in metas if _name(meta) in META_NAMES]
    stated += STATED.findall(source)[:MOST_DATES] if '"date' in source else []
    stated += TIME.findall(source)[:MOST_DATES]
    moments = (moment for text in stated[: 3 * MOST_DATES] if (moment := moment_of(text)))
    return tuple(dict.fromkeys(moments))[:MOST_DATES]


def copyright_year(text: str) -> int | None:
    """Return the newest year beside a copyright sign; None where there is none."""
    text = text[-FOOT:]
    if "©" not in text and not any(sign in text.lower() for sign in ("(c)", "copyright")):
        return None
    years = [int(year) for match in COPYRIGHT.finditer(text) for year in match.groups() if year]
    return max(years, default=None)


def moment_of(text: str) -> datetime | None:
    """Return a date (ISO 8601, or as mail writes it) in UTC; None for anything else."""
    text = text.strip()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    try:
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (OverflowError, ValueError):
        return None
    return moment if moment.year >= EARLIEST else None


def _name(meta: Meta) -> str:
    return (meta.attributes.get("property") or meta.attributes.get("name") or "").lower()
