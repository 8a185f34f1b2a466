"""Rules over several features at once."""

from __future__ import annotations

from fraud.checks.traffic.facts import FeatureResidual, TrafficCounts, TrafficFacts
from fraud.checks.traffic.patterns import PATTERNS, judge_pattern
from fraud.checks.traffic.shares import SHARE_RULES, judge_share
from fraud.domain.signals import Severity, Status

MARKED = {"minimum_z": 1.5, "minimum_marks": 3, "high_marks": 4}
INCENTIVISED, AUTOMATED, POACHING = PATTERNS


def facts(*stands_out: tuple[str, str], values: dict[str, float] | None = None, support: float = 200.0) -> TrafficFacts:
    seen = values or {}
    return TrafficFacts(
        subject="a1",
        values=seen,
        support=dict.fromkeys(seen, support),
        counts=TrafficCounts(clicks=500, conversions=40),
        peers={"conversion_level": 1.0},
        residuals=tuple(
            FeatureResidual(feature=feature, side=side, z=2.5, value=0.5, peer=0.1, support=support) for feature, side in stands_out
        ),
    )


def test_three_marks_make_a_pattern_and_two_do_not() -> None:
    many, small, undone = ("conversion_level", "high"), ("value_ratio", "low"), ("reversal_share", "high")
    assert judge_pattern(INCENTIVISED, facts(many, small), MARKED).status is Status.CLEAR
    assert judge_pattern(INCENTIVISED, facts(many, small, undone), MARKED).severity is Severity.MEDIUM
    assert judge_pattern(INCENTIVISED, facts(many, small, undone, ("delay_log_sd", "low")), MARKED).severity is Severity.HIGH


def test_a_coupon_day_is_no_poaching() -> None:
    """Many, quick and by known customers: without search or undeclared sites that is what coupon sites do."""
    day = [("conversion_level", "high"), ("new_customer_share", "low"), ("delay_log_median", "low")]
    assert judge_pattern(POACHING, facts(*day), MARKED).status is Status.CLEAR
    assert judge_pattern(POACHING, facts(*day, ("undeclared_referrer_share", "high")), MARKED).status is Status.FINDING


def test_features_that_say_the_same_are_one_mark() -> None:
    evenly = [("gap_variation", "low"), ("pace_evenness", "low")]
    few = [("clicks_per_ip", "high"), ("distinct_ip_ratio", "low")]
    assert judge_pattern(AUTOMATED, facts(*evenly, *few), MARKED).status is Status.CLEAR
    assert judge_pattern(AUTOMATED, facts(*evenly, *few, ("short_dwell_share", "high")), MARKED).status is Status.FINDING


def test_nobody_to_compare_with_is_inconclusive() -> None:
    alone = TrafficFacts(subject="a1", values={}, support={}, counts=TrafficCounts(clicks=5, conversions=0))
    assert {judge_pattern(rule, alone, MARKED).status for rule in PATTERNS} == {Status.INCONCLUSIVE}


def test_two_paid_clicks_are_a_copied_address_and_three_a_sign() -> None:
    rule = next(one for one in SHARE_RULES if one.check_id == "traffic.paid_clicks")
    limits = {"minimum_clicks": 20, "minimum_events": 3, "minimum_share": 0.02, "high_share": 0.3}
    two = facts(values={"paid_click_share": 0.1}, support=20.0)
    three = facts(values={"paid_click_share": 0.15}, support=20.0)
    assert judge_share(rule, two, limits).status is Status.CLEAR
    assert judge_share(rule, three, limits).status is Status.FINDING


def test_a_share_that_peers_have_too_is_no_sign() -> None:
    rule = next(one for one in SHARE_RULES if one.check_id == "traffic.undeclared_sources")
    limits = {"minimum_clicks": 50, "minimum_share": 0.5, "high_share": 0.8, "minimum_z": 2.0}
    usual = facts(values={"undeclared_referrer_share": 0.9})
    unusual = facts(("referrer_diversity", "high"), values={"undeclared_referrer_share": 0.9})
    assert judge_share(rule, usual, limits).status is Status.CLEAR
    assert judge_share(rule, unusual, limits).severity is Severity.HIGH
