"""Telling a tracker: planned, noted, sent, noted again; never carried out twice under one id."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from fraud.domain.ports import TrackerActionLog, TrackerActions
from fraud.domain.tracker_actions import ActionRecord, ActionState, TrackerAction
from fraud.errors import Conflict, TrackerError


@dataclass(frozen=True)
class ActionTools:
    """What telling works with: the tracker's adapter, the log, the present moment, the feed's name, and whether to `send` at all."""

    tracker: TrackerActions
    log: TrackerActionLog
    now: datetime
    feed: str
    send: bool = False


def tell(action: TrackerAction, tools: ActionTools) -> ActionRecord:
    """Carries an action out, or only says what would be sent; returns its record.

    An action that is done is not done again: its record is returned. One that failed, or whose process ended before the answer was
    noted, is planned anew, with a look at the tracker where a call would do harm when it arrives twice. `Conflict` when the id belongs to
    another action or another process has it in hand; `Unsupported` and `InputError` when there is nothing to send. A tracker that
    refuses makes a record with `failed` and the reason.
    """
    with tools.log.alone(action.program_id, action.action_id):
        earlier = tools.log.get(action.program_id, action.action_id)
        if earlier is not None and earlier.action != action:
            raise Conflict(f"The action id {action.action_id} belongs to another action; give this one an id of its own.")
        if earlier is not None and earlier.state is ActionState.DONE:
            return earlier
        record = ActionRecord(
            action=action,
            state=ActionState.STARTED if tools.send else ActionState.DRY_RUN,
            calls=tuple(tools.tracker.plan(action)),
            at=tools.now,
            feed=tools.feed,
        )
        if tools.send or earlier is None or earlier.state is ActionState.DRY_RUN:
            tools.log.put(record)  # a dry run never hides that something may have been sent
        return _sent(record, tools) if tools.send else record


def _sent(record: ActionRecord, tools: ActionTools) -> ActionRecord:
    answers: list[object] = []
    error = ""
    for call in record.calls:
        try:
            answers.append(tools.tracker.send(call))
        except TrackerError as fault:
            error = fault.message
            break
    state = ActionState.FAILED if error else ActionState.DONE
    done = msgspec.structs.replace(record, state=state, answers=tuple(answers), error=error)
    tools.log.put(done)
    return done
