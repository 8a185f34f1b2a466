"""How an affiliate is heard: where its matter stands, what it was asked, what it has said, and until when it may contest."""

from __future__ import annotations

from datetime import datetime

import msgspec

from fraud.app.cases import case_tools
from fraud.app.parts import App
from fraud.cases.alerting import alert_id_of
from fraud.domain.alerts import AlertState
from fraud.domain.cases import Case, CaseAction, CaseEvent, CaseState
from fraud.domain.decisions import SubjectKind
from fraud.domain.reviews import Disposition
from fraud.workflows.casework import case_of


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was said, and when."""

    at: datetime
    text: str


class Hearing(msgspec.Struct, frozen=True, kw_only=True):
    """Where an affiliate's matter stands. `question` is what a person asked it, `said` its own words, oldest first, `until` the end of its
    time to answer or to contest, while that runs. No name of anybody who works on it."""

    state: CaseState
    disposition: Disposition | None = None
    decided_at: datetime | None = None
    until: datetime | None = None
    question: Said | None = None
    said: tuple[Said, ...] = ()
    suspended: bool = False

    @property
    def may_answer(self) -> bool:
        """Whether its words still change something: always but where a decision stands."""
        return self.state is not CaseState.DECIDED or self.until is not None


def hearing_of(app: App, program_id: str, affiliate_id: str) -> Hearing | None:
    """The affiliate's newest matter; `None` when nothing was ever open about it, or its evidence is gone."""
    found = app.stores.alerts.named(program_id, [alert_id_of(program_id, SubjectKind.AFFILIATE, affiliate_id)])
    alert = next(iter(found), None)
    if alert is None or alert.state is AlertState.EXPIRED:
        return None
    case = case_of(case_tools(app), alert)
    timeline = app.stores.cases.timeline(program_id, case.case_id)
    own = tuple(Said(at=one.at, text=one.reason) for one in timeline if one.actor_id == f"affiliate:{affiliate_id}" and one.reason)
    decided = _last(timeline, CaseAction.DECIDE, CaseAction.CONFIRM_SUSPENSION)
    return Hearing(
        state=case.state,
        disposition=case.disposition,
        decided_at=decided.at if decided else None,
        until=_until(app, case),
        question=_question(case, timeline),
        said=own,
        suspended=case.suspended,
    )


def _until(app: App, case: Case) -> datetime | None:
    return case.due_at if case.due_at is not None and app.clock.now() <= case.due_at else None


def _question(case: Case, timeline: list[CaseEvent]) -> Said | None:
    asked = _last(timeline, CaseAction.ASK)
    return Said(at=asked.at, text=asked.reason) if asked and case.state is CaseState.WAITING else None


def _last(timeline: list[CaseEvent], *actions: CaseAction) -> CaseEvent | None:
    return next((one for one in reversed(timeline) if one.action in actions), None)
