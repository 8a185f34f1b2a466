"""One subject of a scan: its signals, its verdict, and what is at stake."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

from fraud.checks.running import PreparedChecks, prepare
from fraud.checks.traffic import traffic_checks
from fraud.checks.traffic.bounds import lower_bound, upper_bound
from fraud.checks.traffic.facts import TrafficFacts
from fraud.checks.traffic.statistics import FeatureWords
from fraud.decisions.deciding import Ruled, decide_traffic, rule_traffic
from fraud.decisions.facts import traffic_facts
from fraud.decisions.inputs import TrafficInputs
from fraud.domain.decisions import DecisionKind, Outcome, Verdict
from fraud.domain.money import cents
from fraud.domain.scans import CommissionAtRisk
from fraud.domain.signals import Signal
from fraud.features.catalogue import FEATURES
from fraud.policy.expressions import Facts
from fraud.policy.pack import Pack

WORDS: Mapping[str, FeatureWords] = {
    feature.name: FeatureWords(title=feature.title, unit=feature.unit, support_of=feature.support_of, family=feature.family)
    for feature in FEATURES
}
"""How each feature of the catalogue is spoken of."""

INVALID_SHARES = ("fast_conversion_share", "repeated_customer_share", "no_click_share", "hosting_like_share")
"""Features whose excess over peers is a share of conversions that may be invalid (section 7)."""


def prepared_checks(pack: Pack) -> PreparedChecks[TrafficFacts]:
    """Every traffic check of the pack with its thresholds, looked up once for all the subjects of a night."""
    return prepare(pack, DecisionKind.SCAN, traffic_checks(WORDS))


def verdict_of(pack: Pack, inputs: TrafficInputs, signals: tuple[Signal, ...]) -> Verdict:
    """The verdict on the subject's night."""
    return decide_traffic(pack, signals, *_known(inputs), ranked=inputs.ranked is not None)


def ruling_of(pack: Pack, inputs: TrafficInputs, signals: tuple[Signal, ...]) -> Ruled:
    """The outcome of `verdict_of` without its words."""
    return rule_traffic(pack, signals, *_known(inputs), ranked=inputs.ranked is not None)


def _known(inputs: TrafficInputs) -> tuple[float, Facts]:
    facts, key = inputs.facts, inputs.peer_key
    evidence = facts.evidence if inputs.ranked is None else inputs.ranked
    return math.nan if evidence is None else evidence, traffic_facts(facts, key.affiliate_type, key.main_country)


def commission_at_risk(facts: TrafficFacts, verdict: Verdict) -> CommissionAtRisk:
    """Pending commission that may be invalid: each family's excess share over peers, as if independent.

    `low` takes the lower bounds of the shares, `mid` the shares as seen, `high` the upper bounds, and for a subject that needs review at
    least its score's share of what is pending.
    """
    pending = facts.counts.pending_commission
    if pending is None:
        return CommissionAtRisk(low=None, mid=None, high=None, currency=facts.counts.currency)
    low, mid, high = (_joint(_excesses(facts, bound)) for bound in ("low", "mid", "high"))
    if verdict.outcome not in {Outcome.PASS, Outcome.WATCH}:
        high = max(high, verdict.score)
    else:
        low, mid, high = 0.0, 0.0, min(high, verdict.score)
    return CommissionAtRisk(
        low=cents(pending * Decimal(str(low))),
        mid=cents(pending * Decimal(str(mid))),
        high=cents(pending * Decimal(str(high))),
        currency=facts.counts.currency,
    )


def recommended_cap(pack: Pack, facts: TrafficFacts, outcome: Outcome, days: float) -> int | None:
    """Conversions a day to allow until the case is settled: a share of the usual number, at least one; `None` is no cap."""
    share = pack.scan.cap_shares.get(outcome)
    return None if share is None else max(1, round(share * facts.counts.conversions / max(days, 1e-9)))


def _excesses(facts: TrafficFacts, bound: str) -> list[float]:
    shares = [(facts.values[name], facts.support[name], facts.peers.get(name, 0.0)) for name in INVALID_SHARES if name in facts.values]
    if facts.counts.self_matches and facts.counts.conversions:
        shares.append((min(facts.counts.self_matches / facts.counts.conversions, 1.0), float(facts.counts.conversions), 0.0))
    return [max(_seen(value, n, bound) - peer, 0.0) for value, n, peer in shares if n > 0]


def _seen(share: float, n: float, bound: str) -> float:
    """A share of `n`, or its bound: never above the share when low, never below it when high, as Jeffreys' own are at 0 and 1."""
    if bound == "mid":
        return share
    return min(lower_bound(share * n, n), share) if bound == "low" else max(upper_bound(share * n, n), share)


def _joint(shares: list[float]) -> float:
    return 1.0 - math.prod(1.0 - min(share, 1.0) for share in shares)
