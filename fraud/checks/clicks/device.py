"""What the click's own user agent says."""

from __future__ import annotations

from fraud.checks.clicks.facts import ClickFacts, Codes, ManyClickFacts
from fraud.checks.grades import Grade
from fraud.checks.standing import AgentFacts, declaration
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
    return _agent_grade(facts.agent)


def declared_bot_codes(many: ManyClickFacts, limits: Limits) -> Codes:  # takes no threshold: a declaration is one or is not
    """`declared_bot_grade` of many clicks."""
    return many.by_agent(_agent_grade)


def _agent_grade(agent: AgentFacts | None) -> Grade:
    if agent is None:
        return Status.INCONCLUSIVE
    return Severity.HIGH if agent.declared_bot else Status.CLEAR
