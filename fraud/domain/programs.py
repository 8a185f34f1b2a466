"""Programs, their terms, and the people who apply to them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from fraud.domain.actors import DEFAULT_PROGRAM


class ProgramProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a program is about and what its terms allow (CONTRACT 2). `None` means the terms do not say."""

    name: str
    program_id: str = DEFAULT_PROGRAM
    description: str = ""
    vertical: str = ""
    keywords: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    brand_terms: tuple[str, ...] = ()
    tracking_hosts: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    prohibited_categories: tuple[str, ...] = ()
    allows_paid_search: bool | None = None
    allows_incentive: bool | None = None
    allows_email: bool | None = None
    allows_coupon: bool | None = None
    requires_disclosure: bool | None = None
    minimum_domain_age_days: int | None = None
    policy: str = ""
    time_zone: str = ""


class Application(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an applicant says of themselves (CONTRACT 2). An empty field is unknown, never a fault."""

    application_id: str = ""
    program_id: str = DEFAULT_PROGRAM
    name: str = ""
    email: str = ""
    phone: str = ""
    address: str = ""
    country: str = ""
    company: str = ""
    websites: tuple[str, ...] = ()
    social_profiles: tuple[str, ...] = ()
    affiliate_type: str = ""
    traffic_sources: tuple[str, ...] = ()
    claimed_monthly_visits: int | None = None
    description: str = ""
    payout_account: str = ""
    tax_id: str = ""
    signup_ip: str = ""
    backlinks_file: str = ""
    reviews_file: str = ""
    profiles_file: str = ""
    applied_at: datetime | None = None


def applicant_name(application: Application) -> str:
    """What the applicant is called: name, company, first property, or the application's id."""
    named = (application.name, application.company, *application.websites, *application.social_profiles)
    return next((one for one in named if one), application.application_id)
