"""How far out in its own column each cell is: the sum over the columns of -ln of the smaller empirical tail.

In the spirit of copula- and ECDF-based detectors (Li et al. 2020, 2022), but with the nearer tail of every column by itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from models.arrays import FloatArray
from models.compiling import compiled

KNOTS = 512
"""Values kept of each column's distribution, densest in its tails."""


def learn_margins(rows: NDArray[np.float32]) -> tuple[Any, ...]:
    """`knots` (all,), the evidence -ln P(x <= knot) and -ln P(x >= knot) at each (all,), and where each column starts (columns + 1,)."""
    columns = [_knots(np.sort(column)) for column in rows.T]
    starts = np.cumsum([0, *(len(knots) for knots, _, _ in columns)]).astype(np.int64)
    knots, below, above = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    return knots, below, above, starts, float(np.log(len(rows) + 1.0))


def _knots(column: NDArray[np.float32]) -> tuple[NDArray[np.float32], FloatArray, FloatArray]:
    values = np.unique(column)
    if len(values) > KNOTS:
        places = ndtr(np.linspace(-4.0, 4.0, KNOTS))
        values = np.unique(np.r_[column[0], column[(places * (len(column) - 1)).astype(np.int64)], column[-1]])
    smaller = np.searchsorted(column, values, side="left")
    up_to = np.searchsorted(column, values, side="right")
    size = len(column) + 1.0
    return values, -np.log((1.0 + up_to) / size), -np.log((1.0 + len(column) - smaller) / size)


@compiled
def tail_evidence(value: np.float32, margins: tuple[Any, ...], column: int) -> float:
    """-ln of the share of the reference at least as far out on the nearer side, for one cell; a constant column says nothing."""
    knots, below, above, starts, most = margins
    first, end = starts[column], starts[column + 1]
    if end - first < 2:
        return 0.0
    low, high = first, end
    while low < high:
        middle = (low + high) // 2
        if knots[middle] < value:
            low = middle + 1
        else:
            high = middle
    if low == end:
        return float(most)
    if knots[low] == value:
        return float(max(below[low], above[low]))
    return float(max(below[low - 1] if low > first else most, above[low]))


@compiled
def tail_sum(row: NDArray[np.float32], margins: tuple[Any, ...]) -> float:
    """The evidence of a row's cells added up."""
    total = 0.0
    for column in range(row.shape[0]):
        total += tail_evidence(row[column], margins, column)
    return total


@compiled
def tail_sums(rows: NDArray[np.float32], margins: tuple[Any, ...], sums: FloatArray) -> None:
    """`tail_sum` of many rows into `sums` (rows,), in the same order of columns: each column's knots stay close for all rows."""
    sums[:] = 0.0
    for column in range(rows.shape[1]):
        for i in range(rows.shape[0]):
            sums[i] += tail_evidence(rows[i, column], margins, column)


@compiled
def tail_shares(row: NDArray[np.float32], margins: tuple[Any, ...], unit: float, shares: FloatArray) -> float:
    """Adds each cell's evidence, times `unit`, to `shares` (features,); returns the sum."""
    total = 0.0
    for column in range(row.shape[0]):
        evidence = tail_evidence(row[column], margins, column)
        shares[column] += evidence * unit
        total += evidence
    return total
