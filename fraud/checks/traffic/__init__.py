"""Checks of an affiliate's or a sub-ID's traffic, by the ids of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from fraud.checks.traffic import conversions, statistics
from fraud.checks.traffic.excess import excess_earnings
from fraud.checks.traffic.patterns import PATTERNS, pattern_check
from fraud.checks.traffic.shares import SHARE_RULES, TrafficCheck, check_of
from fraud.checks.traffic.statistics import FeatureWords
from fraud.checks.traffic.weeks import also_over_weeks
from fraud.domain.graph import GraphPattern


def traffic_checks(words: Mapping[str, FeatureWords]) -> dict[str, TrafficCheck]:
    """Every traffic check by id; `words` says how each feature is spoken of."""
    return {
        "traffic.peer_residuals": partial(statistics.peer_residuals, words),
        "traffic.anomaly": statistics.anomaly,
        "traffic.beyond_reference": partial(statistics.beyond_reference, words),
        **{rule.check_id: also_over_weeks(check_of(rule)) for rule in SHARE_RULES},
        **{rule.check_id: pattern_check(rule) for rule in PATTERNS},
        "traffic.excess_earnings": also_over_weeks(excess_earnings),
        "traffic.regular_timing": also_over_weeks(conversions.regular_timing),
        "traffic.too_few_conversions": also_over_weeks(conversions.too_few),
        "traffic.too_many_conversions": conversions.too_many,
        "traffic.late_conversions": also_over_weeks(conversions.late),
        "traffic.narrow_delays": also_over_weeks(conversions.narrow_delays),
        "traffic.self_referral": also_over_weeks(conversions.self_referral),
        "traffic.refunds": also_over_weeks(conversions.refunds),
        "traffic.shared_identity": statistics.shared_identity,
        "traffic.dense_block": statistics.graph_pattern(GraphPattern.BLOCK, "traffic.dense_block"),
        "traffic.lockstep": statistics.graph_pattern(GraphPattern.LOCKSTEP, "traffic.lockstep"),
        "traffic.bad_neighbours": statistics.graph_pattern(GraphPattern.NEIGHBOUR, "traffic.bad_neighbours"),
        "traffic.click_replay": statistics.graph_pattern(GraphPattern.REPLAY, "traffic.click_replay"),
    }
