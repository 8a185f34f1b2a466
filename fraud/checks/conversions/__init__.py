"""Checks of a single conversion, by the ids of the catalogue: pure functions of `ConversionFacts` and the policy's limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fraud.checks.conversions.attribution import click, delay, overwrite
from fraud.checks.conversions.customer import disposable_email, form_time, repeat_customer, repeat_order, self_referral
from fraud.checks.conversions.facts import ConversionFacts
from fraud.checks.conversions.standing import affiliate_risk, affiliate_suspended, declared_bot
from fraud.checks.conversions.visit import visit
from fraud.domain.catalogue import Limits
from fraud.domain.signals import Signal

ConversionCheck = Callable[[ConversionFacts, Limits], Signal]
"""A check of one conversion: what it saw, and the thresholds of the policy, give a signal."""

CONVERSION_CHECK_FUNCTIONS: Mapping[str, ConversionCheck] = {
    "conversion.click": click,
    "conversion.delay": delay,
    "conversion.overwrite": overwrite,
    "conversion.repeat_customer": repeat_customer,
    "conversion.repeat_order": repeat_order,
    "conversion.self_referral": self_referral,
    "conversion.disposable_email": disposable_email,
    "conversion.form_time": form_time,
    "conversion.declared_bot": declared_bot,
    "conversion.visit": visit,
    "conversion.affiliate_suspended": affiliate_suspended,
    "conversion.affiliate_risk": affiliate_risk,
}
"""Every check of a conversion by its id."""
