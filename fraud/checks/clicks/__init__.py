"""Checks of a single click, by the ids of the catalogue: pure functions of `ClickFacts` and the policy's limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fraud.checks.clicks.device import declared_bot, declared_bot_codes, declared_bot_grade
from fraud.checks.clicks.facts import ClickFacts, Codes, ManyClickFacts
from fraud.checks.clicks.standing import affiliate_risk, affiliate_suspended, risk_codes, risk_grade, suspended_codes, suspended_grade
from fraud.checks.clicks.volume import (
    anomaly,
    anomaly_codes,
    anomaly_grade,
    burst,
    burst_codes,
    burst_grade,
    duplicate,
    duplicate_codes,
    duplicate_grade,
)
from fraud.checks.grades import Grade
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

ClickGrade = Callable[[ClickFacts, Limits], Grade]
"""How a check ends, without its words."""

CLICK_GRADES: Mapping[str, ClickGrade] = {
    "click.declared_bot": declared_bot_grade,
    "click.duplicate": duplicate_grade,
    "click.burst": burst_grade,
    "click.affiliate_suspended": suspended_grade,
    "click.affiliate_risk": risk_grade,
    "click.anomaly": anomaly_grade,
}
"""How each check of a click ends; the checks themselves put it into words."""

ClickCodes = Callable[[ManyClickFacts, Limits], Codes]
"""How a check of many clicks ends, by the numbers of grades (clicks,)."""

CLICK_CODES: Mapping[str, ClickCodes] = {
    "click.declared_bot": declared_bot_codes,
    "click.duplicate": duplicate_codes,
    "click.burst": burst_codes,
    "click.affiliate_suspended": suspended_codes,
    "click.affiliate_risk": risk_codes,
    "click.anomaly": anomaly_codes,
}
"""The grades of many clicks at once; each says what its check's grade says of one."""
