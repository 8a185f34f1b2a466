"""Targets that a program agrees on with its affiliates: one figure, one number, two dates, and what there is for reaching it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from fraud.domain.scans import Period


class Metric(StrEnum):
    """The figures that a target may be about: those of `Performance`, in its units: shares from 0 to 1, money in one currency."""

    CLICKS = "clicks"
    CONVERSIONS = "conversions"
    REVENUE = "revenue"
    COMMISSION = "commission"
    CONVERSION_RATE = "conversion_rate"
    AVERAGE_ORDER_VALUE = "average_order_value"
    EARNINGS_PER_CLICK = "earnings_per_click"
    NEW_CUSTOMER_SHARE = "new_customer_share"
    REVERSAL_RATE = "reversal_rate"


COUNTED = frozenset({Metric.CLICKS, Metric.CONVERSIONS, Metric.REVENUE, Metric.COMMISSION})
"""What adds up over the period, so that half of it is due by half of the time."""
AT_MOST = frozenset({Metric.REVERSAL_RATE})
"""Where less is better."""
SHARES = frozenset({Metric.CONVERSION_RATE, Metric.NEW_CUSTOMER_SHARE, Metric.REVERSAL_RATE})
"""What lies between 0 and 1."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One target. `affiliate_id` is whose it is, empty for everybody's; the figure is to be reached over `period`."""

    target_id: str
    program_id: str
    affiliate_id: str
    metric: Metric
    goal: Decimal
    period: Period
    set_at: datetime
    set_by: str
    reason: str
    incentive: str = ""
    ended_at: datetime | None = None


class TargetState(StrEnum):
    """How a target stands: reached, on its way there, behind, over without being reached, or without a figure to tell by."""

    MET = "met"
    ON_TRACK = "on_track"
    BEHIND = "behind"
    MISSED = "missed"
    UNKNOWN = "unknown"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an affiliate is. `share` is the part of the goal that is reached (1 and more: all of it), `due` the part of the time that has
    passed; `incentive` is what it has earned, empty until the target is met, and `waits` says what stands in the way of it."""

    target: Target
    affiliate_id: str
    value: Decimal | None
    share: float | None
    due: float
    state: TargetState
    incentive: str = ""
    waits: str = ""
