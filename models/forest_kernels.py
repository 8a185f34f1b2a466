"""An isolation forest as flat arrays, walked by compiled code: one row takes microseconds where the library takes milliseconds.

The arithmetic is scikit-learn's, in its order, so the scores are the same; every row is computed by itself, so one row alone and the same
row among many give the same bits. The machine code is cached on disk where a folder can be written.

A forest comes as the tuple `FlatForest.arrays`: `links` (nodes, 2), the feature of a node's split and its left child, behind which the
right one stands; `threshold` and `path_length` (nodes,); `roots` (trees,), the greatest depth and the normal path. A leaf is its own left
child and has an infinite threshold, so that every tree is walked the same number of steps without asking where it ends.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import FloatArray
from models.compiling import compiled

FEW_ROWS, ROWS_TOGETHER = 8, 256
"""Rows below which each walks the whole forest by itself, and rows that walk each tree together: as many as lie close with a tree."""


@compiled
def average_path(rows: float) -> float:
    """The average path length in an isolation tree of so many rows: that of an unsuccessful search (Liu et al. 2008, equation 1)."""
    if rows <= 1.0:
        return 0.0
    if rows == 2.0:
        return 1.0
    return float(2.0 * (np.log(rows - 1.0) + np.euler_gamma) - 2.0 * (rows - 1.0) / rows)


@compiled
def _step(node: np.uint32, row: NDArray[np.float32], links: NDArray[np.uint32], threshold: NDArray[np.float32]) -> np.uint32:
    return np.uint32(links[node, 1] + (row[links[node, 0]] > threshold[node]))


@compiled
def forest_depth(row: NDArray[np.float32], forest: tuple[Any, ...]) -> float:
    """The sum over the trees of the path to the leaf that this row (features,) falls into.

    Four trees are walked side by side, because each step waits for memory: a quarter of the time of one after the other.
    """
    links, threshold, path_length, roots, steps, _ = forest
    depth = 0.0
    for tree in range(0, len(roots), 4):
        a, b = roots[tree], roots[min(tree + 1, len(roots) - 1)]
        c, d = roots[min(tree + 2, len(roots) - 1)], roots[min(tree + 3, len(roots) - 1)]
        for _ in range(steps):
            a, b = _step(a, row, links, threshold), _step(b, row, links, threshold)
            c, d = _step(c, row, links, threshold), _step(d, row, links, threshold)
        leaves = (a, b, c, d)
        for i in range(min(4, len(roots) - tree)):
            depth += path_length[leaves[i]]
    return float(depth)


@compiled
def forest_shares(row: NDArray[np.float32], forest: tuple[Any, ...], unit: float, shares: FloatArray) -> float:
    """Adds to `shares` (features,) what each feature's splits took off the path expected, times `unit`; returns the row's depth.

    Four trees are walked side by side before their paths are read, because each step waits for memory.
    """
    links, _, path_length, roots, steps, _ = forest
    depth = 0.0
    paths = np.empty((4, steps + 1), np.uint32)
    for tree in range(0, len(roots), 4):
        _walk_four(row, forest, tree, paths)
        for path in paths[: min(4, len(roots) - tree)]:
            before = path_length[path[0]]
            for step in range(steps):
                after = path_length[path[step + 1]]
                shares[links[path[step], 0]] += (before - after) * unit
                before = after
            depth += before
    return float(depth)


@compiled
def _walk_four(row: NDArray[np.float32], forest: tuple[Any, ...], tree: int, paths: NDArray[np.uint32]) -> None:
    """The nodes that the row comes through in four trees (the last one again where there are fewer) into `paths` (4, steps + 1)."""
    links, threshold, _, roots, steps, _ = forest
    last = len(roots) - 1
    a, b, c, d = roots[tree], roots[min(tree + 1, last)], roots[min(tree + 2, last)], roots[min(tree + 3, last)]
    for step in range(steps):
        paths[0, step], paths[1, step], paths[2, step], paths[3, step] = a, b, c, d
        a, b = _step(a, row, links, threshold), _step(b, row, links, threshold)
        c, d = _step(c, row, links, threshold), _step(d, row, links, threshold)
    paths[0, steps], paths[1, steps], paths[2, steps], paths[3, steps] = a, b, c, d


@compiled
def isolation(depth: float, normal_path: float) -> float:
    """The score in 0..1 of a summed path length (Liu et al. 2008, equation 2); .5 where no tree could split."""
    return float(2.0 ** (-(depth / normal_path))) if normal_path > 0.0 else 0.5


@compiled
def forest_scores(rows: NDArray[np.float32], forest: tuple[Any, ...]) -> FloatArray:
    """Scores (rows,) in 0..1, higher isolated sooner."""
    scores = np.empty(rows.shape[0])
    if rows.shape[0] < FEW_ROWS:
        for i in range(rows.shape[0]):
            scores[i] = isolation(forest_depth(rows[i], forest), forest[5])
        return scores
    for start in range(0, rows.shape[0], ROWS_TOGETHER):
        part = scores[start : start + ROWS_TOGETHER]
        forest_depths(rows[start : start + ROWS_TOGETHER], forest, part)
        for i in range(len(part)):
            part[i] = isolation(part[i], forest[5])
    return scores


@compiled
def forest_depths(rows: NDArray[np.float32], forest: tuple[Any, ...], depths: FloatArray) -> None:
    """`forest_depth` of many rows into `depths` (rows,), in the same order of trees: each tree stays close while all rows walk it."""
    links, threshold, path_length, roots, steps, _ = forest
    nodes = np.empty(len(rows), np.uint32)
    depths[:] = 0.0
    for root in roots:
        nodes[:] = root
        for _ in range(steps):
            for i in range(len(rows)):
                node = nodes[i]
                nodes[i] = np.uint32(links[node, 1] + (rows[i, links[node, 0]] > threshold[node]))
        for i in range(len(rows)):
            depths[i] += path_length[nodes[i]]


@compiled
def forest_contributions(rows: NDArray[np.float32], forest: tuple[Any, ...]) -> FloatArray:
    """What each feature took off the row's path (rows, features + 1), in bits of the score; the last column is the score itself."""
    features = rows.shape[1]
    table = np.zeros((rows.shape[0], features + 1))
    unit = 1.0 / forest[5] if forest[5] > 0.0 else 0.0
    for i in range(rows.shape[0]):
        table[i, features] = isolation(forest_shares(rows[i], forest, unit, table[i]), forest[5])
    return table


@compiled
def largest_known(shares: FloatArray, row: FloatArray, top: int) -> NDArray[np.int64]:
    """The columns of the `top` largest shares (features + 1,), the last left out, largest first, among those the row knows."""
    left = np.where(np.isnan(row), -np.inf, shares[: len(row)])
    best = np.empty(min(top, len(row)), np.int64)
    for place in range(len(best)):
        column = np.argmax(left)
        if left[column] == -np.inf:
            return best[:place]
        best[place], left[column] = column, -np.inf
    return best
