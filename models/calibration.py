"""From scores to p-values, and from p-values to discoveries.

Source: `detection.md` 4.3 and 4.4. The tail is a generalized Pareto distribution over the reference's 95th percentile (peaks over
threshold), fitted by probability-weighted moments (Hosking & Wallis 1987); conformal p-values need no model of the tail at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from models.arrays import BoolArray, FloatArray, as_vector

TAIL_QUANTILE = 0.95
"""Where the empirical distribution ends and the Pareto tail begins."""
SHAPE_LIMITS = (-0.3, 0.4)
"""What the shape of the tail is clipped to."""
MINIMUM_EXCESSES = 10
"""Reference scores above the threshold that a tail can be fitted on; with fewer (200 scores in all) the empirical tail serves alone."""
TRUSTED_SURVIVAL = 0.01
"""Share of the tail up to which a shortening one (negative shape) is believed; from there it goes on exponentially, without an end."""
SMALLEST_PROBABILITY = 1e-6
"""How far from certainty a corrected probability stays, so that the order among the surest is kept."""
FLATTEST_SLOPE = 0.05
"""The slope of a calibration line where held-out scores say nothing: the order is kept, the probabilities are the base rate."""
SMALLEST_LOG_P = math.log(np.finfo(np.float64).tiny)
"""The natural logarithm of the smallest p-value."""


@dataclass(frozen=True)
class _ParetoTail:
    """Scores above `start`, which the share `share` of the reference exceeds: generalized Pareto with this shape and scale."""

    start: float
    share: float
    shape: float
    scale: float

    def log_p(self, scores: FloatArray) -> FloatArray:
        """The logarithm of the share of the reference expected above each score (all above `start`)."""
        excess = (scores - self.start) / self.scale
        turn = math.inf if self.shape >= 0.0 else (TRUSTED_SURVIVAL**-self.shape - 1.0) / self.shape
        near = np.minimum(excess, turn)
        log_survival = -near if abs(self.shape) < 1e-9 else -np.log1p(self.shape * near) / self.shape
        beyond = np.maximum(excess - turn, 0.0) / (1.0 + self.shape * turn) if math.isfinite(turn) else 0.0
        return np.asarray(math.log(self.share) + log_survival - beyond, dtype=np.float64)


class TailCalibrator:
    """The p-value of a score against a frozen reference: empirical below the 95th percentile, Pareto above it."""

    def fit(self, reference_scores: ArrayLike) -> TailCalibrator:
        """Learns the distribution of reference scores (n,), higher being riskier; unknown ones (NaN) are left out."""
        scores = as_vector(reference_scores, "The reference scores")
        if np.isinf(scores).any():
            raise ValueError("A reference score is infinite.")
        self.reference_ = np.sort(scores[~np.isnan(scores)])
        self.tail_ = _fit_tail(self.reference_)
        return self

    def evidence(self, scores: ArrayLike) -> FloatArray:
        """-log10 p of each score (n,): 0 is ordinary, about 307 the most there is; unknown stays NaN."""
        return np.asarray(-self._log_p(scores) / math.log(10.0) + 0.0, dtype=np.float64)

    def p_value(self, scores: ArrayLike) -> FloatArray:
        """The share of the reference expected to score at least this high (n,), in (0, 1]; never rises with the score. NaN stays NaN."""
        return np.asarray(np.minimum(np.exp(self._log_p(scores)), 1.0), dtype=np.float64)

    def tail_p_value(self, scores: FloatArray) -> FloatArray:
        """`p_value` of scores (n,) that are all above `tail_.start`, without looking at the reference."""
        if self.tail_ is None:
            raise ValueError("This TailCalibrator has no tail: its reference is too small or ends in ties.")
        return np.asarray(np.minimum(np.exp(np.maximum(self.tail_.log_p(scores), SMALLEST_LOG_P)), 1.0), dtype=np.float64)

    def _log_p(self, scores: ArrayLike) -> FloatArray:
        if not hasattr(self, "reference_"):
            raise ValueError("This TailCalibrator is not fitted yet: call fit with reference scores first.")
        values = as_vector(scores, "The scores")
        log_p = np.log(conformal_p(self.reference_, values))
        if self.tail_ is not None:
            above = values > self.tail_.start
            log_p[above] = np.maximum(self.tail_.log_p(values[above]), SMALLEST_LOG_P)
        return log_p


def conformal_p(calibration_scores: ArrayLike, scores: ArrayLike) -> FloatArray:
    """(1 + how many calibration scores are at least as high) / (n + 1) for each score (m,); unknown stays NaN.

    Valid whatever the distribution, when the calibration slice (n,) was not used to fit the scorer.
    """
    calibration = as_vector(calibration_scores, "The calibration scores")
    calibration = np.sort(calibration[~np.isnan(calibration)])
    values = as_vector(scores, "The scores")
    at_least = calibration.size - np.searchsorted(calibration, values, side="left")
    return np.where(np.isnan(values), np.nan, (1.0 + at_least) / (calibration.size + 1.0))


def benjamini_hochberg(p: ArrayLike, q: float) -> BoolArray:
    """Which hypotheses (m,) are discoveries at false-discovery rate `q` (Benjamini & Hochberg 1995). Unknown p-values are not tested."""
    values = as_vector(p, "The p-values")
    if ((values < 0.0) | (values > 1.0)).any():
        raise ValueError("A p-value lies outside 0 to 1.")
    if not 0.0 < q < 1.0:
        raise ValueError(f"q must lie between 0 and 1, not {q}.")
    tested = np.sort(values[~np.isnan(values)])
    passing = np.flatnonzero(tested <= q * np.arange(1, tested.size + 1) / max(tested.size, 1))
    return values <= tested[passing[-1]] if passing.size else np.zeros(values.size, dtype=np.bool_)


def needed_calibration(hypotheses: int, q: float, discoveries: int) -> int:
    """How many calibration scores allow `discoveries` among `hypotheses` at rate `q`: m / (q k), rounded up (`detection.md` 4.3)."""
    return math.ceil(hypotheses / (q * discoveries) - 1e-9)


def _fit_tail(reference: FloatArray) -> _ParetoTail | None:
    """The tail of sorted scores, or None where there are too few to fit one."""
    if reference.size == 0:
        return None
    start = float(np.quantile(reference, TAIL_QUANTILE))
    excesses = reference[reference > start] - start
    if excesses.size < MINIMUM_EXCESSES:
        return None
    mean = float(excesses.mean())
    ranks = np.arange(excesses.size)
    weighted = float((excesses * (1.0 - (ranks + 0.65) / excesses.size)).mean())
    gap = mean - 2.0 * weighted
    shape = float(np.clip(2.0 - mean / gap, *SHAPE_LIMITS)) if gap > 0.0 else SHAPE_LIMITS[0]
    return _ParetoTail(start, (1.0 + excesses.size) / (reference.size + 1.0), shape, mean * (1.0 - shape))


def platt(log_odds: ArrayLike, bad: ArrayLike) -> tuple[float, float]:
    """Slope (above 0) and intercept of calibrated log odds as a line in raw ones (n,), given what was bad (n,) (Platt 1999).

    The targets are drawn towards even odds by one row each, as Platt has it, so that separable scores give no certainty.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - p-values need no scikit-learn

    raw, truth = as_vector(log_odds, "The log odds"), as_vector(bad, "What was bad") > 0.0
    positives, negatives = int(truth.sum()), int((~truth).sum())
    target = np.where(truth, (positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0))
    line = LogisticRegression(C=np.inf, max_iter=1_000)
    line.fit(np.r_[raw, raw].reshape(-1, 1), np.repeat([1, 0], raw.size), sample_weight=np.r_[target, 1.0 - target])
    slope, intercept = float(line.coef_[0, 0]), float(line.intercept_[0])
    if slope < FLATTEST_SLOPE:
        rate = float(target.mean())
        return FLATTEST_SLOPE, math.log(rate / (1.0 - rate)) - FLATTEST_SLOPE * float(raw.mean())
    return slope, intercept


def corrected_probability(labelled: ArrayLike, label_frequency: float) -> FloatArray:
    """The probability of being bad (n,) from that of being labelled bad, when the share `label_frequency` of the bad has its label.

    Elkan & Noto 2008: p(bad) = p(labelled) / p(labelled given bad), where labels are given at random among the bad. Never quite 1, so that
    the order among the surest is kept.
    """
    if not 0.0 < label_frequency <= 1.0:
        raise ValueError(f"The share of the bad that is labelled must lie above 0 and at most at 1, not {label_frequency}.")
    known = as_vector(labelled, "The probabilities")
    return np.asarray(np.minimum(known / label_frequency, 1.0 - SMALLEST_PROBABILITY * (1.0 - known)), dtype=np.float64)
