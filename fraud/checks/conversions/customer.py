"""Who converted: again and again, with the same order, or the affiliate themselves."""

from __future__ import annotations

from fraud.checks.conversions.facts import ConversionFacts
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Severity, Signal


def repeat_customer(facts: ConversionFacts, limits: Limits) -> Signal:
    """C18: one customer or device too often within a day."""
    spec, subject = CHECKS["conversion.repeat_customer"], facts.conversion.conversion_id
    known = _known(facts, "customer_conversions_24h", "device_conversions_24h")
    if not known:
        return spec.inconclusive(subject, "Neither customer nor device is known.")
    most = max(known)
    text = f"It is conversion {most:,.0f} of this customer or device for the affiliate within a day."
    seen = Observation(text=text, value=most, baseline=limits["maximum_per_day"], unit="conversions")
    return spec.finding(subject, Severity.HIGH, seen) if most > limits["maximum_per_day"] else spec.clear(subject, seen)


def repeat_order(facts: ConversionFacts, limits: Limits) -> Signal:  # takes no threshold: twice is once too often
    """The order, or the click's goal, was reported before under another conversion."""
    spec, subject = CHECKS["conversion.repeat_order"], facts.conversion.conversion_id
    order, same_click = facts.features.get("order_conversions_24h"), facts.features.get("click_conversions_24h")
    if order is not None and order > 1:
        text = f"The order {facts.conversion.order_id} was reported {order:,.0f} times within a day."
        return spec.finding(subject, Severity.HIGH, Observation(text=text, value=order, baseline=1, unit="conversions"))
    if order is None and same_click is not None and same_click > 1:
        text = f"The click {facts.conversion.click_id} converted {same_click:,.0f} times within a day."
        return spec.finding(subject, Severity.MEDIUM, Observation(text=text, value=same_click, baseline=1, unit="conversions"))
    if not _known(facts, "order_conversions_24h", "click_conversions_24h"):
        return spec.inconclusive(subject, "The conversion names neither order nor click.")
    return spec.clear(subject, Observation(text="It was not reported before.", value=1))


def self_referral(facts: ConversionFacts, limits: Limits) -> Signal:  # takes no threshold: an identity is the same or is not
    """C19: the customer's e-mail address, phone number or device is the affiliate's own."""
    spec, subject = CHECKS["conversion.self_referral"], facts.conversion.conversion_id
    if facts.own_identities is None:
        return spec.inconclusive(subject, "Nothing of the customer can be compared with the affiliate's own record.")
    if not facts.own_identities:
        return spec.clear(subject, Observation(text="The customer shares nothing with the affiliate's own record."))
    text = f"The customer has the affiliate's own {' and '.join(facts.own_identities)}."
    return spec.finding(subject, Severity.CRITICAL, Observation(text=text, value=", ".join(facts.own_identities)))


def disposable_email(facts: ConversionFacts, limits: Limits) -> Signal:  # takes no threshold: a provider is on the list or is not
    """A throw-away mailbox."""
    spec, subject = CHECKS["conversion.disposable_email"], facts.conversion.conversion_id
    kind, domain = facts.conversion.customer_email_kind, facts.conversion.customer_email_domain
    if kind is None:
        return spec.inconclusive(subject, "The customer's e-mail address is not known.")
    if kind == "disposable":
        return spec.finding(subject, Severity.LOW, Observation(text=f"{domain} is a provider of throw-away mailboxes.", value=domain))
    return spec.clear(subject, Observation(text="The customer's mailbox is of a lasting kind.", value=kind))


def form_time(facts: ConversionFacts, limits: Limits) -> Signal:
    """C18: a form sent sooner than a person fills it."""
    spec, subject = CHECKS["conversion.form_time"], facts.conversion.conversion_id
    if facts.conversion.form_ms is None:
        return spec.inconclusive(subject, "How long the form took is not known.")
    seconds = facts.conversion.form_ms / 1000
    limit = limits["minimum_form_ms"] / 1000
    seen = Observation(text=f"The form took {seconds:,.3g} s.", value=seconds, baseline=limit, unit="s")
    return spec.finding(subject, Severity.MEDIUM, seen) if seconds < limit else spec.clear(subject, seen)


def _known(facts: ConversionFacts, *names: str) -> list[float]:
    return [value for name in names if (value := facts.features.get(name)) is not None]
