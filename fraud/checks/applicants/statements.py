"""What an application states of its own: an address, a description, an e-mail address that takes mail."""

from __future__ import annotations

import re

from fraud.checks.applicants.context import VettingFacts
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Evidence, Severity, Signal

_MAIL = CHECKS["application.mail_server"]
_STATED = CHECKS["application.statements"]

_WORD = re.compile(r"[^\W\d_]+")
_LATIN = re.compile(r"[a-zß-öø-ÿ]", re.IGNORECASE)
_VOWELS = re.compile(r"[aeiouyà-æè-ïò-öù-ýÿ]", re.IGNORECASE)
_FEWEST_LETTERS = 12
_ADDRESS_SAID = {"short": "is very short", "no_number": "has no number", "post_box": "is a post box"}


def mail_server(facts: VettingFacts, limits: Limits) -> Signal:
    """W30: the e-mail's domain has a mail server, or at least an address (RFC 5321 5.1 delivers there)."""
    records = facts.mail
    if not facts.application.email_domain:
        return _MAIL.not_applicable(facts.subject, "The application gives no e-mail address.")
    if records is None:
        return _MAIL.not_applicable(facts.subject, "The e-mail address's domain was not looked up.")
    if records.failure:
        return _MAIL.inconclusive(facts.subject, records.failure)
    servers = [name for name in records.mail_servers if name]
    evidence = (Evidence(detail={"domain": records.name, "mail_servers": servers, "exists": records.exists}),)
    null_record = bool(records.mail_servers) and not servers  # RFC 7505: a lone dot says that no mail is taken
    if servers or (records.addresses and not null_record):
        text = f"{records.name} takes mail at {servers[0] if servers else 'its own address'}."
        return _MAIL.clear(facts.subject, Observation(text=text, value=servers, evidence=evidence))
    text = f"{records.name} {'takes no mail' if records.exists else 'does not exist'}, so the e-mail address cannot work."
    return _MAIL.finding(facts.subject, Severity.HIGH, Observation(text=text, value=servers, evidence=evidence))


def statements(facts: VettingFacts, limits: Limits) -> Signal:
    """W30: an odd postal address, or a description of too few or unspeakable words; neither weighs much."""
    signs, description = facts.application.address_signs, facts.application.description
    odd = [f"the postal address {_ADDRESS_SAID[sign]}" for sign in signs]
    if description.strip() and (what := _says_nothing(description, limits)):
        odd.append(what)
    if not (description.strip() or "address" in facts.application.hashes):
        return _STATED.not_applicable(facts.subject, "The application gives neither an address nor a description.")
    evidence = (Evidence(excerpt=description[:200], detail={"address": list(signs)}),)
    if not odd:
        return _STATED.clear(facts.subject, Observation(text="Address and description are complete.", evidence=evidence))
    text = f"{' and '.join(odd)}.".capitalize()
    return _STATED.finding(facts.subject, Severity.LOW, Observation(text=text, value=odd, evidence=evidence))


def _says_nothing(description: str, limits: Limits) -> str:
    words = _WORD.findall(description)
    latin = _LATIN.findall(description)
    if len(latin) >= _FEWEST_LETTERS and len(_VOWELS.findall(description)) / len(latin) < limits["minimum_vowel_share"]:
        return "the description is no language"
    spoken = len(words) + sum(not word.isascii() and len(word) > 4 for word in words)  # scripts that write words together
    return f"the description has {len(words)} word(s)" if spoken < limits["minimum_words"] else ""
