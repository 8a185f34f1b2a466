"""The first page: what needs a person now by expected loss, how the nights went, and whether everything runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fraud.app.parts import App
from fraud.domain.alerts import Alert
from fraud.domain.cases import Case, CaseState
from fraud.domain.dossiers import ApplicantQuery
from fraud.domain.jobs import JobState
from fraud.domain.nights import NightLine
from fraud.reports import words
from fraud.web.visits import Visit

_SHOWN = 5
_DECIDED = 3
_NIGHTS = 60
_STALE = timedelta(hours=36)
"""A nightly scan that is half a day late is worth a word."""


@dataclass(frozen=True)
class Health:
    """One thing that should run: how it stands, and where to look."""

    label: str
    state: str
    tone: str
    address: str


@dataclass(frozen=True)
class InHand:
    """A case of the reader's own, or one that waits for a second person, with its alert."""

    case: Case
    alert: Alert


def today_view(app: App, visit: Visit) -> dict[str, Any]:
    """Everything the page shows."""
    now, program_id = app.clock.now(), visit.program_id
    nights = app.stores.nights.nights(program_id, _NIGHTS)
    applicants, waiting = app.stores.applications.page(program_id, ApplicantQuery(limit=_SHOWN))
    return {
        "title": "Today",
        "night": nights[0] if nights else None,
        "headline": headline(nights[0]) if nights else "",
        "nights": nights[::-1],
        "currency": nights[0].currency if nights else None,
        "alerts": app.stores.alerts.open_page(program_id, now, _SHOWN),
        "alert_count": app.stores.alerts.count_open(program_id, now),
        "in_hand": in_hand(app, visit),
        "decided": app.stores.cases.page(program_id, [CaseState.DECIDED], _DECIDED)[0],
        "applicants": applicants,
        "applicant_count": waiting,
        "health": [*_health(app, visit, nights[0] if nights else None)],
    }


def headline(night: NightLine) -> str:
    """How many affiliates and other subjects the night asks a person to look at."""
    told = [words.count(night.alerted, "affiliate")] if night.alerted else []
    told += [words.count(night.further, "further alert")] if night.further else []
    if not told:
        return "Nothing needs a person"
    return f"{words.join(told)} {'needs' if night.alerted + night.further == 1 else 'need'} a person"


def in_hand(app: App, visit: Visit) -> list[InHand]:
    """What the reader holds, and suspensions that others proposed."""
    me = visit.actor.actor_id
    cases = app.stores.cases.standing(visit.program_id, [CaseState.TAKEN, CaseState.WAITING, CaseState.PROPOSED])
    mine = [one for one in cases if (one.assignee == me if one.state is not CaseState.PROPOSED else one.proposed_by != me)][:_SHOWN]
    alerts = {alert.alert_id: alert for alert in app.stores.alerts.named(visit.program_id, [one.alert_id for one in mine])}
    return [InHand(case, alerts[case.alert_id]) for case in mine if case.alert_id in alerts]


def _health(app: App, visit: Visit, night: NightLine | None) -> list[Health]:
    stores, program_id = app.stores, visit.program_id
    jobs = stores.jobs.unfinished(program_id, 50)
    failed = sum(job.state is JobState.FAILED for job in jobs)
    dead = len(stores.outbox.dead(program_id, 100))
    return [
        _scan_health(app, visit, night),
        Health("Jobs", f"{words.count(failed, 'job')} failed", "bad", visit.address("/settings/jobs"))
        if failed
        else Health("Jobs", f"{len(jobs):,} waiting or running" if jobs else "None waiting", "good", visit.address("/settings/jobs")),
        Health(
            "Deliveries",
            f"{dead:,} given up" if dead else "None given up",
            "bad" if dead else "good",
            visit.address("/settings/deliveries"),
        ),
    ]


def _scan_health(app: App, visit: Visit, night: NightLine | None) -> Health:
    if night is None:
        return Health("Nightly scan", "None yet", "warn", visit.address("/start"))
    age = app.clock.now() - night.as_of
    told = f"{words.count(night.clicks, 'click')} up to {words.day(night.as_of)}"
    late = age > _STALE
    return Health("Nightly scan", f"{told}, {age.days} d old" if late else told, "warn" if late else "good", visit.address("/scans"))
