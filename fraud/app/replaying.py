"""Replays, wired: a stored decision recomputed from what was stored with it."""

from __future__ import annotations

from fraud.app.parts import App, load_model
from fraud.domain.decisions import Decision, DecisionKind
from fraud.errors import NotFound
from fraud.features.catalogue import feature_set_hash
from fraud.features.realtime import click_feature_set_hash
from fraud.workflows.replaying import Replay, replay


def replay_decision(app: App, decision_id: str, policy: str = "") -> Replay:
    """Recomputes a decision; with `policy`, what another pack would have said of the same inputs."""
    try:
        decision = app.stores.decisions.find(decision_id)
    except NotFound as missing:
        raise NotFound(
            f"There is no decision {decision_id!r} in the workspace {app.workspace.root}; name the one it was made in with --workspace."
        ) from missing
    pack = app.pack(policy) if policy else app.pack_of(decision.policy)
    return replay(decision, pack, _models(app, decision))


def _models(app: App, decision: Decision) -> dict[str, object]:
    expected = click_feature_set_hash() if decision.kind is DecisionKind.SCORE else feature_set_hash()
    return {artefact.id: load_model(app.registry, artefact, expected) for artefact in decision.models}
