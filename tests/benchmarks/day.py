"""A made-up day of clicks, laid down as the lake keeps it: for benchmarks alone, so without any story of fraud in it.

Two thousand affiliates of very unequal size, each promoting some ten of three hundred offers, up to two hundred thousand sub-IDs, as many
visitors as 40% of the clicks, sixty thousand user agents, some thousand referring sites, a tenth of the clicks behind carriers' gateways;
one conversion in sixty clicks.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from contextlib import closing
from pathlib import Path
from typing import Literal

import duckdb

PROGRAM = "bench"
BATCH = 20_000_000
"""Clicks in one file; a larger day arrives in several, each sorted by affiliate and time, as the lake writes them."""

_DAY = "day=2026-03-01"
_FORMAT = "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"


def chance(number: int) -> str:
    """SQL for an even chance in 0..1 that depends on the row and this number alone."""
    return f"((hash(i * 64 + {number}) >> 11) / 9007199254740992.0)"


def _of_visitor(number: int) -> str:
    return f"((hash(visitor * 64 + {number}) >> 11) / 9007199254740992.0)"


_AFFILIATE = f"(2000 * pow({chance(0)}, 3))::INT"

_CLICKS = f"""
SELECT printf('c%012d', i) AS click_id,
    TIMESTAMP '2026-03-01' + to_microseconds((86400e6 * {chance(1)})::BIGINT % 86400000000) AS clicked_at,
    'aff' || aff AS affiliate_id, 'offer' || (aff * 13 + (10 * pow({chance(2)}, 2))::INT) % 300 AS offer_id,
    CASE WHEN {chance(3)} < 0.9 THEN 's' || aff || '-' || (100 * pow({chance(4)}, 3))::INT END AS sub_id,
    CASE WHEN {chance(5)} < 0.1 THEN '100.64.' || (20 * {chance(6)})::INT || '.' || (250 * {chance(7)})::INT
         ELSE (20 + visitor % 180) || '.' || (visitor // 180 % 250) || '.' || (visitor // 45000 % 250) || '.' || visitor % 250 END AS ip,
    'Mozilla/5.0 (Linux; Android 14; Model ' || (3000 * pow({_of_visitor(1)}, 3))::INT || ') AppleWebKit/537.36 (KHTML, like Gecko) Chrome/'
        || (110 + (20 * {_of_visitor(2)})::INT) || '.0 Mobile Safari/537.36' AS user_agent,
    CASE WHEN {chance(8)} < 0.8 THEN md5('d' || visitor) END AS device_id,
    ['DE', 'US', 'FR', 'GB', 'ES', 'IT', 'NL', 'AT', 'CH', 'PL', 'SE'][1 + (10 * pow({chance(9)}, 2))::INT] AS country,
    CASE WHEN {chance(10)} < 0.6 THEN 'https://www.site' || (aff * 7 + (8 * pow({chance(11)}, 3))::INT) % 9000
        || '.example/page/' || (40 * {chance(12)})::INT END AS referrer,
    'https://shop.example/landing' AS landing_url,
    CASE WHEN {chance(13)} < 0.7 THEN (60000 * pow({chance(14)}, 3))::BIGINT END AS dwell_ms,
    CASE WHEN {chance(13)} < 0.7 THEN {chance(15)} < 0.96 END AS js_executed,
    TIMESTAMP '2026-03-02' AS ingested_at, i AS ingested_order, 'x' AS row_hash
FROM (SELECT i, {_AFFILIATE} AS aff, ({{rows}} * 0.4 * pow({chance(16)}, 1.5))::BIGINT AS visitor
      FROM range({{first}}, {{last}}) t(i))
ORDER BY affiliate_id, clicked_at, click_id
"""

_CONVERSIONS = """
SELECT 'v' || click_id AS conversion_id,
    clicked_at + to_seconds(5 + 3000 * pow((hash(click_id) >> 11) / 9007199254740992.0, 4)) AS converted_at,
    affiliate_id, click_id, offer_id, sub_id, 'sale' AS goal, 'k' || hash(click_id) % 1000000 AS customer_id,
    md5(device_id) AS customer_email, CASE WHEN hash(click_id, 1) % 50 = 0 THEN 'disposable' ELSE 'free' END AS customer_email_kind,
    hash(click_id, 2) % 3 > 0 AS new_customer, ip, user_agent, device_id, country,
    (hash(click_id, 3) % 10000 / 100)::DECIMAL(18, 4) AS amount,
    1.5::DECIMAL(18, 4) AS commission, 'EUR' AS currency,
    ['approved', 'approved', 'pending', 'refunded'][(1 + hash(click_id, 4) % 4)::BIGINT] AS status,
    clicked_at + to_hours(2) AS status_changed_at,
    TIMESTAMP '2026-03-02' AS ingested_at, 1::BIGINT AS ingested_order, 'x' AS row_hash
FROM read_parquet('{clicks}') WHERE hash(click_id, 9) % 60 = 0 ORDER BY affiliate_id, converted_at, conversion_id
"""


Crowd = Literal["affiliate", "sub-ids", "network"]
"""What may have most of a day's clicks: one affiliate, one whose sub-IDs are the clicks' own numbers, or one network of addresses."""


def _crowded(share: float, crowd: Crowd) -> str:
    """The SQL of the clicks of a day in which a share of them is a crowd."""
    if crowd == "network":
        one = f"WHEN {chance(20)} < {share} THEN '203.0.113.' || (250 * {chance(7)})::INT"
        return _CLICKS.replace(f"WHEN {chance(5)}", f"{one} WHEN {chance(5)}")
    clicks = _CLICKS.replace(_AFFILIATE, f"CASE WHEN {chance(20)} < {share} THEN 0 ELSE {_AFFILIATE} END")
    own = f"WHEN aff = 0 THEN printf('n%012d', i) WHEN {chance(3)}"
    return clicks.replace(f"WHEN {chance(3)}", own) if crowd == "sub-ids" else clicks


LEAST_FREE = 3
"""Bytes that must be free for each byte that a day is going to take: sorting spills."""

BYTES_A_CLICK = 50


def make_day(root: Path, rows: int, share: float = 0.0, crowd: Crowd = "affiliate") -> Path:
    """A lake under `root` with one day of so many clicks, a `share` of them a `crowd` besides its usual part; what is there already
    is kept, file by file, unless it was made by another recipe. Returns the lake's folder."""
    lake = root / (f"day-{rows}-{share}-{crowd}" if share else f"day-{rows}")
    of_clicks = _crowded(share, crowd) if share else _CLICKS
    made, recipe = lake / "recipe", hashlib.sha256((_CLICKS + _CONVERSIONS + _FORMAT + str(BATCH)).encode()).hexdigest()
    if not made.exists() or made.read_text() != recipe:
        shutil.rmtree(lake, ignore_errors=True)
        lake.mkdir(parents=True)
        made.write_text(recipe)
    clicks, conversions = (lake / kind / f"program={PROGRAM}" / _DAY for kind in ("clicks", "conversions"))
    for number, first in enumerate(range(0, rows, BATCH)):
        name = f"20260302T000000000000Z-{number:016x}.parquet"
        if not (conversions / name).exists():
            _enough_room(lake, rows - first)
            last = min(first + BATCH, rows)
            _write(of_clicks.format(rows=rows, first=first, last=last), clicks / name)
            _write(_CONVERSIONS.format(clicks=clicks / name), conversions / name)
            print(f"made {last:,} of {rows:,} clicks", file=sys.stderr, flush=True)
    return lake


def _enough_room(lake: Path, rows: int) -> None:
    needed = rows * BYTES_A_CLICK + LEAST_FREE * min(rows, BATCH) * BYTES_A_CLICK
    if shutil.disk_usage(lake).free < needed:
        raise SystemExit(f"{rows:,} more clicks need {needed / 1e9:.0f} GB of free disk in {lake}.")


def _write(query: str, file: Path) -> None:
    """Writes a query's rows to a file that appears whole or not at all."""
    spill, part = file.parents[3] / "tmp", file.with_suffix(".part")
    for folder in (file.parent, spill):
        folder.mkdir(parents=True, exist_ok=True)
    with closing(duckdb.connect(config={"memory_limit": "4GB", "temp_directory": str(spill)})) as con:
        con.execute(f"COPY ({query}) TO '{part}' {_FORMAT}")
    part.rename(file)
