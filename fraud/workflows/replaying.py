"""Replay: the verdict of a stored decision, computed again from its own inputs, policy and models, and compared field by field."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from fraud.decisions.traffic import TrafficInputs, judge_again, prepared_checks, verdict_of
from fraud.detection.clicks import ClickModel
from fraud.detection.traffic import TrafficModel
from fraud.domain.decisions import Artefact, Decision, DecisionKind, Verdict
from fraud.errors import ReplayError
from fraud.policy.pack import Pack
from fraud.workflows.scoring import replay_click
from fraud.workflows.vetting import replay_vetting


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the verdict that came out otherwise."""

    field: str
    then: object
    now: object


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A decision said again. `same` is exact equality of the whole verdict; under another policy `differences` is what it would change."""

    decision_id: str
    same: bool
    policy: Artefact
    then: Verdict
    now: Verdict
    differences: tuple[Difference, ...]


def replay(decision: Decision, pack: Pack, models: Mapping[str, object]) -> Replay:
    """Recomputes the verdict of a decision from its stored inputs under a pack, with the models it names."""
    now = _verdict(decision, pack, models)
    differences = tuple(
        Difference(field=name, then=getattr(decision.verdict, name), now=getattr(now, name))
        for name in Verdict.__struct_fields__
        if getattr(decision.verdict, name) != getattr(now, name)
    )
    return Replay(
        decision_id=decision.decision_id,
        same=not differences,
        policy=pack.artefact,
        then=decision.verdict,
        now=now,
        differences=differences,
    )


def _verdict(decision: Decision, pack: Pack, models: Mapping[str, object]) -> Verdict:
    if decision.kind is DecisionKind.VET:
        return replay_vetting(decision, pack)
    if decision.kind is DecisionKind.SCORE:
        return replay_click(decision, pack, next((model for model in models.values() if isinstance(model, ClickModel)), None))
    model = next((model for model in models.values() if isinstance(model, TrafficModel)), None)
    if model is None:
        raise ReplayError(f"Decision {decision.decision_id} names no traffic model, so its evidence cannot be computed again.")
    inputs = judge_again(model, _stored_inputs(decision))
    return verdict_of(pack, inputs.facts, prepared_checks(pack).run(inputs.facts.subject, inputs.facts))


def _stored_inputs(decision: Decision) -> TrafficInputs:
    try:
        return msgspec.convert(decision.inputs, TrafficInputs)
    except msgspec.ValidationError as fault:
        raise ReplayError(
            f"The inputs of decision {decision.decision_id} have been erased or are not whole ({fault}), so it cannot be computed again."
        ) from fault
