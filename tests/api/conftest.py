"""An API over real stores in a temporary SQLite file, with one key for each role and two programs."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
from fastapi import FastAPI

from fraud.api.main import create_api
from fraud.api.services import ApiServices, TagDesk
from fraud.domain.actors import DEFAULT_PROGRAM, Role
from fraud.domain.clock import SystemClock
from fraud.domain.decisions import DecisionKind
from fraud.domain.events import Visit
from fraud.events.formats import CONTRACT
from fraud.events.personal import hashed
from fraud.policy.loading import load_pack
from fraud.storage.actors import SqlActors
from fraud.storage.alerts import SqlAlerts
from fraud.storage.applications import SqlApplications
from fraud.storage.audit import SqlAudit
from fraud.storage.cases import SqlCases
from fraud.storage.counters import MemoryCounters
from fraud.storage.database import Database, open_database
from fraud.storage.decisions import SqlDecisions
from fraud.storage.jobs import SqlJobs
from fraud.storage.journal import Journal
from fraud.storage.lake import ParquetLake
from fraud.storage.reviews import SqlReviews
from fraud.storage.scans import SqlScans
from fraud.workflows.appending import append_body
from fraud.workflows.casework import CaseTools
from fraud.workflows.converting import ConversionScorer, ConversionTools, RecentClicks
from fraud.workflows.ingesting import IngestOptions
from fraud.workflows.journaling import Destinations, JournalWriter
from fraud.workflows.reviewing import ReviewTools
from fraud.workflows.scoring import ClickScorer, ScanRisks, ScoringTools
from fraud.workflows.visiting import VisitBook

with warnings.catch_warnings():  # starlette asks for httpx2, which it names as httpx's successor; httpx is what this product has
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TAG = "0123456789abcdef0123"
"""The public tag of the program `default`."""
KEYS = {Role.SCORE: "key-of-the-tracker", Role.REVIEW: "key-of-the-manager", Role.ADMIN: "key-of-the-admin"}


@dataclass(frozen=True)
class House:
    """The API and everything behind it."""

    lake: ParquetLake
    app: FastAPI
    services: ApiServices
    writer: JournalWriter
    database: Database
    visits: VisitBook

    def client(self, role: Role | None = None) -> TestClient:
        """A client with the key of a role, or with none; what breaks inside is answered and not raised."""
        headers = {"Authorization": f"Bearer {KEYS[role]}"} if role else {}
        return TestClient(self.app, headers=headers, raise_server_exceptions=False)


def void(_: object) -> None:
    """Nothing of it."""


def book_of(lake: ParquetLake) -> VisitBook:
    """A book of the tag's reports that are kept in the lake when it is flushed."""

    def keep(program_id: str, visits: Sequence[Visit]) -> None:
        rows = [{name: value for name, value in msgspec.structs.asdict(visit).items() if name != "program_id"} for visit in visits]
        lake.append("visits", program_id, pa.Table.from_pylist(rows), datetime.now(UTC))

    return VisitBook(keep)


def services_of(database: Database, writer: JournalWriter, lake: ParquetLake, visits: VisitBook | None = None) -> ApiServices:
    """Real stores, and one scorer without a model for all programs."""
    clock, decisions = SystemClock(), SqlDecisions(database)
    book = visits or book_of(lake)
    tools = ScoringTools(
        priors=ScanRisks(SqlScans(database), clock),
        counters=MemoryCounters(),
        record=writer.record,
        judged=writer.record_clicks,
        clock=clock,
        earlier=lambda program_id, click_id: decisions.latest(program_id, DecisionKind.SCORE, click_id),
    )
    recent = RecentClicks()
    options = IngestOptions(format=CONTRACT, pepper=b"pepper", ingested_at=NOON)
    scorer = ClickScorer(load_pack(), None, replace(tools, seen=recent.remember_all))
    conversions = ConversionScorer(
        load_pack(),
        ConversionTools(
            priors=tools.priors,
            counters=tools.counters,
            clicks_of=lambda program_id, names: {name: one for name in names if (one := recent.find(program_id, name)) is not None},
            own_identities=lambda conversion: None,
            visits_of=book.of_click,
            record=writer.record,
            clock=clock,
            earlier=lambda program_id, conversion_id: decisions.latest(program_id, DecisionKind.CONVERSION, conversion_id),
        ),
    )
    reviewing = ReviewTools(
        reviews=SqlReviews(database),
        alerts=SqlAlerts(database),
        applications=SqlApplications(database),
        decisions=decisions,
        audit=SqlAudit(database),
        label=lambda program_id, row: void(append_body(lake, program_id, "labels", msgspec.json.encode([row]), options)),
        tell=lambda events: None,
        clock=clock,
    )
    return ApiServices(
        decisions=decisions,
        scans=SqlScans(database),
        alerts=SqlAlerts(database),
        applications=SqlApplications(database),
        actors=SqlActors(database),
        audit=SqlAudit(database),
        jobs=SqlJobs(database),
        clock=clock,
        scorer_of=lambda program_id: scorer,
        ready=lambda program_id: scorer,
        conversions_of=lambda program_id: conversions,
        personal=lambda kind, value: hashed(b"pepper", kind, value),
        append=lambda program_id, kind, body: append_body(lake, program_id, kind, body, options),
        reviewing=reviewing,
        casework=CaseTools(cases=SqlCases(database), reviewing=reviewing, suspend=lambda *said: None),
        tag=TagDesk({TAG: DEFAULT_PROGRAM}.get, book.take),
        probes={"database": database.ping},
        gauges=lambda: {"decisions_waiting": float(writer.stats().waiting)},
    )


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the tables in it, copied for each test."""
    path = tmp_path_factory.mktemp("template") / "fraud.sqlite3"
    open_database(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def house(tmp_path: Path, migrated_file: Path) -> Iterator[House]:
    """The API on a database of its own."""
    database = open_database(f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'fraud.sqlite3')}")
    writer = JournalWriter(Journal(tmp_path / "journal"), Destinations(SqlDecisions(database), lambda policy: load_pack()))
    lake = ParquetLake(tmp_path / "lake")
    book = book_of(lake)
    services = services_of(database, writer, lake, book)
    for role, secret in KEYS.items():
        services.actors.accept_key(secret, role.value, role, ("default", "shoes"), NOON)
    yield House(lake, create_api(services), services, writer, database, book)
    writer.close()
    database.close()


@pytest.fixture
def tracker(house: House) -> TestClient:
    """A client with the tracker's key."""
    return house.client(Role.SCORE)


@pytest.fixture
def manager(house: House) -> TestClient:
    """A client with the manager's key."""
    return house.client(Role.REVIEW)
