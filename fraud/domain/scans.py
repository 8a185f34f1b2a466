"""The result of a traffic scan, in the shape of `scan.json` (CONTRACT 2)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from fraud.domain.alerts import Alert
from fraud.domain.decisions import Artefact, Outcome
from fraud.domain.drift import DriftReport
from fraud.domain.peers import PeerComparison
from fraud.domain.signals import Reason

SAME_NIGHT: Literal["same-night"] = "same-night"


class Period(msgspec.Struct, frozen=True, kw_only=True, rename={"start": "from", "end": "to"}):
    """A half-open stretch of event time, `[start, end)`."""

    start: datetime
    end: datetime


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows the scan rests on. Duplicates and rejected rows are never lost without being counted here."""

    clicks: int
    conversions: int
    affiliates: int
    duplicate_rows: int
    rejected_rows: int


class CommissionAtRisk(msgspec.Struct, frozen=True, kw_only=True):
    """Pending commission that may be invalid: a cautious, a central and a high estimate. `None` is unknown."""

    low: Decimal | None
    mid: Decimal | None
    high: Decimal | None
    currency: str | None


class RankedSubject(msgspec.Struct, frozen=True, kw_only=True):
    """One affiliate (or one of its sub-IDs) of a scan, riskiest first."""

    affiliate_id: str
    rank: int
    score: float
    outcome: Outcome
    alerted: bool
    decision_id: str
    typologies: tuple[str, ...]
    reasons: tuple[Reason, ...]
    clicks: int
    conversions: int
    commission: Decimal | None
    commission_at_risk: CommissionAtRisk
    recommended_cap: int | None = None
    peers: tuple[PeerComparison, ...] = ()
    sub_id: str | msgspec.UnsetType = msgspec.UNSET


class SharedEntities(msgspec.Struct, frozen=True, kw_only=True):
    """How many entities of one kind a ring's members share."""

    kind: str
    count: int


class HeldThings(msgspec.Struct, frozen=True, kw_only=True):
    """So many things of one kind that exactly these affiliates of a group have."""

    kind: str
    count: int
    affiliate_ids: tuple[str, ...]


class Ring(msgspec.Struct, frozen=True, kw_only=True):
    """Affiliates that share what strangers do not share. `things` tells who has what, as far as a drawing shows it."""

    ring_id: str
    affiliate_ids: tuple[str, ...]
    shared: tuple[SharedEntities, ...]
    score: float
    things: tuple[HeldThings, ...] = ()


BaselineState = Literal["new", "in_force", "held"]
"""What became of a night's baseline: `new` was fitted tonight and serves from now on, `in_force` serves as before, `held` serves as before
because the one fitted tonight drifted too far to take its place without a person's word."""


class BaselineStanding(msgspec.Struct, frozen=True, kw_only=True):
    """The baseline that served a night. `model_id` and `trained` are its own; `night` is how far the night lies from its reference, `refit`
    how far the newer reference does, where one was due, and `held_model_id` the baseline that waits for a person's word."""

    state: BaselineState
    model_id: str
    trained: Period
    refit_because: str = ""
    night: DriftReport | None = None
    refit: DriftReport | None = None
    held_model_id: str | None = None


class ScanResult(msgspec.Struct, frozen=True, kw_only=True):
    """One night, judged."""

    scan_id: str
    program_id: str
    as_of: datetime
    window: Period
    reference: Period | Literal["same-night"]
    mode: Literal["budget", "fdr"]
    mode_reason: str
    counts: Counts
    affiliates: tuple[RankedSubject, ...]
    sub_ids: tuple[RankedSubject, ...]
    rings: tuple[Ring, ...]
    alerts: tuple[Alert, ...]
    policy: Artefact
    models: tuple[Artefact, ...]
    notes: tuple[str, ...] = ()
    enrichment: tuple[Artefact, ...] = ()
    baseline: BaselineStanding | None = None
