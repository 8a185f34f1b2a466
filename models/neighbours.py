"""How far a row is from its nearest among a few drawn reference rows, averaged over many draws.

Source: Ting, Washio, Wells & Aryal 2017 (LeSiNN; also Sugiyama & Borgwardt 2013): small samples rank anomalies as well as the whole
reference does, cannot be swamped by clusters of them, and cost the same whatever the reference's size.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from models.arrays import FloatArray
from models.compiling import compiled

DRAWS = 16
"""Samples that the distance is averaged over."""
ROWS_OF_A_DRAW = 24
"""Reference rows in each; fewer see global outliers only, more see neighbours of their own kind (8 to 128 were tried)."""


def draw_neighbours(rows: NDArray[np.float32], random_state: Any) -> tuple[NDArray[np.float32], int]:
    """The drawn rows as (features, draws * rows of a draw), so that distances are summed side by side; and the rows of a draw."""
    draw = check_random_state(random_state)
    size = max(1, min(ROWS_OF_A_DRAW, len(rows) // 2))
    picks = [draw.choice(len(rows), size, replace=False) for _ in range(DRAWS)]
    return np.ascontiguousarray(rows[np.concatenate(picks)].T, dtype=np.float32), size


@compiled
def _squares(row: NDArray[np.float32], drawn: NDArray[np.float32]) -> NDArray[np.float32]:
    """The squared Euclidean distances to all drawn rows, added up feature by feature: four of them each time the sums are touched."""
    squares = np.zeros(drawn.shape[1], np.float32)
    fours = drawn.shape[0] // 4 * 4
    for feature in range(0, fours, 4):
        a, b, c, d = row[feature], row[feature + 1], row[feature + 2], row[feature + 3]
        of_a, of_b, of_c, of_d = drawn[feature], drawn[feature + 1], drawn[feature + 2], drawn[feature + 3]
        for i in range(squares.shape[0]):
            total = squares[i] + (a - of_a[i]) * (a - of_a[i])
            total += (b - of_b[i]) * (b - of_b[i])
            total += (c - of_c[i]) * (c - of_c[i])
            squares[i] = total + (d - of_d[i]) * (d - of_d[i])
    for feature in range(fours, drawn.shape[0]):
        value, column = row[feature], drawn[feature]
        for i in range(squares.shape[0]):
            gap = value - column[i]
            squares[i] += gap * gap
    return squares


@compiled
def _least(squares: NDArray[np.float32], first: int, end: int) -> np.float32:
    least = squares[first]
    for i in range(first + 1, end):
        least = min(least, squares[i])
    return np.float32(least)


@compiled
def _nearest(squares: NDArray[np.float32], first: int, end: int) -> int:
    """The nearest row of one draw, one that is exactly the row asked about being left out: it may be that row itself."""
    least = _least(squares, first, end)
    if least > 0.0:
        best = first
        while best < end - 1 and squares[best] != least:
            best += 1
        return best
    best, same = -1, -1
    for i in range(first, end):
        if same < 0 and squares[i] == 0.0:
            same = i
        elif best < 0 or squares[i] < squares[best]:
            best = i
    return best if best >= 0 else same


@compiled
def neighbour_distance(row: NDArray[np.float32], draws: tuple[NDArray[np.float32], int]) -> float:
    """The mean over the draws of the Euclidean distance to the nearest row."""
    drawn, size = draws
    squares = _squares(row, drawn)
    total = 0.0
    for first in range(0, squares.shape[0], size):
        least = _least(squares, first, first + size)
        total += np.sqrt(least if least > 0.0 else squares[_nearest(squares, first, first + size)])
    return float(total * size / squares.shape[0])


@compiled
def neighbour_shares(row: NDArray[np.float32], draws: tuple[NDArray[np.float32], int], unit: float, shares: FloatArray) -> float:
    """Adds each feature's part of the distance, times `unit`, to `shares` (features,); returns the distance."""
    drawn, size = draws
    squares = _squares(row, drawn)
    weight = unit * size / squares.shape[0]
    total = 0.0
    for first in range(0, squares.shape[0], size):
        nearest = _nearest(squares, first, first + size)
        distance = np.sqrt(squares[nearest])
        total += distance
        if distance > 0.0:
            for feature in range(drawn.shape[0]):
                gap = row[feature] - drawn[feature, nearest]
                shares[feature] += gap * gap / distance * weight
    return float(total * size / squares.shape[0])
