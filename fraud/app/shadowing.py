"""A pack in shadow, wired: it says its word on every decision, is recorded, and never acts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from fraud.app.parts import App
from fraud.domain.decisions import OUTCOMES, Decision, DecisionKind
from fraud.domain.policies import PolicyState, PublishedPolicy
from fraud.domain.shadows import ShadowDecision
from fraud.errors import FraudError, StorageError
from fraud.workflows.comparing import Changed, PolicyDiff, diff_of
from fraud.workflows.rejudging import Rejudge

_SPOKEN_ON = (DecisionKind.VET, DecisionKind.SCAN, DecisionKind.SCORE, DecisionKind.CONVERSION)
"""The decisions on which a pack in shadow speaks."""

_LOOK_AGAIN = timedelta(seconds=10)
"""How long a program without a pack in shadow is not asked for one again: events come by the thousand."""
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


class EventShadows:
    """Lets packs in shadow speak on clicks and conversions once they are kept, in the thread that keeps them and not in their answers."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._silent_until: dict[str, datetime] = {}

    def speak(self, decisions: Sequence[Decision]) -> None:
        """Records what the packs in shadow of their programs say; a failure is logged and touches nothing that counts."""
        programs: defaultdict[str, list[Decision]] = defaultdict(list)
        for decision in decisions:
            programs[decision.program_id].append(decision)
        for program_id, made in programs.items():
            if not self._is_silent(program_id):
                shadow(self._app, program_id, made)

    def _is_silent(self, program_id: str) -> bool:
        now = self._app.clock.now()
        if now < self._silent_until.get(program_id, now):
            return True
        try:
            silent = self._app.stores.policies.current(program_id, PolicyState.SHADOW) is None
        except StorageError as fault:
            _log.warning("shadow_failed", program_id=program_id, reason=fault.message)
            silent = True
        if silent:
            self._silent_until[program_id] = now + _LOOK_AGAIN
        return silent


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
