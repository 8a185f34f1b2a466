"""Checks of a single click, by the ids of the catalogue: pure functions of `ClickFacts` and the policy's limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fraud.checks.clicks.device import declared_bot
from fraud.checks.clicks.facts import ClickFacts
from fraud.checks.clicks.standing import affiliate_risk, affiliate_suspended
from fraud.checks.clicks.volume import anomaly, burst, duplicate
from fraud.domain.catalogue import Limits
from fraud.domain.signals import Signal

ClickCheck = Callable[[ClickFacts, Limits], tuple[Signal, ...]]
"""A check of one click: what it saw, and the thresholds of the policy, give signals."""

CLICK_CHECK_FUNCTIONS: Mapping[str, ClickCheck] = {
    "click.declared_bot": declared_bot,
    "click.duplicate": duplicate,
    "click.burst": burst,
    "click.affiliate_suspended": affiliate_suspended,
    "click.affiliate_risk": affiliate_risk,
    "click.anomaly": anomaly,
}
"""Every check of a click by its id."""
