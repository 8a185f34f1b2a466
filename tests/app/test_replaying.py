"""Replay as an operator asks for it: exactly the same verdict, or what differs; and what another policy would have said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest

from crawlers import CrawlSettings
from fraud.app.offline import score_file
from fraud.app.parts import App
from fraud.app.replaying import replay_decision
from fraud.app.vetting import VettingMeans, vet_applications
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.decisions import Decision
from fraud.errors import ModelError, NotFound, ReplayError
from fraud.policy.loading import load_pack
from fraud.simulation.program import SimulatedProgram
from fraud.simulation.sites.applications import APPLICATIONS, PROFILE, serve_sites
from tests.app.conftest import Scanned
from tests.app.products import quiet, tamper

FEW = 40
"""Clicks that are scored."""


def other_pack(folder: Path) -> Path:
    """A pack that believes less of everybody than the default one does."""
    pack = load_pack()
    changed = msgspec.structs.replace(
        pack,
        id="stricter",
        vetting=msgspec.structs.replace(pack.vetting, prior=0.5),
        scan=msgspec.structs.replace(pack.scan, half_risk_evidence=0.5),
        score=msgspec.structs.replace(pack.score, prior=0.4),
    )
    file = folder / "stricter.yaml"
    file.write_bytes(msgspec.yaml.encode(changed))
    return file


@pytest.fixture(scope="module")
def scored(scanned: Scanned, program: SimulatedProgram, tmp_path_factory: pytest.TempPathFactory) -> list[Decision]:
    """The decisions on a few clicks, scored offline after the workspace's own."""
    file = tmp_path_factory.mktemp("clicks") / "clicks.csv"
    rows = program.clicks.sort_values("clicked_at").tail(FEW)
    rows = rows.assign(click_id=[f"scored-{n}" for n in range(FEW)], clicked_at=rows["clicked_at"] + pd.Timedelta(days=1))
    rows.to_csv(file, index=False)
    answers, _ = score_file(scanned.app, DEFAULT_PROGRAM, file, ("auto", "", quiet))
    return [scanned.app.stores.decisions.find(answer.decision_id) for answer in answers]


@pytest.fixture(scope="module")
def vetted(scanned: Scanned) -> list[Decision]:
    """The decisions on the demonstration's three applicants, whose sites are on loopback."""
    with serve_sites() as (host, port):
        means = VettingMeans(actor=SYSTEM, crawl=CrawlSettings(connect_to={80: (host, port), 443: (host, port)}, delay=0.0))
        dossiers = vet_applications(scanned.app, APPLICATIONS, PROFILE, means)
    return [scanned.app.stores.decisions.find(dossier.decision_id) for dossier in dossiers]


def of_scan(scanned: Scanned) -> list[Decision]:
    rows = (*scanned.run.result.affiliates, *scanned.run.result.sub_ids)
    return [scanned.app.stores.decisions.find(row.decision_id) for row in rows]


def test_every_row_of_a_scan_is_said_again_exactly(scanned: Scanned) -> None:
    decisions = of_scan(scanned)
    assert {decision.subject_kind.value for decision in decisions} == {"affiliate", "sub_id"}
    for decision in decisions:
        replay = replay_decision(scanned.app, decision.decision_id)
        assert (replay.same, replay.differences) == (True, ())
        assert replay.now == decision.verdict


def test_every_scored_click_is_said_again_exactly(scanned: Scanned, scored: list[Decision]) -> None:
    assert all(decision.models for decision in scored), "the scan has fitted a click model"
    for decision in scored:
        assert replay_decision(scanned.app, decision.decision_id).now == decision.verdict


def test_every_vetting_is_said_again_exactly(scanned: Scanned, vetted: list[Decision]) -> None:
    assert len({decision.verdict.outcome for decision in vetted}) > 1
    for decision in vetted:
        assert replay_decision(scanned.app, decision.decision_id).now == decision.verdict


@pytest.mark.parametrize("job", ["scan", "score", "vet"])
def test_another_policy_says_otherwise_and_nothing_is_changed(
    scanned: Scanned, scored: list[Decision], vetted: list[Decision], tmp_path: Path, job: str
) -> None:
    decision = {"scan": of_scan(scanned)[0], "score": scored[0], "vet": vetted[0]}[job]
    replay = replay_decision(scanned.app, decision.decision_id, str(other_pack(tmp_path)))
    assert replay.policy.id == "stricter@1"
    assert replay.then == decision.verdict
    assert replay.now.score > replay.then.score
    assert "score" in {difference.field for difference in replay.differences}
    assert scanned.app.stores.decisions.find(decision.decision_id) == decision


def forget_the_clicks(inputs: dict[str, Any]) -> None:
    inputs["facts"]["counts"]["self_matches"] = 0


def call_it_a_bot(inputs: dict[str, Any]) -> None:
    inputs["agent"] = {"declared_bot": True, "why": "a crawler by its own words"}


def empty_the_site(inputs: dict[str, Any]) -> None:
    inputs["sites"] = []


@pytest.mark.parametrize(("job", "change"), [("scan", forget_the_clicks), ("score", call_it_a_bot), ("vet", empty_the_site)])
def test_altered_inputs_come_out_otherwise(
    scanned: Scanned, scanned_copy: App, scored: list[Decision], vetted: list[Decision], job: str, change: Callable[[dict[str, Any]], None]
) -> None:
    decision = {"scan": absolute(of_scan(scanned)), "score": harmless(scored), "vet": vetted[0]}[job]
    copied = [decision] if scanned_copy.stores.decisions.latest(decision.program_id, decision.kind, decision.subject_id) is None else []
    scanned_copy.stores.decisions.add(copied)
    tamper(scanned_copy, msgspec.convert(msgspec.to_builtins(decision), Decision), change)
    replay = replay_decision(scanned_copy, decision.decision_id)
    assert not replay.same
    assert "score" in {difference.field for difference in replay.differences}
    assert replay.then == decision.verdict


def absolute(decisions: list[Decision]) -> Decision:
    """One that rests on the affiliate's own identity on their conversions."""
    return next(d for d in decisions if any(reason.code == "identity.self_referral" for reason in d.verdict.reasons))


def harmless(decisions: list[Decision]) -> Decision:
    return next(d for d in decisions if not d.verdict.reasons)


def test_a_decision_that_is_not_there(app: App) -> None:
    with pytest.raises(NotFound, match="dec_nowhere"):
        replay_decision(app, "dec_nowhere")


def test_a_model_that_is_gone_is_named(scanned: Scanned, scanned_copy: App) -> None:
    for manifest in scanned_copy.workspace.models.rglob("*.json"):
        manifest.unlink()
    with pytest.raises(ModelError, match="There is no model"):
        replay_decision(scanned_copy, scanned.run.result.affiliates[0].decision_id)


def test_a_pack_that_is_gone_is_named(scanned: Scanned, scanned_copy: App) -> None:
    pack = scanned.run.result.policy
    next(scanned_copy.workspace.evidence.rglob(pack.hash)).unlink()
    with pytest.raises(ReplayError, match=r"policy pack default@1 .* is no longer kept"):
        replay_decision(scanned_copy, scanned.run.result.affiliates[0].decision_id)


def test_a_new_secret_key_leaves_every_model_readable(scanned: Scanned, scanned_copy: App) -> None:
    """The key that signs sessions may be rotated; what models are signed with may not depend on it."""
    (scanned_copy.workspace.secrets / "secret_key").write_text("another key\n")
    assert replay_decision(scanned_copy, scanned.run.result.affiliates[0].decision_id).same
