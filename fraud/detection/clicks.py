"""The model of single clicks: a forest on real-time features, and what its score means against clicks that it was not fitted on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fraud.errors import ModelError
from fraud.features.realtime import CLICK_FEATURE_NAMES, click_feature_set_hash
from models import AnomalyDetector, TailCalibrator

MINIMUM_CLICKS = 1_000
"""Clicks to fit on: the calibration slice then holds 300, which tell one click in two hundred from chance."""

MAXIMUM_CLICKS = 200_000
"""Clicks that are used of more: each tree sees 512, and 60,000 calibrate p-values down to 2 in 100,000 before the tail is extrapolated."""

TREES = 100
"""Trees of the forest: a third of the cost of 300 while a tracker waits, nearly the same order. Two forests of 300 share 94 to 96 of 100
of the most unusual fiftieth of clicks, one of 300 and one of 100 share 92 to 95 (three made-up programs, three seeds: decision 26)."""

CALIBRATION_SHARE = 0.3
"""Share of the clicks held out of the forest, so that p-values are honest."""

EXPLAINED_P_VALUE = 0.05
"""Only clicks at least this unusual are explained: the others need no reason, and explaining costs more than scoring."""

_SEED = 20_240_229


class Contribution(msgspec.Struct, frozen=True):
    """How much one feature (by name) made a click stand out, in bits of the score."""

    feature: str
    share: float


class ClickScore(msgspec.Struct, frozen=True):
    """What the model says of one click: score in 0..1 (higher is riskier), share of usual clicks at least as unusual, and why."""

    score: float
    p_value: float
    contributions: tuple[Contribution, ...] = ()


@dataclass(frozen=True)
class ClickScores:
    """`ClickScore` of many clicks by column: `scores`, `p_values` (clicks,), and contributions by the place of each unusual click."""

    scores: NDArray[np.float64]
    p_values: NDArray[np.float64]
    contributions: dict[int, tuple[Contribution, ...]]


@dataclass(frozen=True)
class ClickModel:
    """A fitted model of clicks; scores one row at a time, so that a replay gives the same bits whatever came with the click.

    The forest splits only where its reference varies: a feature that was constant or unknown there cannot make a click stand out. The rules
    do not depend on it, so bursts and repeats are found all the same.
    """

    detector: AnomalyDetector
    calibrator: TailCalibrator
    feature_set_hash: str
    fitted_on: int

    def score(self, vector: NDArray[np.float64]) -> ClickScore:
        """Scores one click's features (features,), NaN being unknown, in the order of `CLICK_FEATURES`."""
        return self.score_many(vector.reshape(1, -1))[0]

    def score_many(self, vectors: NDArray[np.float64]) -> list[ClickScore]:
        """`score` of many clicks (clicks, features): the same bits."""
        said = self.score_columns(vectors)
        pairs = enumerate(zip(said.scores.tolist(), said.p_values.tolist(), strict=True))
        return [ClickScore(score, p_value, said.contributions.get(place, ())) for place, (score, p_value) in pairs]

    def score_columns(self, vectors: NDArray[np.float64]) -> ClickScores:
        """`score` of many clicks (clicks, features) by column."""
        scores = self.detector.score_rows(vectors)
        p_values = self._p_values(scores)
        unusual = (p_values <= EXPLAINED_P_VALUE).nonzero()[0]
        named = dict(zip(unusual.tolist(), self._explained(vectors[unusual]), strict=True)) if unusual.size else {}
        return ClickScores(scores, p_values, named)

    def warm_up(self) -> None:
        """Loads the compiled code of scoring and of explaining."""
        vectors = np.full((1, len(CLICK_FEATURE_NAMES)), np.nan)
        self._p_values(self.detector.score_rows(vectors))
        self._explained(vectors)
        self.calibrator.tail_p_value(np.ones(1))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_ranks"}

    @cached_property
    def _ranks(self) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """The reference in order, the p-value of every rank among it, and the score from which the fitted tail speaks."""
        reference = self.calibrator.reference_
        ordered = np.sort(reference[~np.isnan(reference)])
        ranks = np.arange(ordered.size, -1, -1)
        p_values = np.minimum(np.exp(np.log((1.0 + ranks) / (ordered.size + 1.0))), 1.0)
        return ordered, p_values, self.calibrator.tail_.start if self.calibrator.tail_ else math.inf

    def _p_values(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the calibrator says of scores (clicks,), by a search instead of a sort."""
        ordered, usual, tail = self._ranks
        p_values = usual[np.searchsorted(ordered, scores)]
        beyond = scores > tail
        if beyond.any():
            p_values[beyond] = self.calibrator.tail_p_value(scores[beyond])
        return p_values

    def _explained(self, vectors: NDArray[np.float64]) -> list[tuple[Contribution, ...]]:
        if not len(vectors):
            return []
        return [
            tuple([Contribution(CLICK_FEATURE_NAMES[int(column)], share) for column, share in named if share > 0])
            for named in self.detector.explain_rows(vectors, top=3)
        ]

    def require_current_features(self) -> ClickModel:
        """The model itself, or a `ModelError` when it was fitted on other features than are computed now."""
        if self.feature_set_hash != click_feature_set_hash():
            raise ModelError("The model of clicks was fitted on another set of features; run a scan to fit it again.")
        return self


def fit_click_model(features: pd.DataFrame) -> ClickModel:
    """Fits on reference clicks (rows) with the columns of `CLICK_FEATURES`, as `click_features_of` computes them.

    Deterministic for the same table. Raises `ModelError` when a column is missing or there are too few clicks.
    """
    missing = [name for name in CLICK_FEATURE_NAMES if name not in features.columns]
    if missing:
        raise ModelError(f"A model of clicks cannot be fitted without the columns {', '.join(missing)}.")
    rows = features.loc[:, list(CLICK_FEATURE_NAMES)].to_numpy(dtype=np.float64)
    if len(rows) < MINIMUM_CLICKS:
        raise ModelError(f"A model of clicks needs at least {MINIMUM_CLICKS:,} clicks, and there are {len(rows):,}; ingest more history.")
    order = np.random.default_rng(_SEED).permutation(len(rows))[:MAXIMUM_CLICKS]
    held_out = math.ceil(len(order) * CALIBRATION_SHARE)
    detector = AnomalyDetector("forest", n_estimators=TREES).fit(rows[order[held_out:]])
    calibrator = TailCalibrator().fit(detector.score_samples(rows[order[:held_out]]))
    return ClickModel(detector, calibrator, click_feature_set_hash(), len(order))
