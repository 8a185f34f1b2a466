"""Caps and holds over the nights: tightened at once, loosened slowly and only after calm nights, so that noise moves nothing."""

from __future__ import annotations

import math

import msgspec

from fraud.domain.decisions import OUTCOMES, DecisionKind, Outcome
from fraud.policy.pack import CapPolicy


class CapState(msgspec.Struct, frozen=True, kw_only=True):
    """Where an affiliate's cap stands: conversions a day (`None` is no cap), nights without cause since the last one with, and whether
    commission is on hold (tracking goes on)."""

    cap: int | None = None
    calm_nights: int = 0
    held: bool = False


class Night(msgspec.Struct, frozen=True, kw_only=True):
    """What one night says: its outcome, the cap it recommends, and the usual conversions a day."""

    outcome: Outcome
    recommended: int | None
    usual: float


def next_state(state: CapState, night: Night, policy: CapPolicy) -> CapState:
    """Where cap and hold stand after one more night.

    A recommended cap tightens at once and never loosens. Without one, each `calm_nights` nights in a row loosen by at most `step`, and at
    the usual volume the cap is gone. A hold opens with `hold` or `suspend` and is released after as many calm nights. A cap is never
    above the policy's `largest`.
    """
    held = state.held or night.outcome in {Outcome.HOLD, Outcome.SUSPEND}
    if night.recommended is not None:
        wanted = night.recommended if state.cap is None else min(state.cap, night.recommended)
        return CapState(cap=max(1, min(wanted, policy.largest)), calm_nights=0, held=held)
    if _graver(night.outcome, Outcome.WATCH):
        return CapState(cap=state.cap, calm_nights=0, held=held)
    if night.outcome is Outcome.WATCH:
        return msgspec.structs.replace(state, held=held)
    calm = state.calm_nights + 1
    if calm < policy.calm_nights or (state.cap is None and not state.held):
        return CapState(cap=state.cap, calm_nights=calm, held=held)
    return CapState(cap=_looser(state.cap, night.usual, policy), calm_nights=0, held=False)


def _looser(cap: int | None, usual: float, policy: CapPolicy) -> int | None:
    if cap is None:
        return None
    wider = max(cap + 1, math.floor(cap * policy.step))
    return None if wider >= usual else min(wider, policy.largest)


def _graver(one: Outcome, other: Outcome) -> bool:
    order = OUTCOMES[DecisionKind.SCAN]
    return order.index(one) > order.index(other)
