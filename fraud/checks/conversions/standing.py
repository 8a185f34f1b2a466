"""What is known of the affiliate and of the agent behind a conversion."""

from __future__ import annotations

from fraud.checks.conversions.facts import ConversionFacts
from fraud.checks.standing import declaration, newest_risk, suspension
from fraud.domain.catalogue import CHECKS, Limits
from fraud.domain.signals import Severity, Signal


def declared_bot(facts: ConversionFacts, limits: Limits) -> Signal:  # takes no threshold: a declaration is one or is not
    """C06; milder than of a click, because a server that reports conversions may send its own user agent."""
    spec, subject = CHECKS["conversion.declared_bot"], facts.conversion.conversion_id
    if facts.agent is None:
        return spec.inconclusive(subject, "Neither the conversion nor its click names a user agent.")
    return declaration(spec, subject, facts.agent, Severity.MEDIUM)


def affiliate_suspended(facts: ConversionFacts, limits: Limits) -> Signal:  # takes no threshold: a status is one or is not
    """An affiliate or a sub-ID that was suspended or banned before this conversion."""
    return suspension(CHECKS["conversion.affiliate_suspended"], facts.conversion.conversion_id, facts.standing)


def affiliate_risk(facts: ConversionFacts, limits: Limits) -> Signal:
    """The affiliate's risk as the newest nightly scan saw it."""
    return newest_risk(CHECKS["conversion.affiliate_risk"], facts.conversion.conversion_id, facts.standing, limits)
