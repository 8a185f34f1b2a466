"""What may be done with a case, by whom, and what it becomes: pure, so that every path can be tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from fraud.domain.cases import Case, CaseAction, CaseEvent, CaseState
from fraud.domain.reviews import Disposition
from fraud.errors import Conflict, InputError

HOLD = timedelta(hours=8)
"""How long a case is in one person's hands before another may take it: a working day."""

ANSWER_WITHIN = timedelta(days=7)
"""How long an affiliate has to answer a question, or to contest a decision once it is told."""

APPEAL_WITHIN = timedelta(days=30)
"""How long after a decision it may be contested."""

TRANSITIONS: Mapping[CaseState, Mapping[CaseAction, CaseState]] = {
    CaseState.QUEUED: {CaseAction.TAKE: CaseState.TAKEN, CaseAction.NOTE: CaseState.QUEUED},
    CaseState.TAKEN: {
        CaseAction.TAKE: CaseState.TAKEN,
        CaseAction.RELEASE: CaseState.QUEUED,
        CaseAction.NOTE: CaseState.TAKEN,
        CaseAction.ASK: CaseState.WAITING,
        CaseAction.DECIDE: CaseState.DECIDED,
        CaseAction.PROPOSE_SUSPENSION: CaseState.PROPOSED,
    },
    CaseState.WAITING: {
        CaseAction.ANSWER: CaseState.QUEUED,
        CaseAction.TAKE: CaseState.TAKEN,
        CaseAction.NOTE: CaseState.WAITING,
    },
    CaseState.PROPOSED: {
        CaseAction.CONFIRM_SUSPENSION: CaseState.DECIDED,
        CaseAction.DECLINE_SUSPENSION: CaseState.TAKEN,
        CaseAction.NOTE: CaseState.PROPOSED,
    },
    CaseState.DECIDED: {
        CaseAction.APPEAL: CaseState.APPEALED,
        CaseAction.REOPEN: CaseState.TAKEN,
        CaseAction.NOTE: CaseState.DECIDED,
    },
    CaseState.APPEALED: {CaseAction.TAKE: CaseState.TAKEN, CaseAction.NOTE: CaseState.APPEALED},
}
"""What may be done in each state, and the state it leads to."""

_NEEDS_REASON = frozenset(CaseAction) - {CaseAction.TAKE, CaseAction.RELEASE}
_BY_ASSIGNEE = frozenset({CaseAction.RELEASE, CaseAction.ASK, CaseAction.DECIDE, CaseAction.PROPOSE_SUSPENSION})


@dataclass(frozen=True, kw_only=True)
class Step:
    """What somebody does with a case, and why. `disposition` comes with a decision."""

    action: CaseAction
    actor_id: str
    actor_name: str
    at: datetime
    reason: str = ""
    disposition: Disposition | None = None


def taken_step(case: Case, step: Step) -> tuple[Case, CaseEvent]:
    """The case after a step, and the line of its timeline.

    `Conflict` names what may be done instead when the step is not possible in this state, or not by this person; `InputError` when its
    reason or disposition is missing.
    """
    after = _next_state(case, step)
    _require_allowed(case, step)
    changed = msgspec.structs.replace(_applied(case, step), state=after, version=case.version + 1)
    event = CaseEvent(
        case_id=case.case_id,
        program_id=case.program_id,
        at=step.at,
        actor_id=step.actor_id,
        actor_name=step.actor_name,
        action=step.action,
        reason=step.reason.strip(),
        before=case.state,
        after=after,
        detail={"disposition": step.disposition.value} if step.disposition else {},
    )
    return changed, event


def is_free(case: Case, reviewer: str, at: datetime) -> bool:
    """Whether a reviewer may take a case: nobody holds it, and it is not an appeal against their own decision."""
    if case.state is CaseState.TAKEN:
        return case.held_until is not None and case.held_until <= at and not _is_own(case, reviewer)
    return case.state in {CaseState.QUEUED, CaseState.APPEALED} and not _is_own(case, reviewer)


def _next_state(case: Case, step: Step) -> CaseState:
    allowed = TRANSITIONS[case.state]
    if step.action not in allowed:
        names = ", ".join(action.value for action in allowed)
        raise Conflict(f"A case that is {case.state.value} cannot be {_participle(step.action)}; possible now: {names}.")
    return allowed[step.action]


def _require_allowed(case: Case, step: Step) -> None:
    if step.action in _NEEDS_REASON and not step.reason.strip():
        raise InputError("reason: Say why, in a few words; it stands in the case's record for whoever asks later.")
    if step.action is CaseAction.DECIDE and step.disposition is None:
        raise InputError(f"disposition: A decision ends with one of {', '.join(one.value for one in Disposition)}.")
    if step.action in _BY_ASSIGNEE and case.assignee != step.actor_id:
        raise Conflict(f"The case is in the hands of {case.assignee or 'nobody'}; take it first.")
    if step.action is CaseAction.TAKE and case.state is CaseState.TAKEN and not is_free(case, step.actor_id, step.at):
        raise Conflict(f"The case is in the hands of {case.assignee} until {case.held_until:%Y-%m-%d %H:%M} UTC; take another.")
    if step.action is CaseAction.TAKE and _is_own(case, step.actor_id):
        raise Conflict("An appeal is decided by somebody else than the decision it is against; leave it to a colleague.")
    if step.action is CaseAction.CONFIRM_SUSPENSION and case.proposed_by == step.actor_id:
        raise Conflict("A suspension takes a second person; ask a colleague to confirm it.")
    if step.action is CaseAction.REOPEN and (case.decided_by != step.actor_id or case.suspended):
        raise Conflict("A decision is taken back by who made it, and a suspension by nobody alone; others take down that it is contested.")
    if step.action is CaseAction.APPEAL and case.due_at is not None and step.at > case.due_at:
        raise Conflict(f"The time to contest this decision ended on {case.due_at:%Y-%m-%d}.")


def _is_own(case: Case, reviewer: str) -> bool:
    return case.appeals > 0 and case.decided_by == reviewer


def _applied(case: Case, step: Step) -> Case:
    match step.action:
        case CaseAction.TAKE | CaseAction.REOPEN:
            return msgspec.structs.replace(case, assignee=step.actor_id, held_until=step.at + HOLD, due_at=None)
        case CaseAction.RELEASE | CaseAction.ANSWER:
            return msgspec.structs.replace(case, assignee="", held_until=None, due_at=None)
        case CaseAction.ASK:
            return msgspec.structs.replace(case, held_until=None, due_at=step.at + ANSWER_WITHIN)
        case CaseAction.PROPOSE_SUSPENSION:
            return msgspec.structs.replace(case, proposed_by=step.actor_id, held_until=None)
        case CaseAction.DECLINE_SUSPENSION:
            return msgspec.structs.replace(case, assignee=case.proposed_by, proposed_by="", held_until=step.at + HOLD)
        case CaseAction.DECIDE | CaseAction.CONFIRM_SUSPENSION:
            return _decided(case, step)
        case CaseAction.APPEAL:
            return msgspec.structs.replace(case, assignee="", held_until=None, due_at=None, appeals=case.appeals + 1)
        case CaseAction.NOTE:
            return case


def _decided(case: Case, step: Step) -> Case:
    suspended = step.action is CaseAction.CONFIRM_SUSPENSION
    return msgspec.structs.replace(
        case,
        assignee="",
        held_until=None,
        decided_by=case.proposed_by if suspended else step.actor_id,
        disposition=Disposition.CONFIRMED if suspended else step.disposition,
        suspended=suspended,
        due_at=step.at + APPEAL_WITHIN,
    )


def _participle(action: CaseAction) -> str:
    words = {
        CaseAction.TAKE: "taken",
        CaseAction.RELEASE: "released",
        CaseAction.ASK: "sent back with a question",
        CaseAction.ANSWER: "answered",
        CaseAction.DECIDE: "decided",
        CaseAction.PROPOSE_SUSPENSION: "proposed for suspension",
        CaseAction.CONFIRM_SUSPENSION: "suspended",
        CaseAction.DECLINE_SUSPENSION: "declined",
        CaseAction.APPEAL: "appealed",
        CaseAction.REOPEN: "reopened",
        CaseAction.NOTE: "annotated",
    }
    return words[action]
