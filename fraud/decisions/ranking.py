"""The order that reviews teach: a ranker fitted on reviewed affiliates takes the place of the unsupervised evidence in the score.

What it says is shown in the unit of the evidence, so that a policy's thresholds keep their meaning: as much evidence as stands at the same
place of the order in the night that it was fitted on. Rules join it as the policy weighs them beside a
ranker, which has seen what most of them rest on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from scipy.special import logit

from fraud.checks.traffic.facts import TrafficFacts
from fraud.decisions.inputs import TrafficInputs
from fraud.errors import ModelError
from fraud.features.catalogue import FEATURES, feature_set_hash
from models.arrays import BoolArray, FloatArray
from models.baseline import Side
from models.ranker import RiskRanker

_BOTH: tuple[Side, ...] = ("high", "low")
SIDES: Mapping[str, tuple[Side, ...]] = {"both": _BOTH, "high": ("high",), "low": ("low",)}

COLUMNS: tuple[str, ...] = (
    "evidence",
    *(feature.name for feature in FEATURES),
    *(f"{feature.name}:peers" for feature in FEATURES),
    *(f"{feature.name}:{side}" for feature in FEATURES for side in SIDES[feature.bad]),
    *(f"{feature.name}:weeks" for feature in FEATURES),
)
"""What the ranker sees of an affiliate: the fused evidence, each feature, its distance from peers, each residual by its side, and the
distance from peers over the weeks until tonight."""

SEED = 0
BEYOND = 0.1
"""Evidence that one unit of log odds beyond the surest of the night adds: enough for an order, too little to matter otherwise."""
LEAST_STEP = 1e-6
"""Evidence that one unit of log odds adds where several of the night have the same: their order is kept."""
TIE = 0.01
"""Log odds that a unit of evidence adds: among those of whom the ranker says the same, the statistics decide."""
ROUNDED = 9
"""Decimals of log odds that are kept: sums over many rows and over one differ beyond them."""


class Influence(msgspec.Struct, frozen=True, kw_only=True):
    """How much one column of what the ranker sees raises (or lowers) the log odds of an affiliate, against what is typical of good ones."""

    column: str
    value: float
    typical: float
    log_odds: float


@dataclass(frozen=True)
class TrafficRanker:
    """A fitted ranker. `odds` and `evidence` are those of the affiliates of one night, each in rising order (affiliates,); `typical`
    holds the medians of those found good (columns,); `labels` and `bad` say what it was taught with.
    """

    feature_set_hash: str
    ranker: RiskRanker
    odds: FloatArray
    evidence: FloatArray
    typical: FloatArray
    labels: int
    bad: int

    def ranked(self, inputs: Sequence[TrafficInputs]) -> list[float | None]:
        """The evidence that takes the place of the unsupervised one, for each affiliate; `None` where nothing is known of it."""
        if not inputs:
            return []
        odds = self._odds(np.array([vector_of(one.facts) for one in inputs]))
        evidence = self.in_evidence(odds)
        return [None if one.facts.evidence is None else float(said) for one, said in zip(inputs, evidence, strict=True)]

    def in_evidence(self, odds: FloatArray) -> FloatArray:
        """Log odds (rows,) as the evidence at the same place of the order, strictly rising."""
        beyond = np.maximum(odds - self.odds[-1], 0.0) * BEYOND
        steps = (odds - self.odds[0]) * LEAST_STEP
        return np.asarray(np.maximum(np.interp(odds, self.odds, self.evidence) + beyond + steps, 0.0), dtype=np.float64)

    def explain(self, facts: TrafficFacts, top: int = 3) -> list[Influence]:
        """What moves an affiliate's place most, each column against its typical value, largest first."""
        row = vector_of(facts)
        changed = np.flatnonzero(~np.isnan(row) & ~np.isnan(self.typical) & (row != self.typical))
        if not changed.size:
            return []
        probes = np.tile(row, (len(changed) + 1, 1))
        probes[np.arange(len(changed)) + 1, changed] = self.typical[changed]
        odds = self._odds(probes)
        influence = odds[0] - odds[1:]
        strongest = np.argsort(-np.abs(influence), kind="stable")[:top]
        return [
            Influence(
                column=COLUMNS[changed[place]],
                value=float(row[changed[place]]),
                typical=float(self.typical[changed[place]]),
                log_odds=round(float(influence[place]), 6),
            )
            for place in strongest
        ]

    def require_current_features(self) -> TrafficRanker:
        """The ranker itself, or a `ModelError` when it was fitted on other features than are computed now."""
        if self.feature_set_hash != feature_set_hash():
            raise ModelError("The ranker was fitted on another set of features; run `fraud train` to fit it again.")
        return self

    def _odds(self, rows: FloatArray) -> FloatArray:
        return log_odds_of(self.ranker, rows)


def fit_ranker(rows: FloatArray, bad: BoolArray, night: FloatArray, *, unlabelled: bool = False) -> TrafficRanker:
    """A ranker taught with rows (rows, columns as `COLUMNS`) of reviewed affiliates and what was found bad (rows,).

    `night` holds the rows of every affiliate of one night, whose evidence lends its unit. With `unlabelled` the rows that are not bad were
    not reviewed. Raises `ValueError` unless both occur.
    """
    ranker = RiskRanker(unlabelled=unlabelled, order=0, random_state=SEED).fit(rows, bad.astype(np.int64))
    good = rows[~bad]
    known = (~np.isnan(good)).any(axis=0)
    typical = np.full(len(COLUMNS), math.nan)
    typical[known] = np.nanmedian(good[:, known], axis=0)
    evidence = np.sort(np.nan_to_num(night[:, 0]))
    return TrafficRanker(feature_set_hash(), ranker, np.sort(log_odds_of(ranker, night)), evidence, typical, len(bad), int(bad.sum()))


def log_odds_of(ranker: RiskRanker, rows: FloatArray) -> FloatArray:
    """The ranker's log odds (rows,) of being bad, the same whether rows come alone or together."""
    odds = logit(ranker.predict_proba(rows)[:, 1]) + TIE * np.nan_to_num(rows[:, 0])
    return np.asarray(np.round(odds, ROUNDED), dtype=np.float64)


def vector_of(facts: TrafficFacts) -> FloatArray:
    """What the ranker sees of an affiliate (columns,), in the order of `COLUMNS`; NaN is unknown, no residual is 0."""
    residuals = {f"{one.feature}:{one.side}": one.z for one in facts.residuals}
    seen = [math.nan if facts.evidence is None else facts.evidence]
    seen += [facts.values.get(feature.name, math.nan) for feature in FEATURES]
    seen += [facts.values.get(feature.name, math.nan) - facts.peers.get(feature.name, math.nan) for feature in FEATURES]
    seen += [residuals.get(f"{feature.name}:{side}", 0.0) for feature in FEATURES for side in SIDES[feature.bad]]
    weeks = facts.weeks
    past = {} if weeks is None else {name: value - weeks.peers.get(name, math.nan) for name, value in weeks.values.items()}
    seen += [past.get(feature.name, math.nan) for feature in FEATURES]
    return np.array(seen, dtype=np.float64)


def with_ranks(ranker: TrafficRanker | None, inputs: Sequence[TrafficInputs]) -> list[TrafficInputs]:
    """The inputs with what the ranker says of each, as they are kept with a decision; as they are without a ranker."""
    if ranker is None:
        return list(inputs)
    return [msgspec.structs.replace(one, ranked=said) for one, said in zip(inputs, ranker.ranked(inputs), strict=True)]
