"""What the catalogue says of one check, and how a check turns that into a signal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from fraud.domain.decisions import DecisionKind
from fraud.domain.signals import Evidence, Family, Severity, Signal, Status, Tier

Limits = Mapping[str, float]
"""The thresholds of one check, by name, as the policy gives them."""


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold that the policy must give: what it means and its unit. Its value and the reason for it live in the policy pack."""

    name: str
    meaning: str
    unit: str


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """What a check saw: the value, what would be usual, what it rests on, and where to look."""

    text: str
    value: Any = None
    baseline: Any = None
    unit: str = ""
    sample_size: int | None = None
    evidence: tuple[Evidence, ...] = ()


class CheckSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One check. `looks_for`, `also_explained_by` and `public_text` are the product's text: pages and documents show them as they are.

    `public_text` is what the affiliate is told: it names no detector, no figure, no content and nobody else. `needed` says what would
    settle an inconclusive or mild result.
    """

    check_id: str
    kind: DecisionKind
    title: str
    looks_for: str
    also_explained_by: str
    public_text: str
    source: str
    family: Family
    tier: Tier
    reason_code: str
    typologies: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    needed: str = ""

    def finding(self, subject: str, severity: Severity, seen: Observation, tier: Tier | None = None) -> Signal:
        """A finding of this check; `tier` replaces the catalogue's when what was seen proves less or more than usual."""
        return self._signal(subject, Status.FINDING, seen, severity, tier or self.tier)

    def clear(self, subject: str, seen: Observation) -> Signal:
        """The check looked and found nothing."""
        return self._signal(subject, Status.CLEAR, seen, Severity.INFO, self.tier)

    def inconclusive(self, subject: str, why: str, evidence: tuple[Evidence, ...] = ()) -> Signal:
        """The check could not look, and why."""
        return self._signal(subject, Status.INCONCLUSIVE, Observation(text=why, evidence=evidence), Severity.INFO, self.tier)

    def not_applicable(self, subject: str, why: str) -> Signal:
        """The check does not concern this subject, and why."""
        return self._signal(subject, Status.NOT_APPLICABLE, Observation(text=why), Severity.INFO, self.tier)

    def error(self, subject: str, what: str) -> Signal:
        """The check itself failed; that is never read as clear."""
        return self._signal(subject, Status.ERROR, Observation(text=what), Severity.INFO, self.tier)

    def _signal(self, subject: str, status: Status, seen: Observation, severity: Severity, tier: Tier) -> Signal:
        found = status is Status.FINDING
        return Signal(
            check_id=self.check_id,
            subject=subject,
            status=status,
            severity=severity,
            tier=tier,
            family=self.family,
            reason_code=self.reason_code,
            text=seen.text,
            value=seen.value,
            baseline=seen.baseline,
            unit=seen.unit,
            sample_size=seen.sample_size,
            also_explained_by=self.also_explained_by if found else "",
            typologies=self.typologies if found else (),
            evidence=seen.evidence,
        )
