"""Signals: what one check says about one subject, how sure it is, and what it rests on."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class Status(StrEnum):
    """How a check ended. Missing is never clear and never guilty."""

    FINDING = "finding"
    CLEAR = "clear"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not_applicable"
    ERROR = "error"


class Severity(StrEnum):
    """How much a finding matters, in rising order."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for `info` up to 4 for `critical`."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Tier(StrEnum):
    """What kind of proof a finding is.

    `conclusive` stands alone; `associative` needs a second, independent family; `circumstantial` only ever supports.
    """

    CONCLUSIVE = "conclusive"
    ASSOCIATIVE = "associative"
    CIRCUMSTANTIAL = "circumstantial"


class Family(StrEnum):
    """The kind of evidence. Two families are independent; two signals of one family are not."""

    TIMING = "timing"
    IDENTITY = "identity"
    NETWORK = "network"
    DEVICE = "device"
    CONVERSION = "conversion"
    QUALITY = "quality"
    SOURCE = "source"
    VOLUME = "volume"
    GRAPH = "graph"
    CONTENT = "content"
    POLICY = "policy"
    REPUTATION = "reputation"


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Something a person can look at: where it was seen, when, and the bytes' hash.

    Web evidence has a `url` and the `sha256` of the stored body; traffic evidence names its table and the rows by `detail`.
    """

    url: str = ""
    fetched_at: datetime | None = None
    sha256: str = ""
    excerpt: str = ""
    detail: dict[str, Any] = {}


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """What one check says about one subject.

    `value` is what was seen and `baseline` what would be usual, both in `unit` (empty: they speak for themselves); `sample_size` is what
    the value rests on.
    """

    check_id: str
    subject: str
    status: Status
    severity: Severity = Severity.INFO
    tier: Tier = Tier.CIRCUMSTANTIAL
    family: Family = Family.CONTENT
    reason_code: str = ""
    text: str = ""
    value: Any = None
    baseline: Any = None
    unit: str = ""
    sample_size: int | None = None
    also_explained_by: str = ""
    typologies: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @property
    def found(self) -> bool:
        """Whether the check found something."""
        return self.status is Status.FINDING


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an explanation, as CONTRACT 2 shapes it."""

    code: str
    family: Family
    severity: Severity
    text: str
    value: Any = None
    baseline: Any = None
    unit: str = ""
    sample_size: int | None = None
    tier: Tier = Tier.CIRCUMSTANTIAL
    also_explained_by: str = ""
    evidence: tuple[Evidence, ...] = ()


def reason_of(signal: Signal) -> Reason:
    """The finding as a reason."""
    return Reason(
        code=signal.reason_code,
        family=signal.family,
        severity=signal.severity,
        text=signal.text,
        value=signal.value,
        baseline=signal.baseline,
        unit=signal.unit,
        sample_size=signal.sample_size,
        tier=signal.tier,
        also_explained_by=signal.also_explained_by,
        evidence=signal.evidence,
    )
