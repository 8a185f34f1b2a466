"""Targets by their arithmetic: never met on what is unknown, never lost before the time is up, and never both."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.cases.targets import progress_of
from fraud.domain.performance import Performance
from fraud.domain.scans import Period
from fraud.domain.targets import AT_MOST, COUNTED, Metric, Target, TargetState

START = datetime(2026, 3, 1, tzinfo=UTC)
MARCH = Period(start=START, end=START + timedelta(days=30))


def target(metric: Metric, goal: str, incentive: str = "1% more") -> Target:
    return Target(
        target_id="tgt_1",
        program_id="p",
        affiliate_id="a",
        metric=metric,
        goal=Decimal(goal),
        period=MARCH,
        set_at=START,
        set_by="Ada",
        reason="Spring",
        incentive=incentive,
    )


def figures(clicks: int = 1_000, conversions: int = 50, reversals: int = 5, revenue: str | None = "5000") -> Performance:
    return Performance(
        affiliate_id="a",
        period=MARCH,
        clicks=clicks,
        conversions=conversions,
        reversed=reversals,
        settled=conversions,
        currency="EUR",
        revenue=None if revenue is None else Decimal(revenue),
    )


@pytest.mark.parametrize(
    ("metric", "goal", "day", "state", "share"),
    [
        (Metric.CONVERSIONS, "100", 15, TargetState.ON_TRACK, 0.5),
        (Metric.CONVERSIONS, "100", 16, TargetState.BEHIND, 0.5),
        (Metric.CONVERSIONS, "50", 2, TargetState.MET, 1.0),
        (Metric.CONVERSIONS, "100", 30, TargetState.MISSED, 0.5),
        (Metric.CONVERSION_RATE, "0.04", 15, TargetState.ON_TRACK, 1.25),
        (Metric.CONVERSION_RATE, "0.04", 30, TargetState.MET, 1.25),
        (Metric.REVERSAL_RATE, "0.2", 30, TargetState.MET, 1.0),
        (Metric.REVERSAL_RATE, "0.05", 30, TargetState.MISSED, 0.5),
        (Metric.NEW_CUSTOMER_SHARE, "0.5", 30, TargetState.UNKNOWN, None),
    ],
)
def test_a_target_stands_where_figures_and_date_put_it(
    metric: Metric, goal: str, day: int, state: TargetState, share: float | None
) -> None:
    stand = progress_of(target(metric, goal), "a", figures(), START + timedelta(days=day))
    assert (stand.state, stand.share) == (state, pytest.approx(share) if share is not None else None)


def test_an_incentive_is_earned_by_reaching_and_waits_where_something_is_open() -> None:
    now = START + timedelta(days=3)
    assert progress_of(target(Metric.CLICKS, "1000"), "a", figures(), now).incentive == "1% more"
    assert progress_of(target(Metric.CLICKS, "1001"), "a", figures(), now, "Held.").incentive == ""
    waiting = progress_of(target(Metric.CLICKS, "1000"), "a", figures(), now, "Held.")
    assert (waiting.incentive, waiting.waits) == ("1% more", "Held.")


def test_no_traffic_is_nothing_counted_and_no_rate() -> None:
    now = START + timedelta(days=3)
    assert progress_of(target(Metric.REVENUE, "10"), "a", None, now).value == 0
    assert (
        progress_of(target(Metric.REVENUE, "10"), "a", figures(conversions=3, reversals=0, revenue=None), now).state is TargetState.UNKNOWN
    )
    assert progress_of(target(Metric.CONVERSION_RATE, "0.1"), "a", None, now).state is TargetState.UNKNOWN


@given(
    metric=st.sampled_from(Metric),
    goal=st.decimals("0.001", "1000", places=3),
    clicks=st.integers(0, 5_000),
    conversions=st.integers(0, 500),
    day=st.integers(-5, 40),
)
def test_it_is_met_only_when_reached_and_missed_only_when_over(
    metric: Metric, goal: Decimal, clicks: int, conversions: int, day: int
) -> None:
    aim, now = target(metric, str(goal)), START + timedelta(days=day)
    stand = progress_of(aim, "a", figures(clicks, conversions, reversals=conversions // 3), now)
    if stand.value is None:
        assert stand.state is TargetState.UNKNOWN
        return
    reached = stand.value <= goal if metric in AT_MOST else stand.value >= goal
    assert (stand.share is not None and stand.share >= 1) == reached
    over = now >= MARCH.end
    assert (stand.state is TargetState.MET) == (reached and (over or metric in COUNTED))
    assert (stand.state is TargetState.MISSED) == (over and not reached)
    assert bool(stand.incentive) == (stand.state is TargetState.MET)
    assert 0 <= stand.due <= 1
