"""What stands on record of whoever sent an event: the same questions of a click and of a conversion."""

from __future__ import annotations

import msgspec

from fraud.checks.grades import Grade
from fraud.domain.catalogue import CheckSpec, Limits, Observation
from fraud.domain.signals import Severity, Signal, Status

ENDED = frozenset({"suspended", "banned", "terminated", "blocked"})
"""The words (lower case) by which programs say that somebody's traffic is no longer wanted."""


class AgentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the user agent declares: whether it says itself that it is a robot, and the part that says so."""

    declared_bot: bool
    why: str | None = None


class AffiliateStanding(msgspec.Struct, frozen=True, kw_only=True):
    """Where the affiliate and the sub-ID stand: the program's own status, and the newest scan's risk and whether it
    held the commission. `None` is unknown."""

    status: str | None = None
    sub_id_status: str | None = None
    risk: float | None = None
    held: bool = False
    scan_id: str | None = None


def suspension(spec: CheckSpec, subject: str, standing: AffiliateStanding) -> Signal:
    """An affiliate or a sub-ID that was suspended or banned before the event."""
    for status, whose in ((standing.status, "affiliate"), (standing.sub_id_status, "sub-ID")):
        if status is not None and is_ended(status):
            seen = Observation(text=f"The {whose} is {status.strip().lower()}.", value=status)
            return spec.finding(subject, Severity.CRITICAL, seen)
    if standing.status is None:
        return spec.inconclusive(subject, "The program's records do not say how the affiliate stands.")
    return spec.clear(subject, Observation(text=f"The affiliate is {standing.status}.", value=standing.status))


def suspension_grade(standing: AffiliateStanding) -> Grade:
    """How `suspension` ends."""
    if is_ended(standing.status) or is_ended(standing.sub_id_status):
        return Severity.CRITICAL
    return Status.INCONCLUSIVE if standing.status is None else Status.CLEAR


def is_ended(status: str | None) -> bool:
    """Whether a status means that the traffic is no longer wanted."""
    return status is not None and status.strip().lower() in ENDED


def newest_risk(spec: CheckSpec, subject: str, standing: AffiliateStanding, limits: Limits) -> Signal:
    """The affiliate's risk as the newest nightly scan saw it."""
    if standing.risk is None:
        return spec.inconclusive(subject, "No scan has looked at this affiliate yet.")
    held = " and holds its commission" if standing.held else ""
    text = f"The newest scan sees the affiliate's risk at {standing.risk:.2f}{held}."
    seen = Observation(text=text, value=standing.risk, baseline=limits["minimum_risk"])
    grade = newest_risk_grade(standing, limits)
    return spec.finding(subject, grade, seen) if isinstance(grade, Severity) else spec.clear(subject, seen)


def newest_risk_grade(standing: AffiliateStanding, limits: Limits) -> Grade:
    """How `newest_risk` ends."""
    if standing.risk is None:
        return Status.INCONCLUSIVE
    return Severity.HIGH if standing.held or standing.risk >= limits["minimum_risk"] else Status.CLEAR


def declaration(spec: CheckSpec, subject: str, agent: AgentFacts, severity: Severity) -> Signal:
    """C06: a user agent that says itself that it is automated."""
    if agent.declared_bot:
        text = f"The user agent declares itself automated ({agent.why or 'no reason kept'})."
        return spec.finding(subject, severity, Observation(text=text, value=agent.why))
    return spec.clear(subject, Observation(text="The user agent is a browser's or an app's."))
