"""The one decision record under vetting, scanning and scoring: everything that was seen, frozen, so that it can be said again."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from fraud.domain.signals import Reason, Signal


class DecisionKind(StrEnum):
    """Which job made the decision; the scoring of clicks (`score`) and of conversions are told apart, because their ids may meet."""

    VET = "vet"
    SCAN = "scan"
    SCORE = "score"
    CONVERSION = "conversion"


class SubjectKind(StrEnum):
    """What a decision is about."""

    APPLICATION = "application"
    AFFILIATE = "affiliate"
    SUB_ID = "sub_id"
    CLICK = "click"
    CONVERSION = "conversion"
    RING = "ring"


class Outcome(StrEnum):
    """Every outcome there is; each job uses its own (`OUTCOMES`)."""

    APPROVE = "approve"
    REQUEST_INFO = "request_info"
    REVIEW = "review"
    REJECT = "reject"
    PASS = "pass"
    WATCH = "watch"
    HOLD = "hold"
    SUSPEND = "suspend"
    ALLOW = "allow"
    BLOCK = "block"


OUTCOMES: dict[DecisionKind, tuple[Outcome, ...]] = {
    DecisionKind.VET: (Outcome.APPROVE, Outcome.REQUEST_INFO, Outcome.REVIEW, Outcome.REJECT),
    DecisionKind.SCAN: (Outcome.PASS, Outcome.WATCH, Outcome.REVIEW, Outcome.HOLD, Outcome.SUSPEND),
    DecisionKind.SCORE: (Outcome.ALLOW, Outcome.REVIEW, Outcome.BLOCK),
    DecisionKind.CONVERSION: (Outcome.ALLOW, Outcome.REVIEW, Outcome.BLOCK),
}
"""The outcomes of each job, mildest first."""


class Artefact(msgspec.Struct, frozen=True, kw_only=True):
    """A policy pack or a model that a decision used: its name and the hash of its content."""

    id: str
    hash: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What combining signals under a policy gives: the part of a decision that replay must reproduce exactly."""

    outcome: Outcome
    score: float
    coverage: float
    typologies: tuple[str, ...]
    reasons: tuple[Reason, ...]
    guards: tuple[str, ...]
    public_reason: str
    needed: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    """The program's own rules that fired, all of them."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A decision as it was made. `inputs` holds what the checks and models saw; with policy and models it gives the verdict again."""

    decision_id: str
    program_id: str
    kind: DecisionKind
    subject_kind: SubjectKind
    subject_id: str
    as_of: datetime
    decided_at: datetime
    decided_by: str
    verdict: Verdict
    signals: tuple[Signal, ...]
    policy: Artefact
    models: tuple[Artefact, ...] = ()
    feature_set_hash: str = ""
    inputs: dict[str, Any] = {}
    evidence_manifest: tuple[str, ...] = ()
    run_id: str = ""
