"""Sitemaps, feeds and ads.txt, read as text with bounds: no XML parser, so no entities to expand and no depth to fear."""

from __future__ import annotations

import gzip
import html
import re
import zlib
from collections import Counter
from datetime import datetime

from crawlers.facts import AdsTxt, Sitemap
from crawlers.reading.dates import moment_of
from crawlers.reading.urls import clean, path_of

MOST_TEXT = 4 * 1024 * 1024
"""Characters read of a sitemap."""
MOST_URLS = 50_000
"""The most that one sitemap may hold (sitemaps.org)."""
KEPT_PATHS = 500
MOST_INFLATED = 10 * 1024 * 1024
LOC = re.compile(r"<loc>\s*(?:<!\[CDATA\[)?\s*([^<\]]{1,2048}?)\s*(?:\]\]>)?\s*</loc>", re.IGNORECASE)
LASTMOD = re.compile(r"<lastmod>\s*([^<]{8,40}?)\s*</lastmod>", re.IGNORECASE)
FEED_DATE = re.compile(r"<(?:pubDate|published|updated|dc:date)>\s*([^<]{8,60}?)\s*</", re.IGNORECASE)
MOST_DATES = 200


def sitemap_text(body: bytes) -> str:
    """Return a sitemap's text; one that is gzipped as a file is unpacked up to 10 MB. What cannot be unpacked is empty."""
    if body[:2] == b"\x1f\x8b":
        try:
            body = zlib.decompressobj(31).decompress(body, MOST_INFLATED)
        except (zlib.error, gzip.BadGzipFile):
            return ""
    return body.decode("utf-8", errors="replace")[:MOST_TEXT]


def sitemap_entries(url: str, text: str) -> tuple[Sitemap, tuple[str, ...]]:
    """Return what a sitemap holds, and the sitemaps it points to when it is an index (its own entries are then none)."""
    locations = [clean(html.unescape(place)) for place in LOC.findall(text)[:MOST_URLS]]
    if "<sitemapindex" in text[:2000].lower():
        return Sitemap(url=url, truncated=len(text) >= MOST_TEXT), tuple(locations)
    moments = [moment for stated in LASTMOD.findall(text)[:MOST_URLS] if (moment := moment_of(stated))]
    days = Counter(moment.date() for moment in moments)
    return Sitemap(
        url=url,
        urls=len(locations),
        paths=tuple(path_of(place)[:300] for place in locations[:KEPT_PATHS]),
        newest=max(moments, default=None),
        most_on_a_day=max(days.values(), default=0),
        truncated=len(text) >= MOST_TEXT,
    ), ()


def feed_dates(text: str) -> tuple[datetime, ...]:
    """Return the dates of a feed's entries, newest first, at most 200."""
    moments = {moment for stated in FEED_DATE.findall(text[:MOST_TEXT])[: 2 * MOST_DATES] if (moment := moment_of(stated))}
    return tuple(sorted(moments, reverse=True)[:MOST_DATES])


def ads_txt(url: str, text: str) -> AdsTxt | None:
    """Return the records of an ads.txt; None when the text has none (an error page, an empty file)."""
    direct = reseller = 0
    for line in text.splitlines()[:20_000]:
        fields = [part.strip() for part in line.partition("#")[0].split(",")]
        if len(fields) >= 3 and "." in fields[0]:
            direct += fields[2].upper() == "DIRECT"
            reseller += fields[2].upper() == "RESELLER"
    return AdsTxt(url=url, direct=direct, reseller=reseller) if direct or reseller else None
