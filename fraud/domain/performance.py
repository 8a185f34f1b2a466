"""How an affiliate does: the figures that it and its manager look at, for a period. `None` is unknown, never zero."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from fraud.domain.scans import Period


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """One affiliate's figures in one currency (that of most conversions). Conversions that were rejected, refunded or charged back are
    counted in `reversed` and in no amount."""

    affiliate_id: str
    period: Period
    clicks: int
    conversions: int
    reversed: int
    currency: str | None = None
    revenue: Decimal | None = None
    commission: Decimal | None = None
    new_customers: int | None = None
    customers_known: int = 0
    settled: int = 0

    @property
    def conversion_rate(self) -> float | None:
        """Conversions a click."""
        return self.conversions / self.clicks if self.clicks else None

    @property
    def average_order_value(self) -> Decimal | None:
        """Revenue a conversion that stood."""
        stood = self.conversions - self.reversed
        return None if self.revenue is None or stood <= 0 else self.revenue / stood

    @property
    def earnings_per_click(self) -> Decimal | None:
        """Commission a click."""
        return None if self.commission is None or not self.clicks else self.commission / self.clicks

    @property
    def new_customer_share(self) -> float | None:
        """New customers among those the shop knows as new or not."""
        return None if self.new_customers is None or not self.customers_known else self.new_customers / self.customers_known

    @property
    def reversal_rate(self) -> float | None:
        """Reversed conversions among those that are settled either way."""
        return self.reversed / self.settled if self.settled else None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What the affiliate is told: what was noticed in plain words, what it may change, and how to contest. No detector, nobody else.

    `meanwhile` says what happens to its commission until somebody has decided; `as_of` is up to when its traffic was looked at.
    """

    said: str
    change: tuple[str, ...]
    contest: str
    meanwhile: str = ""
    as_of: datetime | None = None
