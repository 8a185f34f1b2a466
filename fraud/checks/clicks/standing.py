"""Where the affiliate stands: what people decided, and what the newest scan saw."""

from __future__ import annotations

from fraud.checks.clicks.facts import ClickFacts
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Severity, Signal

ENDED = frozenset({"suspended", "banned", "terminated", "blocked"})
"""The words (lower case) by which programs say that somebody's traffic is no longer wanted."""


def affiliate_suspended(facts: ClickFacts, limits: Limits) -> tuple[Signal, ...]:  # takes no threshold: a status is one or is not
    """An affiliate or a sub-ID that was suspended or banned before this click."""
    spec, subject = CHECKS["click.affiliate_suspended"], facts.click.click_id
    standing = facts.standing
    for status, whose in ((standing.status, "affiliate"), (standing.sub_id_status, "sub-ID")):
        if status is not None and status.strip().lower() in ENDED:
            return (spec.finding(subject, Severity.CRITICAL, Observation(text=f"The {whose} is {status.strip().lower()}.", value=status)),)
    if standing.status is None:
        return (spec.inconclusive(subject, "The program's records do not say how the affiliate stands."),)
    return (spec.clear(subject, Observation(text=f"The affiliate is {standing.status}.", value=standing.status)),)


def affiliate_risk(facts: ClickFacts, limits: Limits) -> tuple[Signal, ...]:
    """The affiliate's risk as the newest nightly scan saw it."""
    spec, subject = CHECKS["click.affiliate_risk"], facts.click.click_id
    risk = facts.standing.risk
    if risk is None:
        return (spec.inconclusive(subject, "No scan has looked at this affiliate yet."),)
    held = " and holds its commission" if facts.standing.held else ""
    seen = Observation(text=f"The newest scan sees the affiliate's risk at {risk:.2f}{held}.", value=risk, baseline=limits["minimum_risk"])
    found = facts.standing.held or risk >= limits["minimum_risk"]
    return (spec.finding(subject, Severity.HIGH, seen) if found else spec.clear(subject, seen),)
