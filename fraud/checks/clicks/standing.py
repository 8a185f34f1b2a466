"""Where the affiliate stands: what people decided, and what the newest scan saw."""

from __future__ import annotations

from fraud.checks.clicks.facts import ClickFacts, Codes, ManyClickFacts
from fraud.checks.grades import Grade
from fraud.checks.standing import newest_risk, newest_risk_grade, suspension, suspension_grade
from fraud.domain.catalogue import CHECKS, Limits
from fraud.domain.signals import Signal


def affiliate_suspended(facts: ClickFacts, limits: Limits) -> tuple[Signal, ...]:  # takes no threshold: a status is one or is not
    """An affiliate or a sub-ID that was suspended or banned before this click."""
    return (suspension(CHECKS["click.affiliate_suspended"], facts.click.click_id, facts.standing),)


def affiliate_risk(facts: ClickFacts, limits: Limits) -> tuple[Signal, ...]:
    """The affiliate's risk as the newest nightly scan saw it."""
    return (newest_risk(CHECKS["click.affiliate_risk"], facts.click.click_id, facts.standing, limits),)


def suspended_grade(facts: ClickFacts, limits: Limits) -> Grade:  # takes no threshold: a status is one or is not
    """How `affiliate_suspended` ends."""
    return suspension_grade(facts.standing)


def risk_grade(facts: ClickFacts, limits: Limits) -> Grade:
    """How `affiliate_risk` ends."""
    return newest_risk_grade(facts.standing, limits)


def suspended_codes(many: ManyClickFacts, limits: Limits) -> Codes:  # takes no threshold: a status is one or is not
    """`suspended_grade` of many clicks."""
    return many.by_standing(suspension_grade)


def risk_codes(many: ManyClickFacts, limits: Limits) -> Codes:
    """`risk_grade` of many clicks."""
    return many.by_standing(lambda standing: newest_risk_grade(standing, limits))
