"""Each store is what its port asks for: mypy reads the annotations, and the test runs them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from fraud.domain.decisions import DecisionKind
from fraud.domain.ports import (
    ActorStore,
    AlertStore,
    ApplicationStore,
    AuditLog,
    DecisionStore,
    EvidenceStore,
    JobQueue,
    PolicyStore,
    ProgramStore,
    ReviewStore,
    ScanStore,
)
from fraud.storage.actors import SqlActors
from fraud.storage.alerts import SqlAlerts
from fraud.storage.applications import SqlApplications
from fraud.storage.audit import SqlAudit
from fraud.storage.database import Database
from fraud.storage.decisions import SqlDecisions
from fraud.storage.evidence import EvidenceFolder
from fraud.storage.jobs import SqlJobs
from fraud.storage.policies import SqlPolicies
from fraud.storage.programs import SqlPrograms
from fraud.storage.reviews import SqlReviews
from fraud.storage.scans import SqlScans
from tests.storage.samples import NOON


def test_every_store_fulfils_its_port(database: Database, tmp_path: Path) -> None:
    decisions: DecisionStore = SqlDecisions(database)
    scans: ScanStore = SqlScans(database)
    alerts: AlertStore = SqlAlerts(database)
    policies: PolicyStore = SqlPolicies(database)
    reviews: ReviewStore = SqlReviews(database)
    applications: ApplicationStore = SqlApplications(database)
    programs: ProgramStore = SqlPrograms(database)
    actors: ActorStore = SqlActors(database)
    audit: AuditLog = SqlAudit(database)
    jobs: JobQueue = SqlJobs(database)
    evidence: EvidenceStore = EvidenceFolder(tmp_path)

    assert decisions.latest("shoes", DecisionKind.SCAN, "aff_1") is None
    assert scans.latest("shoes") is None
    assert alerts.open_alerts("shoes") == []
    assert policies.history("shoes") == []
    assert reviews.recent("shoes", 10) == []
    assert applications.dossiers("shoes", 10) == []
    assert programs.all() == []
    assert actors.keys() == []
    assert audit.entries("shoes", 10) == []
    assert evidence.has("00" * 32) is False
    assert jobs.lease(["scan"], "worker-1", NOON, timedelta(minutes=5)) is None
