"""The baseline of a workspace through the nights: fitted once, in force for a week, held when it drifted, accepted with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from fraud.app.baselines import accept_baseline, baselines, roll_back_baseline
from fraud.app.examining import examine
from fraud.app.parts import App
from fraud.app.replaying import replay_decision
from fraud.app.scanning import scan_workspace
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.clock import FixedClock
from fraud.domain.scans import ScanResult
from fraud.errors import InputError
from fraud.simulation.program import simulate
from fraud.simulation.spec import SimulationSpec
from fraud.simulation.writing import write
from fraud.workflows.night import ScanRequest
from tests.app.products import ingest_program, quiet
from tests.cli.commands import fraud
from tests.conftest import MORNING, settings_of

SPEC = SimulationSpec(seed=9, affiliates=40, days=18, clicks_per_day=8.0)
SUSPICIOUS = "{based_on: default, id: suspicious, version: 1, scan: {drift: {refit_days: 1.0, evidence_psi: 0.0, chance: 2.0}}}"
"""A pack under which every new baseline has drifted too far."""


@dataclass
class Nights:
    """A workspace, and how to scan a night of it: so many days before the last."""

    app: App
    folder: Path

    def scan(self, before_last: float, policy: str = "") -> ScanResult:
        request = ScanRequest(program_id=DEFAULT_PROGRAM, as_of=self.at(before_last))
        return scan_workspace(self.app, request, SYSTEM, policy, quiet).result

    def at(self, before_last: float) -> datetime:
        return SPEC.ends_at - timedelta(days=before_last)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    folder = tmp_path_factory.mktemp("nights")
    write(simulate(SPEC), folder / "program")
    app = App(settings_of(folder / "workspace"), FixedClock(MORNING))
    ingest_program(app, folder / "program")
    (folder / "suspicious.yaml").write_text(SUSPICIOUS)
    yield Nights(app, folder)
    app.close()


def test_a_baseline_through_the_nights(nights: Nights) -> None:
    """One story, in order: what each night finds in force, and what a person's word changes."""
    app, pack = nights.app, str(nights.folder / "suspicious.yaml")
    first = nights.scan(3).baseline
    assert first is not None
    assert first.state == "new"
    assert first.night is None, "there was nothing to drift from"

    second = nights.scan(2)
    assert second.baseline is not None
    assert (second.baseline.state, second.baseline.model_id) == ("in_force", first.model_id)
    assert second.baseline.night is not None
    assert all(replay_decision(app, row.decision_id).same for row in second.affiliates[::13])

    held = nights.scan(1, pack)
    assert held.baseline is not None
    assert held.baseline.state == "held"
    assert held.baseline.model_id == first.model_id
    assert any("still serves" in note and "waits for a person" in note for note in held.notes)
    waiting = baselines(app, DEFAULT_PROGRAM)
    assert waiting.held is not None
    assert waiting.held.model_id == held.baseline.held_model_id
    (told,) = [finding for finding in examine(app) if finding.name == "baseline"]
    assert told.state == "failing"
    assert "fraud models accept" in told.text

    with pytest.raises(InputError, match="say why"):
        accept_baseline(app, DEFAULT_PROGRAM, " ", SYSTEM)
    accepted = accept_baseline(app, DEFAULT_PROGRAM, "The holidays are over.", SYSTEM)
    assert accepted.state == "in_force"
    assert accepted.model_id == held.baseline.held_model_id
    entry = app.stores.audit.entries(DEFAULT_PROGRAM, 1)[0]
    assert (entry["action"], entry["detail"]["why"]) == ("baseline.accepted", "The holidays are over.")

    last = nights.scan(0)
    assert last.baseline is not None
    assert (last.baseline.state, last.baseline.model_id) == ("in_force", accepted.model_id)
    with pytest.raises(InputError, match="No baseline waits"):
        accept_baseline(app, DEFAULT_PROGRAM, "Once more.", SYSTEM)

    earlier = nights.scan(2)
    assert earlier.baseline is None, "a night of the past is not judged by what came after it"
    assert roll_back_baseline(app, DEFAULT_PROGRAM, "It was the holidays after all.", SYSTEM).model_id == first.model_id


def test_the_commands_show_and_accept(nights: Nights) -> None:
    nights.scan(1, str(nights.folder / "suspicious.yaml"))
    workspace = ("--workspace", str(nights.app.workspace.root))
    shown = fraud("models", "baselines", *workspace)
    assert "waits" in shown.out
    assert "fraud models accept" in shown.err
    done = fraud("models", "accept", "--why", "Looked at it.", *workspace)
    assert "judges from the next scan on" in done.out
    assert fraud("models", "accept", *workspace).code != 0, "a reason is needed"
