"""What an affiliate answers to what it was told: an appeal against a decision, an answer to a question, or a word for whoever looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fraud.cases.casework import Step
from fraud.domain.alerts import Alert, AlertState
from fraud.domain.cases import Case, CaseAction, CaseState
from fraud.domain.decisions import SubjectKind
from fraud.errors import Conflict, InputError, NotFound
from fraud.workflows.casework import CaseTools, act, case_of

MOST_WORDS = 10
"""Answers that one case takes from its affiliate: more is no talk any more."""
LONGEST = 4_000
"""Characters of one answer."""

_ACTIONS = {CaseState.DECIDED: CaseAction.APPEAL, CaseState.WAITING: CaseAction.ANSWER}


@dataclass(frozen=True)
class Contested:
    """What became of an answer: the case it went to and the step it was."""

    case: Case
    action: CaseAction


def contest(tools: CaseTools, program_id: str, affiliate_id: str, text: str) -> Contested:
    """Takes an affiliate's answer into its case: an appeal when that is decided, an answer when it was asked, a note otherwise.

    Raises `InputError` for an empty or endless text, `NotFound` when nothing is open about the affiliate, and `Conflict` when the time to
    contest has passed or the case has heard enough.
    """
    said = text.strip()
    if not 0 < len(said) <= LONGEST:
        raise InputError(f"Please say in your own words what we should know, in at most {LONGEST:,} characters.")
    case = _case_about(tools, program_id, affiliate_id)
    actor_id = f"affiliate:{affiliate_id}"
    if sum(event.actor_id == actor_id for event in tools.cases.timeline(program_id, case.case_id)) >= MOST_WORDS:
        raise Conflict("We have your answers and will come back to you; please wait until somebody has read them.")
    step = Step(
        action=_ACTIONS.get(case.state, CaseAction.NOTE),
        actor_id=actor_id,
        actor_name=f"the affiliate {affiliate_id}",
        at=tools.reviewing.clock.now(),
        reason=said,
    )
    return Contested(act(tools, program_id, case.case_id, step), step.action)


def _case_about(tools: CaseTools, program_id: str, affiliate_id: str) -> Case:
    """The newest case about an affiliate, or one that begins now when only an alert stands."""
    mine = [case for case in tools.cases.all(program_id) if case.subject_id == affiliate_id]
    alerts = [alert for alert in tools.reviewing.alerts.standing(program_id) if _is_about(alert, affiliate_id)]
    alert = max(alerts, key=_opened, default=None)
    newest = max(mine, key=lambda case: case.opened_at, default=None)
    if alert is not None and (newest is None or newest.opened_at < alert.opened_at):
        return tools.cases.open(case_of(tools, alert))
    if newest is None:
        raise NotFound("There is nothing open about your traffic that you could answer.")
    return newest


def _is_about(alert: Alert, affiliate_id: str) -> bool:
    return alert.subject_kind is SubjectKind.AFFILIATE and alert.subject_id == affiliate_id and alert.state is AlertState.OPEN


def _opened(alert: Alert) -> datetime:
    return alert.opened_at
