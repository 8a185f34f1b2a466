"""What the click's own user agent says."""

from __future__ import annotations

from fraud.checks.clicks.facts import ClickFacts
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Severity, Signal


def declared_bot(facts: ClickFacts, limits: Limits) -> tuple[Signal, ...]:  # takes no threshold: a declaration is one or is not
    """C06: a user agent that says itself that it is automated."""
    spec, subject = CHECKS["click.declared_bot"], facts.click.click_id
    if facts.agent is None:
        return (spec.inconclusive(subject, "The click names no user agent."),)
    if facts.agent.declared_bot:
        text = f"The user agent declares itself automated ({facts.agent.why or 'no reason kept'})."
        return (spec.finding(subject, Severity.HIGH, Observation(text=text, value=facts.agent.why)),)
    return (spec.clear(subject, Observation(text="The user agent is a browser's or an app's.")),)
