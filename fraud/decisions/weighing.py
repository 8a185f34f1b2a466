"""Signals as evidence: weights from the policy, correlated findings capped by family, missing ones left out."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from fraud.domain.signals import Family, Severity, Signal, Status, Tier
from fraud.policy.pack import Pack

CLICK_SIDE = frozenset({Family.NETWORK, Family.VOLUME, Family.DEVICE, Family.SOURCE})
"""Families that rest on clicks alone, which a third party can send."""

CONCLUDED = frozenset({Status.FINDING, Status.CLEAR})
"""The statuses of a check that could say something."""


def log_odds(pack: Pack, signals: Iterable[Signal]) -> float:
    """The evidence of all signals in log-odds; per family at most the pack's cap, and a check counts once however often it found."""
    found: dict[str, tuple[Family, float]] = {}
    cleared: dict[str, float] = {}
    for signal in signals:
        policy = pack.checks[signal.check_id]
        if signal.status is Status.FINDING:
            weight = policy.weight * pack.severity_strength[signal.severity]
            known = found.get(signal.check_id, (signal.family, 0.0))
            found[signal.check_id] = (signal.family, max(weight, known[1]))
        elif signal.status is Status.CLEAR:
            cleared[signal.check_id] = policy.clear_weight
    by_family: defaultdict[Family, float] = defaultdict(float)
    for family, weight in found.values():
        by_family[family] += weight
    capped = (min(weight, pack.family_caps[family]) for family, weight in sorted(by_family.items()))
    return math.fsum(capped) + math.fsum(weight for check, weight in sorted(cleared.items()) if check not in found)


def probability(prior: float, evidence: float) -> float:
    """The probability that remains after adding log-odds to a prior probability."""
    odds = math.log(prior / (1 - prior)) + evidence
    return 1 / (1 + math.exp(-odds))


def coverage(pack: Pack, signals: Iterable[Signal]) -> float:
    """The share, weighted by the pack, of the checks that apply which ended `finding` or `clear` (CONTRACT 2); 0 when none applies."""
    applies = [(signal.status, pack.checks[signal.check_id].coverage) for signal in signals if signal.status is not Status.NOT_APPLICABLE]
    whole = math.fsum([share for _, share in applies])
    said = math.fsum([share for status, share in applies if status in CONCLUDED])
    return said / whole if whole else 0.0


def findings(signals: Iterable[Signal]) -> tuple[Signal, ...]:
    """The findings, gravest first: by severity, tier, then check id so that the order never wavers; those of one check as it gave them."""
    found = [s for s in signals if s.status is Status.FINDING]
    return tuple(sorted(found, key=lambda s: (-s.severity.rank, _TIERS[s.tier], s.check_id)))


_TIERS = {tier: rank for rank, tier in enumerate(Tier)}


def conclusive(found: Sequence[Signal], at_least: Severity = Severity.HIGH) -> tuple[Signal, ...]:
    """The findings that stand alone."""
    return tuple(s for s in found if s.tier is Tier.CONCLUSIVE and s.severity.rank >= at_least.rank)


def associative_families(found: Sequence[Signal], at_least: Severity = Severity.MEDIUM) -> frozenset[Family]:
    """The families with associative evidence or better: two of them are independent."""
    return frozenset(s.family for s in found if s.tier is not Tier.CIRCUMSTANTIAL and s.severity.rank >= at_least.rank)


def families(found: Sequence[Signal], at_least: Severity = Severity.MEDIUM) -> frozenset[Family]:
    """The families with evidence of any tier at this severity: statistics must show in two of them to be worth a person's time."""
    return frozenset(s.family for s in found if s.severity.rank >= at_least.rank)


def worth_a_look(found: Sequence[Signal]) -> bool:
    """The evidence floor (section 4.4): one rule with support, or two independent families that stand out."""
    return bool(associative_families(found)) or len(families(found)) >= 2


def independent(families: frozenset[Family]) -> int:
    """How many independent kinds of evidence these families are: all that clicks alone can show is one kind.

    Anybody can send clicks to anybody's link, and one address that does shows in network, volume and device at once.
    """
    return len(families - CLICK_SIDE) + bool(families & CLICK_SIDE)


def may_act(found: Sequence[Signal]) -> bool:
    """Whether the evidence allows more than a review: one conclusive finding, or two independent kinds of associative evidence."""
    return bool(conclusive(found)) or independent(associative_families(found)) >= 2
