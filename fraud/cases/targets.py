"""How far a target is: pure arithmetic on an affiliate's figures and the date."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from fraud.domain.performance import Performance
from fraud.domain.targets import AT_MOST, COUNTED, Progress, Target, TargetState


def progress_of(target: Target, affiliate_id: str, figures: Performance | None, now: datetime, waits: str = "") -> Progress:
    """How an affiliate stands with a target by its figures of the period so far.

    Figures that are unknown leave the state unknown; no traffic at all is a count of 0. What adds up is met as soon as it is reached,
    a rate only when its period is over. `waits` keeps an incentive that is earned from being due.
    """
    value = _value(target, figures)
    due, over = _elapsed(target, now), now >= target.period.end
    share = None if value is None else _share(target, value)
    state = _state(target, share, due, over=over)
    earned = target.incentive if state is TargetState.MET else ""
    return Progress(
        target=target,
        affiliate_id=affiliate_id,
        value=value,
        share=share,
        due=due,
        state=state,
        incentive=earned,
        waits=waits if earned else "",
    )


def _value(target: Target, figures: Performance | None) -> Decimal | None:
    if figures is None:
        return Decimal(0) if target.metric in COUNTED else None
    value = getattr(figures, target.metric.value)
    if value is None and target.metric in COUNTED and not figures.conversions:
        return Decimal(0)
    return None if value is None else Decimal(str(value))


def _share(target: Target, value: Decimal) -> float:
    if target.metric not in AT_MOST:
        return float(value / target.goal)
    return float(target.goal / value) if value > target.goal else 1.0


def _state(target: Target, share: float | None, due: float, *, over: bool) -> TargetState:
    if share is None:
        return TargetState.UNKNOWN
    reached = share >= 1
    if over or (reached and target.metric in COUNTED):
        return TargetState.MET if reached else TargetState.MISSED
    on_track = share >= due if target.metric in COUNTED else reached
    return TargetState.ON_TRACK if on_track else TargetState.BEHIND


def _elapsed(target: Target, now: datetime) -> float:
    length = (target.period.end - target.period.start).total_seconds()
    return min(max((now - target.period.start).total_seconds() / length, 0.0), 1.0)
