"""Four views of the same scaled rows, each blind where another sees, put on one scale and averaged.

Axis-parallel isolation finds values that few have, guided oblique splits find small clusters and odd combinations, sampled neighbours find
what is far from everything in its own surroundings, tails find many small extremes. The mixture was chosen by its mean over thirteen public
benchmark sets, without leaving any of them out of the choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import FloatArray
from models.compiling import by_rows, compiled
from models.forest_kernels import FEW_ROWS, ROWS_TOGETHER, forest_depth, forest_depths, forest_shares, largest_known
from models.margins import learn_margins, tail_shares, tail_sum, tail_sums
from models.neighbours import draw_neighbours, neighbour_distance, neighbour_shares
from models.oblique import ObliqueForest, ObliqueSettings, grow_oblique, oblique_depth, oblique_depths, oblique_shares
from models.scaling import RobustScale, scaled

VIEWS = ("isolation", "guided splits", "neighbours", "tails")
GUIDED_SAMPLE = 256
"""Rows of a guided tree (Liu et al. 2010)."""
STANDARD_ROWS = 20_000
"""Reference rows at most that tell what is ordinary in each view."""
HALFWAY = 4.0
"""Quartile ranges above the median, averaged over the views, that are shown as .75: half of the way from ordinary to the most there is."""


@dataclass(frozen=True)
class Views:
    """The fitted views, with the median and the inverse quartile range (views,) of what each says of the reference."""

    forest: tuple[Any, ...]
    oblique: ObliqueForest
    draws: tuple[NDArray[np.float32], int]
    margins: tuple[Any, ...]
    centre: FloatArray
    unit: FloatArray

    @classmethod
    def learn(cls, rows: NDArray[np.float32], forest: tuple[Any, ...], trees: int, random: np.random.RandomState) -> Views:
        """The views of scaled rows (rows, features), given the arrays of the isolation forest grown on them."""
        oblique = grow_oblique(rows, ObliqueSettings(trees, GUIDED_SAMPLE, guided=True, random_state=random))
        some = rows[random.choice(len(rows), min(len(rows), STANDARD_ROWS), replace=False)]
        draws, margins = draw_neighbours(rows, random), learn_margins(some)
        raw = _raw_views(some, (forest, oblique.arrays, draws, margins))
        low, centre, high = np.quantile(raw, (0.25, 0.5, 0.75), axis=0)
        spread = np.where(high > low, high - low, raw.std(axis=0))
        unit = np.divide(1.0 / len(VIEWS), spread, out=np.zeros(len(VIEWS)), where=spread > 1e-12)
        return cls(forest, oblique, draws, margins, centre, unit)

    @property
    def arrays(self) -> tuple[Any, ...]:
        """The fields in the order in which the kernels take them."""
        return (self.forest, self.oblique.arrays, self.draws, self.margins), self.centre, self.unit

    def scores(self, rows: NDArray[np.float32], n_jobs: int | None) -> FloatArray:
        """Scores (rows,) in 0..1; .5 is the median of the reference."""
        scores: FloatArray = by_rows(_view_scores, rows, self.arrays, n_jobs)
        return scores

    def contributions(self, rows: NDArray[np.float32]) -> FloatArray:
        """What each feature adds (rows, features + 1), in quartile ranges of the reference; the last column is the score."""
        table: FloatArray = _view_contributions(rows, *self.arrays)
        return table

    def explained(self, row: FloatArray, scale: RobustScale, top: int) -> tuple[FloatArray, NDArray[np.int64]]:
        """`contributions` (features + 1,) of one row (features,) before it is scaled, and the columns of the `top` largest it knows."""
        shares, best = _explained(row, (scale.centre, scale.inverse), top, *self.arrays)
        return shares, best


@compiled
def _shown(evidence: float) -> float:
    """Evidence (any real number, 0 ordinary) as a score in 0..1 that keeps its order however large it grows."""
    return float(0.5 + 0.5 * evidence / (HALFWAY + abs(evidence)))


@compiled
def _unit_of(normal_path: float) -> float:
    return float(1.0 / normal_path) if normal_path > 0.0 else 0.0


@compiled
def _look(row: NDArray[np.float32], views: tuple[Any, ...], raw: FloatArray) -> None:
    """What each view says of one row, higher is riskier, into `raw` (views,)."""
    forest, oblique, draws, margins = views
    raw[0] = -forest_depth(row, forest) * _unit_of(forest[5])
    raw[1] = -oblique_depth(row, oblique) * _unit_of(oblique[5])
    raw[2] = neighbour_distance(row, draws)
    raw[3] = tail_sum(row, margins)


@compiled
def _raw_views(rows: NDArray[np.float32], views: tuple[Any, ...]) -> FloatArray:
    raw = np.empty((rows.shape[0], 4))
    for i in range(rows.shape[0]):
        _look(rows[i], views, raw[i])
    return raw


@compiled
def _evidence(raw: FloatArray, centre: FloatArray, unit: FloatArray) -> float:
    total = 0.0
    for view in range(raw.shape[0]):
        total += (raw[view] - centre[view]) * unit[view]
    return total


@compiled
def _view_scores(rows: NDArray[np.float32], views: tuple[Any, ...], centre: FloatArray, unit: FloatArray) -> FloatArray:
    scores, raw = np.empty(rows.shape[0]), np.empty((min(rows.shape[0], ROWS_TOGETHER), len(VIEWS)))
    for start in range(0, rows.shape[0], ROWS_TOGETHER):
        some = rows[start : start + ROWS_TOGETHER]
        _look_at_all(some, views, raw)
        for i in range(some.shape[0]):
            scores[start + i] = _shown(_evidence(raw[i], centre, unit))
    return scores


@compiled
def _look_at_all(rows: NDArray[np.float32], views: tuple[Any, ...], raw: FloatArray) -> None:
    """`_look` at many rows into `raw` (rows, views), tree by tree where there are enough of them: the same bits."""
    if rows.shape[0] < FEW_ROWS:
        for i in range(rows.shape[0]):
            _look(rows[i], views, raw[i])
        return
    forest, oblique, draws, margins = views
    depths, guided, tails = np.empty(rows.shape[0]), np.empty(rows.shape[0]), np.empty(rows.shape[0])
    forest_depths(rows, forest, depths)
    oblique_depths(rows, oblique, guided)
    tail_sums(rows, margins, tails)
    for i in range(rows.shape[0]):
        raw[i, 0] = -depths[i] * _unit_of(forest[5])
        raw[i, 1] = -guided[i] * _unit_of(oblique[5])
        raw[i, 2] = neighbour_distance(rows[i], draws)
        raw[i, 3] = tails[i]


@compiled
def _view_contributions(rows: NDArray[np.float32], views: tuple[Any, ...], centre: FloatArray, unit: FloatArray) -> FloatArray:
    table = np.zeros((rows.shape[0], rows.shape[1] + 1))
    for i in range(rows.shape[0]):
        _contribute(rows[i], views, (centre, unit), table[i])
    return table


@compiled
def _contribute(row: NDArray[np.float32], views: tuple[Any, ...], ordinary: tuple[FloatArray, FloatArray], shares: FloatArray) -> None:
    """Fills in what each feature of one row adds (features + 1,); the last is the score."""
    forest, oblique, draws, margins = views
    centre, unit = ordinary
    raw = np.empty(4)
    isolation, guided = _unit_of(forest[5]), _unit_of(oblique[5])
    raw[0] = -forest_shares(row, forest, isolation * unit[0], shares) * isolation
    raw[1] = -oblique_shares(row, oblique, guided * unit[1], shares) * guided
    raw[2] = neighbour_shares(row, draws, unit[2], shares)
    raw[3] = tail_shares(row, margins, unit[3], shares)
    shares[row.shape[0]] = _shown(_evidence(raw, centre, unit))


@compiled
def _explained(
    row: FloatArray, scale: tuple[FloatArray, FloatArray], top: int, views: tuple[Any, ...], centre: FloatArray, unit: FloatArray
) -> tuple[FloatArray, NDArray[np.int64]]:
    shares = np.zeros(row.shape[0] + 1)
    _contribute(scaled(row.reshape(1, -1), scale[0], scale[1])[0], views, (centre, unit), shares)
    return shares, largest_known(shares, row, top)
