"""What the notebooks start from: a made-up program in a workspace of its own, ingested and ready to be scanned."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

from fraud.app.parts import App
from fraud.app.scanning import ingest_files, ingest_options, scan_workspace
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.clock import FixedClock, as_utc
from fraud.domain.decisions import Decision, DecisionKind, SubjectKind
from fraud.domain.scans import ScanResult
from fraud.settings import Settings
from fraud.simulation.program import SimulatedProgram, simulate
from fraud.simulation.spec import SimulationSpec
from fraud.simulation.writing import write
from fraud.workflows.night import ScanRequest

TABLES = ("offers", "affiliates", "calendar", "clicks", "conversions")


@dataclass(frozen=True)
class MadeUp:
    """A product opened on a made-up program. `truth` says of each affiliate (index) whether it is `bad` and what `kind` it plays."""

    app: App
    program: SimulatedProgram
    truth: pd.DataFrame

    def scan(self, as_of: datetime | None = None) -> ScanResult:
        """Scans the three days before a moment (default: the newest), as the nightly run does."""
        request = ScanRequest(program_id=DEFAULT_PROGRAM, as_of=as_of)
        return scan_workspace(self.app, request, SYSTEM, "", lambda _: None).result

    def decisions(self, result: ScanResult) -> list[Decision]:
        """A scan's decisions on affiliates, in the order of the ranking."""
        return [self.app.stores.decisions.find(row.decision_id) for row in result.affiliates]

    def kept_decisions(self) -> list[Decision]:
        """Every decision on an affiliate that the scans so far left behind, oldest first."""
        long_ago = self.app.clock.now() - timedelta(days=3_650)
        kept = self.app.stores.decisions.decided(DEFAULT_PROGRAM, DecisionKind.SCAN, long_ago)
        return [one for one in kept if one.subject_kind is SubjectKind.AFFILIATE]


def make_up(spec: SimulationSpec) -> MadeUp:
    """Simulates a program and ingests it into a new workspace in the folder for temporary files."""
    folder = Path(tempfile.mkdtemp(prefix="fraud-notebook-"))
    program = simulate(spec)
    write(program, folder / "program")
    settings = Settings(workspace=folder / "workspace", _env_file=None)  # type: ignore[call-arg]  # pydantic-settings' own argument
    app = App(settings, FixedClock(as_utc(spec.ends_at) + timedelta(hours=6)))
    for kind in TABLES:
        files = sorted((folder / "program").glob(f"{kind}.*"))
        if files:
            ingest_files(app, DEFAULT_PROGRAM, kind, files, ingest_options(app, "auto", lambda _: None))
    truth = pd.DataFrame(
        [(one.affiliate_id, one.bad, one.kind) for one in program.truth.affiliates], columns=["affiliate_id", "bad", "kind"]
    )
    return MadeUp(app, program, truth.set_index("affiliate_id"))
