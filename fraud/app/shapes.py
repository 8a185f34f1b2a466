"""The shape of an affiliate's traffic, read from the lake when somebody looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, timedelta
from typing import Any

import duckdb

from fraud.app.parts import App
from fraud.domain.clock import as_utc
from fraud.domain.scans import Period
from fraud.domain.shapes import Bin, ConversionSeen, TrafficShape

DELAYS = (
    "under 10 s",
    "10 s to 1 min",
    "1 to 10 min",
    "10 to 60 min",
    "1 to 6 h",
    "6 to 24 h",
    "1 to 7 days",
    "no click known",
)
"""Bins of the time from click to conversion: what injection, honest shopping and flooding fill differently."""
LOOK_BACK = timedelta(days=7)
REFERRERS = 12
NO_REFERRER = "none given"
ELSEWHERE = "elsewhere"

_COUNT = "SELECT count(*) FROM conversions WHERE affiliate_id = $affiliate AND converted_at >= $start"
_HOURS = """
SELECT affiliate_id = $affiliate AS own, hour(clicked_at) AS bin, count(*) FROM clicks WHERE clicked_at >= $start GROUP BY ALL
"""
_SOURCES = """
SELECT affiliate_id = $affiliate AS own,
    coalesce(nullif(regexp_extract(lower(referrer), '^(?:[a-z]+://)?(?:www\\.)?([^/:?#]+)', 1), ''), $none) AS bin, count(*)
FROM clicks WHERE clicked_at >= $start GROUP BY ALL
"""
_DELAYS = """
WITH mine AS (SELECT DISTINCT offer_id FROM conversions WHERE affiliate_id = $affiliate AND converted_at >= $start),
paired AS (
    SELECT v.affiliate_id = $affiliate AS own, date_diff('millisecond', c.clicked_at, v.converted_at) / 1000 AS waited
    FROM conversions v LEFT JOIN clicks c ON c.click_id = v.click_id AND c.affiliate_id = v.affiliate_id
    WHERE v.converted_at >= $start AND (v.affiliate_id = $affiliate OR v.offer_id IN (SELECT offer_id FROM mine)))
SELECT own, CASE WHEN waited IS NULL THEN 7 WHEN waited < 10 THEN 0 WHEN waited < 60 THEN 1 WHEN waited < 600 THEN 2
    WHEN waited < 3600 THEN 3 WHEN waited < 21600 THEN 4 WHEN waited < 86400 THEN 5 ELSE 6 END AS bin, count(*)
FROM paired GROUP BY ALL
"""
_CONVERSIONS = """
SELECT v.conversion_id, v.converted_at, v.click_id, date_diff('millisecond', c.clicked_at, v.converted_at) / 1000 AS delay_seconds,
    v.offer_id, v.sub_id, v.amount, v.commission, v.currency, v.status
FROM conversions v LEFT JOIN (SELECT click_id, clicked_at FROM clicks WHERE affiliate_id = $affiliate) c USING (click_id)
WHERE v.affiliate_id = $affiliate AND v.converted_at >= $start ORDER BY v.converted_at DESC, v.conversion_id LIMIT $size OFFSET $skip
"""


def traffic_shape(app: App, program_id: str, affiliate_id: str, window: Period) -> TrafficShape:
    """The shape of one affiliate's window. A conversion's click is looked for up to a week before the window; an older one is not known."""
    asked = _asked(affiliate_id, window)
    with closing(app.lake.connect(program_id, since=window.start - LOOK_BACK, until=window.end)) as events:
        delays = _bins(events, _DELAYS, asked, range(len(DELAYS)))
        return TrafficShape(
            window=window,
            hours=_bins(events, _HOURS, asked, range(24)),
            delays=tuple(_named(one, DELAYS[int(one.label)]) for one in delays),
            referrers=_leading(_bins(events, _SOURCES, asked | {"none": NO_REFERRER})),
        )


def conversions_seen(
    app: App, program_id: str, affiliate_id: str, window: Period, rows: tuple[int, int]
) -> tuple[list[ConversionSeen], int]:
    """A page (how many, from which) of an affiliate's conversions in a window, newest first, and how many there are."""
    asked, (size, skip) = _asked(affiliate_id, window), rows
    with closing(app.lake.connect(program_id, since=window.start - LOOK_BACK, until=window.end)) as events:
        found = events.execute(_CONVERSIONS, asked | {"size": size, "skip": skip}).fetchall()
        return [_conversion(row) for row in found], int(events.execute(_COUNT, asked).fetchall()[0][0])


def _asked(affiliate_id: str, window: Period) -> dict[str, object]:
    return {"affiliate": affiliate_id, "start": as_utc(window.start).replace(tzinfo=None)}


def _bins(
    events: duckdb.DuckDBPyConnection, query: str, asked: Mapping[str, object], expected: Sequence[int] | None = None
) -> tuple[Bin, ...]:
    counts: dict[bool, dict[str, int]] = {True: {}, False: {}}
    for own, label, count in events.execute(query, dict(asked)).fetchall():
        counts[bool(own)][str(label)] = int(count)
    mine, others = counts[True], counts[False]
    labels = [str(one) for one in expected] if expected is not None else sorted(mine, key=lambda one: (-mine[one], one))
    whole, rest = sum(mine.values()), sum(others.values())
    return tuple(
        Bin(label=one, count=mine.get(one, 0), own=mine.get(one, 0) / max(whole, 1), others=others.get(one, 0) / rest if rest else None)
        for one in labels
    )


def _leading(bins: Sequence[Bin]) -> tuple[Bin, ...]:
    """The most frequent, and all others as one."""
    shown, left = bins[:REFERRERS], bins[REFERRERS:]
    if not left:
        return tuple(shown)
    others = None if left[0].others is None else sum(one.others or 0.0 for one in left)
    rest = Bin(label=ELSEWHERE, count=sum(one.count for one in left), own=sum(one.own for one in left), others=others)
    return (*shown, rest)


def _named(one: Bin, label: str) -> Bin:
    return Bin(label=label, count=one.count, own=one.own, others=one.others)


def _conversion(row: Sequence[Any]) -> ConversionSeen:
    told = dict(zip(ConversionSeen.__struct_fields__, row, strict=True))
    return ConversionSeen(**told | {"converted_at": told["converted_at"].replace(tzinfo=UTC)})
