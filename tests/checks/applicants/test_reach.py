"""Does the site answer, is it parked, is there enough of it."""

from __future__ import annotations

from typing import Any

import pytest

from crawlers.facts import Failure, Hop, ParkingSign
from fraud.checks.applicants.context import Visit
from fraud.checks.applicants.reach import parked, reachable, thin
from fraud.checks.running import run_applicant_checks
from fraud.domain.signals import Severity, Signal, Status, Tier
from tests.checks.applicants.samples import BLOG, PACK, facts, limits, page, shell, signals, site, unreachable, visit

SCRIPT = ParkingSign(kind="provider_script", provider="sedo", excerpt='<script src="//img.sedoparking.com/x.js">')
PHRASE = ParkingSign(kind="sale_phrase", excerpt="this domain is for sale")
TITLE = ParkingSign(kind="title_is_domain", excerpt="trailnotes.example")


def judged_parked(seen: Visit) -> Signal:
    return parked(seen, limits("website.parked"))


def judged_thin(seen: Visit) -> Signal:
    return thin(seen, limits("website.thin"))


def test_a_site_that_answers_under_its_own_name_is_clear() -> None:
    hops = (Hop(url="http://trailnotes.example/", status=301, location="https://www.trailnotes.example/"),)
    signal = reachable(visit(hops=hops, final_url="https://www.trailnotes.example/"), {})
    assert signal.status is Status.CLEAR
    assert signal.evidence[0].sha256


def test_an_address_that_leads_to_another_site_is_a_low_finding() -> None:
    signal = reachable(visit(final_url="https://elsewhere.example/"), {})
    assert (signal.status, signal.severity) == (Status.FINDING, Severity.LOW)
    assert "elsewhere.example" in signal.text


def test_an_address_that_leads_to_the_programs_own_site_weighs_more() -> None:
    signal = reachable(visit(final_url="https://www.acmeoutdoor.com/"), {})
    assert (signal.status, signal.severity) == (Status.FINDING, Severity.HIGH)


def test_a_site_that_does_not_answer_is_inconclusive_everywhere_and_says_why() -> None:
    seen = signals(facts(unreachable(), social_profiles=("@trail",)))
    about_the_site = {name: signal for name, signal in seen.items() if name.startswith("website.")}
    assert {signal.status for signal in about_the_site.values()} == {Status.INCONCLUSIVE}
    assert "did not answer within 30 seconds" in seen["website.parked"].text


def test_without_a_website_the_checks_of_sites_do_not_apply() -> None:
    seen = signals(facts(social_profiles=("https://mastodon.example/@trail",), email=""))
    assert seen.pop("application.email_domain").status is Status.INCONCLUSIVE
    assert seen.pop("audience.channel").status is Status.INCONCLUSIVE
    assert {signal.status for signal in seen.values()} == {Status.NOT_APPLICABLE}


@pytest.mark.parametrize(
    ("facts_of_page", "severity", "tier"),
    [
        ({"word_count": 20, "parking_signs": (SCRIPT, PHRASE)}, Severity.HIGH, Tier.CONCLUSIVE),
        ({"word_count": 20, "parking_signs": (SCRIPT, TITLE)}, Severity.HIGH, Tier.CONCLUSIVE),
        ({"word_count": 20, "parking_signs": (PHRASE,)}, Severity.MEDIUM, Tier.ASSOCIATIVE),
        ({"word_count": 900, "parking_signs": (SCRIPT, PHRASE)}, Severity.MEDIUM, Tier.ASSOCIATIVE),
        ({"word_count": 0, "parking_signs": (SCRIPT,), "scripts_needed": True}, Severity.HIGH, Tier.CONCLUSIVE),
    ],
)
def test_parked_pages(facts_of_page: dict[str, Any], severity: Severity, tier: Tier) -> None:
    signal = judged_parked(visit(page(**facts_of_page)))
    assert (signal.status, signal.severity, signal.tier) == (Status.FINDING, severity, tier)
    assert signal.evidence[0].excerpt == facts_of_page["parking_signs"][0].excerpt
    assert signal.typologies == ("parked_site",)


@pytest.mark.parametrize(
    "facts_of_page",
    [
        {"word_count": 900},
        {"word_count": 900, "parking_signs": (PHRASE,)},  # a dealer in domains writes about sales
        {"word_count": 30, "parking_signs": (TITLE,)},  # a visiting card on the web
        {"word_count": 30},
    ],
)
def test_honest_pages_are_not_parked(facts_of_page: dict[str, Any]) -> None:
    assert judged_parked(visit(page(**facts_of_page))).status is Status.CLEAR


def test_the_same_page_everywhere_is_a_sign_beside_another_one_only() -> None:
    few = page(word_count=20, parking_signs=(PHRASE,))
    assert judged_parked(visit(few, random_path_same_as_home=True)).severity is Severity.HIGH
    assert judged_parked(visit(page(word_count=20), random_path_same_as_home=True)).status is Status.CLEAR


def test_an_empty_shell_without_signs_is_unknown() -> None:
    assert judged_parked(visit(shell(), random_path_same_as_home=True)).status is Status.INCONCLUSIVE


def test_a_site_with_pages_enough_is_clear() -> None:
    signal = judged_thin(visit(page(), page("lake"), page("ridge")))
    assert signal.status is Status.CLEAR
    assert signal.value == {"pages": 3, "median_words": 270}


@pytest.mark.parametrize(
    ("words", "pages", "severity"), [(40, 1, Severity.MEDIUM), (40, 4, Severity.LOW), (400, 1, Severity.LOW), (249, 3, Severity.LOW)]
)
def test_thin_sites(words: int, pages: int, severity: Severity) -> None:
    signal = judged_thin(visit(*(page(str(number), word_count=words) for number in range(pages))))
    assert (signal.status, signal.severity) == (Status.FINDING, severity)


def test_pages_about_the_owner_and_repeats_are_no_content() -> None:
    repeated = page("copy", text=page().facts.text)
    assert judged_thin(visit(page(), page("about"), page("privacy"), repeated)).value["pages"] == 1


def test_pages_that_could_not_be_read_leave_a_thin_result_open() -> None:
    late = Failure(url=BLOG + "more", kind="timeout", message="too late")
    gone = Failure(url=BLOG + "gone", kind="http_status", message="404")
    assert judged_thin(visit(page(), failures=(late,))).status is Status.INCONCLUSIVE
    assert judged_thin(visit(page(), failures=(gone,))).status is Status.FINDING
    assert judged_thin(visit(page(), shell("app"))).status is Status.INCONCLUSIVE
    assert judged_thin(visit(shell())).status is Status.INCONCLUSIVE


def test_each_website_gets_its_own_signal() -> None:
    other = site(requested_url="https://second.example/")
    seen = facts(site(), other)

    subjects = [signal.subject for signal in run_applicant_checks(PACK, seen) if signal.check_id == "website.thin"]
    assert subjects == [BLOG, "https://second.example/"]
