"""What a tracker can be told to do about an affiliate, a sub-ID or a conversion, and the record of having told it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

import msgspec

from fraud.domain.actors import DEFAULT_PROGRAM


class ActionKind(StrEnum):
    """What can be asked of a tracker."""

    BLOCK_AFFILIATE = "block_affiliate"
    BLOCK_SUB_ID = "block_sub_id"
    REJECT_CONVERSIONS = "reject_conversions"
    HOLD_CONVERSIONS = "hold_conversions"
    SET_CAP = "set_cap"


class TrackerAction(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell a tracker. `action_id` is the caller's: the same id is never carried out twice. An `offer_id` limits a block
    or a cap to that offer; `cap` is a number of conversions a day (`cap_period` `day`) or month; `reason` is shown in the tracker
    where it keeps one, so it must be fit for the affiliate's eyes."""

    action_id: str
    kind: ActionKind
    program_id: str = DEFAULT_PROGRAM
    affiliate_id: str = ""
    offer_id: str = ""
    sub_id: str = ""
    conversion_ids: tuple[str, ...] = ()
    cap: int | None = None
    cap_period: Literal["day", "month"] = "day"
    reason: str = ""


class PlannedCall(msgspec.Struct, frozen=True, kw_only=True):
    """One call as it would be or was sent, without the credentials: `path` below the feed's base URL, `body` as JSON or, when `form` is
    set, as a form whose fields these are. `harmless_twice` says that it may be repeated when it is unknown whether it arrived."""

    method: str
    path: str
    body: dict[str, Any] = {}
    form: bool = False
    harmless_twice: bool = True


class ActionState(StrEnum):
    """Where an action stands. `started` means that a process ended between sending and noting the answer: it may have been done."""

    DRY_RUN = "dry_run"
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"


class ActionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What would be or was sent for an action, and what the tracker answered to each call."""

    action: TrackerAction
    state: ActionState
    calls: tuple[PlannedCall, ...]
    at: datetime
    feed: str = ""
    answers: tuple[Any, ...] = ()
    error: str = ""
