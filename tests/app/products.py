"""What tests do to a product: fill it, scan it, find a decision in it, and tamper with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import text

from fraud.app.parts import App
from fraud.app.scanning import ScanRun, ingest_files, ingest_options, scan_workspace
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.decisions import Decision
from fraud.domain.hashing import canonical_json
from fraud.workflows.ingesting import IngestReport
from fraud.workflows.night import ScanRequest

TABLES = ("offers", "affiliates", "calendar", "clicks", "conversions")


def quiet(text: str) -> None:
    """Nobody to tell about progress."""


def ingest_one(app: App, kind: str, *paths: Path) -> IngestReport:
    return ingest_files(app, DEFAULT_PROGRAM, kind, paths, ingest_options(app, "auto", quiet))


def ingest_program(app: App, folder: Path) -> None:
    for kind in TABLES:
        ingest_one(app, kind, *sorted(folder.glob(f"{kind}.*")))


def scan_newest(app: App, **options: Any) -> ScanRun:
    return scan_workspace(app, ScanRequest(program_id=DEFAULT_PROGRAM, **options), SYSTEM, "", quiet)


def tamper(app: App, decision: Decision, change: Callable[[dict[str, Any]], None]) -> None:
    """Rewrites what the database holds of a decision's inputs, behind the store's back."""
    change(decision.inputs)
    with app.database.transaction() as connection:
        changed = connection.execute(
            text("UPDATE decisions SET document = :document WHERE decision_id = :decision_id"),
            {"document": canonical_json(decision).decode(), "decision_id": decision.decision_id},
        )
        assert changed.rowcount == 1
