"""Whether an applicant is somebody already known: an affiliate, or an earlier applicant, rejected ones included."""

from __future__ import annotations

from fraud.checks.applicants.context import VettingFacts
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.graph_view import KnownMatch
from fraud.domain.signals import Evidence, Severity, Signal

_SPEC = CHECKS["application.known_identity"]
_REFUSED = ("confirmed bad", "applied: reject")
_MOST_NAMED = 10


def known_identity(facts: VettingFacts, limits: Limits) -> Signal:
    """Grave when an identity is that of somebody confirmed bad or rejected, serious when it is anybody else's; a mailbox, an address or a
    website in common is a milder matter."""
    if facts.known is None:
        return _SPEC.not_applicable(facts.subject, "There were no accounts and no earlier applicants to compare with.")
    if not facts.known:
        return _SPEC.clear(facts.subject, Observation(text="Nobody known so far states the same details."))
    gravest = max(facts.known, key=lambda match: _severity(match).rank)
    more = len(facts.known) - 1
    seen = Observation(
        text=gravest.text + (f" So do {more} more in part." if more else ""),
        value={"matches": len(facts.known), "standing": gravest.standing},
        evidence=tuple(_evidence(match) for match in facts.known[:_MOST_NAMED]),
    )
    return _SPEC.finding(facts.subject, _severity(gravest), seen)


def _severity(match: KnownMatch) -> Severity:
    refused = match.standing in _REFUSED
    if match.tier == "identity":
        return Severity.CRITICAL if refused else Severity.HIGH
    if match.tier == "strong":
        return Severity.HIGH if refused else Severity.MEDIUM
    return Severity.MEDIUM if refused else Severity.LOW


def _evidence(match: KnownMatch) -> Evidence:
    return Evidence(detail={match.role: match.other, "shared": match.shared, "standing": match.standing, "text": match.text})
