"""The sum of an entity's few largest residuals, read as evidence: the second scorer, and the only one while the reference is small.

Rank-equivalent to the forest on one-sided residuals (AP .73 to .76 against .72 to .75, `detection.md` 4.2), and it needs no fitting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_ndtr

from models.arrays import FloatArray, as_matrix


@dataclass(frozen=True)
class TopTail:
    """The sum of the `k` largest -log10 upper normal tails of a row."""

    k: int = 4

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError(f"k must be at least 1, not {self.k}.")

    def score_samples(self, z: ArrayLike) -> FloatArray:
        """Scores (rows,) from residuals (rows, columns), in units of -log10 p; higher is riskier.

        Unknown residuals are left out; a row that knows none is unknown (NaN). Computed from the logarithm of the survival function, so
        large residuals stay apart, and row by row, so a score does not depend on the other rows.
        """
        evidence = -np.asarray(log_ndtr(-as_matrix(z, "The residuals")), dtype=np.float64) / np.log(10.0)
        known = ~np.isnan(evidence)
        largest = np.sort(np.where(known, evidence, 0.0), axis=1)[:, ::-1]
        total = np.zeros(len(evidence))
        for column in range(min(self.k, evidence.shape[1])):
            total += largest[:, column]
        return np.where(known.any(axis=1), total, np.nan)
