"""How far tonight's figures have moved from the reference: per column, and all of them together.

The population stability index (Lewis 1994) on ten reference deciles; whether it is more than chance is judged
by its own distribution, since the usual bands of .10 and .25 do not know the sample size. A common-mode shift is the median of a column's
residuals: when everyone moved, nobody in particular did.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2

from models.arrays import FloatArray, as_matrix, as_vector

BINS = 10
"""Reference quantiles that are compared."""
SMALLEST_SHARE = 1e-4
"""A bin's share is taken to be at least this, so that an empty bin counts as rare and not as impossible."""


@dataclass(frozen=True)
class Drift:
    """How two samples of one column differ: `psi` (0 is the same), the `p_value` of so much by chance, and how many values each had."""

    psi: float
    p_value: float
    reference_size: int
    size: int


@dataclass(frozen=True)
class Reference:
    """One column of the reference: the inner edges of its bins (edges,), the share of the reference in each (edges + 1,), its size.

    The size is that of the independent witnesses: where each entity has several rows that repeat one another, the number of entities.
    """

    edges: FloatArray
    share: FloatArray
    size: int

    @classmethod
    def learn(cls, values: ArrayLike, bins: int = BINS, size: int | None = None) -> Reference:
        """The quantiles of a column (n,); unknown values (NaN) are left out, and values that repeat share a bin. Of the values known,
        `size` are independent of one another (default: all)."""
        known = _known(values, "The reference")
        if known.size == 0:
            return cls(np.empty(0), np.ones(1), 0)
        edges = np.unique(np.quantile(known, np.arange(1, bins) / bins))
        edges = edges[edges < known.max()]
        return cls(edges, _counts(known, edges) / known.size, known.size if size is None else size)

    def compare(self, values: ArrayLike, size: int | None = None) -> Drift:
        """The drift of a column (n,), `size` of them independent (default: all), against this reference; 0 with p = 1 where either has no
        known value.

        Under no drift, PSI times n m / (n + m) is about chi-squared with one degree of freedom less than there are bins.
        """
        known = _known(values, "The values")
        witnesses = known.size if size is None else size
        if known.size == 0 or self.size == 0:
            return Drift(0.0, 1.0, self.size, witnesses)
        now = _counts(known, self.edges) / known.size
        before, after = np.maximum(self.share, SMALLEST_SHARE), np.maximum(now, SMALLEST_SHARE)
        psi = float(((after - before) * np.log(after / before)).sum())
        effective = self.size * witnesses / (self.size + witnesses)
        p_value = float(chi2.sf(psi * effective, len(self.edges))) if len(self.edges) else 1.0
        return Drift(psi, p_value, self.size, witnesses)


def drift(reference: ArrayLike, values: ArrayLike, bins: int = BINS) -> Drift:
    """The drift of one column: `values` (m,) against `reference` (n,). Raises ValueError for infinite values."""
    return Reference.learn(reference, bins).compare(values)


def common_shift(residuals: ArrayLike, minimum: int = 30) -> FloatArray:
    """The median of each column of residuals (rows, columns): (columns,), NaN where fewer than `minimum` are known.

    Near 0 whoever is fraudulent, as long as most are not; a large one says that the offer, its page or its tracking changed for everyone.
    """
    table = as_matrix(residuals, "The residuals")
    known = [column[~np.isnan(column)] for column in table.T]
    return np.array([np.median(cells) if cells.size >= minimum else np.nan for cells in known], dtype=np.float64)


def _known(values: ArrayLike, what: str) -> FloatArray:
    vector = as_vector(values, what)
    if np.isinf(vector).any():
        raise ValueError(f"{what} must be finite.")
    return vector[~np.isnan(vector)]


def _counts(values: FloatArray, edges: FloatArray) -> FloatArray:
    return np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1).astype(np.float64)
