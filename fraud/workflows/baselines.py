"""Which baseline judges a night: the one in force, a newer one that takes its place, or the old one while a newer one waits for a person.

A baseline is fitted on a reference window, frozen and versioned. One that would say that what is usual has changed much must not come into
force by itself: fraud that has become common would be called usual.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Protocol

from fraud.detection.context import DeclaredEvent, without_common_shifts
from fraud.detection.frozen import DriftLimits, FrozenBaseline
from fraud.detection.traffic import TrafficModel, fit_traffic_model
from fraud.domain.drift import DriftReport
from fraud.domain.ids import stable_id
from fraud.domain.scans import BaselineStanding, Period
from fraud.features.table import FeatureTable
from fraud.policy.pack import DriftPolicy
from fraud.workflows.calendar import without_declared

HELD = "drift_large"
"""The figure of a kept baseline that says it waited for a person: 1 where it did."""


@dataclass(frozen=True)
class InForce:
    """The baseline that serves now: its id in the registry, the window it was fitted on, and itself."""

    model_id: str
    trained: Period
    frozen: FrozenBaseline


class BaselineKeeper(Protocol):
    """What nights need of the place where baselines are kept."""

    def in_force(self, name: str) -> InForce | None:
        """The baseline that serves under a name; `None` where none does, or where it was made for other features or by other libraries."""
        ...

    def keep_baseline(self, name: str, frozen: FrozenBaseline, trained: Period, metrics: dict[str, float]) -> str:
        """Keeps a baseline that does not serve (yet); returns its id."""
        ...

    def put_in_force(self, model_id: str) -> None:
        """Lets a kept baseline serve from now on."""
        ...


@dataclass(frozen=True)
class Material:
    """What tonight's baseline can be made of. `everything` holds all windows' rows, `reference` and `everybody` (with the confirmed bad)
    those of the reference windows `periods`, oldest first; `declared` is what the calendar declared in each window."""

    program_id: str
    everything: FeatureTable
    window: Period
    periods: list[Period]
    reference: FeatureTable
    everybody: FeatureTable
    declared: dict[Period, tuple[DeclaredEvent, ...]]
    bad: frozenset[str]

    @cached_property
    def plain(self) -> FeatureTable:
        """The reference without what was declared in its windows."""
        return without_declared(self.reference, self.declared)

    @cached_property
    def tonight(self) -> FeatureTable:
        """The night's rows, by window and affiliate, without what was declared."""
        return without_declared(self.everything.windows([self.window.start]), self.declared)

    def since(self, before: Period) -> FeatureTable:
        """The reference windows that begin after another reference had ended (all, where there are none): what both hold hides a change."""
        newer = [period.start for period in self.periods if period.start >= before.end]
        table = self.plain.windows(newer)
        return table if len(table) else self.plain

    @property
    def trained(self) -> Period:
        """From the first reference window to the last."""
        return Period(start=self.periods[0].start, end=self.periods[-1].end)

    @property
    def window_hours(self) -> float:
        """How long each window is."""
        return (self.periods[0].end - self.periods[0].start) / timedelta(hours=1)

    @property
    def name(self) -> str:
        """What the program's baseline for windows of this length is called."""
        return baseline_name(self.program_id, self.window_hours)


@dataclass(frozen=True)
class Serving:
    """What judges tonight, what became of the baselines, and what the scan says of it."""

    model: TrafficModel
    standing: BaselineStanding | None = None
    notes: tuple[str, ...] = ()


def baseline_name(program_id: str, window_hours: float) -> str:
    """What a program's baseline for windows of a length is called in the registry."""
    return stable_id("baseline", program_id, f"{window_hours:g}h")


def fresh(reference: FeatureTable, everybody: FeatureTable) -> Serving:
    """A model fitted for this night alone."""
    return Serving(fit_traffic_model(reference, everybody=everybody))


def serve(material: Material, policy: DriftPolicy, keeper: BaselineKeeper, tell: Callable[[str], None]) -> Serving:
    """The model that judges tonight. A night older than the baseline in force gets one of its own, which is not put in force."""
    standing = keeper.in_force(material.name)
    if standing is not None and standing.trained.end > material.periods[-1].end:
        return fresh(material.reference, material.everybody)
    if standing is None:
        return _first(material, keeper)
    limits = DriftLimits(policy.feature_psi, policy.evidence_psi, policy.feature_share, policy.chance)
    night = _drift(standing.frozen, material.tonight, limits)
    because = _due(material, standing, policy)
    if not because:
        kept = BaselineStanding(state="in_force", model_id=standing.model_id, trained=standing.trained, night=night)
        return Serving(standing.frozen.serving(material.reference, material.everybody), kept, _of_night(night))
    tell("Fitting a new baseline")
    return _refit(material, (standing, because), (night, _drift(standing.frozen, material.since(standing.trained), limits)), keeper)


def _first(material: Material, keeper: BaselineKeeper) -> Serving:
    model = fit_traffic_model(material.reference, everybody=material.everybody)
    model_id = _kept(material, model, keeper, {})
    keeper.put_in_force(model_id)
    return Serving(model, BaselineStanding(state="new", model_id=model_id, trained=material.trained))


def _refit(material: Material, before: tuple[InForce, str], drifts: tuple[DriftReport, DriftReport], keeper: BaselineKeeper) -> Serving:
    """A new baseline: in force at once, unless the reference it is fitted on drifted too far from the one before."""
    (standing, because), (night, refit) = before, drifts
    model = fit_traffic_model(material.reference, everybody=material.everybody)
    model_id = _kept(material, model, keeper, _figures(refit))
    if not refit.large:
        keeper.put_in_force(model_id)
        new = BaselineStanding(state="new", model_id=model_id, trained=material.trained, refit_because=because, night=night, refit=refit)
        return Serving(model, new, _of_night(night))
    held = BaselineStanding(
        state="held",
        model_id=standing.model_id,
        trained=standing.trained,
        refit_because=because,
        night=night,
        refit=refit,
        held_model_id=model_id,
    )
    note = (
        f"The baseline of {standing.trained.start:%d %b} to {standing.trained.end:%d %b} still serves: the newer one differs much from it "
        f"({refit.why.rstrip('.')}) and waits for a person: `fraud models baselines` shows it, `fraud models accept --why TEXT` "
        "lets it serve."
    )
    return Serving(standing.frozen.serving(material.reference, material.everybody), held, (note, *_of_night(night)))


def _kept(material: Material, model: TrafficModel, keeper: BaselineKeeper, figures: dict[str, float]) -> str:
    frozen = FrozenBaseline.freeze(model, material.plain, material.window_hours, material.bad)
    metrics = {"rows": float(frozen.rows), "window_hours": material.window_hours, **figures}
    return keeper.keep_baseline(material.name, frozen, material.trained, metrics)


def _figures(refit: DriftReport) -> dict[str, float]:
    return {
        HELD: float(refit.large),
        "drift_evidence_psi": refit.evidence_psi,
        "drift_features": float(refit.drifted),
        "drift_features_compared": float(refit.compared),
    }


def _due(material: Material, standing: InForce, policy: DriftPolicy) -> str:
    """Why the baseline in force should be fitted anew; empty when it need not be."""
    age = (material.trained.end - standing.trained.end) / timedelta(days=1)
    if age >= policy.refit_days:
        return f"it is {age:.0f} days old"
    if len(material.reference) >= policy.growth * standing.frozen.rows:
        return "the reference has grown"
    if material.bad - standing.frozen.bad:
        return "reviews found more of its affiliates bad"
    return ""


def _drift(frozen: FrozenBaseline, table: FeatureTable, limits: DriftLimits) -> DriftReport:
    """Drift without what a whole offer's affiliates share, window by window: that is the offer's, and no change of theirs."""
    return frozen.drift(without_common_shifts(table, frozen.model.baseline)[0], limits)


def _of_night(night: DriftReport) -> tuple[str, ...]:
    return (f"Tonight as a whole differs much from the baseline's reference: {night.why}",) if night.large else ()
