"""One figure from several kinds of evidence: `max + 0.3 sum` of -log10 p, and how it is shown.

AP .905 against .62 to .70 for a hand-weighted noisy-OR on the same parts (`detection.md` 0.5, 11.2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from models.arrays import FloatArray, as_matrix

WEIGHT_OF_SUM = 0.3
"""What corroboration adds to the strongest evidence."""
EVEN_RISK = 3.9
"""The fused evidence shown as .5: one component at p = .001 and nothing else (3 + 0.3 * 3)."""


def fuse(log_evidence: ArrayLike) -> FloatArray:
    """Fused evidence (rows,) from -log10 p (rows, components): the largest plus 0.3 times the sum of all of them.

    An unknown component (NaN) adds nothing; a row that knows none is unknown (NaN). Raises ValueError for negative or infinite evidence.
    """
    evidence = as_matrix(log_evidence, "The evidence")
    if ((evidence < 0.0) | np.isinf(evidence)).any():
        raise ValueError("Evidence is -log10 of a p-value in (0, 1]: it can be neither negative nor infinite.")
    known = ~np.isnan(evidence)
    strongest, total = np.zeros(len(evidence)), np.zeros(len(evidence))
    for column in np.where(known, evidence, 0.0).T:
        strongest = np.maximum(strongest, column)
        total += column
    return np.where(known.any(axis=1), strongest + WEIGHT_OF_SUM * total, np.nan)


def display_risk(fused: ArrayLike) -> FloatArray:
    """Fused evidence as a risk in 0..1: `s / (s + 3.9)`, so .5 is one component at p = .001.

    Strictly increasing: even at the strongest evidence that p-values in floating point can give (a few thousand) two figures that differ
    by a billionth of themselves are shown apart, so a queue sorted by it has no arbitrary order. NaN stays NaN.
    """
    evidence = np.asarray(fused, dtype=np.float64)
    if ((evidence < 0.0) | np.isinf(evidence)).any():
        raise ValueError("Fused evidence can be neither negative nor infinite.")
    return np.asarray(evidence / (evidence + EVEN_RISK), dtype=np.float64)
