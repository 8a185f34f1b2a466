from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.decisions.deciding import PUBLIC_NOTHING, cheapest_outcome, decide_application, decide_event, decide_traffic, risk_of
from fraud.decisions.ruling import Case
from fraud.domain.catalogue import APPLICANT_CHECKS, CHECKS, Observation
from fraud.domain.decisions import DecisionKind, Outcome, Verdict
from fraud.domain.signals import Severity, Signal
from fraud.policy.loading import load_pack
from fraud.policy.pack import FITTED_BASE_RATE, Pack

SEEN = Observation(text="seen")
PACK = load_pack()


def found(check_id: str, severity: Severity = Severity.HIGH) -> Signal:
    return CHECKS[check_id].finding("x", severity, SEEN)


def event(signals: list[Signal]) -> Verdict:
    return decide_event(PACK, Case(DecisionKind.SCORE, signals, {}), degraded=False)


def all_clear(without: str = "") -> list[Signal]:
    return [spec.clear("x", SEEN) for spec in APPLICANT_CHECKS if spec.check_id != without]


def packed(**changes: object) -> Pack:
    return msgspec.structs.replace(PACK, scan=msgspec.structs.replace(PACK.scan, **changes))


class TestApplications:
    def test_a_clear_applicant_is_approved(self) -> None:
        verdict = decide_application(PACK, all_clear())
        assert (verdict.outcome, verdict.coverage, verdict.public_reason) == (Outcome.APPROVE, 1.0, PUBLIC_NOTHING)

    def test_below_the_minimum_of_coverage_nothing_is_approved(self) -> None:
        signals = [spec.inconclusive("x", "unreachable") for spec in APPLICANT_CHECKS]
        verdict = decide_application(PACK, signals)
        assert verdict.outcome is Outcome.REQUEST_INFO
        assert "coverage_below_minimum" in verdict.guards
        assert verdict.needed

    def test_a_parked_page_is_never_approved(self) -> None:
        for severity in (Severity.MEDIUM, Severity.HIGH):
            verdict = decide_application(PACK, [*all_clear("website.parked"), found("website.parked", severity)])
            assert verdict.outcome is Outcome.REVIEW

    def test_what_nobody_saw_is_never_asked_to_be_undone(self) -> None:
        signals = [spec.inconclusive("x", "unreachable") for spec in APPLICANT_CHECKS]
        needed = decide_application(PACK, signals).needed
        assert CHECKS["website.reachable"].needed in needed
        assert CHECKS["website.hidden_tracking"].needed not in needed

    def test_a_hidden_frame_that_could_not_be_looked_for_is_not_approved(self) -> None:
        signals = [*all_clear("website.hidden_tracking"), CHECKS["website.hidden_tracking"].inconclusive("x", "not understood")]
        verdict = decide_application(PACK, signals)
        assert (verdict.outcome, verdict.guards) == (Outcome.REVIEW, ("conclusive_check_could_not_look",))

    def test_rejection_waits_for_a_person_unless_the_policy_says_otherwise(self) -> None:
        signals = [*all_clear("website.parked"), found("website.parked"), found("website.hidden_tracking", Severity.CRITICAL)]
        waiting = decide_application(PACK, signals)
        assert (waiting.outcome, waiting.guards) == (Outcome.REVIEW, ("rejection_waits_for_a_person",))
        automatic = msgspec.structs.replace(PACK, vetting=msgspec.structs.replace(PACK.vetting, reject_automatically=True))
        assert decide_application(automatic, signals).outcome is Outcome.REJECT

    def test_expected_loss_agrees_with_the_worked_example(self) -> None:
        loss = msgspec.structs.replace(PACK.vetting.loss, recoverable_share=0.0)  # approve below .061, review up to .758, then reject
        assert [cheapest_outcome(p, loss) for p in (0.060, 0.062, 0.757, 0.759)] == [
            Outcome.APPROVE,
            Outcome.REVIEW,
            Outcome.REVIEW,
            Outcome.REJECT,
        ]

    def test_the_public_reason_holds_only_the_catalogues_sentences(self) -> None:
        verdict = decide_application(PACK, [found("website.parked"), found("website.brand_in_domain", Severity.MEDIUM)])
        allowed = {spec.public_text for spec in APPLICANT_CHECKS}
        assert all(any(part in text for text in allowed) for part in verdict.public_reason.split(". "))
        assert "seen" not in verdict.public_reason


class TestTraffic:
    def test_no_anomaly_alone_holds(self) -> None:
        signals = [found("traffic.anomaly"), found("traffic.peer_residuals"), found("traffic.too_many_conversions")]
        assert decide_traffic(PACK, signals, evidence=300.0).outcome is Outcome.REVIEW

    def test_two_independent_families_hold(self) -> None:
        verdict = decide_traffic(PACK, [found("traffic.fast_conversions"), found("traffic.repeated_customers")], 1.0)
        assert verdict.outcome is Outcome.HOLD

    def test_rules_add_less_to_what_a_ranker_says(self) -> None:
        rules = [found("traffic.fast_conversions")]
        alone, ranked = decide_traffic(PACK, [], 2.0).score, decide_traffic(PACK, rules, 2.0, ranked=True).score
        assert alone < ranked < decide_traffic(PACK, rules, 2.0).score

    def test_clicks_that_anybody_can_send_hold_nobody(self) -> None:
        """One stranger's address shows in three families at once; none of them speaks of the affiliate's conversions."""
        sent = [found(f"traffic.{name}") for name in ("duplicate_clicks", "hosting_like", "ip_concentration", "declared_bots")]
        assert decide_traffic(PACK, sent, 9.0).outcome is Outcome.REVIEW
        assert decide_traffic(PACK, [*sent, found("traffic.fast_conversions")], 9.0).outcome is Outcome.HOLD

    def test_suspension_waits_for_a_person(self) -> None:
        signals = [found("traffic.self_referral", Severity.CRITICAL)]
        assert decide_traffic(PACK, signals, 0.0).outcome is Outcome.HOLD
        assert decide_traffic(packed(suspend_automatically=True), signals, 0.0).outcome is Outcome.SUSPEND

    def test_nothing_known_passes_with_no_risk(self) -> None:
        verdict = decide_traffic(PACK, [], math.nan)
        assert (verdict.outcome, verdict.score) == (Outcome.PASS, 0.0)

    @given(st.floats(0, 300), st.floats(0.01, 10))
    def test_more_evidence_never_lowers_the_score_and_never_saturates(self, evidence: float, more: float) -> None:
        low, high = (decide_traffic(PACK, [], e).score for e in (evidence, evidence + more))
        assert low <= high < 1


class TestClicks:
    def test_blocking_takes_a_conclusive_finding(self) -> None:
        associative = [found("click.burst"), found("click.affiliate_risk"), found("click.duplicate"), found("click.anomaly")]
        assert event(associative).outcome is Outcome.REVIEW
        assert event([found("click.declared_bot")]).outcome is Outcome.BLOCK

    def test_an_ordinary_click_is_allowed(self) -> None:
        assert event([CHECKS["click.burst"].clear("x", SEEN)]).outcome is Outcome.ALLOW


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_of_signals_never_changes_the_verdict(order: int) -> None:
    signals = [found("traffic.fast_conversions"), found("traffic.repeated_customers"), found("traffic.hosting_like", Severity.MEDIUM)]
    assert decide_traffic(PACK, signals[::order], 2.5) == decide_traffic(PACK, signals, 2.5)


class TestRisk:
    def test_it_is_even_at_half_and_rises_with_the_evidence(self) -> None:
        assert risk_of(PACK.scan, PACK.scan.half_risk_evidence) == pytest.approx(0.5)
        assert risk_of(PACK.scan, 0.0) == 0.0
        risks = [risk_of(PACK.scan, evidence) for evidence in (1e-170, 0.5, 1.0, 3.0, 8.0, 5_000.0)]
        assert risks == sorted(risks)
        assert risks[-1] < 1.0

    def test_a_rarer_fraud_needs_more_evidence(self) -> None:
        rare = msgspec.structs.replace(PACK.scan, base_rate=0.01)
        assert risk_of(rare, 4.0) < risk_of(PACK.scan, 4.0)
        odds = [one / (1 - one) for one in (risk_of(rare, 4.0), risk_of(PACK.scan, 4.0))]
        assert odds[0] / odds[1] == pytest.approx((0.01 / 0.99) / (0.05 / 0.95))

    def test_a_pack_that_says_nothing_of_the_curve_keeps_its_old_one(self) -> None:
        old = msgspec.structs.replace(PACK.scan, half_risk_evidence=3.9, evidence_power=1.0, base_rate=FITTED_BASE_RATE)
        assert risk_of(old, 5.85) == pytest.approx(0.6)
