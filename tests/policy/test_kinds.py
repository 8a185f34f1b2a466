"""The packs for kinds of programs: whole, explained, and different where the kinds are."""

from __future__ import annotations

import itertools

import pytest

from fraud.decisions.deciding import decide_application, decide_event, decide_traffic
from fraud.decisions.ruling import Case
from fraud.domain.catalogue import CHECKS, Observation
from fraud.domain.decisions import DecisionKind, Outcome, Verdict
from fraud.domain.programs import ProgramProfile
from fraud.domain.signals import Severity
from fraud.errors import PolicyError
from fraud.policy.loading import load_pack, read_pack, shipped_packs
from fraud.policy.pack import Terms

KINDS = ("content", "coupon", "lead_generation", "app")
OVERLAY = b"based_on: coupon\nid: mine\nversion: 1\ntitle: Mine\ndescription: Ours.\n"


def traffic(pack: str, check_id: str, **facts: float) -> Verdict:
    """A night on which one check found something of medium weight."""
    found = CHECKS[check_id].finding("aff", Severity.MEDIUM, Observation(text="seen"))
    return decide_traffic(load_pack(pack), [found], 1.2, facts)


def test_there_is_a_pack_for_every_kind() -> None:
    assert set(shipped_packs()) == {"default", *KINDS}


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(("default", *KINDS), 2)))
def test_any_two_differ_in_thresholds_weights_losses_and_rules(one: str, other: str) -> None:
    left, right = load_pack(one), load_pack(other)
    assert any(left.limits(name) != right.limits(name) for name in CHECKS)
    assert any(left.checks[name].weight != right.checks[name].weight for name in CHECKS)
    assert left.vetting.loss != right.vetting.loss
    assert left.terms != right.terms
    assert {rule.id for rule in left.rules} != {rule.id for rule in right.rules}


@pytest.mark.parametrize("kind", KINDS)
def test_every_changed_threshold_has_a_reason_of_its_own(kind: str) -> None:
    base, pack = load_pack(), load_pack(kind)
    for name, check in pack.checks.items():
        for threshold, said in check.thresholds.items():
            before = base.checks[name].thresholds[threshold]
            assert said.value == before.value or said.reason != before.reason


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_is_asked_something_reads_why_in_plain_words(kind: str) -> None:
    assert all(rule.public_text for rule in load_pack(kind).rules)


def test_a_coupon_partner_is_at_home_in_one_program_and_asked_in_another() -> None:
    def applied(kind: str) -> Verdict:
        pack = load_pack(kind)
        profile = pack.profile_under(ProgramProfile(name="Shoes"))
        assert profile is not None
        clear = [spec.clear("a", Observation(text="fine")) for spec in pack.enabled(DecisionKind.VET)]
        return decide_application(pack, clear, {"affiliate_type": "coupon", "websites": 1.0, "allows_coupon": profile.allows_coupon})

    assert applied("coupon").outcome is Outcome.APPROVE
    asked = applied("content")
    assert (asked.outcome, asked.rules) == (Outcome.REVIEW, ("terms.coupon_partner",))
    assert "publishers of their own content" in asked.public_reason


def test_what_a_profile_says_stands_before_the_terms_of_its_pack() -> None:
    pack = load_pack("content")
    said = pack.profile_under(ProgramProfile(name="Shoes", allows_coupon=True, prohibited_categories=("weapons",)))
    assert said is not None
    assert (said.allows_coupon, said.allows_paid_search, said.prohibited_categories) == (True, False, ("weapons",))
    assert load_pack().terms == Terms()
    assert load_pack().profile_under(None) is None


def test_made_up_leads_are_looked_at_where_leads_are_paid() -> None:
    assert "leads.made_up" in traffic("lead_generation", "traffic.rushed_forms", conversions=12.0).rules
    assert traffic("coupon", "traffic.rushed_forms", conversions=12.0).rules == ()


def test_late_credit_moves_a_content_partner_and_not_a_coupon_partner() -> None:
    assert "content.credit_of_others" in traffic("content", "traffic.overwritten_clicks").rules
    assert traffic("content", "traffic.overwritten_clicks").score > traffic("coupon", "traffic.overwritten_clicks").score


def test_click_timing_weighs_more_in_an_app_program() -> None:
    assert traffic("app", "traffic.fast_conversions", conversions=30.0).score > traffic("coupon", "traffic.fast_conversions").score


def test_a_lead_that_could_not_be_asked_about_is_looked_at() -> None:
    case = Case(DecisionKind.CONVERSION, [], {})
    outcomes = {kind: decide_event(load_pack(kind), case, degraded=True).outcome for kind in ("lead_generation", "coupon")}
    assert outcomes == {"lead_generation": Outcome.REVIEW, "coupon": Outcome.ALLOW}


def test_a_pack_based_on_another_says_only_what_differs() -> None:
    text = OVERLAY + b"checks:\n  website.thin:\n    weight: 0.9\nscan:\n  budget_maximum: 3\n"
    mine, coupon = read_pack(text, "mine.yaml"), load_pack("coupon")
    assert (mine.checks["website.thin"].weight, mine.scan.budget_maximum) == (0.9, 3)
    assert mine.limits("website.thin") == coupon.limits("website.thin")
    assert (mine.rules, mine.terms) == (coupon.rules, coupon.terms)
    assert mine.hash != coupon.hash


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"based_on: copon\nid: mine\n", r"mine.yaml:1: .*'copon' is none"),
        (b"based_on: coupon\nid: coupon\n", r"mine.yaml:1: .*'coupon' is none"),
        (b"based_on: [1]\nid: mine\n", r"mine.yaml:1: .*is none"),
        (OVERLAY + b"checks:\n  website.thin:\n    thresholds:\n      minimum_pages: {value: 9}\n", r"mine.yaml:9: website.thin changes"),
        (OVERLAY + b"checks:\n  website.thn:\n    weight: 1.0\n", r"mine.yaml:7: there is no check 'website.thn'"),
        (OVERLAY + b"score:\n  priori: 0.5\n", r"mine.yaml:\d+: .*priori"),
        (OVERLAY + b"checks: 7\n", r"mine.yaml:6"),
    ],
)
def test_what_is_wrong_in_it_is_named_with_its_own_line(text: bytes, sentence: str) -> None:
    with pytest.raises(PolicyError, match=sentence):
        read_pack(text, "mine.yaml")
