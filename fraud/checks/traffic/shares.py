"""Rules over shares: support, effect and significance together, by the lower bound of the share."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from fraud.checks.traffic.bounds import lower_bound
from fraud.checks.traffic.facts import TrafficFacts
from fraud.domain.catalogue import CHECKS, CheckSpec, Limits, Observation
from fraud.domain.signals import Severity, Signal

TrafficCheck = Callable[[TrafficFacts, Limits], tuple[Signal, ...]]


class ShareRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule over one share: the feature, the parameter that holds its minimum of support, and the sentence when it fires."""

    check_id: str
    feature: str
    support: str
    sentence: str

    @property
    def spec(self) -> CheckSpec:
        """The catalogue's entry."""
        return CHECKS[self.check_id]


SHARE_RULES: tuple[ShareRule, ...] = (
    ShareRule(
        check_id="traffic.duplicate_clicks",
        feature="duplicate_click_share",
        support="minimum_clicks",
        sentence="{value:.0%} of {n:,} clicks repeat one of the same visitor on the same offer within 20 seconds",
    ),
    ShareRule(
        check_id="traffic.declared_bots",
        feature="declared_bot_share",
        support="minimum_clicks",
        sentence="{value:.0%} of {n:,} clicks come from agents that call themselves robots, libraries or headless browsers",
    ),
    ShareRule(
        check_id="traffic.hosting_like",
        feature="hosting_like_share",
        support="minimum_clicks",
        sentence="{value:.0%} of {n:,} clicks come from addresses that behave like servers, not like people",
    ),
    ShareRule(
        check_id="traffic.ip_concentration",
        feature="top_ip_share",
        support="minimum_clicks",
        sentence="{value:.0%} of {n:,} clicks come from one address that is not shared by many people",
    ),
    ShareRule(
        check_id="traffic.fast_conversions",
        feature="fast_conversion_share",
        support="minimum_conversions",
        sentence="{value:.0%} of {n:,} conversions follow their click faster than nearly anybody converts on the same offers",
    ),
    ShareRule(
        check_id="traffic.repeated_customers",
        feature="repeated_customer_share",
        support="minimum_conversions",
        sentence="{value:.0%} of {n:,} conversions come from customers, mail addresses or devices that had converted before",
    ),
    ShareRule(
        check_id="traffic.conversions_without_click",
        feature="no_click_share",
        support="minimum_conversions",
        sentence="{value:.0%} of {n:,} conversions have no click that anybody has seen",
    ),
)


def check_of(rule: ShareRule) -> TrafficCheck:
    """The check that applies one share rule."""

    def check(facts: TrafficFacts, limits: Limits) -> tuple[Signal, ...]:
        return (judge_share(rule, facts, limits),)

    check.__name__ = rule.check_id.replace(".", "_")
    check.__doc__ = rule.spec.looks_for
    return check


def judge_share(rule: ShareRule, facts: TrafficFacts, limits: Limits) -> Signal:
    """The signal of one share rule; inconclusive when the share is unknown or rests on too little."""
    value = facts.values.get(rule.feature)
    if value is None:
        return rule.spec.inconclusive(facts.subject, "The log does not have the columns this rests on.")
    n = facts.support.get(rule.feature, 0.0)
    if n < limits[rule.support]:
        return rule.spec.inconclusive(facts.subject, f"It rests on {n:,.0f}; at least {limits[rule.support]:,.0f} are needed.")
    bound = lower_bound(value * n, n)
    seen = Observation(
        text=rule.sentence.format(value=value, n=round(n)) + usual(facts.peers.get(rule.feature)),
        value=round(value, 6),
        baseline=_rounded(facts.peers.get(rule.feature)),
        unit="share",
        sample_size=round(n),
    )
    if bound < limits["minimum_share"]:
        return rule.spec.clear(facts.subject, seen)
    return rule.spec.finding(facts.subject, Severity.HIGH if bound >= limits["high_share"] else Severity.MEDIUM, seen)


def usual(peer: float | None) -> str:
    """The end of a sentence that says what is usual among peers."""
    return "." if peer is None else f"; among its peers {peer:.1%} is usual."


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
