"""A thousand decisions of three jobs said again after a restart and after the models have moved on: bit for bit the same."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from fraud.app.parts import App, load_model
from fraud.app.recorded import clicks_before, conversions_before
from fraud.app.scanning import scan_workspace
from fraud.app.scoring import Scorers, click_model_name, fit_click_model_on
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.clock import FixedClock
from fraud.domain.decisions import Decision, DecisionKind
from fraud.domain.hashing import canonical_json
from fraud.features.catalogue import feature_set_hash
from fraud.features.realtime import click_feature_set_hash
from fraud.workflows.night import ScanRequest
from fraud.workflows.replaying import replay
from tests.app.conftest import Scanned
from tests.conftest import MORNING, OpenApp

MANY = 1_000


@pytest.fixture(scope="module")
def decided(scanned: Scanned, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Decision]]:
    """A workspace closed after a thousand decisions, and these as they were made."""
    root = shutil.copytree(scanned.app.workspace.root, tmp_path_factory.mktemp("many") / "workspace")
    app = App(scanned.app.settings.model_copy(update={"workspace": root}), FixedClock(MORNING))
    fit_click_model_on(app, app.lake, DEFAULT_PROGRAM, MORNING)
    kept: list[Decision] = list(app.stores.decisions.decided(DEFAULT_PROGRAM, DecisionKind.SCAN, MORNING - timedelta(days=999)))
    made: list[Decision] = []
    scorers = Scorers(app, made.append)
    conversions = conversions_before(app.lake, DEFAULT_PROGRAM, MORNING, MORNING - timedelta(days=999))[-100:]
    clicks = clicks_before(app.lake, DEFAULT_PROGRAM, MORNING, MANY - len(conversions))
    for number, click in enumerate(clicks):
        scorers.of(DEFAULT_PROGRAM).score(msgspec.structs.replace(click, click_id=f"again-{number}"))
    for number, conversion in enumerate(conversions):
        scorers.conversions_of(DEFAULT_PROGRAM).score(msgspec.structs.replace(conversion, conversion_id=f"again-{number}"))
    app.stores.decisions.add(made)
    app.close()
    return root, [*kept, *made]


def test_after_a_restart_and_newer_models_every_decision_comes_out_the_same(decided: tuple[Path, list[Decision]], open_at: OpenApp) -> None:
    root, made = decided
    assert len(made) >= MANY
    assert {decision.kind for decision in made} == {DecisionKind.SCAN, DecisionKind.SCORE, DecisionKind.CONVERSION}
    app = open_at(root)
    newer = fit_click_model_on(app, app.lake, DEFAULT_PROGRAM, MORNING - timedelta(days=2))
    scan_workspace(app, ScanRequest(program_id=DEFAULT_PROGRAM, as_of=MORNING - timedelta(days=1)), SYSTEM, "", lambda _: None)
    assert newer is not None
    assert newer.id == click_model_name(DEFAULT_PROGRAM)
    different = [decision.decision_id for decision in made if not _comes_out_the_same(app, decision)]
    assert different == []


def _comes_out_the_same(app: App, made: Decision) -> bool:
    """Read back from the database byte for byte, and decided again from what it holds."""
    stored = app.stores.decisions.get(made.program_id, made.decision_id)
    models = {artefact.id: _model(app, made, artefact.hash) for artefact in stored.models}
    again = replay(stored, app.pack_of(stored.policy), models)
    return canonical_json(stored) == canonical_json(made) and again.same


_LOADED: dict[str, object] = {}


def _model(app: App, decision: Decision, sha256: str) -> object:
    if sha256 not in _LOADED:
        artefact = next(one for one in decision.models if one.hash == sha256)
        expected = feature_set_hash() if decision.kind is DecisionKind.SCAN else click_feature_set_hash()
        _LOADED[sha256] = load_model(app.registry, artefact, expected)
    return _LOADED[sha256]
