"""Cases worked on: the next one taken, each step written down, decisions passed on to alerts, labels and those who are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fraud.cases.casework import HOLD, Step, is_free, taken_step
from fraud.domain.alerts import Alert
from fraud.domain.cases import Case, CaseAction, CaseEvent, CaseState
from fraud.domain.ids import stable_id
from fraud.domain.ports import CaseStore
from fraud.domain.reviews import Disposition
from fraud.errors import Conflict, NotFound
from fraud.workflows.reviewing import ReviewTools, Word, resolve_alert

__all__ = ["HOLD", "CaseTools", "act", "case_of", "queue", "take", "take_next"]

_PAGE = 25
"""Alerts read at once while looking for one that is free."""

Suspend = Callable[[str, str, str], None]
"""Program, affiliate and reason: writes the suspension into the program's records."""


@dataclass(frozen=True)
class CaseTools:
    """What work on cases needs."""

    cases: CaseStore
    reviewing: ReviewTools
    suspend: Suspend


def queue(tools: CaseTools, program_id: str, reviewer: str) -> list[tuple[Alert, Case]]:
    """The open alerts that nobody works on, largest expected loss first, each with its case; an appeal comes before them."""
    return list(_free(tools, program_id, reviewer))


def _free(tools: CaseTools, program_id: str, reviewer: str) -> Iterator[tuple[Alert, Case]]:
    """The queue as it is asked for, a page of alerts at a time: whoever takes the next one reads no more than the first."""
    at = tools.reviewing.clock.now()
    appeals = tools.cases.standing(program_id, [CaseState.APPEALED])
    named = ((tools.reviewing.alerts.get(program_id, case.alert_id), case) for case in appeals)
    yield from ((alert, case) for alert, case in named if is_free(case, reviewer, at))
    seen = 0
    while page := tools.reviewing.alerts.open_page(program_id, at, _PAGE, seen):
        seen += len(page)
        waiting = [(alert, case_of(tools, alert)) for alert in page]
        yield from ((alert, case) for alert, case in waiting if case.state is not CaseState.APPEALED and is_free(case, reviewer, at))


def case_of(tools: CaseTools, alert: Alert) -> Case:
    """The case of an alert as it stands: the one that is kept, else a new one that is not kept yet."""
    try:
        return tools.cases.get(alert.program_id, _case_id(alert))
    except NotFound:
        return _new(alert)


def take(tools: CaseTools, program_id: str, alert_id: str, reviewer: tuple[str, str]) -> Case:
    """Takes the case of one alert for a reviewer (id, name); `Conflict` when somebody else holds it, `NotFound` without such an alert."""
    actor_id, name = reviewer
    case = tools.cases.open(case_of(tools, tools.reviewing.alerts.get(program_id, alert_id)))
    return _changed(tools, case, Step(action=CaseAction.TAKE, actor_id=actor_id, actor_name=name, at=tools.reviewing.clock.now()))


def take_next(tools: CaseTools, program_id: str, reviewer: tuple[str, str]) -> tuple[Alert, Case] | None:
    """Takes the first case of the queue for a reviewer (id, name); `None` when there is none left.

    Two reviewers who press at once never get the same case: a case is taken against the version that was seen, and who comes second
    gets the next one.
    """
    actor_id, name = reviewer
    for alert, case in _free(tools, program_id, actor_id):
        step = Step(action=CaseAction.TAKE, actor_id=actor_id, actor_name=name, at=tools.reviewing.clock.now())
        try:
            return alert, _changed(tools, tools.cases.open(case), step)
        except Conflict:
            continue
    return None


def act(tools: CaseTools, program_id: str, case_id: str, step: Step, word: Word | None = None) -> Case:
    """One step with a case. A decision resolves the alert with its disposition; a confirmed suspension is written into the records.

    Raises `NotFound`, and `Conflict` or `InputError` as `fraud.cases.casework.taken_step` does.
    """
    changed = _changed(tools, tools.cases.get(program_id, case_id), step)
    if changed.state is CaseState.DECIDED and step.action is not CaseAction.NOTE and word is not None:
        resolve_alert(tools.reviewing, program_id, changed.alert_id, word)
        if changed.suspended:
            tools.suspend(program_id, changed.subject_id, step.reason.strip())
    return changed


def disposition_of(step: Step) -> Disposition:
    """What a step ends the case with."""
    return Disposition.CONFIRMED if step.action is CaseAction.CONFIRM_SUSPENSION else step.disposition or Disposition.UNCLEAR


def timeline(tools: CaseTools, program_id: str, case_id: str) -> list[CaseEvent]:
    """What was done with a case, oldest first; `NotFound` when there is none."""
    tools.cases.get(program_id, case_id)
    return tools.cases.timeline(program_id, case_id)


def _changed(tools: CaseTools, case: Case, step: Step) -> Case:
    changed, event = taken_step(case, step)
    tools.cases.change(changed, event)
    return changed


def _case_id(alert: Alert) -> str:
    """An alert that opens again is another case: its first one stays as it was decided."""
    return stable_id("case", alert.program_id, alert.alert_id, str(alert.reopened))


def _new(alert: Alert) -> Case:
    return Case(
        case_id=_case_id(alert),
        program_id=alert.program_id,
        alert_id=alert.alert_id,
        subject_id=alert.subject_id,
        opened_at=alert.opened_at,
    )
