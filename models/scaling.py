"""One scale for every column: robust, free of units, logarithmic far out; unknown and constant columns are ordinary.

The inverse hyperbolic sine is linear among ordinary values and logarithmic beyond them, for both signs, so counts with long tails,
shares and residuals can be compared without saying which is which.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.arrays import FloatArray
from models.compiling import compiled

QUARTILE_RANGE_OF_NORMAL = 1.349
"""The distance between the quartiles of a normal sample, in standard deviations."""


@dataclass(frozen=True)
class RobustScale:
    """`centre` and `inverse` spread of each column (columns,); the inverse is 0 for a column that never varied, which then says nothing."""

    centre: FloatArray
    inverse: FloatArray

    @classmethod
    def learn(cls, rows: FloatArray) -> RobustScale:
        """Medians and quartile ranges of reference rows (rows, columns), NaN unknown; the standard deviation where the quartiles agree."""
        figures = [_centre_and_inverse(column[~np.isnan(column)]) for column in rows.T]
        centre, inverse = (np.array(column, dtype=np.float64) for column in zip(*figures, strict=True))
        return cls(centre, inverse)

    def apply(self, rows: FloatArray) -> NDArray[np.float32]:
        """The rows on the common scale (rows, columns), 0 where a cell is unknown."""
        return scaled(rows, self.centre, self.inverse)


@dataclass(frozen=True)
class PlainScale:
    """Rows as they are, as scikit-learn's forest takes them; `centre` (columns,), the median, stands in for an unknown cell."""

    centre: FloatArray

    @classmethod
    def learn(cls, rows: FloatArray) -> PlainScale:
        """The medians of reference rows (rows, columns), NaN unknown; 0 for a column that nobody knows."""
        known = [column[~np.isnan(column)] for column in rows.T]
        return cls(np.array([np.median(cells) if cells.size else 0.0 for cells in known], dtype=np.float64))

    def apply(self, rows: FloatArray) -> NDArray[np.float32]:
        """The rows (rows, columns) with every cell known."""
        return _filled(rows, self.centre)


@compiled
def scaled(rows: FloatArray, centre: FloatArray, inverse: FloatArray) -> NDArray[np.float32]:
    """`RobustScale.apply` of rows (rows, columns)."""
    out = np.zeros(rows.shape, np.float32)
    for i in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            if inverse[j] > 0.0 and rows[i, j] == rows[i, j]:
                out[i, j] = math.asinh(rows[i, j] * inverse[j] - centre[j] * inverse[j])
    return out


@compiled
def _filled(rows: FloatArray, centre: FloatArray) -> NDArray[np.float32]:
    out = np.empty(rows.shape, np.float32)
    for i in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            out[i, j] = rows[i, j] if rows[i, j] == rows[i, j] else centre[j]
    return out


def _centre_and_inverse(known: FloatArray) -> tuple[float, float]:
    if known.size == 0:
        return 0.0, 0.0
    low, centre, high = (float(value) for value in np.quantile(known, (0.25, 0.5, 0.75)))
    with np.errstate(over="ignore"):
        spread = (high - low) / QUARTILE_RANGE_OF_NORMAL or float(known.std())
    negligible = 1e-12 * max(abs(centre), np.finfo(np.float64).tiny)
    return centre, (1.0 / spread if spread > negligible else 0.0)
