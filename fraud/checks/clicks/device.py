"""What the click's own user agent says."""

from __future__ import annotations

from fraud.checks.clicks.facts import ClickFacts
from fraud.checks.grades import Grade
from fraud.checks.standing import declaration
from fraud.domain.catalogue import CHECKS, Limits
from fraud.domain.signals import Severity, Signal, Status


def declared_bot(facts: ClickFacts, limits: Limits) -> tuple[Signal, ...]:  # takes no threshold: a declaration is one or is not
    """C06: a user agent that says itself that it is automated."""
    spec, subject = CHECKS["click.declared_bot"], facts.click.click_id
    if facts.agent is None:
        return (spec.inconclusive(subject, "The click names no user agent."),)
    return (declaration(spec, subject, facts.agent, Severity.HIGH),)


def declared_bot_grade(facts: ClickFacts, limits: Limits) -> Grade:  # takes no threshold: a declaration is one or is not
    """How `declared_bot` ends."""
    if facts.agent is None:
        return Status.INCONCLUSIVE
    return Severity.HIGH if facts.agent.declared_bot else Status.CLEAR
