"""Where the affiliate stands: what people decided, and what the newest scan saw."""

from __future__ import annotations

import math

import numpy as np

from fraud.checks.clicks.facts import ClickFacts, Codes, ManyClickFacts
from fraud.checks.grades import CODES, Grade
from fraud.checks.standing import AffiliateStanding, newest_risk, newest_risk_grade, suspension, suspension_grade
from fraud.domain.catalogue import CHECKS, Limits
from fraud.domain.signals import Severity, Signal, Status


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
    different = many.standings.different
    codes = {alike: CODES[_suspension(*alike)] for alike in {(one.status, one.sub_id_status) for one in different}}
    return np.array([codes[one.status, one.sub_id_status] for one in different])[many.standings.numbers]


def _suspension(status: str | None, sub_id_status: str | None) -> Grade:
    return suspension_grade(AffiliateStanding(status=status, sub_id_status=sub_id_status))


def risk_codes(many: ManyClickFacts, limits: Limits) -> Codes:
    """`risk_grade` of many clicks."""
    different, least = many.standings.different, limits["minimum_risk"]
    risk = np.array([math.nan if standing.risk is None else standing.risk for standing in different])
    found = (risk >= least) | np.array([standing.held for standing in different])
    return np.where(np.isnan(risk), CODES[Status.INCONCLUSIVE], np.where(found, CODES[Severity.HIGH], CODES[Status.CLEAR]))[
        many.standings.numbers
    ]
