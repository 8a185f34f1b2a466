"""The isolation forest: scikit-learn grows it, flat arrays keep it, compiled code scores and explains with it.

Sources: Liu, Ting & Zhou 2008 for the forest, `detection.md` 4.2 for 300 trees of 512 rows. The quality comes from the residuals it is
given (`models.baseline`), not from the forest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from models.arrays import FloatArray

if TYPE_CHECKING:
    from sklearn.ensemble import IsolationForest


@dataclass(frozen=True)
class FlatForest:
    """All trees of a forest in shared arrays (nodes,): node `i` sends a row left when `row[feature[i]] <= threshold[i]`.

    `children` (nodes, 2) is -1 at leaves. `path_length` is the path to a leaf, and at inner nodes the mean over the training rows below.
    `roots` (trees,) are the first nodes; `normal_path` is the trees' number times the path of an ordinary row.
    """

    feature: NDArray[np.int32]
    threshold: FloatArray
    children: NDArray[np.int32]
    path_length: FloatArray
    roots: NDArray[np.int32]
    normal_path: float

    @property
    def arrays(self) -> tuple[Any, ...]:
        """The fields in the order in which the kernels take them."""
        return self.feature, self.threshold, self.children, self.path_length, self.roots, self.normal_path


class AnomalyDetector(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """An isolation forest whose score rises with risk, which reads NaN as unknown and says which features made a row stand out.

    `n_estimators` trees, each grown on `max_samples` rows (fewer when there are fewer), from the seed `random_state`; `n_jobs` as in
    scikit-learn, for fitting only. An unknown cell takes its column's training median, which is as ordinary as a value can be, and is never
    named in an explanation. Fitted: `forest_` (flat arrays), `medians_` (features,), `max_samples_`, `n_features_in_`.
    """

    def __init__(self, n_estimators: int = 300, max_samples: int = 512, random_state: int | None = 0, n_jobs: int | None = None) -> None:
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.random_state = random_state
        self.n_jobs = n_jobs

    def __sklearn_tags__(self) -> Any:
        """Tells scikit-learn that NaN is allowed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: ArrayLike, y: object = None) -> AnomalyDetector:  # noqa: N803 - scikit-learn's signature
        """Grows the forest on reference rows (rows, features). Raises ValueError for what is not such a table or infinite."""
        from sklearn.ensemble import IsolationForest  # noqa: PLC0415 - a second to import, needed for fitting only

        if self.n_estimators < 1 or self.max_samples < 1:
            raise ValueError("n_estimators and max_samples must be at least 1.")
        rows = validate_data(self, X, dtype=np.float32, ensure_all_finite="allow-nan")
        self.medians_ = _medians(rows)
        self.max_samples_ = min(self.max_samples, len(rows))
        grower = IsolationForest(
            n_estimators=self.n_estimators, max_samples=self.max_samples_, random_state=self.random_state, n_jobs=self.n_jobs
        )
        self.forest_ = flatten(grower.fit(self._filled(rows)))
        return self

    def score_samples(self, X: ArrayLike) -> FloatArray:  # noqa: N803 - scikit-learn's signature
        """Scores (rows,) in 0..1, higher is riskier: 1 is isolated at once, .5 is as deep as an ordinary row."""
        return self._scores(self._checked(X))

    def score_row(self, row: FloatArray) -> float:
        """The score of one row (features,) without scikit-learn's checks, for the hot path: the same bits as `score_samples`."""
        return float(self._scores(row.astype(np.float32).reshape(1, -1))[0])

    def explain(self, X: ArrayLike, top: int = 3) -> list[list[tuple[str | int, float]]]:  # noqa: N803 - scikit-learn's signature
        """For each row the `top` features that shortened its path most, as (name or column number, contribution), largest first.

        Contributions are bits of the score: over all features they add up to log2(score) less that of the average training row. A negative
        one speaks for the row. Unknown cells contribute nothing and are left out.
        """
        from models.forest_kernels import forest_contributions  # noqa: PLC0415 - loads the compiler

        rows = self._checked(X)
        unknown = np.isnan(rows)
        shares = forest_contributions(self._filled(rows), *self.forest_.arrays)
        order = np.argsort(np.where(unknown, np.inf, -shares), axis=1, kind="stable")[:, :top]
        names: list[str | int] = list(getattr(self, "feature_names_in_", range(rows.shape[1])))
        return [
            [(names[column], float(shares[row, column])) for column in columns if not unknown[row, column]]
            for row, columns in enumerate(order.tolist())
        ]

    def _checked(self, rows: ArrayLike) -> NDArray[np.float32]:
        check_is_fitted(self)
        checked: NDArray[np.float32] = validate_data(self, rows, reset=False, dtype=np.float32, ensure_all_finite="allow-nan")
        return checked

    def _scores(self, rows: NDArray[np.float32]) -> FloatArray:
        from models.forest_kernels import forest_scores  # noqa: PLC0415 - loads the compiler

        return forest_scores(self._filled(rows), *self.forest_.arrays)

    def _filled(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """The rows, contiguous and writable, with the training median where a cell is unknown."""
        return np.ascontiguousarray(np.where(np.isnan(rows), self.medians_, rows), dtype=np.float32)


def flatten(forest: IsolationForest) -> FlatForest:
    """A fitted scikit-learn isolation forest (all features in every tree) as flat arrays with the same scores."""
    trees = [estimator.tree_ for estimator in forest.estimators_]
    sizes = [tree.node_count for tree in trees]
    starts = np.cumsum([0, *sizes[:-1]]).astype(np.int32)
    children = [_children(tree, start) for tree, start in zip(trees, starts, strict=True)]
    return FlatForest(
        feature=np.concatenate([np.maximum(tree.feature, 0) for tree in trees]).astype(np.int32),
        threshold=np.concatenate([tree.threshold for tree in trees]).astype(np.float64),
        children=np.concatenate(children).astype(np.int32),
        path_length=np.concatenate([_path_lengths(tree) for tree in trees]),
        roots=starts,
        normal_path=len(trees) * float(average_path(np.array([forest.max_samples_]))[0]),
    )


def average_path(rows: ArrayLike) -> FloatArray:
    """The average path length in an isolation tree of so many rows (n,): that of an unsuccessful search (Liu et al. 2008, equation 1)."""
    count = np.asarray(rows, dtype=np.float64)
    several = np.maximum(count, 3.0)
    deep = 2.0 * (np.log(several - 1.0) + np.euler_gamma) - 2.0 * (several - 1.0) / several
    return np.where(count <= 1.0, 0.0, np.where(count == 2.0, 1.0, deep))


def _children(tree: Any, start: int) -> NDArray[np.int32]:
    pairs = np.column_stack([tree.children_left, tree.children_right])
    return np.where(pairs < 0, -1, pairs + start).astype(np.int32)


def _path_lengths(tree: Any) -> FloatArray:
    """Depth plus the average path still to go at each leaf (nodes,); at inner nodes the mean over the training rows below."""
    weight = tree.n_node_samples.astype(np.float64)
    lengths: FloatArray = tree.compute_node_depths() + average_path(tree.n_node_samples) - 1.0
    for node in range(tree.node_count - 1, -1, -1):  # children come after their parent
        left, right = tree.children_left[node], tree.children_right[node]
        if left >= 0:
            lengths[node] = (weight[left] * lengths[left] + weight[right] * lengths[right]) / weight[node]
    return lengths


def _medians(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The median of the known cells of each column (features,); 0 for a column that nobody knows."""
    known = [column[~np.isnan(column)] for column in rows.T]
    return np.array([np.median(cells) if cells.size else 0.0 for cells in known], dtype=np.float32)
