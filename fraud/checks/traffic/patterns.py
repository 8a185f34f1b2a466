"""Rules over several features at once: what no single one of them shows, but all of them together do."""

from __future__ import annotations

import msgspec

from fraud.checks.traffic.facts import FeatureResidual, TrafficFacts
from fraud.checks.traffic.shares import TrafficCheck
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.signals import Severity, Signal


class PatternRule(msgspec.Struct, frozen=True, kw_only=True):
    """A pattern: its marks, each one or more residuals (`feature:side`) of which the largest counts, and the words for it. `needed` are
    the places of marks without which the others say nothing."""

    check_id: str
    marks: tuple[tuple[str, ...], ...]
    needed: tuple[int, ...] = ()
    sentence: str


PATTERNS: tuple[PatternRule, ...] = (
    PatternRule(
        check_id="traffic.incentivised",
        marks=(
            ("conversion_level:high",),
            ("value_ratio:low",),
            ("reversal_share:high",),
            ("delay_log_sd:low", "delay_log_median:low"),
            ("undeclared_referrer_share:high",),
        ),
        needed=(0,),
        sentence="Sales are many, small or short-lived, alike in time or from undeclared sites",
    ),
    PatternRule(
        check_id="traffic.automated",
        marks=(
            ("short_dwell_share:high",),
            ("no_script_share:high",),
            ("gap_variation:low", "pace_evenness:low"),
            ("agent_entropy:low", "top_agent_share:high", "declared_bot_share:high"),
            ("clicks_per_ip:high", "distinct_ip_ratio:low", "clicks_per_device:high", "hosting_like_share:high"),
            ("conversion_level:low",),
        ),
        sentence="Visits end at once, run no script, come evenly, from few machines, or lead nowhere",
    ),
    PatternRule(
        check_id="traffic.search_poaching",
        marks=(
            ("conversion_level:high",),
            ("new_customer_share:low",),
            ("delay_log_median:low",),
            ("undeclared_referrer_share:high", "paid_click_share:high"),
        ),
        needed=(0, 1, 3),
        sentence="Customers who knew the shop already arrive through search, decide quickly and buy often",
    ),
)
"""The patterns that are looked for."""


def pattern_check(rule: PatternRule) -> TrafficCheck:
    """The check that looks for one pattern."""

    def check(facts: TrafficFacts, limits: Limits) -> tuple[Signal, ...]:
        return (judge_pattern(rule, facts, limits),)

    check.__name__ = rule.check_id.replace(".", "_")
    check.__doc__ = CHECKS[rule.check_id].looks_for
    return check


def judge_pattern(rule: PatternRule, facts: TrafficFacts, limits: Limits) -> Signal:
    """The signal of one pattern; inconclusive when there is nobody to compare with."""
    spec = CHECKS[rule.check_id]
    if not facts.peers:
        return spec.inconclusive(facts.subject, "There is nobody to compare with.")
    strongest = [_strongest(facts, mark) for mark in rule.marks]
    marked = {place: one for place, one in enumerate(strongest) if one is not None and one.z >= limits["minimum_z"]}
    seen = Observation(
        text=f"{rule.sentence}: {len(marked)} of {len(rule.marks)} marks stand out against peers"
        + (f" ({', '.join(one.feature.replace('_', ' ') for one in marked.values())})." if marked else "."),
        value=len(marked),
        baseline=limits["minimum_marks"],
        sample_size=facts.counts.clicks,
    )
    if len(marked) < limits["minimum_marks"] or not marked.keys() >= set(rule.needed):
        return spec.clear(facts.subject, seen)
    return spec.finding(facts.subject, Severity.HIGH if len(marked) >= limits["high_marks"] else Severity.MEDIUM, seen)


def _strongest(facts: TrafficFacts, mark: tuple[str, ...]) -> FeatureResidual | None:
    return next((one for one in facts.residuals if f"{one.feature}:{one.side}" in mark), None)
