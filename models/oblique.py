"""A forest that splits along random pairs of columns, either anywhere (extended) or where the two sides are tightest (guided).

Sources: Hariri, Carrasco Kind & Brunner 2019 for the extended forest; Liu, Ting & Zhou 2010 (SCiForest) for choosing among ten candidate
splits by the averaged drop in spread, and for counting a step less where a row lies outside what a node has seen. Guided splits find
clustered and locally unusual rows that the plain forest misses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from models.arrays import FloatArray
from models.compiling import by_rows, compiled
from models.forest_kernels import ROWS_TOGETHER, average_path, isolation

CANDIDATES = 10
"""Splits that a guided node chooses among (Liu et al. 2010)."""
PAIR = 2
"""Columns of one split: more were no better there, and two can still be shown to a person."""
TINY = 1e-30
_ATTEMPTS = 12
"""Draws of a column that varies inside the node before the node is left as it is."""


@dataclass(frozen=True)
class ObliqueForest:
    """All trees in shared arrays: a row goes to `left + 1` when its place, a sum of two weighted columns, is above a threshold.

    `links` (nodes, 3) holds the two columns and `left`; a leaf is its own. `figures` (nodes, 5) holds the two weights, the threshold, and
    the limits outside which a row's path is a step shorter. `path_length`, `roots` and `normal_path` as in `FlatForest`.
    """

    links: NDArray[np.uint32]
    figures: NDArray[np.float32]
    path_length: FloatArray
    roots: NDArray[np.uint32]
    depth: int
    normal_path: float

    @property
    def arrays(self) -> tuple[Any, ...]:
        """The fields in the order in which the kernels take them."""
        return self.links, self.figures, self.path_length, self.roots, self.depth, self.normal_path

    def scores(self, rows: NDArray[np.float32], n_jobs: int | None) -> FloatArray:
        """Scores (rows,) in 0..1, higher isolated sooner."""
        scores: FloatArray = by_rows(_scores, rows, (self.arrays,), n_jobs)
        return scores

    def contributions(self, rows: NDArray[np.float32]) -> FloatArray:
        """What each feature took off the row's path (rows, features + 1), in bits of the score; the last column is the score."""
        return _contributions(rows, self.arrays)


@dataclass(frozen=True)
class ObliqueSettings:
    """How a forest is grown: so many `trees` on so many rows each (`max_samples`), `guided` or anywhere, from the seed `random_state`."""

    trees: int
    max_samples: int
    guided: bool
    random_state: Any = 0


def grow_oblique(rows: NDArray[np.float32], settings: ObliqueSettings) -> ObliqueForest:
    """Grows a forest on scaled rows (rows, features)."""
    draw = check_random_state(settings.random_state)
    size = min(settings.max_samples, len(rows))
    depth = int(np.ceil(np.log2(max(size, 2))))
    candidates = CANDIDATES if settings.guided else 1
    trees, roots = [], [0]
    for _ in range(settings.trees):
        sample = rows[draw.choice(len(rows), size, replace=False)]
        trees.append(_grow_tree(sample, depth, candidates, settings.guided, int(draw.randint(2**31 - 1))))
        trees[-1][0][:, 2] += np.uint32(roots[-1])
        roots.append(roots[-1] + len(trees[-1][0]))
    links, figures, path_length = (np.concatenate(parts) for parts in zip(*trees, strict=True))
    normal = settings.trees * float(average_path(float(size)))
    return ObliqueForest(links, figures, path_length, np.array(roots[:-1], dtype=np.uint32), depth, normal)


@compiled
def _spread_of(rows: NDArray[np.float32], column: int) -> float:
    """The standard deviation of a column of a node's rows; 0 where rounding is all there is."""
    mean = 0.0
    for i in range(rows.shape[0]):
        mean += rows[i, column]
    mean /= rows.shape[0]
    total = 0.0
    for i in range(rows.shape[0]):
        total += (rows[i, column] - mean) ** 2
    spread = np.sqrt(total / rows.shape[0])
    return float(spread) if spread > 1e-6 * (1.0 + abs(mean)) else 0.0


@compiled
def _draw_direction(rows: NDArray[np.float32], columns: NDArray[np.int32], weights: FloatArray) -> int:
    """Draws up to two different columns that vary and a random weight for each, in units of their spread; returns how many."""
    found = 0
    for _ in range(_ATTEMPTS):
        column = np.random.randint(rows.shape[1])
        if found == 1 and columns[0] == column:
            continue
        spread = _spread_of(rows, column)
        if spread > 0.0:
            columns[found], weights[found] = column, np.random.normal() / spread
            found += 1
            if found == PAIR:
                break
    return found


@compiled
def _tightest_split(projection: FloatArray) -> tuple[float, float]:
    """(gain, threshold) of the split after which the mean of both sides' spreads has dropped most (Liu et al. 2010)."""
    values = np.sort(projection)
    size = len(values)
    centred = values - values.mean()
    total = (centred**2).sum()
    spread = np.sqrt(total / size)
    best, threshold = -1.0, values[0]
    left_sum, left_squares = 0.0, 0.0
    for i in range(size - 1):
        left_sum += centred[i]
        left_squares += centred[i] ** 2
        if values[i + 1] > values[i]:
            n, m = i + 1, size - i - 1
            left = max(left_squares / n - (left_sum / n) ** 2, 0.0)
            right = max((total - left_squares) / m - (left_sum / m) ** 2, 0.0)
            gain = 1.0 - 0.5 * (np.sqrt(left) + np.sqrt(right)) / spread
            if gain > best:
                best, threshold = gain, 0.5 * (values[i] + values[i + 1])
    return best, threshold


@compiled
def _project(rows: NDArray[np.float32], columns: NDArray[np.int32], weights: FloatArray) -> FloatArray:
    projection = np.empty(rows.shape[0])
    for i in range(rows.shape[0]):
        projection[i] = weights[0] * rows[i, columns[0]] + weights[1] * rows[i, columns[1]]
    return projection


@compiled
def _choose_split(
    rows: NDArray[np.float32], candidates: int, guided: bool, columns: NDArray[np.int32], weights: FloatArray
) -> tuple[float, FloatArray]:
    """Fills in the best of the candidate directions; returns its threshold and the rows' places on it (empty: no split)."""
    best, threshold, chosen = -2.0, 0.0, np.empty(0)
    for _ in range(candidates):
        some, loads = np.zeros(PAIR, np.int32), np.zeros(PAIR)
        if _draw_direction(rows, some, loads) == 0:
            break
        projection = _project(rows, some, loads)
        low, high = projection.min(), projection.max()
        if high <= low:
            continue
        if guided:
            gain, place = _tightest_split(projection)
        else:
            gain, place = 0.0, low + (high - low) * np.random.random()
        if gain > best:
            best, threshold, chosen = gain, place, projection
            columns[:], weights[:] = some, loads
    return threshold, chosen


@compiled
def _partition(order: NDArray[np.int64], start: int, projection: FloatArray, threshold: float) -> int:
    """Puts the rows of a node in order, those left of the threshold first; returns where the right ones start."""
    before = order[start : start + len(projection)].copy()
    left, right = start, start + len(projection) - 1
    for i in range(len(projection)):
        if projection[i] <= threshold:
            order[left] = before[i]
            left += 1
        else:
            order[right] = before[i]
            right -= 1
    return left


@compiled
def _mean_paths(left: NDArray[np.uint32], size: NDArray[np.int64], path: FloatArray) -> None:
    """At inner nodes, the mean path over the training rows below; children come after their parent."""
    for node in range(len(left) - 1, -1, -1):
        first = left[node]
        if first != node:
            path[node] = (size[first] * path[first] + size[first + 1] * path[first + 1]) / size[node]


@compiled
def _grow_tree(sample: NDArray[np.float32], depth: int, candidates: int, guided: bool, seed: int) -> tuple[Any, ...]:
    """Links, figures and path lengths of one tree, numbered breadth first; a node of one row, or at full depth, is a leaf."""
    np.random.seed(seed)
    room = 2 * len(sample) + 1
    links, figures = np.zeros((room, 3), np.uint32), np.zeros((room, 5), np.float32)
    columns, weights = np.zeros(PAIR, np.int32), np.zeros(PAIR)
    start, size, level, path = np.zeros(room, np.int64), np.zeros(room, np.int64), np.zeros(room, np.int64), np.zeros(room)
    order, node, count = np.arange(len(sample)), 0, 1
    size[0] = len(sample)
    while node < count:
        path[node] = level[node] + average_path(float(size[node]))
        links[node, 2] = node
        figures[node, 2], figures[node, 3], figures[node, 4] = np.inf, -np.inf, np.inf
        if size[node] > 1 and level[node] < depth:
            rows = sample[order[start[node] : start[node] + size[node]]]
            place, projection = _choose_split(rows, candidates, guided, columns, weights)
            middle = _partition(order, start[node], projection, place)
            if start[node] < middle < start[node] + size[node]:
                links[node, 0], links[node, 1], links[node, 2] = columns[0], columns[1], count
                _write(figures[node], weights, place, projection, guided)
                start[count], size[count] = start[node], middle - start[node]
                start[count + 1], size[count + 1] = middle, start[node] + size[node] - middle
                level[count : count + 2] = level[node] + 1
                count += 2
        node += 1
    _mean_paths(links[:count, 2], size[:count], path[:count])
    return links[:count], figures[:count], path[:count]


@compiled
def _write(figures: NDArray[np.float32], weights: FloatArray, threshold: float, projection: FloatArray, guided: bool) -> None:
    """Fills in a split, and for guided ones how far from its rows a node is still at home: their range, once more on either side."""
    low, high = projection.min(), projection.max()
    reach = high - low if guided else np.inf
    figures[0], figures[1], figures[2], figures[3], figures[4] = weights[0], weights[1], threshold, low - reach, high + reach


@compiled
def _step(node: np.uint32, row: NDArray[np.float32], links: NDArray[np.uint32], figures: NDArray[np.float32]) -> tuple[np.uint32, np.int64]:
    """The child that the row goes to, and 1 when it lies outside what the node had seen."""
    place = figures[node, 0] * row[links[node, 0]] + figures[node, 1] * row[links[node, 1]]
    outside = np.int64((place < figures[node, 3]) | (place > figures[node, 4]))
    return np.uint32(links[node, 2] + (place > figures[node, 2])), outside


@compiled
def oblique_depth(row: NDArray[np.float32], forest: tuple[Any, ...]) -> float:
    """The sum over the trees of the path to this row's leaf, less the steps outside what the nodes had seen.

    Two trees are walked side by side, because each step waits for memory.
    """
    links, figures, path_length, roots, steps, _ = forest
    depth, outside = 0.0, np.int64(0)
    for tree in range(0, len(roots), 2):
        a, b = roots[tree], roots[min(tree + 1, len(roots) - 1)]
        second = np.int64(0)
        for _ in range(steps):
            a, off = _step(a, row, links, figures)
            b, beyond = _step(b, row, links, figures)
            outside += off
            second += beyond
        depth += path_length[a]
        if tree + 1 < len(roots):
            depth += path_length[b]
            outside += second
    return float(depth - outside)


@compiled
def oblique_depths(rows: NDArray[np.float32], forest: tuple[Any, ...], depths: FloatArray) -> None:
    """`oblique_depth` of many rows into `depths` (rows,), in the same order of trees: each tree stays close while all rows walk it."""
    links, figures, path_length, roots, steps, _ = forest
    nodes, outside = np.empty(len(rows), np.uint32), np.zeros(len(rows), np.int64)
    depths[:] = 0.0
    for root in roots:
        nodes[:] = root
        for _ in range(steps):
            for i in range(len(rows)):
                nodes[i], off = _step(nodes[i], rows[i], links, figures)
                outside[i] += off
        for i in range(len(rows)):
            depths[i] += path_length[nodes[i]]
    for i in range(len(rows)):
        depths[i] -= outside[i]


@compiled
def oblique_shares(row: NDArray[np.float32], forest: tuple[Any, ...], unit: float, shares: FloatArray) -> float:
    """Adds to `shares` (features,) what the splits on each feature took off the path, times `unit`; returns the row's depth.

    The two columns of a split share it as they share the row's place on it. Two trees are walked before their paths are read.
    """
    links, figures, path_length, roots, steps, _ = forest
    depth, outside = 0.0, np.int64(0)
    paths, beyond = np.empty((2, steps + 1), np.uint32), np.empty((2, steps), np.int64)
    for tree in range(0, len(roots), 2):
        _walk_two(row, forest, tree, (paths, beyond))
        for which in range(min(2, len(roots) - tree)):
            path = paths[which]
            for step in range(steps):
                node, child = path[step], path[step + 1]
                if node == child:
                    break
                first, second = abs(figures[node, 0] * row[links[node, 0]]), abs(figures[node, 1] * row[links[node, 1]])
                gain = (path_length[node] - path_length[child] + beyond[which, step]) * unit
                part = first / (first + second + TINY)
                shares[links[node, 0]] += gain * part
                shares[links[node, 1]] += gain * (1.0 - part)
                outside += beyond[which, step]
            depth += path_length[path[steps]]
    return float(depth - outside)


@compiled
def _walk_two(row: NDArray[np.float32], forest: tuple[Any, ...], tree: int, out: tuple[NDArray[np.uint32], NDArray[np.int64]]) -> None:
    """The nodes that the row comes through in two trees (the last one again where there is one), and whether it lies outside them."""
    links, figures, _, roots, steps, _ = forest
    paths, beyond = out
    a, b = roots[tree], roots[min(tree + 1, len(roots) - 1)]
    for step in range(steps):
        paths[0, step], paths[1, step] = a, b
        a, beyond[0, step] = _step(a, row, links, figures)
        b, beyond[1, step] = _step(b, row, links, figures)
    paths[0, steps], paths[1, steps] = a, b


@compiled
def _scores(rows: NDArray[np.float32], forest: tuple[Any, ...]) -> FloatArray:
    scores = np.empty(rows.shape[0])
    for start in range(0, rows.shape[0], ROWS_TOGETHER):
        part = scores[start : start + ROWS_TOGETHER]
        oblique_depths(rows[start : start + ROWS_TOGETHER], forest, part)
        for i in range(len(part)):
            part[i] = isolation(part[i], forest[5])
    return scores


@compiled
def _contributions(rows: NDArray[np.float32], forest: tuple[Any, ...]) -> FloatArray:
    features = rows.shape[1]
    table = np.zeros((rows.shape[0], features + 1))
    unit = 1.0 / forest[5] if forest[5] > 0.0 else 0.0
    for i in range(rows.shape[0]):
        table[i, features] = isolation(oblique_shares(rows[i], forest, unit, table[i]), forest[5])
    return table
