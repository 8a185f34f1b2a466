"""The anomaly detector: scikit-learn grows a forest, three cheaper views correct it, compiled code scores and explains.

Sources: Liu, Ting & Zhou 2008 for the forest, `detection.md` 4.2 for 300 trees of 512 rows, `models.views` for what stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from models.arrays import FloatArray
from models.compiling import by_rows, compiled
from models.forest_kernels import average_path, forest_contributions, forest_scores, largest_known
from models.scaling import PlainScale, RobustScale

if TYPE_CHECKING:
    from sklearn.ensemble import IsolationForest

    from models.views import Views

Method = Literal["ensemble", "forest", "extended"]
Reasons = list[tuple[str | int, float]]


@dataclass(frozen=True)
class FlatForest:
    """All trees of a forest in shared arrays: node `i` sends a row to `left + 1` when `row[feature] > threshold[i]`, else to `left`.

    `links` (nodes, 2) holds `feature` and `left`; a leaf is its own `left`, with an infinite threshold. `path_length` (nodes,) is the path
    to a leaf, and at inner nodes the mean over the training rows below. `roots` (trees,) are the first nodes, `depth` the longest way
    down; `normal_path` is the trees' number times the path of an ordinary row.
    """

    links: NDArray[np.uint32]
    threshold: NDArray[np.float32]
    path_length: FloatArray
    roots: NDArray[np.uint32]
    depth: int
    normal_path: float

    @property
    def arrays(self) -> tuple[Any, ...]:
        """The fields in the order in which the kernels take them."""
        return self.links, self.threshold, self.path_length, self.roots, self.depth, self.normal_path


class AnomalyDetector(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Scores how unusual rows are, higher being riskier, reads NaN as unknown, and says which features made a row stand out.

    `method`: `ensemble` (default) averages four views of the rows (`models.views`) and ranks best on data of unknown kind; `forest` is
    scikit-learn's isolation forest alone, to the last bit but a few; `extended` splits along random pairs of columns. `n_estimators` trees
    (an ensemble grows a third of them for its forest and a sixth for its guided splits), each on `max_samples` rows, fewer when there are
    fewer, from the seed `random_state`; `n_jobs` threads as in scikit-learn. An unknown cell takes its column's training median, which is
    as ordinary as a value can be, and is never named in an explanation. Fitted: `medians_` (features,), `max_samples_`, `n_features_in_`,
    and `forest_`, `views_` or `oblique_`.
    """

    def __init__(
        self,
        method: Method = "ensemble",
        n_estimators: int = 300,
        max_samples: int = 512,
        random_state: int | None = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.method = method
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
        """Learns from reference rows (rows, features). Raises ValueError for what is not such a table or infinite."""
        if self.n_estimators < 1 or self.max_samples < 1:
            raise ValueError("n_estimators and max_samples must be at least 1.")
        if self.method not in {"ensemble", "forest", "extended"}:
            raise ValueError(f"method must be 'ensemble', 'forest' or 'extended', not {self.method!r}.")
        rows = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        self.scale_ = PlainScale.learn(rows) if self.method == "forest" else RobustScale.learn(rows)
        self.medians_ = self.scale_.centre
        self.max_samples_ = min(self.max_samples, len(rows))
        scaled = self.scale_.apply(rows)
        if self.method == "extended":
            self._fit_extended(scaled)
        else:
            self.forest_ = self._grow_forest(scaled)
        if self.method == "ensemble":
            self._fit_views(scaled)
        self._columns: list[str | int] = list(getattr(self, "feature_names_in_", range(rows.shape[1])))
        return self

    def _grow_forest(self, rows: NDArray[np.float32]) -> FlatForest:
        from sklearn.ensemble import IsolationForest  # noqa: PLC0415 - a second to import, needed for fitting only

        trees = self.n_estimators if self.method == "forest" else max(1, self.n_estimators // 3)
        grower = IsolationForest(n_estimators=trees, max_samples=self.max_samples_, random_state=self.random_state, n_jobs=self.n_jobs)
        return flatten(grower.fit(rows))

    def _fit_extended(self, rows: NDArray[np.float32]) -> None:
        from models.oblique import ObliqueSettings, grow_oblique  # noqa: PLC0415 - loads the compiler

        settings = ObliqueSettings(self.n_estimators, self.max_samples_, guided=False, random_state=self.random_state)
        self.oblique_ = grow_oblique(rows, settings)

    def _fit_views(self, rows: NDArray[np.float32]) -> None:
        from models.views import Views  # noqa: PLC0415 - loads the compiler

        trees = max(1, self.n_estimators // 6)
        self.views_: Views = Views.learn(rows, self.forest_.arrays, trees, check_random_state(self.random_state))

    def score_samples(self, X: ArrayLike) -> FloatArray:  # noqa: N803 - scikit-learn's signature
        """Scores (rows,) in 0..1, higher is riskier; .5 is an ordinary row."""
        return self._scores(self.scale_.apply(self._checked(X)))

    def score_row(self, row: FloatArray) -> float:
        """The score of one row (features,) without scikit-learn's checks, for the hot path: the same bits as `score_samples`."""
        return float(self._scores(self.scale_.apply(row.reshape(1, -1)))[0])

    def score_rows(self, rows: FloatArray) -> FloatArray:
        """`score_samples` of float64 rows (rows, features) without scikit-learn's checks, for the hot path: the same bits."""
        return self._scores(self.scale_.apply(rows))

    def explain(self, X: ArrayLike, top: int = 3) -> list[Reasons]:  # noqa: N803 - scikit-learn's signature
        """For each row the `top` features that made it stand out most, as (name or column number, contribution), largest first.

        Contributions add up, over all features and but for a constant, to log2 of the score (`forest`, `extended`), or to the evidence
        behind it in quartile ranges of the reference (`ensemble`). A negative one speaks for the row. Unknown cells are left out.
        """
        return self.explain_rows(self._checked(X), top)

    def explain_rows(self, rows: FloatArray, top: int = 3) -> list[Reasons]:
        """`explain` of float64 rows (rows, features) without scikit-learn's checks."""
        shares = self._contributions(self.scale_.apply(rows))
        best = [largest_known(of, row, top).tolist() for of, row in zip(shares, rows, strict=True)]
        return [[(self._columns[column], float(of[column])) for column in columns] for of, columns in zip(shares, best, strict=True)]

    def explain_row(self, row: FloatArray, top: int = 3) -> tuple[float, Reasons]:
        """Score and reasons of one row (features,) in one pass and without scikit-learn's checks: what the hot path needs."""
        if isinstance(self.scale_, RobustScale) and self.method == "ensemble":
            shares, best = self.views_.explained(row, self.scale_, top)
        else:
            shares = self._contributions(self.scale_.apply(row.reshape(1, -1)))[0]
            best = largest_known(shares, row, top)
        return float(shares[-1]), [(self._columns[column], float(shares[column])) for column in best.tolist()]

    def _checked(self, rows: ArrayLike) -> FloatArray:
        check_is_fitted(self)
        checked: FloatArray = validate_data(self, rows, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")
        return checked

    def _scores(self, rows: NDArray[np.float32]) -> FloatArray:
        if self.method == "ensemble":
            return self.views_.scores(rows, self.n_jobs)
        if self.method == "forest":
            scores: FloatArray = by_rows(forest_scores, rows, (self.forest_.arrays,), self.n_jobs)
            return scores
        return self.oblique_.scores(rows, self.n_jobs)

    def _contributions(self, rows: NDArray[np.float32]) -> FloatArray:
        if self.method == "ensemble":
            return self.views_.contributions(rows)
        return forest_contributions(rows, self.forest_.arrays) if self.method == "forest" else self.oblique_.contributions(rows)


def flatten(forest: IsolationForest) -> FlatForest:
    """A fitted scikit-learn isolation forest (all features in every tree) as flat arrays with the same scores."""
    trees = [estimator.tree_ for estimator in forest.estimators_]
    roots = np.cumsum([0, *(tree.node_count for tree in trees)]).astype(np.uint32)
    links, threshold, path = np.zeros((roots[-1], 2), np.uint32), np.full(roots[-1], np.inf, np.float32), np.zeros(roots[-1])
    for tree, first, end in zip(trees, roots[:-1], roots[1:], strict=True):
        shape = (tree.children_left, tree.children_right, tree.feature, tree.threshold, tree.n_node_samples)
        _breadth_first(int(first), shape, links[first:end], threshold[first:end], path[first:end])
    normal = len(trees) * float(average_path(float(forest.max_samples_)))
    return FlatForest(links, threshold, path, roots[:-1], int(max(tree.max_depth for tree in trees)), normal)


@compiled
def _breadth_first(first: int, tree: tuple[Any, ...], links: NDArray[np.uint32], threshold: NDArray[np.float32], path: FloatArray) -> None:
    """Fills in one tree's nodes, renumbered so that a right child stands behind the left; `first` is the number of its root."""
    children_left, children_right, split, at, rows_below = tree
    place, level = np.zeros(len(split), np.int64), np.zeros(len(split), np.int64)
    count = 1
    for new in range(len(split)):
        old = place[new]
        path[new], links[new, 1] = level[new] + average_path(float(rows_below[old])), first + new
        if children_left[old] >= 0:
            links[new, 0], threshold[new], links[new, 1] = split[old], _at_most(at[old]), first + count
            place[count], place[count + 1] = children_left[old], children_right[old]
            level[count : count + 2] = level[new] + 1
            count += 2
    for new in range(len(split) - 1, -1, -1):
        child = np.int64(links[new, 1]) - first
        if child != new:
            left, right = rows_below[place[child]], rows_below[place[child + 1]]
            path[new] = (left * path[child] + right * path[child + 1]) / (left + right)


@compiled
def _at_most(value: float) -> np.float32:
    """The largest float32 that is not above: a float32 cell is above it exactly when it is above `value`."""
    rounded = np.float32(value)
    return np.float32(np.nextafter(rounded, np.float32(-np.inf))) if rounded > value else rounded
