"""From an applicant's signals to an outcome: the guards, and the outcomes of whole examples."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.facts import AffiliateLink, Embed, ParkingSign, SiteFacts
from fraud.checks.applicants.context import VettingFacts
from fraud.checks.running import run_applicant_checks
from fraud.decisions.deciding import PUBLIC_NOTHING, decide_application
from fraud.domain.catalogue import APPLICANT_CHECKS, Observation
from fraud.domain.decisions import Outcome, Verdict
from fraud.domain.signals import Severity, Signal, Status, Tier
from fraud.policy.pack import Pack
from tests.checks.applicants.samples import BLOG, PACK, facts, page, profile, shell, site, unreachable

FRAME = Embed(tag="iframe", url="https://go.acmeoutdoor.com/c/1", hidden=True, why_hidden="1px", excerpt="<iframe>")
PARKED = page(word_count=12, text="buy", parking_signs=(ParkingSign(kind="provider_script"), ParkingSign(kind="sale_phrase")))


def verdict(seen: VettingFacts, pack: Pack = PACK) -> Verdict:
    return decide_application(pack, run_applicant_checks(pack, seen))


def blog(**changes: Any) -> SiteFacts:
    return site(page(**changes), page("lake"), page("ridge"))


def lenient(**changes: Any) -> Pack:
    """The shipped pack with other rules of vetting."""
    return msgspec.structs.replace(PACK, vetting=msgspec.structs.replace(PACK.vetting, **changes))


def test_an_honest_blog_is_approved_and_told_nothing() -> None:
    decided = verdict(facts(blog()))
    assert decided.outcome is Outcome.APPROVE
    assert decided.coverage == 1.0
    assert decided.score < PACK.vetting.prior
    assert decided.public_reason == PUBLIC_NOTHING


@pytest.mark.parametrize("email", ["me@gmail.com", "me@agency.example", "me@privaterelay.appleid.com", ""])
def test_the_kind_of_mail_alone_never_stops_an_honest_blog(email: str) -> None:
    assert verdict(facts(blog(), email=email)).outcome is Outcome.APPROVE


def test_a_small_honest_blog_without_identity_pages_is_approved() -> None:
    small = site(page(word_count=260, identity_pages=()))
    assert verdict(facts(small, email="me@gmail.com")).outcome is Outcome.APPROVE


def test_a_parked_page_is_reviewed_with_its_typology() -> None:
    decided = verdict(facts(site(PARKED), email="me@gmail.com"))
    assert decided.outcome is Outcome.REVIEW
    assert decided.typologies == ("parked_site", "thin_content")
    assert "rejection_waits_for_a_person" in decided.guards or decided.score < 0.9


def test_a_hidden_frame_is_not_approved_however_good_the_rest_is() -> None:
    decided = verdict(facts(blog(embeds=(FRAME,))))
    assert decided.outcome is Outcome.REVIEW
    assert decided.typologies == ("cookie_stuffing", "forced_click")
    assert "iframe" not in decided.public_reason
    assert "go.acmeoutdoor.com" not in decided.public_reason


def test_rejection_happens_by_itself_only_where_the_pack_says_so() -> None:
    bad = facts(site(page(word_count=12, text="buy", parking_signs=PARKED.facts.parking_signs, embeds=(FRAME,))), email="a@mailinator.com")
    assert verdict(bad).guards == ("rejection_waits_for_a_person",)
    assert verdict(bad, lenient(reject_automatically=True)).outcome is Outcome.REJECT


@pytest.mark.parametrize("seen", [unreachable(), site(shell())])
def test_what_could_not_be_looked_at_is_asked_for_and_not_approved(seen: SiteFacts) -> None:
    decided = verdict(facts(seen))
    assert decided.outcome is Outcome.REQUEST_INFO
    assert decided.coverage < PACK.vetting.minimum_coverage
    assert decided.guards == ("coverage_below_minimum",)
    assert decided.needed


def test_profiles_that_nothing_confirms_are_asked_for() -> None:
    decided = verdict(facts(social_profiles=("https://social.example/@trail",), email="me@gmail.com"))
    assert decided.outcome is Outcome.REQUEST_INFO


def test_a_brand_in_the_name_goes_to_a_person() -> None:
    seen = site(requested_url="https://acmeoutdoor-deals.com/")
    assert verdict(facts(seen, email="me@acmeoutdoor-deals.com")).outcome is Outcome.REVIEW


def test_every_finding_is_a_reason_gravest_first() -> None:
    decided = verdict(facts(site(page(word_count=12, identity_pages=(), embeds=(FRAME,)))))
    codes = [reason.code for reason in decided.reasons]
    assert codes[0] == "policy.hidden_tracking"
    assert {"content.thin_content", "identity.no_identity_pages"} <= set(codes)
    assert decided.needed[0]


def test_a_check_that_broke_lowers_the_coverage() -> None:
    whole = run_applicant_checks(PACK, facts(blog()))
    broken = tuple(APPLICANT_CHECKS[0].error(BLOG, "broke") if signal.check_id == "website.reachable" else signal for signal in whole)
    assert decide_application(PACK, broken).coverage < decide_application(PACK, whole).coverage


@st.composite
def signal_sets(draw: st.DrawFn) -> tuple[Signal, ...]:
    made = []
    for spec in APPLICANT_CHECKS:
        status = draw(st.sampled_from(Status))
        if status is Status.FINDING:
            seen = Observation(text="seen")
            made.append(spec.finding(BLOG, draw(st.sampled_from(Severity)), seen, draw(st.sampled_from(Tier))))
        elif status is Status.CLEAR:
            made.append(spec.clear(BLOG, Observation(text="looked")))
        else:
            say = {Status.INCONCLUSIVE: spec.inconclusive, Status.NOT_APPLICABLE: spec.not_applicable, Status.ERROR: spec.error}[status]
            made.append(say(BLOG, "why"))
    return tuple(made)


@given(signal_sets())
def test_nothing_is_approved_with_a_conclusive_finding_or_too_little_coverage(signals: tuple[Signal, ...]) -> None:
    decided = decide_application(PACK, signals)
    weighty = [s for s in signals if s.found and s.tier is Tier.CONCLUSIVE and s.severity.rank >= Severity.MEDIUM.rank]
    if decided.outcome is Outcome.APPROVE:
        assert not weighty
        assert decided.coverage >= PACK.vetting.minimum_coverage
    assert decided.outcome is not Outcome.REJECT


@given(signal_sets(), st.sampled_from(APPLICANT_CHECKS))
def test_one_more_finding_never_lowers_the_score(signals: tuple[Signal, ...], spec: Any) -> None:
    found = spec.finding(BLOG, Severity.HIGH, Observation(text="seen"))
    assert decide_application(PACK, (*signals, found)).score >= decide_application(PACK, signals).score


def test_terms_decide_what_a_missing_disclosure_weighs() -> None:
    undisclosed = blog(affiliate_links=(AffiliateLink(url="https://amzn.to/x", network="amazon_short", text="tent", excerpt="<a>"),))
    relaxed = verdict(facts(undisclosed, profile=profile(requires_disclosure=False)))
    strict = verdict(facts(undisclosed, profile=profile(requires_disclosure=True)))
    assert relaxed.score < strict.score
    assert relaxed.outcome is Outcome.APPROVE
