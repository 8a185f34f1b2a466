"""Checks of an applicant, by the ids of the catalogue: each reads facts and thresholds and gives a signal, and never fetches."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fraud.checks.applicants import brand, disclosure, fit, identity, reach, tracking
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
}
"""Checks that look at one site at a time."""

NAME_CHECKS = frozenset({"website.brand_in_domain"})
"""Checks of a site that have something to say although it did not answer."""

APPLICATION_CHECKS: Mapping[str, Callable[[VettingFacts, Limits], Signal]] = {
    "website.social_profiles": identity.social_profiles,
    "application.email_domain": identity.email_domain,
}
"""Checks that look at the application as a whole."""
