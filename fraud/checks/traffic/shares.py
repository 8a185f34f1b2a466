"""Rules over shares: support, effect and significance together, by the lower bound of the share."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from fraud.checks.traffic.bounds import lower_bound
from fraud.checks.traffic.facts import TrafficFacts
from fraud.domain.catalogue import CHECKS, CheckSpec, Limits, Observation
from fraud.domain.signals import Severity, Signal

ROUNDING = 1e-6
"""A share times its support is a count but for rounding."""

TrafficCheck = Callable[[TrafficFacts, Limits], tuple[Signal, ...]]


class ShareRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule over one share: the feature, the parameter that holds its minimum of support, and the sentence when it fires.

    `count` names the parameter of the least number of events behind the share, `beside` a feature whose residual must reach `minimum_z`
    besides: a share that peers have too is no sign. `beyond_peers`: what counts is by how much the share's bound exceeds what is usual
    among peers.
    """

    check_id: str
    feature: str
    support: str
    sentence: str
    count: str = ""
    beside: str = ""
    beyond_peers: bool = False

    @property
    def spec(self) -> CheckSpec:
        """The catalogue's entry."""
        return CHECKS[self.check_id]


SHARE_RULES: tuple[ShareRule, ...] = (
    ShareRule(
        check_id="traffic.duplicate_clicks",
        feature="duplicate_click_share",
        support="minimum_clicks",
        beyond_peers=True,
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
        check_id="traffic.hosting_networks",
        feature="hosting_share",
        support="minimum_clicks",
        beyond_peers=True,
        sentence="{value:.0%} of {n:,} clicks come from networks of data centres and clouds",
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
        beyond_peers=True,
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
    ShareRule(
        check_id="traffic.paid_clicks",
        feature="paid_click_share",
        support="minimum_clicks",
        count="minimum_events",
        sentence="{value:.0%} of {n:,} landings on offers that forbid paid search carry an ad platform's parameter",
    ),
    ShareRule(
        check_id="traffic.overwritten_clicks",
        feature="overwrite_share",
        support="minimum_conversions",
        count="minimum_events",
        sentence="{value:.0%} of {n:,} conversions were clicked minutes before the order, after another affiliate had brought the visitor",
    ),
    ShareRule(
        check_id="traffic.stacked_clicks",
        feature="stacked_click_share",
        support="minimum_clicks",
        sentence="{value:.0%} of {n:,} clicks fall on three or more offers from one device in the same second",
    ),
    ShareRule(
        check_id="traffic.forced_visits",
        feature="short_dwell_share",
        support="minimum_clicks",
        sentence="{value:.0%} of {n:,} visits are over within two seconds",
    ),
    ShareRule(
        check_id="traffic.rushed_forms",
        feature="rushed_form_share",
        support="minimum_conversions",
        sentence="{value:.0%} of {n:,} forms were filled in within three seconds",
    ),
    ShareRule(
        check_id="traffic.country_mismatch",
        feature="elsewhere_share",
        support="minimum_conversions",
        sentence="{value:.0%} of {n:,} conversions come from another country than their click",
    ),
    ShareRule(
        check_id="traffic.off_target",
        feature="off_target_country_share",
        support="minimum_clicks",
        sentence="{value:.0%} of {n:,} clicks come from countries that the offers do not serve",
    ),
    ShareRule(
        check_id="traffic.undeclared_sources",
        feature="undeclared_referrer_share",
        support="minimum_clicks",
        beside="referrer_diversity",
        sentence="{value:.0%} of {n:,} known referrers are sites that the affiliate did not declare, and they are unusually many",
    ),
    ShareRule(
        check_id="traffic.new_sub_ids",
        feature="fresh_sub_share",
        support="minimum_clicks",
        beside="fresh_sub_share",
        sentence="{value:.0%} of {n:,} clicks bring a sub-ID that the window had not seen",
    ),
    ShareRule(
        check_id="traffic.driven_browsers",
        feature="webdriver_share",
        support="minimum_reports",
        sentence="{value:.0%} of {n:,} reported visits come from browsers that a program drives",
    ),
    ShareRule(
        check_id="traffic.impossible_windows",
        feature="odd_window_share",
        support="minimum_reports",
        sentence="{value:.0%} of {n:,} reported landing pages stood in windows that show nothing",
    ),
    ShareRule(
        check_id="traffic.untouched_conversions",
        feature="untouched_conversion_share",
        support="minimum_conversions",
        beside="untouched_conversion_share",
        sentence="{value:.0%} of {n:,} conversions follow a landing page that nobody touched",
    ),
    ShareRule(
        check_id="traffic.one_agent",
        feature="top_agent_share",
        support="minimum_clicks",
        beside="top_agent_share",
        sentence="{value:.0%} of {n:,} clicks have one and the same user agent",
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
    bound = lower_bound(value * n, n) - (facts.peers.get(rule.feature, 0.0) if rule.beyond_peers else 0.0)
    seen = Observation(
        text=rule.sentence.format(value=value, n=round(n)) + usual(facts.peers.get(rule.feature)),
        value=round(value, 6),
        baseline=_rounded(facts.peers.get(rule.feature)),
        unit="share",
        sample_size=round(n),
    )
    enough = not rule.count or value * n >= limits[rule.count] - ROUNDING
    if bound < limits["minimum_share"] or not enough or not _stands_out(rule, facts, limits):
        return rule.spec.clear(facts.subject, seen)
    return rule.spec.finding(facts.subject, Severity.HIGH if bound >= limits["high_share"] else Severity.MEDIUM, seen)


def _stands_out(rule: ShareRule, facts: TrafficFacts, limits: Limits) -> bool:
    return not rule.beside or any(one.feature == rule.beside and one.z >= limits["minimum_z"] for one in facts.residuals)


def usual(peer: float | None) -> str:
    """The end of a sentence that says what is usual among peers."""
    return "." if peer is None else f"; among its peers {peer:.1%} is usual."


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
