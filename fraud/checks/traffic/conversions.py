"""Rules over conversions: too few, too many, too late, too alike, undone, or one's own."""

from __future__ import annotations

import msgspec

from fraud.checks.traffic.bounds import lower_bound, poisson_at_least, poisson_at_most
from fraud.checks.traffic.facts import TrafficFacts
from fraud.checks.traffic.shares import usual
from fraud.domain.catalogue import CHECKS, CheckSpec, Limits, Observation
from fraud.domain.signals import Severity, Signal


def too_few(facts: TrafficFacts, limits: Limits) -> tuple[Signal, ...]:
    """C12: P(K <= k) under what the same offers give elsewhere, and an effect large enough to matter."""
    spec = CHECKS["traffic.too_few_conversions"]
    expected = facts.counts.expected_conversions
    if expected is None:
        return (spec.inconclusive(facts.subject, "What the offers usually convert is unknown."),)
    if facts.counts.clicks < limits["minimum_clicks"]:
        return (_too_small(spec, facts.subject, facts.counts.clicks, limits["minimum_clicks"], "clicks"),)
    found = facts.counts.conversions
    seen = _against_expected(facts, expected)
    few = found < limits["maximum_ratio"] * expected and poisson_at_most(found, expected) < limits["maximum_p_value"]
    return (spec.finding(facts.subject, Severity.MEDIUM, seen) if few else spec.clear(facts.subject, seen),)


def too_many(facts: TrafficFacts, limits: Limits) -> tuple[Signal, ...]:
    """C13: P(K >= k) under what the same offers give elsewhere; never more than circumstantial, coupon days are honest."""
    spec = CHECKS["traffic.too_many_conversions"]
    expected = facts.counts.expected_conversions
    if expected is None:
        return (spec.inconclusive(facts.subject, "What the offers usually convert is unknown."),)
    if facts.declared:
        return (spec.inconclusive(facts.subject, f"Declared beforehand: {facts.declared}. More sales are what it is for."),)
    found = facts.counts.conversions
    seen = _against_expected(facts, expected)
    if found < limits["minimum_conversions"]:
        return (_too_small(spec, facts.subject, found, limits["minimum_conversions"], "conversions"),)
    many = found > limits["minimum_ratio"] * expected and poisson_at_least(found, expected) < limits["maximum_p_value"]
    return (spec.finding(facts.subject, Severity.LOW, seen) if many else spec.clear(facts.subject, seen),)


def late(facts: TrafficFacts, limits: Limits) -> tuple[Signal, ...]:
    """C14: the share of conversions a day and more after their click, beyond what peers see."""
    spec = CHECKS["traffic.late_conversions"]
    value, peer = facts.values.get("late_conversion_share"), facts.peers.get("late_conversion_share")
    if value is None or peer is None:
        return (spec.inconclusive(facts.subject, "No conversion can be tied to the time of its click."),)
    n = facts.support.get("late_conversion_share", 0.0)
    if n < limits["minimum_conversions"]:
        return (_too_small(spec, facts.subject, n, limits["minimum_conversions"], "conversions"),)
    excess = lower_bound(value * n, n) - peer
    seen = Observation(
        text=f"{value:.0%} of {n:,.0f} conversions come more than a day after their click{usual(peer)}",
        value=round(value, 6),
        baseline=round(peer, 6),
        unit="share",
        sample_size=round(n),
    )
    if excess < limits["minimum_share"]:
        return (spec.clear(facts.subject, seen),)
    return (spec.finding(facts.subject, Severity.HIGH if excess >= limits["high_share"] else Severity.MEDIUM, seen),)


def narrow_delays(facts: TrafficFacts, limits: Limits) -> tuple[Signal, ...]:
    """C18: times from click to conversion that people could not keep so alike."""
    return _too_even(facts, limits, _DELAYS)


def regular_timing(facts: TrafficFacts, limits: Limits) -> tuple[Signal, ...]:
    """C08: gaps between clicks that vary less than chance would make them."""
    return _too_even(facts, limits, _GAPS)


def refunds(facts: TrafficFacts, limits: Limits) -> tuple[Signal, ...]:
    """C20: settled conversions that were undone, absolutely and against peers."""
    spec = CHECKS["traffic.refunds"]
    value, peer = facts.values.get("reversal_share"), facts.peers.get("reversal_share")
    if value is None or peer is None:
        return (spec.inconclusive(facts.subject, "No conversion has been settled yet."),)
    n = facts.support.get("reversal_share", 0.0)
    if n < limits["minimum_conversions"]:
        return (_too_small(spec, facts.subject, n, limits["minimum_conversions"], "settled conversions"),)
    if peer >= limits["maximum_peer_share"]:
        return (spec.inconclusive(facts.subject, "Nearly everything settled so far was undone, by everybody: approvals come later here."),)
    bound = lower_bound(value * n, n)
    seen = Observation(
        text=f"{value:.0%} of {n:,.0f} settled conversions were refunded, rejected or charged back{usual(peer)}",
        value=round(value, 6),
        baseline=round(peer, 6),
        unit="share",
        sample_size=round(n),
    )
    if bound < limits["minimum_share"] or bound < limits["minimum_ratio"] * peer:
        return (spec.clear(facts.subject, seen),)
    return (spec.finding(facts.subject, Severity.HIGH if bound >= limits["high_share"] else Severity.MEDIUM, seen),)


def self_referral(facts: TrafficFacts, limits: Limits) -> tuple[Signal, ...]:
    """C19: conversions by the account's own holder; an exact match stands alone."""
    spec = CHECKS["traffic.self_referral"]
    matches = facts.counts.self_matches
    if matches is None:
        return (spec.inconclusive(facts.subject, "Neither conversions nor the account carry an identity to compare."),)
    seen = Observation(
        text=f"{matches:,} of {facts.counts.conversions:,} conversions carry the account holder's own e-mail, device or address.",
        value=matches,
        baseline=0,
        sample_size=facts.counts.conversions,
    )
    found = matches >= limits["minimum_matches"]
    return (spec.finding(facts.subject, Severity.HIGH, seen) if found else spec.clear(facts.subject, seen),)


class _EvenRule(msgspec.Struct, frozen=True, kw_only=True):
    """What the two rules over evenness differ in: names and words."""

    spec: CheckSpec
    feature: str
    support_limit: str
    value_limit: str
    unit: str
    words: str


_DELAYS = _EvenRule(
    spec=CHECKS["traffic.narrow_delays"],
    feature="delay_log_sd",
    support_limit="minimum_conversions",
    value_limit="maximum_log_sd",
    unit="log s",
    words="The delays of {n:,.0f} conversions after their clicks spread by {value:.2f} in log seconds (people's by over {limit:g}",
)
_GAPS = _EvenRule(
    spec=CHECKS["traffic.regular_timing"],
    feature="gap_variation",
    support_limit="minimum_clicks",
    value_limit="maximum_variation",
    unit="ratio",
    words="The gaps between {n:,.0f} clicks vary by {value:.2f} of their mean (chance gives 1, timers less than {limit:g}",
)


def _too_even(facts: TrafficFacts, limits: Limits, rule: _EvenRule) -> tuple[Signal, ...]:
    value, peer = facts.values.get(rule.feature), facts.peers.get(rule.feature)
    if value is None:
        return (rule.spec.inconclusive(facts.subject, "The log does not have what this rests on."),)
    n = facts.support.get(rule.feature, 0.0)
    if n < limits[rule.support_limit]:
        return (_too_small(rule.spec, facts.subject, n, limits[rule.support_limit], "events"),)
    ending = ")." if peer is None else f"; among its peers {peer:.2f} is usual)."
    seen = Observation(
        text=rule.words.format(n=n, value=value, limit=limits[rule.value_limit]) + ending,
        value=round(value, 6),
        baseline=None if peer is None else round(peer, 6),
        unit=rule.unit,
        sample_size=round(n),
    )
    even = value <= limits[rule.value_limit]
    return (rule.spec.finding(facts.subject, Severity.MEDIUM, seen) if even else rule.spec.clear(facts.subject, seen),)


def _against_expected(facts: TrafficFacts, expected: float) -> Observation:
    found = facts.counts.conversions
    return Observation(
        text=f"{found:,} conversions from {facts.counts.clicks:,} clicks; the same offers give others about {expected:,.1f}.",
        value=found,
        baseline=round(expected, 6),
        sample_size=facts.counts.clicks,
    )


def _too_small(spec: CheckSpec, subject: str, n: float, needed: float, what: str) -> Signal:
    return spec.inconclusive(subject, f"It rests on {n:,.0f} {what}; at least {needed:,.0f} are needed.")
