"""Checks of an applicant, by the ids of the catalogue: each reads facts and thresholds and gives a signal, and never fetches."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fraud.checks.applicants import (
    backlinks,
    brand,
    browsing,
    cloaking,
    contact,
    disclosure,
    fit,
    identity,
    known,
    likeness,
    live_links,
    prohibited,
    reach,
    registry,
    reviews,
    safety,
    social,
    standing,
    statements,
    tracking,
    writing,
)
from fraud.checks.applicants.context import VettingFacts, Visit
from fraud.domain.catalogue import Limits
from fraud.domain.signals import Signal

SITE_CHECKS: Mapping[str, Callable[[Visit, Limits], Signal]] = {
    "website.reachable": reach.reachable,
    "website.parked": reach.parked,
    "website.thin": reach.thin,
    "website.hidden_tracking": tracking.hidden_tracking,
    "website.affiliate_links": tracking.affiliate_links,
    "website.disclosure": disclosure.disclosure,
    "website.identity_pages": identity.identity_pages,
    "website.language": fit.language,
    "website.topic": fit.topic,
    "website.brand_in_domain": brand.brand_in_domain,
    "website.any_address_answers": standing.any_address_answers,
    "website.copied": likeness.copied,
    "website.machine_made": writing.machine_made,
    "website.doorways": writing.doorways,
    "website.cloaking": cloaking.cloaking,
    "website.domain_age": registry.domain_age,
    "website.registration_status": registry.registration_status,
    "website.certificate": registry.certificate,
    "website.prohibited": prohibited.prohibited,
    "website.freshness": standing.freshness,
    "website.shared_accounts": likeness.shared_accounts,
    "website.template_farm": likeness.template_farm,
    "website.malware": safety.malware,
    "website.made_for_ads": standing.made_for_ads,
    "website.rank": standing.rank,
    "website.concealed_links": safety.concealed_links,
    "website.injected": cloaking.injected,
    "website.software": safety.software,
    "website.browser": browsing.browser,
    "website.ownership": standing.ownership,
    "audience.reviews": reviews.reviews,
}
"""Checks that look at one site at a time."""

NAME_CHECKS = frozenset(
    {"website.brand_in_domain", "website.domain_age", "website.registration_status", "website.certificate", "website.malware"}
)
"""Checks of a site that have something to say although it did not answer."""

APPLICATION_CHECKS: Mapping[str, Callable[[VettingFacts, Limits], Signal | tuple[Signal, ...]]] = {
    "website.social_profiles": identity.social_profiles,
    "application.email_domain": identity.email_domain,
    "application.mail_server": statements.mail_server,
    "application.statements": statements.statements,
    "application.known_identity": known.known_identity,
    "audience.backlinks": backlinks.backlinks,
    "audience.live_links": live_links.live_links,
    "audience.profiles": social.profiles,
    "audience.channel": social.channel,
    "application.phone": contact.phone,
    "application.signup_address": contact.signup_address,
    "application.listed": contact.listed,
}
"""Checks that look at the application as a whole."""
