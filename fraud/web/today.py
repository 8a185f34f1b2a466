"""The first page: what needs a person now by expected loss, how the nights went, and whether everything runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fraud.app.parts import App
from fraud.domain.alerts import Alert
from fraud.domain.cases import Case, CaseState
from fraud.domain.dossiers import ApplicantQuery
from fraud.domain.nights import NightLine
from fraud.reports import words
from fraud.web.health import health_of
from fraud.web.looking import Looks
from fraud.web.queueing import in_work
from fraud.web.visits import Visit

_SHOWN = 5
_DECIDED = 3
_NIGHTS = 60


@dataclass(frozen=True)
class InHand:
    """A case of the reader's own, or one that waits for a second person, with its alert."""

    case: Case
    alert: Alert


def today_view(app: App, looks: Looks, visit: Visit) -> dict[str, Any]:
    """Everything the page shows."""
    now, program_id = app.clock.now(), visit.program_id
    nights = app.stores.nights.nights(program_id, _NIGHTS)
    work = in_work(app, program_id)
    applicants, waiting = app.stores.applications.page(program_id, ApplicantQuery(limit=_SHOWN))
    return {
        "title": "Today",
        "night": nights[0] if nights else None,
        "headline": headline(nights[0]) if nights else "",
        "nights": nights[::-1],
        "currency": nights[0].currency if nights else None,
        "alerts": app.stores.alerts.open_page(program_id, now, _SHOWN),
        "alert_count": app.stores.alerts.count_open(program_id, now),
        "cases": work,
        "in_hand": in_hand(app, visit, work.values()),
        "decided": app.stores.cases.page(program_id, [CaseState.DECIDED], _DECIDED)[0],
        "applicants": applicants,
        "applicant_count": waiting,
        "health": health_of(app, looks, visit, nights[0] if nights else None),
    }


def headline(night: NightLine) -> str:
    """How many affiliates and other subjects the night asks a person to look at."""
    told = [words.count(night.alerted, "affiliate")] if night.alerted else []
    told += [words.count(night.further, "further alert")] if night.further else []
    if not told:
        return "Nothing needs a person"
    return f"{words.join(told)} {'needs' if night.alerted + night.further == 1 else 'need'} a person"


def in_hand(app: App, visit: Visit, work: Iterable[Case]) -> list[InHand]:
    """What the reader holds, and suspensions that others proposed."""
    me = visit.actor.actor_id
    mine = [one for one in work if _is_for(one, me)][:_SHOWN]
    alerts = {alert.alert_id: alert for alert in app.stores.alerts.named(visit.program_id, [one.alert_id for one in mine])}
    return [InHand(case, alerts[case.alert_id]) for case in mine if case.alert_id in alerts]


def _is_for(case: Case, me: str) -> bool:
    """Whether a case is in these hands, or waits for a second person who may be this one."""
    if case.state is CaseState.PROPOSED:
        return case.proposed_by != me
    return case.state in {CaseState.TAKEN, CaseState.WAITING} and case.assignee == me
