"""Who runs the site, and do mail and profiles belong with it."""

from __future__ import annotations

from typing import Any

import pytest

from crawlers.facts import IdentityPage, SocialProfile
from fraud.checks.applicants.identity import email_domain, identity_pages, same_profile, social_profiles
from fraud.domain.signals import Severity, Signal, Status
from tests.checks.applicants.samples import BLOG, facts, limits, page, shell, site, unreachable, visit

CONTACT = IdentityPage(kind="contact", url=BLOG + "contact", text="Contact")
MASTODON = SocialProfile(platform="mastodon", handle="@Trail", url="https://social.example/@trail", found_by="rel-me")


def pages_judged(**changes: Any) -> Signal:
    return identity_pages(visit(page(**changes)), limits("website.identity_pages"))


def test_two_kinds_of_identity_page_are_enough() -> None:
    signal = pages_judged()
    assert signal.status is Status.CLEAR
    assert signal.value["pages"] == ["about", "privacy"]


def test_one_or_none_is_a_low_finding() -> None:
    signal = pages_judged(identity_pages=(CONTACT, CONTACT))
    assert (signal.status, signal.severity) == (Status.FINDING, Severity.LOW)
    assert pages_judged(identity_pages=()).status is Status.FINDING


def test_an_address_of_the_sites_own_domain_is_a_way_of_contact() -> None:
    privacy = (IdentityPage(kind="privacy", url=BLOG + "privacy"),)
    assert pages_judged(identity_pages=privacy, emails=("me@trailnotes.example",)).status is Status.CLEAR
    assert pages_judged(identity_pages=privacy, emails=("me@gmail.com",)).status is Status.FINDING


def test_links_of_an_empty_shell_are_unknown() -> None:
    assert identity_pages(visit(shell()), limits("website.identity_pages")).status is Status.INCONCLUSIVE


def social(*sites: Any, profiles: tuple[str, ...] = ("https://social.example/@trail",), **application: Any) -> Signal:
    return social_profiles(facts(*sites, social_profiles=profiles, **application), {})


def test_a_profile_that_the_site_links_to_is_clear() -> None:
    signal = social(site(page(), page("about", social_profiles=(MASTODON,))))
    assert signal.status is Status.CLEAR
    assert signal.subject == "app-1"
    assert signal.evidence[0].detail["found_by"] == "rel-me"


def test_a_profile_that_no_site_links_to_is_low_and_one_of_two_weighs_nothing() -> None:
    assert (social(site()).status, social(site()).severity) == (Status.FINDING, Severity.LOW)
    half = social(site(page(social_profiles=(MASTODON,))), profiles=("https://social.example/@trail", "@other"))
    assert (half.status, half.severity) == (Status.FINDING, Severity.INFO)
    assert half.value == {"linked": ["https://social.example/@trail"], "not_linked": ["@other"]}


def test_a_link_on_any_of_the_sites_will_do() -> None:
    other = site(page(social_profiles=(MASTODON,)), requested_url="https://second.example/")
    assert social(site(), other).status is Status.CLEAR


def test_a_profile_without_a_site_or_with_one_unread_is_unknown() -> None:
    assert social().status is Status.NOT_APPLICABLE
    assert social(site(), unreachable("https://second.example/")).status is Status.INCONCLUSIVE
    assert social(site(shell())).status is Status.INCONCLUSIVE


def test_no_profile_declared_is_not_applicable_and_names_what_the_site_links_to() -> None:
    signal = social(site(page(social_profiles=(MASTODON,))), profiles=())
    assert signal.status is Status.NOT_APPLICABLE
    assert "mastodon @Trail" in signal.text


@pytest.mark.parametrize(
    ("stated", "url", "same"),
    [
        ("https://www.instagram.com/trail.notes/", "https://instagram.com/Trail.Notes", True),
        ("instagram.com/trail", "https://www.instagram.com/trail/", True),
        ("https://twitter.com/trail", "https://x.com/trail", True),
        ("@trail", "https://x.com/trail", True),
        ("https://www.youtube.com/@trail", "https://youtube.com/@TRAIL", True),
        ("https://instagram.com/trail", "https://facebook.com/trail", False),
        ("https://instagram.com/other", "https://instagram.com/trail", False),
        ("https://instagram.com/", "https://instagram.com/trail", False),
    ],
)
def test_profiles_are_compared_by_platform_and_handle(stated: str, url: str, same: bool) -> None:
    assert same_profile(stated, SocialProfile(platform="any", handle="", url=url)) is same


def mail(address: str, *sites: Any) -> Signal:
    return email_domain(facts(*(sites or (site(),)), email=address), {})


def test_mail_of_the_sites_own_domain_is_clear() -> None:
    assert mail("me@trailnotes.example").status is Status.CLEAR
    assert mail("me@new.example", site(final_url="https://new.example/")).status is Status.CLEAR
    assert mail("me@trailnotes.example", unreachable()).status is Status.CLEAR


@pytest.mark.parametrize(
    ("address", "severity", "kind"),
    [
        ("me@mailinator.com", Severity.HIGH, "disposable"),
        ("me@privaterelay.appleid.com", Severity.LOW, "relay"),
        ("me@agency.example", Severity.LOW, "other"),
        ("me@gmail.com", Severity.INFO, "free"),
    ],
)
def test_mail_of_other_domains(address: str, severity: Severity, kind: str) -> None:
    signal = mail(address)
    assert (signal.status, signal.severity, signal.value["kind"]) == (Status.FINDING, severity, kind)
    assert "me@" not in signal.text


def test_mail_that_cannot_be_compared_is_unknown() -> None:
    assert mail("").status is Status.INCONCLUSIVE
    nowhere = facts(email="me@agency.example", social_profiles=("@trail",))
    assert email_domain(nowhere, {}).status is Status.INCONCLUSIVE
    thrown_away = facts(email="me@mailinator.com", social_profiles=("@trail",))
    assert email_domain(thrown_away, {}).severity is Severity.HIGH
