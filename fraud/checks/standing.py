"""What stands on record of whoever sent an event: the same questions of a click and of a conversion."""

from __future__ import annotations

import msgspec

from fraud.domain.catalogue import CheckSpec, Limits, Observation
from fraud.domain.signals import Severity, Signal

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
        if status is not None and status.strip().lower() in ENDED:
            seen = Observation(text=f"The {whose} is {status.strip().lower()}.", value=status)
            return spec.finding(subject, Severity.CRITICAL, seen)
    if standing.status is None:
        return spec.inconclusive(subject, "The program's records do not say how the affiliate stands.")
    return spec.clear(subject, Observation(text=f"The affiliate is {standing.status}.", value=standing.status))


def newest_risk(spec: CheckSpec, subject: str, standing: AffiliateStanding, limits: Limits) -> Signal:
    """The affiliate's risk as the newest nightly scan saw it."""
    if standing.risk is None:
        return spec.inconclusive(subject, "No scan has looked at this affiliate yet.")
    held = " and holds its commission" if standing.held else ""
    text = f"The newest scan sees the affiliate's risk at {standing.risk:.2f}{held}."
    seen = Observation(text=text, value=standing.risk, baseline=limits["minimum_risk"])
    found = standing.held or standing.risk >= limits["minimum_risk"]
    return spec.finding(subject, Severity.HIGH, seen) if found else spec.clear(subject, seen)


def declaration(spec: CheckSpec, subject: str, agent: AgentFacts, severity: Severity) -> Signal:
    """C06: a user agent that says itself that it is automated."""
    if agent.declared_bot:
        text = f"The user agent declares itself automated ({agent.why or 'no reason kept'})."
        return spec.finding(subject, severity, Observation(text=text, value=agent.why))
    return spec.clear(subject, Observation(text="The user agent is a browser's or an app's."))
