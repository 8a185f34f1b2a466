"""The program's brand in a site's name."""

from __future__ import annotations

from typing import Any

import pytest

from crawlers.facts import Embed
from fraud.checks.applicants.brand import brand_in_domain, likest
from fraud.checks.applicants.context import Visit
from fraud.domain.signals import Severity, Signal, Status, Tier
from tests.checks.applicants.samples import facts, limits, page, profile, site, unreachable

LIMITS = limits("website.brand_in_domain")
TERMS = profile(brand_terms=("Adidas", "Nike", "Northwind Traders"), domains=("adidas.com",))


def like(host: str, **terms: Any) -> str:
    found = likest(host, profile(**terms) if terms else TERMS, LIMITS)
    return found.how if found else ""


@pytest.mark.parametrize(
    ("host", "how"),
    [
        ("adidas-deals.com", "exact"),
        ("best.nike24.com", "exact"),
        ("nike.myblog.com", "exact"),
        ("northwind-traders.net", "exact"),
        ("adidas.net", "exact"),
        ("xn--adids-7ve.com", "look-alike"),
        ("adldas.com", "near"),
        ("addidas.shop", "near"),
        ("aiddas.com", "near"),
        ("northwindtrader.com", "near"),
        ("nortwindtradres.com", "near"),
        ("adidasoutlet.com", "part"),
        ("trailnotes.com", ""),
        ("nile.com", ""),  # a short brand needs every letter
        ("monike.com", ""),
        ("adidas.com", ""),
        ("shop.adidas.com", ""),
    ],
)
def test_names_like_a_brand(host: str, how: str) -> None:
    assert like(host) == how


def test_the_programs_own_names_are_brands_only_as_a_whole() -> None:
    assert like("shop24.net", brand_terms=(), domains=("shop.com",)) == ""
    assert like("shops.net", brand_terms=(), domains=("shop.com",)) == ""
    assert like("acmeoutdor.com", brand_terms=(), domains=("acmeoutdoor.com",)) == "near"


def judged(url: str, **changes: Any) -> Signal:
    seen = site(page(url=url), requested_url=url, **changes)
    return brand_in_domain(Visit(facts(seen, profile=TERMS), seen), LIMITS)


def test_the_brand_itself_is_high_a_letter_away_is_medium_and_a_part_only_supports() -> None:
    exact, near, part = (judged(f"https://{name}.com/") for name in ("adidas-deals", "addidas", "adidasoutlet"))
    assert (exact.severity, exact.tier) == (Severity.HIGH, Tier.ASSOCIATIVE)
    assert (near.severity, near.tier) == (Severity.MEDIUM, Tier.ASSOCIATIVE)
    assert (part.severity, part.tier) == (Severity.MEDIUM, Tier.CIRCUMSTANTIAL)
    assert exact.evidence[0].detail == {"host": "adidas-deals.com", "brand": "Adidas", "how": "exact"}


def test_the_name_a_site_leads_to_counts_as_well() -> None:
    assert judged("https://trailnotes.com/", final_url="https://nike-deals.com/").status is Status.FINDING


def test_other_names_and_the_programs_own_are_clear() -> None:
    assert judged("https://trailnotes.com/").status is Status.CLEAR
    assert judged("https://shop.adidas.com/").status is Status.CLEAR


def test_a_name_needs_no_answer_to_be_found_but_one_to_be_clear() -> None:
    for url, status in (("https://adidas-deals.com/", Status.FINDING), ("https://trailnotes.com/", Status.INCONCLUSIVE)):
        seen = unreachable(url)
        assert brand_in_domain(Visit(facts(seen, profile=TERMS), seen), LIMITS).status is status


def test_a_program_without_names_does_not_ask() -> None:
    seen = site()
    for terms in (None, profile(brand_terms=(), domains=())):
        assert brand_in_domain(Visit(facts(seen, profile=terms), seen), LIMITS).status is Status.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("title", "how"),
    [
        ("Adidas | Home", "title"),
        ("Northwind Traders - Official Store", "title"),
        ("Official Adidas", "title"),
        ("Adidas shoes, reviewed | Trail notes", ""),
        ("Trail notes", ""),
        ("", ""),
    ],
)
def test_a_front_page_that_poses_as_the_brand_is_named_and_one_that_writes_about_it_is_not(title: str, how: str) -> None:
    seen = site(page(title=title))
    signal = brand_in_domain(Visit(facts(seen, profile=TERMS), seen), LIMITS)
    assert (signal.value or {}).get("how", "") == how
    if how:
        assert (signal.severity, signal.tier) == (Severity.LOW, Tier.CIRCUMSTANTIAL)


def test_the_brands_logo_besides_its_title_weighs_more() -> None:
    logo = Embed(tag="img", url="https://trailnotes.example/logo.png", excerpt='<img class="logo" alt="Adidas" src="/logo.png">')
    seen = site(page(title="Adidas | Home", embeds=(logo,)))
    signal = brand_in_domain(Visit(facts(seen, profile=TERMS), seen), LIMITS)
    assert (signal.severity, signal.value["how"]) == (Severity.MEDIUM, "logo")
