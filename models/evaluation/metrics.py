"""Ranking metrics for rare positives. A row whose score is unknown (NaN) ranks below every known one: nobody would have looked at it."""

from __future__ import annotations

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


def _ranked(y: ArrayLike, score: ArrayLike) -> tuple[BoolArray, FloatArray]:
    truth, scores = as_vector(y, "The truth") > 0.0, as_vector(score, "The scores")
    if truth.size != scores.size:
        raise ValueError(f"There are {truth.size} labels but {scores.size} scores.")
    if not truth.any():
        raise ValueError("A ranking cannot be measured without at least one positive.")
    known = ~np.isnan(scores)
    lowest = float(scores[known].min()) if known.any() else 0.0
    return truth, np.where(known, scores, np.nextafter(lowest, -np.inf))
