"""The statistics' own signals: features that stand out among peers, the whole picture, and the company an affiliate keeps."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import msgspec

from fraud.checks.traffic.facts import Extreme, FeatureResidual, TrafficFacts
from fraud.domain.catalogue import CHECKS, Limits, Observation
from fraud.domain.graph import GraphPattern
from fraud.domain.signals import Evidence, Family, Severity, Signal
from fraud.links.kinds import spoken


class FeatureWords(msgspec.Struct, frozen=True, kw_only=True):
    """How a feature is spoken of: its title, its unit, what it rests on, and its family."""

    title: str
    unit: str
    support_of: str
    family: Family


def peer_residuals(words: Mapping[str, FeatureWords], facts: TrafficFacts, limits: Limits) -> tuple[Signal, ...]:
    """One signal for each feature that stands out, largest first, named by family and feature.

    They are circumstantial by design: they explain the statistics' evidence and never add to it.
    """
    spec = CHECKS["traffic.peer_residuals"]
    if not facts.peers:
        return (spec.inconclusive(facts.subject, "There is nobody to compare with."),)
    named = [residual for residual in facts.residuals if residual.z >= limits["minimum_z"]]
    if not named:
        return (spec.clear(facts.subject, Observation(text="No feature stands out against its peers.")),)
    return tuple(_residual_signal(words, facts.subject, residual, limits) for residual in named[: int(limits["most_named"])])


def _residual_signal(words: Mapping[str, FeatureWords], subject: str, residual: FeatureResidual, limits: Limits) -> Signal:
    spec, word = CHECKS["traffic.peer_residuals"], words[residual.feature]
    severity = _severity(residual.z, limits)
    seen = Observation(
        text=(
            f"{word.title}: {quantity(residual.value, word.unit)}, where {quantity(residual.peer, word.unit)} is usual among peers "
            f"(z {residual.z:.1f} from {residual.support:,.0f} {word.support_of}{_OVER_WEEKS if residual.weeks else ''})."
        ),
        value=residual.value,
        baseline=residual.peer,
        unit=word.unit,
        sample_size=round(residual.support),
    )
    signal = spec.finding(subject, severity, seen)
    return msgspec.structs.replace(signal, family=word.family, reason_code=f"{word.family.value}.{residual.feature}")


_OVER_WEEKS = " of all the weeks looked at"


def _severity(z: float, limits: Limits) -> Severity:
    if z >= limits["medium_z"]:
        return Severity.MEDIUM
    return Severity.LOW if z >= limits["low_z"] else Severity.INFO


def anomaly(facts: TrafficFacts, limits: Limits) -> tuple[Signal, ...]:
    """The forest and the tail together: how rare the whole picture is."""
    spec = CHECKS["traffic.anomaly"]
    if facts.evidence is None:
        return (spec.inconclusive(facts.subject, "Too little is known to compare the whole picture."),)
    seen = Observation(
        text=f"As a whole, traffic this unusual has evidence {facts.evidence:.1f} (in -log10 p; 2 is one in a hundred).",
        value=round(facts.evidence, 6),
        baseline=limits["minimum_evidence"],
    )
    if facts.evidence < limits["minimum_evidence"]:
        return (spec.clear(facts.subject, seen),)
    return (spec.finding(facts.subject, Severity.LOW, seen),)


def beyond_reference(words: Mapping[str, FeatureWords], facts: TrafficFacts, limits: Limits) -> tuple[Signal, ...]:
    """C30: the feature that lies furthest beyond everybody in the reference.

    One signal: what is extreme in many ways is one strange night. Chance puts a row beyond all n of a reference once in n + 1.
    """
    spec = CHECKS["traffic.beyond_reference"]
    if not facts.peers:
        return (spec.inconclusive(facts.subject, "There is nobody to compare with."),)
    found = [one for one in facts.extremes if _is_extreme(one, limits)]
    if not found:
        return (spec.clear(facts.subject, Observation(text="Nothing lies far beyond everybody in the reference.")),)
    furthest, word = found[0], words[found[0].feature]
    more = f"; so do {len(found) - 1} more features" if len(found) > 1 else ""
    seen = Observation(
        text=(
            f"{word.title}: {quantity(furthest.value, word.unit)} from {furthest.support:,.0f} {word.support_of} lies "
            f"{furthest.distance:.1f} deviations from its peers, where the furthest of {furthest.rows:,} windows of the reference lay "
            f"{furthest.furthest:.1f}{more}."
        ),
        value=furthest.value,
        baseline=facts.peers.get(furthest.feature),
        unit=word.unit,
        sample_size=round(furthest.support),
    )
    signal = spec.finding(facts.subject, Severity.LOW, seen)
    return (msgspec.structs.replace(signal, family=word.family),)


def _is_extreme(one: Extreme, limits: Limits) -> bool:
    far = one.distance >= max(limits["minimum_factor"] * one.furthest, limits["minimum_z"])
    return far and one.rows >= limits["minimum_windows"]


def shared_identity(facts: TrafficFacts, limits: Limits) -> tuple[Signal, ...]:
    """Section 5: accounts that share what strangers do not share."""
    spec = CHECKS["traffic.shared_identity"]
    company = facts.company
    ring = next((finding for finding in facts.graph if finding.pattern is GraphPattern.RING), None)
    if company is None or company.score < limits["minimum_score"] or (facts.graph and ring is None):
        return (spec.clear(facts.subject, Observation(text="No unusual identity is shared with another account.")),)
    shared = ", ".join(spoken(kind, count) for kind, count in sorted(company.shared.items()))
    seen = Observation(
        text=ring.text if ring else f"One of {company.members} accounts that share {shared}, without a declared common owner.",
        value=company.score,
        baseline=limits["minimum_score"],
        sample_size=company.members,
        evidence=_members(ring.others if ring else ()),
    )
    signal = spec.finding(facts.subject, Severity.HIGH, seen)
    return (msgspec.structs.replace(signal, typologies=ring.typologies) if ring else signal,)


def graph_pattern(pattern: GraphPattern, check_id: str) -> Callable[[TrafficFacts, Limits], tuple[Signal, ...]]:
    """The check that says whether the graph found an affiliate in one kind of pattern."""
    spec = CHECKS[check_id]

    def check(facts: TrafficFacts, limits: Limits) -> tuple[Signal, ...]:
        found = [finding for finding in facts.graph if finding.pattern is pattern and finding.evidence >= limits["minimum_evidence"]]
        if not found:
            return (spec.clear(facts.subject, Observation(text=_NOT_FOUND[pattern])),)
        strongest = found[0]
        seen = Observation(
            text=strongest.text,
            value=round(strongest.evidence, 3),
            baseline=limits["minimum_evidence"],
            sample_size=max(strongest.shared.values(), default=None),
            evidence=_members(strongest.others),
        )
        return (spec.finding(facts.subject, Severity.LOW if pattern is GraphPattern.NEIGHBOUR else Severity.HIGH, seen),)

    return check


_NOT_FOUND = {
    GraphPattern.BLOCK: "Not one of a group of accounts seen with all the same things.",
    GraphPattern.LOCKSTEP: "Not visited together with another account, hour for hour.",
    GraphPattern.REPLAY: "No recording of clicks comes back.",
    GraphPattern.NEIGHBOUR: "Not linked to an account that was confirmed bad.",
}


def _members(others: Sequence[str]) -> tuple[Evidence, ...]:
    """The other accounts, as evidence: for the manager, never for the affiliate."""
    return (Evidence(detail={"with": list(others[:50]), "members": len(others) + 1}),) if others else ()


def quantity(value: float, unit: str) -> str:
    """A value in its unit, as people say it."""
    if unit == "share":
        return f"{value:.1%}"
    if unit == "log ratio":
        return f"{math.exp(value):,.2f}×"
    if unit == "s":
        return f"{value:,.0f} s"
    text = f"{value:,.0f}" if unit == "count" and value == round(value) else f"{value:,.2f}"
    return text if unit in {"count", "ratio"} else f"{text} {unit}"
