"""What people found when they looked: reviews of alerts, applications, affiliates and single events. Corrections are new reviews."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from fraud.domain.decisions import SubjectKind


class Disposition(StrEnum):
    """What a review ended with."""

    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    UNCLEAR = "unclear"


class Source(StrEnum):
    """What was reviewed."""

    ALERT = "alert"
    APPLICATION = "application"
    FEEDBACK = "feedback"


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """One person's, or one tracker's, word on one subject, with its reason.

    `reason_codes` are those of the evidence that was looked at: how often each is right is counted from them.
    """

    review_id: str
    program_id: str
    subject_kind: SubjectKind
    subject_id: str
    source: Source
    disposition: Disposition
    reason: str
    reviewer_id: str
    reviewer_name: str
    reviewed_at: datetime
    alert_id: str = ""
    decision_id: str = ""
    reason_codes: tuple[str, ...] = ()
