"""The visit of the landing page, as the tag there reported it."""

from __future__ import annotations

from fraud.checks.conversions.facts import ConversionFacts
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Severity, Signal

SIGNS = {
    "visit_driven": "the browser said that a program drives it",
    "visit_odd_window": "the page stood in a window that shows nothing",
    "visit_unseen": "the page was never visible",
    "visit_untouched": "the page was left untouched",
    "visit_odd_times": "its times contradict each other",
}
"""How each mark of a visit is spoken of."""


def visit(facts: ConversionFacts, limits: Limits) -> Signal:
    """Signs that nobody stood before the landing page; unknown without a report."""
    spec, subject = CHECKS["conversion.visit"], facts.conversion.conversion_id
    told = {name: facts.features.get(name) for name in SIGNS}
    signs = [SIGNS[name] for name, value in told.items() if value]
    if all(value is None for value in told.values()):
        return spec.inconclusive(subject, "The tag had not reported a visit of the landing page.")
    if not signs:
        return spec.clear(subject, Observation(text="The visit of the landing page looks like a person's.", value=0, unit="signs"))
    text = f"On the landing page {', and '.join(signs)}."
    grave = bool(told["visit_driven"]) or len(signs) >= limits["signs_for_high"]
    return spec.finding(
        subject, Severity.HIGH if grave else Severity.MEDIUM, Observation(text=text, value=len(signs), baseline=0, unit="signs")
    )
