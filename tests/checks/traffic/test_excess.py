"""C26 as a rule: support, effect, significance and distance from peers together, and never more than circumstantial."""

from __future__ import annotations

import pytest

from fraud.checks.traffic.excess import EXCESS as RULE
from fraud.checks.traffic.excess import excess_earnings
from fraud.checks.traffic.facts import FeatureResidual, TrafficCounts, TrafficFacts
from fraud.domain.signals import Severity, Signal, Status, Tier
from fraud.policy.loading import load_pack

LIMITS = load_pack().limits(RULE.check_id)


def judged(share: float, buyers: float = 60.0, z: float = 4.0) -> Signal:
    residual = FeatureResidual(feature=RULE.feature, side="high", z=z, value=share, peer=0.02, support=buyers)
    seen = TrafficFacts(
        subject="a",
        values={RULE.feature: share},
        support={RULE.feature: buyers},
        counts=TrafficCounts(clicks=900, conversions=80),
        peers={RULE.feature: 0.02},
        residuals=(residual,),
    )
    (signal,) = excess_earnings(seen, LIMITS)
    return signal


def test_earnings_beyond_the_envelope_ask_for_a_look_and_prove_nothing() -> None:
    signal = judged(0.8)
    assert (signal.status, signal.severity, signal.tier) == (Status.FINDING, Severity.LOW, Tier.CIRCUMSTANTIAL)
    assert "coupon day" in signal.also_explained_by
    assert "80% of the commission from 60 buyers" in signal.text


@pytest.mark.parametrize(("share", "buyers", "z"), [(0.2, 60.0, 4.0), (0.8, 60.0, 1.0)])
def test_a_small_excess_or_one_that_peers_have_too_is_nothing(share: float, buyers: float, z: float) -> None:
    assert judged(share, buyers, z).status is Status.CLEAR


def test_few_buyers_say_nothing() -> None:
    assert judged(0.9, buyers=6.0).status is Status.INCONCLUSIVE
