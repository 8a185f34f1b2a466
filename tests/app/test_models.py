"""From labels to the order of the next scan: trained, kept, live, replayed, asked why, taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import msgspec
import pandas as pd
import pytest

from fraud.app import models
from fraud.app.parts import App
from fraud.app.replaying import replay_decision
from fraud.app.scanning import ScanRun
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.clock import FixedClock
from fraud.domain.decisions import DecisionKind
from fraud.errors import InputError, ModelError
from fraud.simulation.program import simulate
from fraud.simulation.spec import SimulationSpec
from fraud.simulation.writing import write
from tests.app.products import ingest_one, ingest_program, quiet, scan_newest
from tests.cli.commands import fraud, sentence_of
from tests.conftest import MORNING, settings_of


@dataclass(frozen=True)
class Taught:
    """A product that was scanned, reviewed, trained and scanned again."""

    app: App
    before: ScanRun
    training: models.Training
    after: ScanRun


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taught]:
    folder = tmp_path_factory.mktemp("taught")
    program = simulate(SimulationSpec(seed=12, affiliates=130, days=7, clicks_per_day=8.0, bad_share=0.25, hard_share=0.08))
    write(program, folder / "program")
    clock = FixedClock(MORNING)
    app = App(settings_of(folder / "workspace"), clock)
    ingest_program(app, folder / "program")
    before = scan_newest(app)
    labels = pd.DataFrame(
        [(one.affiliate_id, "bad" if one.bad else "good", "2026-04-01") for one in program.truth.affiliates],
        columns=["affiliate_id", "label", "labelled_at"],
    )
    labels.to_csv(folder / "labels.csv", index=False)
    ingest_one(app, "labels", folder / "labels.csv")
    clock.move_to(MORNING + timedelta(hours=2))
    training = models.train_ranker(app, DEFAULT_PROGRAM, SYSTEM, quiet)
    if not training.live:
        models.promote(app, DEFAULT_PROGRAM, training.model_id, SYSTEM)
    clock.move_to(MORNING + timedelta(hours=3))
    yield Taught(app, before, training, scan_newest(app))
    app.close()


def test_a_training_says_how_it_did_on_labels_it_had_not_seen(taught: Taught) -> None:
    trained = taught.training.trained
    assert trained.stage == "trees"
    assert trained.labels >= 120
    assert trained.better is (trained.metrics["average_precision"] >= trained.metrics["average_precision_before"])


def test_the_next_scan_is_ordered_by_it_and_every_decision_names_it(taught: Taught) -> None:
    (kept,) = models.list_models(taught.app, DEFAULT_PROGRAM)
    assert kept.live
    result = taught.after.result
    named = {artefact.id: artefact.hash for artefact in result.models}
    assert named[kept.name] == kept.sha256
    assert any("reviewed affiliates taught" in note for note in result.notes)
    assert [row.affiliate_id for row in result.affiliates] != [row.affiliate_id for row in taught.before.result.affiliates]
    for row in result.affiliates:
        decision = taught.app.stores.decisions.find(row.decision_id)
        assert kept.name in {artefact.id for artefact in decision.models}
        assert isinstance(decision.inputs["ranked"], float) or decision.inputs["facts"]["evidence"] is None


def test_decisions_with_and_without_it_are_replayed_exactly(taught: Taught) -> None:
    for run in (taught.before, taught.after):
        for row in run.result.affiliates[::9]:
            assert replay_decision(taught.app, row.decision_id).same


def test_a_forged_place_in_the_order_is_found_by_a_replay(taught: Taught) -> None:
    decision = taught.app.stores.decisions.find(taught.after.result.affiliates[0].decision_id)
    forged = msgspec.structs.replace(
        decision,
        decision_id="forged",
        inputs={**decision.inputs, "ranked": 0.0},
        verdict=msgspec.structs.replace(decision.verdict, score=0.0),
    )
    taught.app.stores.decisions.add([forged])
    assert "score" in {one.field for one in replay_decision(taught.app, "forged").differences}


def test_it_says_what_moved_a_place(taught: Taught) -> None:
    influences = models.explain(taught.app, taught.after.result.affiliates[0].decision_id, top=3)
    assert len(influences) == 3
    assert influences[0].log_odds != 0
    with pytest.raises(InputError, match="No ranker took part"):
        models.explain(taught.app, taught.before.result.affiliates[0].decision_id, top=3)


def test_who_is_reviewed_next_has_not_been(taught: Taught) -> None:
    labelled = models.labels_of(taught.app, DEFAULT_PROGRAM)
    assert not {one.affiliate_id for one in models.sample(taught.app, DEFAULT_PROGRAM, 10)} & set(labelled)


def test_a_second_training_is_taken_back(taught: Taught) -> None:
    first = models.list_models(taught.app, DEFAULT_PROGRAM)[0]
    again = models.train_ranker(taught.app, DEFAULT_PROGRAM, SYSTEM, quiet)
    models.promote(taught.app, DEFAULT_PROGRAM, again.model_id, SYSTEM)
    assert models.roll_back(taught.app, DEFAULT_PROGRAM, SYSTEM).model_id == first.model_id
    live = [one.model_id for one in models.list_models(taught.app, DEFAULT_PROGRAM) if one.live]
    assert live == [first.model_id]
    with pytest.raises(ModelError, match="promote the one you want"):
        models.roll_back(taught.app, DEFAULT_PROGRAM, SYSTEM)


def test_the_commands_show_it(taught: Taught) -> None:
    workspace = ("--workspace", taught.app.workspace.root)
    (*_, oldest) = fraud("models", "list", *workspace, "--json").json
    assert fraud("models", "show", oldest["model_id"], *workspace, "--json").json["sha256"] == oldest["sha256"]
    assert oldest["model_id"] in fraud("models", "list", *workspace).out
    decision = taught.after.result.affiliates[0].decision_id
    assert "log odds" in fraud("models", "explain", decision, *workspace).out
    assert fraud("models", "sample", *workspace, "--size", 3, "--json").code == 0


def test_an_altered_ranker_stops_the_scan_with_a_sentence(taught: Taught) -> None:
    live = next(one for one in models.list_models(taught.app, DEFAULT_PROGRAM) if one.live)
    file = taught.app.workspace.models / "objects" / f"{live.sha256}.joblib"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + b"!")
    try:
        with pytest.raises(ModelError, match="does not match its SHA-256"):
            models.live_ranking(taught.app, DEFAULT_PROGRAM)
    finally:
        file.write_bytes(whole)


def test_a_ranker_of_older_features_does_not_serve_and_the_scan_says_so(taught: Taught, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "feature_set_hash", lambda: "newer")
    ranking = models.live_ranking(taught.app, DEFAULT_PROGRAM)
    assert ranking.ranker is None
    assert "run `fraud train` again" in ranking.notes()[0]


def test_too_few_labels_are_one_sentence(tmp_path: Path) -> None:
    ran = fraud("train", "--workspace", tmp_path / "empty")
    assert "60 with 15 bad ones teach a ranker" in sentence_of(ran)
    assert json.loads(fraud("models", "list", "--workspace", tmp_path / "empty", "--json").out) == []


def test_another_programs_ranker_is_not_this_ones(taught: Taught) -> None:
    assert models.live_ranking(taught.app, "another").ranker is None
    live = models.list_models(taught.app, DEFAULT_PROGRAM)[0]
    with pytest.raises(InputError, match="is no ranker of the program another"):
        models.promote(taught.app, "another", live.model_id, SYSTEM)
    kinds = {decision.kind for decision in taught.app.stores.decisions.decided(DEFAULT_PROGRAM, DecisionKind.SCAN, MORNING)}
    assert kinds == {DecisionKind.SCAN}
