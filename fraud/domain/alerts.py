"""Alerts: what a person is asked to look at, one per subject and family of evidence."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from fraud.domain.decisions import SubjectKind
from fraud.domain.signals import Reason, Severity


class AlertState(StrEnum):
    """Where an alert stands."""

    OPEN = "open"
    RESOLVED = "resolved"
    EXPIRED = "expired"


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One thing for a person to look at. The id follows from program, subject and families, so the same news twice is one alert.

    A ring is one alert: `members` are its affiliates, and the decision is that of its riskiest member.
    """

    alert_id: str
    program_id: str
    subject_kind: SubjectKind
    subject_id: str
    severity: Severity
    score: float
    typologies: tuple[str, ...]
    reasons: tuple[Reason, ...]
    decision_id: str
    opened_at: datetime
    last_seen_at: datetime
    times_seen: int = 1
    state: AlertState = AlertState.OPEN
    expected_loss: float = 0.0
    members: tuple[str, ...] = ()
