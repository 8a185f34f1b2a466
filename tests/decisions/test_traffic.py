"""One subject of a scan: what is at stake, what may go on, and inputs that say the same again."""

from __future__ import annotations

import math
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.checks.traffic.facts import TrafficCounts, TrafficFacts
from fraud.decisions.inputs import MOST_RESIDUALS, InputsReader, PeerKey, TrafficInputs, judge_again
from fraud.decisions.traffic import INVALID_SHARES, WORDS, commission_at_risk, prepared_checks, recommended_cap, verdict_of
from fraud.detection.traffic import fit_traffic_model, judge
from fraud.domain.decisions import Outcome, Verdict
from fraud.features.catalogue import FEATURES
from fraud.policy.loading import load_pack
from tests.detection.tables import table_of

PACK = load_pack()
CHECKS = prepared_checks(PACK)


def facts(pending: str | None = "100.00", **changes: object) -> TrafficFacts:
    counts = TrafficCounts(clicks=1000, conversions=40, pending_commission=None if pending is None else Decimal(pending), currency="EUR")
    return msgspec.structs.replace(TrafficFacts(subject="a", values={}, support={}, counts=counts), **changes)


def verdict(outcome: Outcome, score: float) -> Verdict:
    return Verdict(outcome=outcome, score=score, coverage=1.0, typologies=(), reasons=(), guards=(), public_reason="")


def at_risk(seen: TrafficFacts, outcome: Outcome = Outcome.REVIEW, score: float = 0.5) -> tuple[Decimal | None, ...]:
    risk = commission_at_risk(seen, verdict(outcome, score))
    return risk.low, risk.mid, risk.high


class TestCommissionAtRisk:
    def test_is_unknown_where_commission_is(self) -> None:
        assert at_risk(facts(pending=None)) == (None, None, None)

    def test_an_excess_over_peers_is_what_may_be_invalid(self) -> None:
        seen = facts(values={"no_click_share": 0.52}, support={"no_click_share": 40.0}, peers={"no_click_share": 0.12})
        low, mid, high = at_risk(seen)
        assert mid == Decimal("40.00")
        assert low is not None
        assert high is not None
        assert Decimal(20) < low < Decimal(40) < high < Decimal(60)

    def test_who_is_like_the_peers_risks_what_the_score_says_at_most(self) -> None:
        seen = facts(values={"no_click_share": 0.1}, support={"no_click_share": 40.0}, peers={"no_click_share": 0.3})
        assert at_risk(seen, score=0.5) == (Decimal("0.00"), Decimal("0.00"), Decimal("50.00"))

    def test_independent_excesses_add_up_to_less_than_their_sum(self) -> None:
        values = {"no_click_share": 0.5, "fast_conversion_share": 0.5}
        seen = facts(values=values, support=dict.fromkeys(values, 1000.0))
        assert at_risk(seen)[1] == Decimal("75.00")

    def test_own_purchases_count_whole(self) -> None:
        counts = TrafficCounts(clicks=10, conversions=40, self_matches=10, pending_commission=Decimal(100), currency="EUR")
        assert at_risk(facts(counts=counts))[1] == Decimal("25.00")

    @pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.WATCH])
    def test_nothing_is_put_at_risk_by_an_outcome_that_acts_on_nothing(self, outcome: Outcome) -> None:
        seen = facts(values={"no_click_share": 0.5}, support={"no_click_share": 40.0})
        low, mid, high = at_risk(seen, outcome, 0.1)
        assert (low, mid, high) == (Decimal("0.00"), Decimal("0.00"), Decimal("10.00"))

    @given(
        shares=st.lists(st.floats(0, 1), min_size=len(INVALID_SHARES), max_size=len(INVALID_SHARES)),
        peers=st.lists(st.floats(0, 1), min_size=len(INVALID_SHARES), max_size=len(INVALID_SHARES)),
        support=st.integers(1, 10_000),
        pending=st.decimals(0, 10**6, places=2),
        outcome=st.sampled_from([Outcome.PASS, Outcome.WATCH, Outcome.REVIEW, Outcome.HOLD, Outcome.SUSPEND]),
        score=st.floats(0, 1),
    )
    def test_low_is_never_above_mid_nor_mid_above_high_nor_high_above_what_is_pending(
        self, shares: list[float], peers: list[float], support: int, pending: Decimal, outcome: Outcome, score: float
    ) -> None:
        seen = facts(
            pending=str(pending),
            values=dict(zip(INVALID_SHARES, shares, strict=True)),
            support=dict.fromkeys(INVALID_SHARES, float(support)),
            peers=dict(zip(INVALID_SHARES, peers, strict=True)),
        )
        low, mid, high = at_risk(seen, outcome, score)
        assert low is not None
        assert mid is not None
        assert high is not None
        assert 0 <= low <= mid <= high <= pending


class TestRecommendedCap:
    def test_is_a_share_of_the_usual_number_a_day(self) -> None:
        usual = facts().counts.conversions / 4
        assert recommended_cap(PACK, facts(), Outcome.HOLD, days=4) == max(1, round(PACK.scan.cap_shares[Outcome.HOLD] * usual))

    @pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.WATCH])
    def test_there_is_none_without_cause(self, outcome: Outcome) -> None:
        assert recommended_cap(PACK, facts(), outcome, days=3) is None

    def test_one_conversion_is_always_left(self) -> None:
        none = facts(counts=TrafficCounts(clicks=10, conversions=0))
        assert recommended_cap(PACK, none, Outcome.SUSPEND, days=3) == 1


class TestInputs:
    def test_hold_all_that_the_model_needs_to_say_the_same_again(self) -> None:
        """After a journey through JSON, one row at a time, under the same model: the same to the last bit."""
        model, night = fit_traffic_model(table_of(400)), table_of(30, seed=2)
        judged = judge(model, night)
        for subject in night.values.index:
            inputs = InputsReader(night, judged).of(subject, str(subject))
            read = msgspec.json.decode(msgspec.json.encode(inputs), type=TrafficInputs)
            assert read == inputs
            assert judge_again(model, read) == inputs

    def test_are_said_again_with_unknowns_among_them(self) -> None:
        night = table_of(30, seed=3)
        night.values.iloc[0, ::2] = math.nan
        night.facts["affiliate_type"] = ["coupon", None] * 15
        model = fit_traffic_model(night)
        judged = judge(model, night)
        inputs = InputsReader(night, judged).of("a0", "a0")
        assert set(inputs.facts.values) == {feature.name for feature in FEATURES[1::2]}
        assert inputs.peer_key.affiliate_type == "coupon"
        assert judge_again(model, inputs) == inputs

    def test_keep_the_largest_residuals_only(self) -> None:
        night = table_of(400)
        reader = InputsReader(night, judge(fit_traffic_model(night), night))
        kept = [reader.of(subject, str(subject)).facts.residuals for subject in night.values.index]
        assert max(len(residuals) for residuals in kept) == MOST_RESIDUALS
        for residuals in kept:
            assert [one.z for one in residuals] == sorted((one.z for one in residuals), reverse=True)
            assert all(one.z > 0 for one in residuals)

    def test_a_verdict_follows_from_facts_and_pack_alone(self) -> None:
        night = table_of(30, seed=4)
        seen = InputsReader(night, judge(fit_traffic_model(night), night)).of("a3", "a3")
        first, second = (verdict_of(PACK, seen, CHECKS.run("a3", seen.facts)) for _ in range(2))
        assert first == second
        assert 0 <= first.score <= 1

    def test_who_has_no_evidence_is_not_suspected(self) -> None:
        seen = TrafficInputs(facts=facts(evidence=None), peer_key=PeerKey(affiliate_type=None, main_country=None, clicks=0))
        said = verdict_of(PACK, seen, CHECKS.run("a", seen.facts))
        assert said.outcome is Outcome.PASS


def test_every_feature_has_its_words() -> None:
    assert {feature.name for feature in FEATURES} == set(WORDS)
