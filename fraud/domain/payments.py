"""The payment run: what is to be paid for each conversion of a period, what waits, what is not owed, and why."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from fraud.domain.scans import Period


class PayAction(StrEnum):
    """What happens to a conversion's commission."""

    PAY = "pay"
    HOLD = "hold"
    REJECT = "reject"


class PaymentLine(msgspec.Struct, frozen=True, kw_only=True):
    """One conversion of the run. `reasons` are the full ones, for the manager; `public_reason` is what the affiliate may be told;
    `decision_id` leads to the evidence."""

    conversion_id: str
    affiliate_id: str
    converted_at: datetime
    action: PayAction
    reasons: tuple[str, ...]
    public_reason: str = ""
    decision_id: str = ""
    offer_id: str | None = None
    sub_id: str | None = None
    order_id: str | None = None
    commission: Decimal | None = None
    currency: str | None = None


class PaymentTotal(msgspec.Struct, frozen=True, kw_only=True):
    """Conversions and commission of one action in one currency (empty: unknown); `unknown` counts those whose commission nobody knows."""

    action: PayAction
    currency: str
    conversions: int
    commission: Decimal
    unknown: int


class PaymentRun(msgspec.Struct, frozen=True, kw_only=True):
    """A period's run: every conversion once, in the order they happened, and the totals."""

    program_id: str
    period: Period
    made_at: datetime
    lines: tuple[PaymentLine, ...]
    totals: tuple[PaymentTotal, ...]
