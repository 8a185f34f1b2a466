"""Metrics for rare positives: of rankings, alerts, probabilities and promptness.

In a ranking, a row whose score is unknown (NaN) ranks below every known one: nobody would have looked at it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import average_precision_score, roc_curve

from models.arrays import BoolArray, FloatArray, as_vector


def average_precision(y: ArrayLike, score: ArrayLike) -> float:
    """Area under the precision-recall steps, 0..1, for truth (rows,) and scores (rows,). Raises ValueError without a positive."""
    truth, ranking = _ranked(y, score)
    return float(average_precision_score(truth, ranking))


def recall_at_fpr(y: ArrayLike, score: ArrayLike, fpr: float = 0.01) -> float:
    """The largest recall that any threshold reaches while at most the share `fpr` of the negatives lies above it."""
    truth, ranking = _ranked(y, score)
    if truth.all():
        raise ValueError("A false-positive rate needs at least one negative.")
    false_rate, recall, _ = roc_curve(truth, ranking, drop_intermediate=False)
    return float(recall[false_rate <= fpr].max())


def precision_at_k(y: ArrayLike, score: ArrayLike, k: int) -> float:
    """Share of positives among the `k` highest; rows tied at the edge count with their own average, so ties flatter nobody."""
    truth, ranking = _ranked(y, score)
    if not 1 <= k <= truth.size:
        raise ValueError(f"k must lie between 1 and the {truth.size} rows, not {k}.")
    edge = np.sort(ranking)[-k]
    above, tied = ranking > edge, ranking == edge
    places = k - np.count_nonzero(above)
    return float((np.count_nonzero(truth & above) + places * float(truth[tied].mean())) / k)


def false_discovery_share(y: ArrayLike, alerted: ArrayLike) -> float:
    """The share of the alerts (rows,) that are not positives (rows,), 0..1; 0 where there was no alert."""
    truth, alerts = as_vector(y, "The truth") > 0.0, as_vector(alerted, "The alerts") > 0.0
    if truth.size != alerts.size:
        raise ValueError(f"There are {truth.size} labels but {alerts.size} alerts.")
    return float((alerts & ~truth).sum() / max(int(alerts.sum()), 1))


def brier(y: ArrayLike, probability: ArrayLike) -> float:
    """The mean squared distance of probabilities (rows,) from what turned out (rows,), 0 (certain and right) to 1 (Brier 1950)."""
    truth, predicted = _probabilities(y, probability)
    return float(((predicted - truth) ** 2).mean())


@dataclass(frozen=True)
class ReliabilityBin:
    """The rows whose probability lay in one bin: how many, the mean `predicted`, and the share that was `observed` to be positive."""

    rows: int
    predicted: float
    observed: float


def reliability(y: ArrayLike, probability: ArrayLike, bins: int = 10) -> tuple[ReliabilityBin, ...]:
    """The occupied bins of equal width, least probable first: predicted and observed agree where probabilities mean what they say."""
    truth, predicted = _probabilities(y, probability)
    place = np.minimum((predicted * bins).astype(np.int64), bins - 1)
    inside = [place == number for number in np.unique(place)]
    return tuple(ReliabilityBin(int(rows.sum()), float(predicted[rows].mean()), float(truth[rows].mean())) for rows in inside)


def calibration_error(y: ArrayLike, probability: ArrayLike, bins: int = 10) -> float:
    """The mean distance between predicted and observed over the bins of `reliability`, weighted by their rows, 0..1."""
    found = reliability(y, probability, bins)
    return sum(one.rows * abs(one.predicted - one.observed) for one in found) / sum(one.rows for one in found)


def nights_to_detection(onset: ArrayLike, alert: ArrayLike, nights: int) -> FloatArray:
    """Nights from onset to the first alert, both counted (entities,), 1 being the night of the onset itself.

    Infinite for who was not alerted on by the last of the `nights` (censored), so that a median is honest while fewer than half are; NaN
    for who began after the last night. An alert (NaN: none) before the onset is none: it was about something else.
    """
    began, alerted = as_vector(onset, "The onsets"), as_vector(alert, "The alerts")
    if began.size != alerted.size:
        raise ValueError(f"There are {began.size} onsets but {alerted.size} alerts.")
    waited = np.where((alerted >= began) & (alerted < nights), alerted - began + 1.0, np.inf)
    return np.where(began < nights, waited, np.nan)


def _probabilities(y: ArrayLike, probability: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Truth as 0 and 1 and the probabilities of the rows that have one."""
    truth, predicted = (as_vector(y, "The truth") > 0.0).astype(np.float64), as_vector(probability, "The probabilities")
    if truth.size != predicted.size:
        raise ValueError(f"There are {truth.size} labels but {predicted.size} probabilities.")
    known = ~np.isnan(predicted)
    if not known.any() or ((predicted[known] < 0.0) | (predicted[known] > 1.0)).any():
        raise ValueError("Probabilities must lie between 0 and 1, and at least one must be known.")
    return truth[known], predicted[known]


def _ranked(y: ArrayLike, score: ArrayLike) -> tuple[BoolArray, FloatArray]:
    truth, scores = as_vector(y, "The truth") > 0.0, as_vector(score, "The scores")
    if truth.size != scores.size:
        raise ValueError(f"There are {truth.size} labels but {scores.size} scores.")
    if not truth.any():
        raise ValueError("A ranking cannot be measured without at least one positive.")
    known = ~np.isnan(scores)
    lowest = float(scores[known].min()) if known.any() else 0.0
    return truth, np.where(known, scores, np.nextafter(lowest, -np.inf))
