"""Whether the conversion is the affiliate's: its click, the time between them, and who else had sent the visitor."""

from __future__ import annotations

from fraud.checks.conversions.facts import ConversionFacts
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Severity, Signal

_NO_CLICK = "The conversion names no click."
_NOT_LOOKED_FOR = {
    "unreadable": "The records of clicks could not be read.",
    "unnamed": _NO_CLICK,
}


def click(facts: ConversionFacts, limits: Limits) -> Signal:  # takes no threshold: a click is on record or is not
    """C28: the click is on record, is the same affiliate's, and came before."""
    spec, subject = CHECKS["conversion.click"], facts.conversion.conversion_id
    if why := _NOT_LOOKED_FOR.get(facts.click_state):
        return spec.inconclusive(subject, why)
    if facts.click is None:
        text = f"The click {facts.conversion.click_id} is nowhere on record."
        return spec.finding(subject, Severity.MEDIUM, Observation(text=text, value=facts.conversion.click_id))
    if facts.click.affiliate_id != facts.conversion.affiliate_id:
        text = f"The click {facts.click.click_id} is another affiliate's."
        return spec.finding(subject, Severity.HIGH, Observation(text=text, value=facts.click.click_id))
    delay = facts.delay_s
    if delay is not None and delay < 0:
        return spec.finding(subject, Severity.HIGH, Observation(text=f"The click came {-delay:,.3g} s after it.", value=delay, unit="s"))
    return spec.clear(subject, Observation(text="Its click is on record and is the same affiliate's."))


def delay(facts: ConversionFacts, limits: Limits) -> Signal:
    """C15: sooner after the click than people are."""
    spec, subject = CHECKS["conversion.delay"], facts.conversion.conversion_id
    seconds = facts.delay_s
    if seconds is None or seconds < 0:
        return spec.inconclusive(subject, "The time between click and conversion is not known.")
    seen = Observation(text=f"It came {seconds:,.3g} s after its click.", value=seconds, baseline=limits["minimum_seconds"], unit="s")
    if seconds >= limits["minimum_seconds"]:
        return spec.clear(subject, seen)
    return spec.finding(subject, Severity.HIGH if seconds < limits["high_seconds"] else Severity.MEDIUM, seen)


def overwrite(facts: ConversionFacts, limits: Limits) -> Signal:
    """C16: the visitor had come through somebody else moments before, and the own click is the last thing before the order."""
    spec, subject = CHECKS["conversion.overwrite"], facts.conversion.conversion_id
    affiliates, seconds = facts.features.get("visitor_affiliates_10m"), facts.delay_s
    if affiliates is None or seconds is None or seconds < 0:
        return spec.inconclusive(subject, "The visitor, or the click, is not known.")
    text = f"The visitor came through {affiliates:,.0f} affiliates in ten minutes, through this one {seconds:,.3g} s before the conversion."
    seen = Observation(text=text, value=affiliates, baseline=1, unit="affiliates")
    found = affiliates > 1 and seconds <= limits["maximum_delay_seconds"]
    return spec.finding(subject, Severity.MEDIUM, seen) if found else spec.clear(subject, seen)
