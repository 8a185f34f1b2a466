"""Replaying a decision: which verdict is computed for each job, what is compared, and what cannot be said again."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec
import pytest

from fraud.decisions.inputs import InputsReader
from fraud.decisions.traffic import prepared_checks, verdict_of
from fraud.detection.traffic import TrafficModel, fit_traffic_model, judge
from fraud.domain.clock import FixedClock
from fraud.domain.decisions import Decision, DecisionKind, Outcome, SubjectKind
from fraud.domain.events import Click
from fraud.errors import ReplayError
from fraud.policy.loading import load_pack
from fraud.storage.counters import MemoryCounters
from fraud.workflows.replaying import Difference, replay
from fraud.workflows.scoring import ClickScorer, ScoringTools, UnknownRisks
from tests.detection.tables import table_of

PACK = load_pack()
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@cache
def fitted() -> TrafficModel:
    """The model of these decisions, fitted when the first test asks for it."""
    return fit_traffic_model(table_of(400))


def scanned(model: TrafficModel | None = None) -> Decision:
    """A scan's decision as the workflow makes it."""
    night = table_of(30, seed=2)
    inputs = InputsReader(night, judge(model or fitted(), night)).of("a5", "a5")
    signals = prepared_checks(PACK).run("a5", inputs.facts)
    return Decision(
        decision_id="dec_1",
        program_id="p",
        kind=DecisionKind.SCAN,
        subject_kind=SubjectKind.AFFILIATE,
        subject_id="a5",
        as_of=NOW,
        decided_at=NOW,
        decided_by="system",
        verdict=verdict_of(PACK, inputs, signals),
        signals=signals,
        policy=PACK.artefact,
        inputs=msgspec.to_builtins(inputs),
    )


def stored(decision: Decision) -> Decision:
    """The decision as it comes back from a store."""
    return msgspec.json.decode(msgspec.json.encode(decision), type=Decision)


def test_the_same_inputs_policy_and_model_give_the_same_verdict() -> None:
    decision = stored(scanned())
    said = replay(decision, PACK, {"traffic": fitted()})
    assert said.same
    assert said.differences == ()
    assert said.now == said.then == decision.verdict
    assert said.policy == PACK.artefact


def test_every_field_that_differs_is_named_with_both_values() -> None:
    decision = stored(scanned())
    forged = msgspec.structs.replace(decision.verdict, outcome=Outcome.SUSPEND, guards=("invented",))
    said = replay(msgspec.structs.replace(decision, verdict=forged), PACK, {"traffic": fitted()})
    assert not said.same
    assert said.differences == (
        Difference(field="outcome", then=Outcome.SUSPEND, now=decision.verdict.outcome),
        Difference(field="guards", then=("invented",), now=decision.verdict.guards),
    )


def test_a_hair_of_a_score_is_a_difference() -> None:
    decision = stored(scanned())
    hair = msgspec.structs.replace(decision.verdict, score=decision.verdict.score + 1e-9)
    said = replay(msgspec.structs.replace(decision, verdict=hair), PACK, {"traffic": fitted()})
    assert [difference.field for difference in said.differences] == ["score"]


def test_another_pack_is_named_and_what_it_changes() -> None:
    stricter = msgspec.structs.replace(PACK, id="stricter", scan=msgspec.structs.replace(PACK.scan, half_risk_evidence=0.1))
    said = replay(stored(scanned()), stricter, {"traffic": fitted()})
    assert said.policy.id == "stricter@1"
    assert "score" in {difference.field for difference in said.differences}


def test_another_model_says_otherwise() -> None:
    """The evidence is computed again and not believed."""
    other = fit_traffic_model(table_of(400, seed=99))
    night = table_of(30, seed=2)
    before, after = (judge(model, night).evidence_of("a5") for model in (fitted(), other))
    assert before != after
    assert not replay(stored(scanned()), PACK, {"traffic": other}).same


@pytest.mark.parametrize("models", [{}, {"traffic": object()}])
def test_a_scan_without_its_model_cannot_be_said_again(models: dict[str, object]) -> None:
    with pytest.raises(ReplayError, match="names no traffic model"):
        replay(scanned(), PACK, models)


@pytest.mark.parametrize("inputs", [{}, {"facts": {}}, {"facts": {"subject": "a"}, "peer_key": None}])
@pytest.mark.parametrize("kind", list(DecisionKind))
def test_inputs_that_are_gone_are_said_to_be_gone(kind: DecisionKind, inputs: dict[str, Any]) -> None:
    subject = {DecisionKind.VET: SubjectKind.APPLICATION, DecisionKind.SCORE: SubjectKind.CLICK}.get(kind, SubjectKind.AFFILIATE)
    erased = msgspec.structs.replace(scanned(), kind=kind, subject_kind=subject, inputs=inputs)
    with pytest.raises(ReplayError, match="dec_1"):
        replay(erased, PACK, {"traffic": fitted()})


def test_signals_that_were_emptied_or_altered_are_a_difference() -> None:
    decision = stored(scanned())
    altered = (msgspec.structs.replace(decision.signals[0], text="Nothing to see."), *decision.signals[1:])
    for signals in ((), decision.signals[1:], altered):
        said = replay(msgspec.structs.replace(decision, signals=signals), PACK, {"traffic": fitted()})
        assert not said.same
        assert [difference.field for difference in said.differences] == ["signals"]
        assert (said.differences[0].then, said.differences[0].now) == (signals, said.differences[0].now)


def test_inputs_that_speak_of_another_subject_are_a_difference() -> None:
    decision = msgspec.structs.replace(stored(scanned()), subject_id="a6")
    said = replay(decision, PACK, {"traffic": fitted()})
    assert said.differences == (Difference(field="subject_id", then="a6", now="a5"),)


def test_a_click_of_another_program_or_id_is_a_difference() -> None:
    kept: list[Decision] = []
    tools = ScoringTools(priors=UnknownRisks(), counters=MemoryCounters(), record=kept.append, clock=FixedClock(NOW))
    ClickScorer(PACK, None, tools).score(Click(click_id="c1", clicked_at=NOW, affiliate_id="a", program_id="p"))
    decision = stored(kept[0])
    assert replay(decision, PACK, {}).same
    moved = msgspec.structs.replace(decision, program_id="q", subject_id="c2")
    assert replay(moved, PACK, {}).differences == (
        Difference(field="program_id", then="q", now="p"),
        Difference(field="subject_id", then="c2", now="c1"),
    )
    emptied = replay(msgspec.structs.replace(decision, signals=()), PACK, {})
    assert [difference.field for difference in emptied.differences] == ["signals"]
