"""Targets, wired: set with a reason, followed by the figures of the lake, and incentives due to those who met them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from fraud.app.parts import App
from fraud.app.performing import performances
from fraud.cases.targets import progress_of
from fraud.domain.actors import Actor
from fraud.domain.decisions import DecisionKind, Outcome
from fraud.domain.ids import new_id
from fraud.domain.scans import Period
from fraud.domain.targets import SHARES, Metric, Progress, Target
from fraud.errors import InputError

LONGEST = timedelta(days=366)
"""A target further away steers nobody."""

ON_HOLD = "The commission of its traffic is on hold until somebody has looked at it."


@dataclass(frozen=True)
class Wanted:
    """What a target asks for: whose (empty: everybody's), which figure, how much, until when, and what for."""

    affiliate_id: str
    metric: Metric
    goal: Decimal
    start: datetime
    end: datetime
    incentive: str = ""


def set_target(app: App, program_id: str, wanted: Wanted, why: tuple[Actor, str]) -> Target:
    """Sets a target. `InputError` for one without a reason, a number that can be reached, or an end ahead."""
    actor, reason = why
    now = app.clock.now()
    _require(wanted, reason, now)
    target = Target(
        target_id=new_id("tgt", now),
        program_id=program_id,
        affiliate_id=wanted.affiliate_id.strip(),
        metric=wanted.metric,
        goal=wanted.goal,
        period=Period(start=wanted.start, end=wanted.end),
        set_at=now,
        set_by=actor.name,
        reason=reason.strip(),
        incentive=wanted.incentive.strip(),
    )
    app.stores.targets.save(target)
    detail = {"metric": target.metric.value, "goal": str(target.goal), "until": target.period.end.isoformat(), "reason": target.reason}
    app.stores.audit.record(actor, program_id, "target.set", target.affiliate_id or "everybody", now, detail)
    return target


def end_target(app: App, program_id: str, target_id: str, why: tuple[Actor, str]) -> Target:
    """Ends a target before its time: it asks for nothing any more, and earns nothing."""
    actor, reason = why
    if not reason.strip():
        raise InputError("Say why with --reason; it stands in the record.")
    now = app.clock.now()
    ended = msgspec.structs.replace(app.stores.targets.get(program_id, target_id), ended_at=now)
    app.stores.targets.save(ended)
    app.stores.audit.record(actor, program_id, "target.ended", ended.affiliate_id or "everybody", now, {"reason": reason.strip()})
    return ended


def progress(app: App, program_id: str, affiliate_id: str = "") -> list[Progress]:
    """How the program's affiliates stand with its targets (one affiliate's, if one is named), the target that ends first in front.

    A target for everybody is followed for whoever was active in its period. An incentive waits while a scan holds the commission.
    """
    targets = [one for one in app.stores.targets.all(program_id) if one.ended_at is None]
    if affiliate_id:
        targets = [one for one in targets if one.affiliate_id in {"", affiliate_id}]
    now = app.clock.now()
    return [stand for target in targets for stand in _progress(app, target, affiliate_id, now)]


def _progress(app: App, target: Target, affiliate_id: str, now: datetime) -> Sequence[Progress]:
    named = target.affiliate_id or affiliate_id
    figures = {one.affiliate_id: one for one in performances(app, target.program_id, target.period, named)}
    whose = [named] if named else sorted(figures)
    return [progress_of(target, name, figures.get(name), now, _waits(app, target.program_id, name)) for name in whose]


def _waits(app: App, program_id: str, affiliate_id: str) -> str:
    newest = app.stores.decisions.latest(program_id, DecisionKind.SCAN, affiliate_id)
    return ON_HOLD if newest is not None and newest.verdict.outcome in {Outcome.HOLD, Outcome.SUSPEND} else ""


def _require(wanted: Wanted, reason: str, now: datetime) -> None:
    if not reason.strip():
        raise InputError("Say why with --reason; the affiliate's manager after you will ask.")
    if not wanted.goal.is_finite() or wanted.goal <= 0:
        raise InputError(f"{wanted.goal} is no goal: give a number above 0.")
    if wanted.metric in SHARES and wanted.goal > 1:
        raise InputError(f"{wanted.metric.value} is a share: give a goal between 0 and 1, such as 0.05 for 5%.")
    if wanted.end <= wanted.start:
        raise InputError(f"The target ends ({wanted.end:%Y-%m-%d}) before it begins ({wanted.start:%Y-%m-%d}).")
    if wanted.end <= now:
        raise InputError(f"The target ends on {wanted.end:%Y-%m-%d}, which is past; nobody can reach it any more.")
    if wanted.end - wanted.start > LONGEST:
        raise InputError(f"A target lasts at most {LONGEST.days} days; set one for the time until the next look at it.")
