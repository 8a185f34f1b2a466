"""Cases: an alert in the hands of people, from the queue to a decision and, if the affiliate contests it, through an appeal."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from fraud.domain.reviews import Disposition


class CaseState(StrEnum):
    """Where a case stands."""

    QUEUED = "queued"
    TAKEN = "taken"
    WAITING = "waiting"
    PROPOSED = "proposed"
    DECIDED = "decided"
    APPEALED = "appealed"


class CaseAction(StrEnum):
    """What people do with a case."""

    TAKE = "take"
    RELEASE = "release"
    NOTE = "note"
    ASK = "ask"
    ANSWER = "answer"
    DECIDE = "decide"
    PROPOSE_SUSPENSION = "propose_suspension"
    CONFIRM_SUSPENSION = "confirm_suspension"
    DECLINE_SUSPENSION = "decline_suspension"
    APPEAL = "appeal"
    REOPEN = "reopen"


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One case. `version` counts its changes: who changes it must have seen the newest.

    `assignee` holds it until `held_until`; `proposed_by` asked for a suspension, which takes a second person; `decided_by` may not decide
    the appeal against their own decision.
    """

    case_id: str
    program_id: str
    alert_id: str
    subject_id: str
    opened_at: datetime
    state: CaseState = CaseState.QUEUED
    version: int = 0
    assignee: str = ""
    held_until: datetime | None = None
    due_at: datetime | None = None
    proposed_by: str = ""
    decided_by: str = ""
    disposition: Disposition | None = None
    suspended: bool = False
    appeals: int = 0


class CaseEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a case's timeline: who did what, when and why. Lines are only ever added."""

    case_id: str
    program_id: str
    at: datetime
    actor_id: str
    actor_name: str
    action: CaseAction
    reason: str
    before: CaseState
    after: CaseState
    detail: dict[str, Any] = {}
