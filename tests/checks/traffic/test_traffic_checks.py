"""Each traffic check by example: it fires on what it is for, stays silent on its honest twin, and says when it cannot tell."""

from __future__ import annotations

import msgspec
import pytest

from fraud.checks.traffic import traffic_checks
from fraud.checks.traffic.facts import Company, Extreme, FeatureResidual, TrafficCounts, TrafficFacts
from fraud.checks.traffic.statistics import FeatureWords, quantity
from fraud.domain.catalogue import TRAFFIC_CHECKS
from fraud.domain.graph import GraphFinding, GraphPattern
from fraud.domain.signals import Family, Severity, Signal, Status, Tier
from fraud.policy.loading import load_pack

PACK = load_pack()
WORDS = {
    "fast_conversion_share": FeatureWords(
        title="Conversions within 30 seconds", unit="share", support_of="conversions", family=Family.TIMING
    )
}
CHECKS = traffic_checks(WORDS)


def facts(values: dict[str, float] | None = None, n: float = 1000.0, **other: object) -> TrafficFacts:
    values = values or {}
    return TrafficFacts(
        subject="aff",
        values=values,
        support=dict.fromkeys(values, n),
        counts=other.pop("counts", TrafficCounts(clicks=1000, conversions=30, expected_conversions=30.0)),  # type: ignore[arg-type]  # examples name few fields
        **other,  # type: ignore[arg-type]  # examples name few fields
    )


def run(check_id: str, seen: TrafficFacts) -> tuple[Signal, ...]:
    return CHECKS[check_id](seen, PACK.limits(check_id))


def test_every_traffic_check_of_the_catalogue_has_its_function() -> None:
    assert {spec.check_id for spec in TRAFFIC_CHECKS} == set(CHECKS)


@pytest.mark.parametrize(
    ("check_id", "feature", "guilty", "honest"),
    [
        ("traffic.duplicate_clicks", "duplicate_click_share", 0.25, 0.065),
        ("traffic.declared_bots", "declared_bot_share", 0.05, 0.01),
        ("traffic.hosting_like", "hosting_like_share", 0.30, 0.02),
        ("traffic.hosting_networks", "hosting_share", 0.30, 0.02),
        ("traffic.ip_concentration", "top_ip_share", 0.40, 0.05),
        ("traffic.fast_conversions", "fast_conversion_share", 0.40, 0.05),
        ("traffic.repeated_customers", "repeated_customer_share", 0.55, 0.20),
        ("traffic.conversions_without_click", "no_click_share", 0.20, 0.01),
    ],
)
def test_shares_fire_with_support_effect_and_significance(check_id: str, feature: str, guilty: float, honest: float) -> None:
    (fired,) = run(check_id, facts({feature: guilty}))
    assert fired.status is Status.FINDING
    assert fired.value == guilty
    assert fired.sample_size == 1000
    assert run(check_id, facts({feature: honest}))[0].status is Status.CLEAR
    assert run(check_id, facts({feature: guilty}, n=5))[0].status is Status.INCONCLUSIVE
    assert run(check_id, facts())[0].status is Status.INCONCLUSIVE


@pytest.mark.parametrize(
    ("check_id", "feature"),
    [("traffic.fast_conversions", "fast_conversion_share"), ("traffic.duplicate_clicks", "duplicate_click_share")],
)
def test_what_peers_have_too_is_no_sign(check_id: str, feature: str) -> None:
    """A quarter of everybody's orders is quick where sites pay customers back."""
    quick = {feature: 0.25}
    assert run(check_id, facts(quick, peers={feature: 0.16}))[0].status is Status.CLEAR
    assert run(check_id, facts(quick, peers={feature: 0.02}))[0].status is Status.FINDING


def test_a_grave_share_is_of_high_severity() -> None:
    assert run("traffic.hosting_like", facts({"hosting_like_share": 0.3}))[0].severity is Severity.MEDIUM
    assert run("traffic.hosting_like", facts({"hosting_like_share": 0.7}))[0].severity is Severity.HIGH


def test_a_giveaway_converts_little_and_is_honest() -> None:
    def counted(found: int) -> TrafficFacts:
        return facts(counts=TrafficCounts(clicks=4000, conversions=found, expected_conversions=100.0))

    assert run("traffic.too_few_conversions", counted(30))[0].status is Status.CLEAR
    assert run("traffic.too_few_conversions", counted(3))[0].status is Status.FINDING


def test_too_many_conversions_are_circumstantial_only() -> None:
    (fired,) = run("traffic.too_many_conversions", facts(counts=TrafficCounts(clicks=500, conversions=90, expected_conversions=12.0)))
    assert (fired.status, fired.tier) == (Status.FINDING, Tier.CIRCUMSTANTIAL)


def test_unknown_expectations_say_nothing() -> None:
    unknown = facts(counts=TrafficCounts(clicks=5000, conversions=0))
    assert run("traffic.too_few_conversions", unknown)[0].status is Status.INCONCLUSIVE
    assert run("traffic.too_many_conversions", unknown)[0].status is Status.INCONCLUSIVE


@pytest.mark.parametrize(("late", "status"), [(0.75, Status.FINDING), (0.30, Status.CLEAR)])
def test_late_conversions_are_measured_against_peers(late: float, status: Status) -> None:
    seen = facts({"late_conversion_share": late}, n=60, peers={"late_conversion_share": 0.22})
    assert run("traffic.late_conversions", seen)[0].status is status


@pytest.mark.parametrize(("spread", "status"), [(0.15, Status.FINDING), (1.3, Status.CLEAR)])
def test_delays_that_are_too_alike(spread: float, status: Status) -> None:
    assert run("traffic.narrow_delays", facts({"delay_log_sd": spread}, n=40))[0].status is status


@pytest.mark.parametrize(("variation", "status"), [(0.33, Status.FINDING), (1.1, Status.CLEAR)])
def test_gaps_more_even_than_chance(variation: float, status: Status) -> None:
    assert run("traffic.regular_timing", facts({"gap_variation": variation}))[0].status is status


def test_reversals_must_exceed_peers_too() -> None:
    bad_product = facts({"reversal_share": 0.3}, n=100, peers={"reversal_share": 0.25})
    bad_affiliate = facts({"reversal_share": 0.3}, n=100, peers={"reversal_share": 0.05})
    assert run("traffic.refunds", bad_product)[0].status is Status.CLEAR
    assert run("traffic.refunds", bad_affiliate)[0].status is Status.FINDING


def test_one_own_order_is_a_test_and_two_are_conclusive() -> None:
    def own(matches: int | None) -> Signal:
        return run("traffic.self_referral", facts(counts=TrafficCounts(clicks=50, conversions=9, self_matches=matches)))[0]

    assert own(1).status is Status.CLEAR
    assert (own(2).status, own(2).tier) == (Status.FINDING, Tier.CONCLUSIVE)
    assert own(None).status is Status.INCONCLUSIVE


def test_residuals_are_named_by_family_and_stay_circumstantial() -> None:
    residual = FeatureResidual(feature="fast_conversion_share", side="high", z=6.2, value=0.4, peer=0.02, support=50)
    mild = FeatureResidual(feature="fast_conversion_share", side="high", z=1.2, value=0.03, peer=0.02, support=50)
    slight = FeatureResidual(feature="fast_conversion_share", side="high", z=0.1, value=0.021, peer=0.02, support=50)
    signal, explaining = run("traffic.peer_residuals", facts(peers={"fast_conversion_share": 0.02}, residuals=(residual, mild, slight)))
    assert (signal.severity, explaining.severity) == (Severity.MEDIUM, Severity.INFO)
    assert (signal.reason_code, signal.family, signal.tier) == ("timing.fast_conversion_share", Family.TIMING, Tier.CIRCUMSTANTIAL)
    assert "40.0%, where 2.0% is usual among peers (z 6.2 from 50 conversions)" in signal.text
    assert run("traffic.peer_residuals", facts(peers={"x": 1.0}))[0].status is Status.CLEAR
    assert run("traffic.peer_residuals", facts())[0].status is Status.INCONCLUSIVE


def test_company_is_named_by_what_is_shared() -> None:
    company = Company(ring_id="ring_1", members=4, shared={"payout_account": 1, "device": 12}, score=0.9)
    (signal,) = run("traffic.shared_identity", facts(company=company))
    assert signal.status is Status.FINDING
    assert "12 visitors’ devices, the same payout account" in signal.text
    assert run("traffic.shared_identity", facts())[0].status is Status.CLEAR


def test_those_who_only_play_one_recording_are_not_said_to_be_one_person() -> None:
    company = Company(ring_id="ring_1", members=3, shared={"device_moment": 37}, score=0.9)
    played = GraphFinding(
        pattern=GraphPattern.REPLAY, evidence=9.0, others=("b",), shared={"device_moment": 37}, typologies=("click_replay",), text="Played."
    )
    assert run("traffic.shared_identity", facts(company=company, graph=(played,)))[0].status is Status.CLEAR


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.123, "share", "12.3%"),
        (95.0, "s", "95 s"),
        (3.0, "count", "3"),
        (1.234, "ratio", "1.23"),
        (2.5, "nats", "2.50 nats"),
        (-0.693147, "log ratio", "0.50×"),
    ],
)
def test_quantities_are_said_in_their_unit(value: float, unit: str, words: str) -> None:
    assert quantity(value, unit) == words


class TestBeyondReference:
    """C30: the furthest of the reference, by half as much again."""

    FURTHEST = Extreme(feature="fast_conversion_share", side="high", distance=9.0, furthest=5.0, rows=4_000, value=0.4, support=30.0)

    def look(self, *extremes: Extreme) -> Signal:
        (signal,) = run("traffic.beyond_reference", facts(peers={"fast_conversion_share": 0.02}, extremes=extremes))
        return signal

    def test_what_nobody_came_near_asks_for_a_look_and_proves_nothing(self) -> None:
        signal = self.look(self.FURTHEST)
        assert (signal.status, signal.severity, signal.tier) == (Status.FINDING, Severity.LOW, Tier.CIRCUMSTANTIAL)
        assert (signal.family, signal.baseline, signal.sample_size) == (Family.TIMING, 0.02, 30)
        assert "9.0 deviations" in signal.text
        assert "4,000 windows" in signal.text

    @pytest.mark.parametrize("change", [{"distance": 7.0}, {"distance": 3.9, "furthest": 0.1}, {"rows": 100}])
    def test_a_little_further_or_beyond_a_few_is_nothing(self, change: dict[str, float]) -> None:
        assert self.look(msgspec.structs.replace(self.FURTHEST, **change)).status is Status.CLEAR

    def test_many_extremes_are_one_signal(self) -> None:
        assert "1 more feature" in self.look(self.FURTHEST, msgspec.structs.replace(self.FURTHEST, distance=8.0)).text

    def test_without_peers_nothing_can_be_said(self) -> None:
        assert run("traffic.beyond_reference", facts())[0].status is Status.INCONCLUSIVE
