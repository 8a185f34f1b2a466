"""A baseline that stays: the model fitted on one reference, kept with how that reference looked under it, applied to later nights.

What is frozen is what says what is usual (priors, medians, spreads, forest, tails). What each affiliate did lately is no such thing: it is
read anew every night, under the frozen baseline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from fraud.detection.history import OwnHistory
from fraud.detection.lookback import Pooled
from fraud.detection.observations import observations
from fraud.detection.traffic import TrafficModel, evidence_within, judge
from fraud.domain.drift import DriftReport, FeatureDrift
from fraud.features.catalogue import BY_NAME
from fraud.features.table import FeatureTable
from models.arrays import FloatArray
from models.drift import Drift, Reference

SHOWN = 8
"""The features furthest from the reference that a report names."""


@dataclass(frozen=True)
class DriftLimits:
    """From when drift is large; what each limit means stands with the policy's `drift`."""

    feature_psi: float
    evidence_psi: float
    feature_share: float
    chance: float


@dataclass(frozen=True)
class _Column:
    """One column of the reference: its bins, its median, and its robust spread."""

    reference: Reference
    median: float
    spread: float

    @classmethod
    def learn(cls, values: FloatArray, subjects: pd.Index) -> _Column:
        known = ~np.isnan(values)
        if not known.any():
            return cls(Reference.learn(values), np.nan, np.nan)
        median = float(np.median(values[known]))
        low, high = np.quantile(values[known], (0.25, 0.75))
        return cls(Reference.learn(values, size=subjects[known].nunique()), median, float(high - low) / _QUARTILES)

    def compare(self, values: FloatArray, subjects: pd.Index) -> tuple[Drift, float]:
        """The drift, and by how many spreads the median moved (0 where nothing is known)."""
        known = ~np.isnan(values)
        drift = self.reference.compare(values, subjects[known].nunique())
        if not known.any() or not self.spread > 0.0:
            return drift, 0.0
        return drift, (float(np.median(values[known])) - self.median) / self.spread


_QUARTILES = 1.349
"""Interquartile range of a normal sample in standard deviations."""


@dataclass(frozen=True)
class FrozenBaseline:
    """A model with what its reference looked like under it: two-sided residuals by feature and the fused evidence.

    `rows` are the reference's affiliate-windows, `window_hours` their length, `bad` the confirmed bad
    affiliates that it was fitted without.
    """

    model: TrafficModel
    columns: Mapping[str, _Column]
    evidence: _Column
    rows: int
    window_hours: float
    bad: frozenset[str]

    @property
    def feature_set_hash(self) -> str:
        """The features it was fitted on."""
        return self.model.feature_set_hash

    @classmethod
    def freeze(cls, model: TrafficModel, reference: FeatureTable, window_hours: float, bad: frozenset[str]) -> FrozenBaseline:
        """Keeps how the reference's rows (by window and affiliate) look under the model that was fitted on them."""
        subjects = reference.values.index.get_level_values("affiliate_id")
        signed = model.baseline.signed(observations(reference))
        columns = {str(name): _Column.learn(signed[name].to_numpy(dtype=np.float64), subjects) for name in signed.columns}
        evidence = _Column.learn(evidence_within(model, reference), subjects)
        return cls(model, columns, evidence, len(reference), window_hours, bad)

    def serving(self, reference: FeatureTable, everybody: FeatureTable) -> TrafficModel:
        """The frozen model, knowing what each affiliate did in the newest reference windows: its past and its habits are its own."""
        model = self.model
        signed = model.baseline.signed(observations(reference))
        newest = OwnHistory.learn(signed)
        history = replace(model.history, mean=newest.mean, count=newest.count)
        if model.lookback is None:
            return replace(model, history=history)
        past = Pooled.of(everybody, everybody.values.index.get_level_values("affiliate_id"))
        return replace(model, history=history, lookback=replace(model.lookback, past=past))

    def drift(self, table: FeatureTable, limits: DriftLimits) -> DriftReport:
        """How far other rows (by window and affiliate) lie from the reference, under this baseline.

        Residuals, so neither volume nor another mix of peers is drift; what is masked in the table is unknown and says nothing.
        """
        subjects = table.values.index.get_level_values("affiliate_id")
        signed = self.model.baseline.signed(observations(table))
        compared = {
            name: column.compare(signed[name].to_numpy(dtype=np.float64), subjects)
            for name, column in self.columns.items()
            if column.reference.size and signed[name].notna().any()
        }
        evidence, _ = self.evidence.compare(_evidence(self.model, table), subjects)
        return _report(int(subjects.nunique()), evidence, compared, limits)


def _evidence(model: TrafficModel, table: FeatureTable) -> FloatArray:
    """The fused evidence of rows by window and affiliate, each by its own window alone."""
    return np.asarray(judge(model, table).evidence, dtype=np.float64)


def _report(affiliates: int, evidence: Drift, compared: Mapping[str, tuple[Drift, float]], limits: DriftLimits) -> DriftReport:
    # Every feature is a try, so each must be rarer by their number (Bonferroni).
    rare = limits.chance / max(len(compared), 1)
    drifted = [name for name, (drift, _) in compared.items() if drift.psi >= limits.feature_psi and drift.p_value < rare]
    furthest = sorted(compared, key=lambda name: (name not in drifted, -compared[name][0].psi, name))[:SHOWN]
    risen = evidence.psi >= limits.evidence_psi and evidence.p_value < limits.chance
    share = len(drifted) / len(compared) if compared else 0.0
    large = risen or (share >= limits.feature_share and bool(drifted))
    return DriftReport(
        affiliates=affiliates,
        evidence_psi=round(evidence.psi, 4),
        evidence_p_value=evidence.p_value,
        compared=len(compared),
        drifted=len(drifted),
        features=tuple(_feature(name, *compared[name]) for name in furthest),
        large=large,
        why=_why(drifted, len(compared), (risen, evidence), limits),
    )


def _feature(name: str, drift: Drift, moved: float) -> FeatureDrift:
    title = BY_NAME[name].title if name in BY_NAME else name
    return FeatureDrift(feature=name, title=title, psi=round(drift.psi, 4), p_value=drift.p_value, moved=round(moved, 3))


def _why(drifted: list[str], compared: int, evidence: tuple[bool, Drift], limits: DriftLimits) -> str:
    risen, drift = evidence
    said = f"{len(drifted)} of {compared} features drifted"
    return f"{said}, and the evidence itself by {drift.psi:.2f} (from {limits.evidence_psi:g} it counts)." if risen else f"{said}."
