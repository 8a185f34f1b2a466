"""A rule asked again of the weeks: what tonight is too small for, and no more than that."""

from __future__ import annotations

import msgspec

from fraud.checks.traffic import traffic_checks
from fraud.checks.traffic.facts import TrafficCounts, TrafficFacts, WeekFacts
from fraud.decisions.traffic import WORDS
from fraud.domain.signals import Signal, Status
from fraud.policy.loading import load_pack

PACK = load_pack()
CHECKS = traffic_checks(WORDS)
NAME = "short_dwell_share"


def weeks(share: float, clicks: int, self_matches: int = 0) -> WeekFacts:
    counts = TrafficCounts(clicks=clicks, conversions=20, expected_conversions=20.0, self_matches=self_matches)
    return WeekFacts(windows=9, values={NAME: share}, support={NAME: float(clicks)}, peers={NAME: 0.02}, counts=counts)


def tonight(share: float, clicks: int, past: WeekFacts | None) -> TrafficFacts:
    counts = TrafficCounts(clicks=clicks, conversions=2, expected_conversions=2.0, self_matches=0)
    return TrafficFacts(subject="a", values={NAME: share}, support={NAME: float(clicks)}, peers={NAME: 0.02}, counts=counts, weeks=past)


def said(check: str, facts: TrafficFacts) -> Signal:
    return CHECKS[check](facts, PACK.limits(check))[0]


def test_the_weeks_hold_what_one_night_is_too_small_for() -> None:
    alone, with_a_past = (said("traffic.forced_visits", tonight(0.7, 12, past)) for past in (None, weeks(0.7, 150)))
    assert alone.status is Status.INCONCLUSIVE
    assert with_a_past.found
    assert with_a_past.sample_size == 150
    assert with_a_past.text.startswith("Over the last 9 windows together: ")


def test_orders_of_the_own_holder_are_counted_over_the_weeks() -> None:
    assert not said("traffic.self_referral", tonight(0.0, 12, weeks(0.0, 150, self_matches=1))).found
    assert said("traffic.self_referral", tonight(0.0, 12, weeks(0.0, 150, self_matches=3))).found


def test_what_tonight_shows_is_said_of_tonight() -> None:
    facts = tonight(0.7, 300, weeks(0.1, 3_000))
    assert said("traffic.forced_visits", facts) == said("traffic.forced_visits", msgspec.structs.replace(facts, weeks=None))


def test_calm_weeks_change_nothing_of_what_is_said_of_tonight() -> None:
    for clicks in (12, 300):
        calm, alone = (said("traffic.forced_visits", tonight(0.01, clicks, past)) for past in (weeks(0.01, 3_000), None))
        assert calm == alone
