"""The decision on a click in full: made behind its answer from what was seen, and again for a replay."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from fraud.checks.clicks import CLICK_CHECK_FUNCTIONS
from fraud.checks.clicks.facts import ClickFacts, ModelView
from fraud.checks.running import PreparedChecks, prepare
from fraud.decisions.deciding import decide_event
from fraud.decisions.facts import click_facts
from fraud.decisions.ruling import Case
from fraud.detection.clicks import ClickModel
from fraud.domain.actors import SYSTEM
from fraud.domain.clock import as_utc
from fraud.domain.counting import UNKNOWN
from fraud.domain.decisions import Decision, DecisionKind, SubjectKind, Verdict
from fraud.domain.signals import Signal
from fraud.errors import ReplayError
from fraud.features.realtime import CLICK_FEATURE_NAMES
from fraud.policy.pack import Pack
from fraud.workflows.judged import JudgedClick


def decision_on(judged: JudgedClick, pack: Pack, checks: PreparedChecks[ClickFacts] | None = None) -> Decision:
    """The decision on a click in full, from what was seen when it was answered; `pack` is the one it was answered under."""
    facts = judged.facts
    signals = (checks or checks_of(pack)).run(facts.click.click_id, facts)
    return Decision(
        decision_id=judged.decision_id,
        program_id=facts.click.program_id,
        kind=DecisionKind.SCORE,
        subject_kind=SubjectKind.CLICK,
        subject_id=facts.click.click_id,
        as_of=as_utc(facts.click.clicked_at),
        decided_at=judged.decided_at,
        decided_by=SYSTEM.actor_id,
        verdict=click_verdict(pack, facts, signals),
        signals=signals,
        policy=judged.policy,
        models=judged.models,
        feature_set_hash=judged.feature_set_hash,
        inputs=msgspec.to_builtins(facts),
        run_id=judged.request_id,
    )


def checks_of(pack: Pack) -> PreparedChecks[ClickFacts]:
    """The checks of a click that the pack has switched on, ready to run over many clicks."""
    return prepare(pack, DecisionKind.SCORE, CLICK_CHECK_FUNCTIONS)


def click_verdict(pack: Pack, facts: ClickFacts, signals: tuple[Signal, ...]) -> Verdict:
    """Allow, review or block; a click judged without the model passes only where the pack fails open."""
    return decide_event(pack, Case(DecisionKind.SCORE, signals, click_facts(facts)), degraded=bool(facts.degraded))


def view_of(model: ClickModel, vector: NDArray[np.float64]) -> ModelView:
    """What the model says of one click's features (features,)."""
    scored = model.score(vector)
    return ModelView(score=scored.score, p_value=scored.p_value, features=tuple(part.feature for part in scored.contributions))


def replay_click(decision: Decision, pack: Pack, model: ClickModel | None = None) -> Verdict:
    """The verdict on a click again, from what was stored with it: the same under the same pack and model, what-if under others.

    With a model its answer is computed anew, unless the click was judged without one; with none the stored answer is used.
    Raises `ReplayError` when the stored inputs are not those of a click, `ModelError` when the model needs other features.
    """
    facts = replayed_facts(decision, model)
    return click_verdict(pack, facts, checks_of(pack).run(facts.click.click_id, facts))


def replayed_facts(decision: Decision, model: ClickModel | None) -> ClickFacts:
    """The stored facts of a click, with the model's answer computed anew where it was asked and is given."""
    facts = facts_of(decision)
    if model is None or facts.model is None:
        return facts
    features = (facts.features.get(name) for name in CLICK_FEATURE_NAMES)
    vector = np.array([UNKNOWN if value is None else value for value in features], dtype=np.float64)
    return msgspec.structs.replace(facts, model=view_of(model.require_current_features(), vector))


def facts_of(decision: Decision) -> ClickFacts:
    """What the checks saw when a click was decided. Raises `ReplayError` when that was erased or belongs to another job."""
    if decision.kind is not DecisionKind.SCORE or decision.subject_kind is not SubjectKind.CLICK:
        raise ReplayError(f"The decision {decision.decision_id} is not about a click; replay it as the {decision.kind.value} that it is.")
    try:
        return msgspec.convert(decision.inputs, ClickFacts)
    except msgspec.ValidationError as fault:
        raise ReplayError(f"What the decision {decision.decision_id} was based on is no longer complete ({fault}).") from fault
