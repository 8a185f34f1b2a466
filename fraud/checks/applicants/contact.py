"""W30: whether phone and address fit what is declared, and whether the program's own lists know the applicant.

Consistency is scored, never origin: a country is only ever compared with the one the applicant declared.
"""

from __future__ import annotations

from datetime import date

from fraud.checks.applicants.context import VettingFacts
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.networks import EgressClass, countries_agree
from fraud.domain.signals import Evidence, Severity, Signal

_PHONE = CHECKS["application.phone"]
_SIGNUP = CHECKS["application.signup_address"]
_LISTED = CHECKS["application.listed"]
_HIDING = {EgressClass.TOR: "a Tor exit", EgressClass.VPN: "a VPN", EgressClass.HOSTING: "a hosting company"}
_ODD_KINDS = {"toll_free": "a free-call number", "premium": "a premium-rate number"}


def phone(facts: VettingFacts, limits: Limits) -> Signal:
    """A number that exists in its plan, of the declared country, and of a kind that reaches a person."""
    number, declared = facts.audience.phone, facts.application.country.strip().upper()
    if number is None:
        return _PHONE.not_applicable(facts.subject, "The application gives no phone number.")
    value = {"valid": number.valid, "countries": list(number.countries), "kind": number.kind}
    evidence = (Evidence(detail={"field": "phone", **value}),)
    odd = _odd_phone(facts, declared)
    if odd:
        seen = Observation(text=f"The phone number {odd}.", value=value, baseline=declared, evidence=evidence)
        return _PHONE.finding(facts.subject, Severity.LOW, seen)
    if not number.countries or not declared:
        return _PHONE.inconclusive(facts.subject, "There is no country to compare the phone number with.", evidence)
    text = "The phone number is valid" + (" and of the declared country." if not number.assumed_country else " in the declared country.")
    return _PHONE.clear(facts.subject, Observation(text=text, value=value, evidence=evidence))


def _odd_phone(facts: VettingFacts, declared: str) -> str:
    number = facts.audience.phone
    if number is None:
        return ""
    if not number.valid:
        return "does not exist in any numbering plan" if not number.assumed_country else "does not exist in the declared country's plan"
    if number.kind in _ODD_KINDS:
        return f"is {_ODD_KINDS[number.kind]}"
    return "belongs to another country than the declared one" if declared and number.countries and declared not in number.countries else ""


def signup_address(facts: VettingFacts, limits: Limits) -> Signal:
    """The country of the address that the application came from against the declared one, and what kind of exit it is."""
    address, declared = facts.audience.signup, facts.application.country.strip().upper()
    if "signup_ip" not in facts.application.hashes:
        return _SIGNUP.not_applicable(facts.subject, "It is not known which address the application came from.")
    if address is None or not address.known:
        return _SIGNUP.inconclusive(facts.subject, "Nothing is known of the address that the application came from.")
    value = {"country": address.country, "egress_class": address.egress_class.value, "organisation": address.organisation}
    evidence = (Evidence(detail={"field": "signup_ip", **value}),)
    if hiding := _HIDING.get(address.egress_class):
        text = f"The application came through {hiding}, so its country says nothing."
        severity = Severity.INFO if address.egress_class is EgressClass.VPN else Severity.LOW
        return _SIGNUP.finding(facts.subject, severity, Observation(text=text, value=value, evidence=evidence))
    agree = countries_agree(declared, address)
    if agree is None:
        return _SIGNUP.inconclusive(facts.subject, "There are no two countries to compare.", evidence)
    text = "The application came from " + ("the declared country." if agree else "another country than the declared one.")
    seen = Observation(text=text, value=value, baseline=declared, evidence=evidence)
    return _SIGNUP.clear(facts.subject, seen) if agree else _SIGNUP.finding(facts.subject, Severity.LOW, seen)


def listed(facts: VettingFacts, limits: Limits) -> Signal:
    """The program's own lists of known applicants; an entry that has expired says nothing, and a good one never outweighs a bad one."""
    if facts.audience.listed is None:
        return _LISTED.not_applicable(facts.subject, "The program keeps no lists of known applicants.")
    today = facts.as_of.date()
    valid = [entry for entry in facts.audience.listed if not entry.expires or date.fromisoformat(entry.expires) >= today]
    bad = [entry for entry in valid if entry.label == "bad"]
    chosen = bad or valid
    evidence = tuple(
        Evidence(detail={"field": one.field, "label": one.label, "reason": one.reason, "expires": one.expires}) for one in valid
    )
    if not chosen:
        return _LISTED.clear(facts.subject, Observation(text="No valid entry of the program's lists is about this applicant."))
    until = f" until {chosen[0].expires}" if chosen[0].expires else ""
    text = f"By {chosen[0].field} the applicant is on the program's list of known {chosen[0].label} ones{until}: {chosen[0].reason}"
    seen = Observation(text=text, value=len(chosen), evidence=evidence)
    return _LISTED.finding(facts.subject, Severity.HIGH, seen) if bad else _LISTED.clear(facts.subject, seen)
