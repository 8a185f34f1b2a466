"""A pack in shadow, wired: it says its word on every scan and vetting, is recorded, and never acts."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import structlog

from fraud.app.parts import App
from fraud.domain.decisions import OUTCOMES, Decision, DecisionKind
from fraud.domain.policies import PolicyState, PublishedPolicy
from fraud.domain.shadows import ShadowDecision
from fraud.errors import FraudError
from fraud.workflows.comparing import Changed, PolicyDiff, diff_of
from fraud.workflows.rejudging import Rejudge

_SPOKEN_ON = (DecisionKind.VET, DecisionKind.SCAN)
"""The decisions on which a pack in shadow speaks."""
_log = structlog.get_logger(__name__)


class ShadowReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a pack in shadow would have done since it was published."""

    published: PublishedPolicy
    diff: PolicyDiff


def shadow(app: App, program_id: str, decisions: Sequence[Decision]) -> int:
    """Records what the pack in shadow says of decisions that were just made; how many. None when no pack is in shadow.

    What keeps the shadow from speaking (a pack that is lost) is logged and recorded nowhere: it must not touch what counts.
    """
    published = app.stores.policies.current(program_id, PolicyState.SHADOW)
    if published is None:
        return 0
    try:
        rejudge = Rejudge(app.pack_of(published.policy), app.pack_of)
        spoken = [_shadow_of(decision, rejudge) for decision in decisions]
        app.stores.shadows.add(spoken)
    except FraudError as fault:
        _log.warning("shadow_failed", policy=published.policy.id, reason=fault.message)
        return 0
    return len(spoken)


def shadow_report(app: App, program_id: str) -> ShadowReport | None:
    """What the pack in shadow would have done until now; `None` when none is in shadow."""
    published = app.stores.policies.current(program_id, PolicyState.SHADOW)
    if published is None:
        return None
    pack, shadows = app.pack_of(published.policy), app.stores.shadows
    rules = {rule.id: 0 for rule in pack.rules if rule.enabled and rule.kind in _SPOKEN_ON}
    changed = []
    for one in shadows.all(program_id, pack.hash):
        rules |= {name: rules.get(name, 0) + 1 for name in one.rules}
        if one.differs:
            changed.append(_changed(one))
    return ShadowReport(published=published, diff=diff_of(pack.artefact, shadows.count(program_id, pack.hash), changed, rules))


def _shadow_of(decision: Decision, rejudge: Rejudge) -> ShadowDecision:
    said = rejudge(decision)
    return ShadowDecision(
        decision_id=decision.decision_id,
        program_id=decision.program_id,
        policy=rejudge.pack.artefact,
        kind=decision.kind,
        subject_kind=decision.subject_kind,
        subject_id=decision.subject_id,
        decided_at=decision.decided_at,
        live=decision.verdict.outcome,
        outcome=said.outcome,
        score=said.score,
        rules=said.rules,
        guards=said.guards,
        commission=said.commission,
        currency=said.currency,
    )


def _changed(one: ShadowDecision) -> Changed:
    order = OUTCOMES[one.kind]
    return Changed(
        job=one.kind,
        subject_id=one.subject_id,
        decision_id=one.decision_id,
        then=one.live,
        now=one.outcome,
        graver=order.index(one.outcome) > order.index(one.live),
        rules=one.rules,
        commission=one.commission,
        currency=one.currency,
    )
