"""Affiliate links are disclosed where readers see it."""

from __future__ import annotations

from typing import Any

from crawlers.facts import AffiliateLink, Disclosure, VisitedPage
from fraud.checks.applicants.disclosure import disclosure
from fraud.domain.signals import Severity, Signal, Status
from tests.checks.applicants.samples import limits, page, profile, shell, visit

LINK = AffiliateLink(url="https://amzn.to/x", network="amazon_short", text="this tent", excerpt='<a href="https://amzn.to/x">this tent</a>')
PHRASE = "contains affiliate links"


def judged(*pages: VisitedPage, **program: Any) -> Signal:
    return disclosure(visit(*pages, profile=profile(**program)), limits("website.disclosure"))


def disclosed(offset: int) -> tuple[Disclosure, ...]:
    return (Disclosure(phrase=PHRASE, language="en", offset=offset, excerpt=f"This post {PHRASE}."),)


def linked(path: str = "", **changes: Any) -> VisitedPage:
    return page(path, affiliate_links=(LINK,), **changes)


def test_a_disclosure_at_the_head_is_clear_and_quoted() -> None:
    signal = judged(linked(disclosures=disclosed(40)))
    assert signal.status is Status.CLEAR
    assert signal.evidence[0].excerpt == f"This post {PHRASE}."


def test_a_disclosure_beside_the_link_is_clear() -> None:
    text = "word " * 900 + f"I love this tent ({PHRASE}). " + "word " * 900
    assert judged(linked(text=text, disclosures=disclosed(9000))).status is Status.CLEAR


def test_a_long_menu_does_not_push_the_head_away() -> None:
    text = f"This post {PHRASE}. " + "word " * 900 + "this tent"
    assert judged(linked(text=text, disclosures=disclosed(2500))).status is Status.CLEAR


def test_a_disclosure_only_in_the_footer_is_a_low_finding_that_says_so() -> None:
    signal = judged(linked(disclosures=disclosed(9000)), requires_disclosure=True)
    assert (signal.status, signal.severity) == (Status.FINDING, Severity.LOW)
    assert "only elsewhere" in signal.text


def test_links_without_any_disclosure_are_low_and_medium_where_the_terms_require_it() -> None:
    assert judged(linked()).severity is Severity.LOW
    signal = judged(linked(), requires_disclosure=True)
    assert (signal.status, signal.severity) == (Status.FINDING, Severity.MEDIUM)
    assert signal.evidence[0].excerpt == LINK.excerpt


def test_every_page_with_links_needs_its_own() -> None:
    signal = judged(linked(disclosures=disclosed(0)), linked("lake"), page("ridge"))
    assert signal.value == {"pages": 2, "undisclosed": 1}


def test_nothing_to_disclose_without_affiliate_links() -> None:
    assert judged(page()).status is Status.NOT_APPLICABLE


def test_what_was_not_read_is_unknown() -> None:
    assert judged(shell()).status is Status.INCONCLUSIVE
    assert judged(linked(text="word " * 4000)).status is Status.INCONCLUSIVE
    assert judged(linked(truncated=True)).status is Status.INCONCLUSIVE
