"""The shape of an affiliate's traffic beside that of everybody else: hours, delays, referrers, and its conversions one by one."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from fraud.domain.scans import Period


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """One bar: its label, how often it was seen, the affiliate's share, and that of all others (`None` where there are no others)."""

    label: str
    count: int
    own: float
    others: float | None


class ConversionSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One conversion with what speaks for or against it; `delay_seconds` from its click, `None` without a known click."""

    conversion_id: str
    converted_at: datetime
    click_id: str | None
    delay_seconds: float | None
    offer_id: str | None
    sub_id: str | None
    amount: Decimal | None
    commission: Decimal | None
    currency: str | None
    status: str | None


class TrafficShape(msgspec.Struct, frozen=True, kw_only=True):
    """One affiliate's window: clicks by hour of day (UTC), conversions by their delay beside the same offers of others, clicks by where
    they came from."""

    window: Period
    hours: tuple[Bin, ...]
    delays: tuple[Bin, ...]
    referrers: tuple[Bin, ...]
