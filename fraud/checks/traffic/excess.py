"""C26: earnings that visitors do not explain. What it finds is always mild: honest windfalls look the same."""

from __future__ import annotations

import msgspec

from fraud.checks.traffic.facts import TrafficFacts
from fraud.checks.traffic.shares import ShareRule, judge_share
from fraud.domain.catalogue import Limits
from fraud.domain.signals import Severity, Signal

EXCESS = ShareRule(
    check_id="traffic.excess_earnings",
    feature="excess_earnings_share",
    support="minimum_buyers",
    beside="excess_earnings_share",
    sentence="{value:.0%} of the commission from {n:,} buyers lies beyond what comparable affiliates earn with as many visitors",
)
_NO_SHARE = 2.0
"""No share is as high: nothing that this rule sees is grave."""


def excess_earnings(facts: TrafficFacts, limits: Limits) -> tuple[Signal, ...]:
    """Commission beyond the envelope of comparable affiliates, with support, effect, significance and distance from peers together.

    Of twelve findings on two tuning seeds five were webinars and three coupon days, so it asks for a look and moves no score.
    """
    signal = judge_share(EXCESS, facts, {**limits, "high_share": _NO_SHARE})
    return (msgspec.structs.replace(signal, severity=Severity.LOW) if signal.found else signal,)
