"""Programs never cross: whatever one program keeps, another can neither read nor list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from fraud.domain.actors import SYSTEM
from fraud.domain.decisions import DecisionKind
from fraud.errors import NotFound
from fraud.storage.alerts import SqlAlerts
from fraud.storage.applications import SqlApplications
from fraud.storage.audit import SqlAudit
from fraud.storage.database import Database
from fraud.storage.decisions import SqlDecisions
from fraud.storage.jobs import SqlJobs
from fraud.storage.scans import SqlScans
from tests.storage.samples import NOON, alert, application, decision, dossier, scan

OTHERS = ["hats", "SHOES", "shoe", "shoes ", "%", "*", "", "shoes' OR '1'='1"]


@pytest.mark.parametrize("other", OTHERS)
def test_no_getter_reaches_into_another_program(database: Database, other: str) -> None:
    decisions, scans, alerts, applications, jobs = (
        SqlDecisions(database),
        SqlScans(database),
        SqlAlerts(database),
        SqlApplications(database),
        SqlJobs(database),
    )
    decisions.add([decision()])
    scans.add(scan())
    alerts.record([alert()])
    applications.save(application())
    applications.add_dossier(dossier())
    job = jobs.enqueue("shoes", "scan", {}, SYSTEM, NOON)
    reaches: list[Callable[[], object]] = [
        lambda: decisions.get(other, "dec_1"),
        lambda: scans.get(other, "scn_1"),
        lambda: alerts.get(other, "alr_1"),
        lambda: alerts.change(other, "alr_1", lambda standing: standing),
        lambda: applications.get(other, "app_1"),
        lambda: applications.dossier(other, "app_1"),
        lambda: jobs.get(other, job.job_id),
    ]
    for reach in reaches:
        with pytest.raises(NotFound):
            reach()


@pytest.mark.parametrize("other", OTHERS)
def test_no_list_shows_another_program(database: Database, other: str) -> None:
    SqlDecisions(database).add([decision()])
    SqlScans(database).add(scan())
    SqlAlerts(database).record([alert()])
    SqlApplications(database).add_dossier(dossier())
    SqlAudit(database).record(SYSTEM, "shoes", "scan.start", "scn_1", NOON, {})
    assert SqlDecisions(database).latest(other, DecisionKind.SCAN, "aff_1") is None
    assert SqlScans(database).latest(other) is None
    assert SqlScans(database).recent(other, 10) == []
    assert SqlAlerts(database).open_alerts(other) == []
    assert SqlApplications(database).dossiers(other, 10) == []
    assert SqlAudit(database).entries(other, 10) == []


def test_two_programs_may_use_the_same_names(database: Database) -> None:
    for program_id in ("shoes", "hats"):
        SqlAlerts(database).record([alert(program_id=program_id)])
        SqlApplications(database).save(application(program_id=program_id, name=program_id))
        SqlApplications(database).add_dossier(dossier(program_id=program_id))
    assert SqlAlerts(database).get("hats", "alr_1") == alert(program_id="hats")
    assert SqlApplications(database).get("shoes", "app_1").name == "shoes"
    assert [one.program_id for one in SqlApplications(database).dossiers("hats", 10)] == ["hats"]


def test_a_worker_serves_every_program(database: Database) -> None:
    jobs = SqlJobs(database)
    for program_id in ("shoes", "hats"):
        jobs.enqueue(program_id, "scan", {}, SYSTEM, NOON)
    leased = [jobs.lease(["scan"], "worker-1", NOON, timedelta(minutes=5)) for _ in range(2)]
    assert [job and job.program_id for job in leased] == ["shoes", "hats"]
