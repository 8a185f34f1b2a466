"""How much the counts of a social profile look like those of profiles known to be fake: a forest on logarithms and ratios of counts.

It is fitted on labelled profiles of one's own (columns in `COLUMNS`) and ships without any; published bands serve until then.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

COLUMNS = ("followers", "following", "posts", "bio_length", "has_picture", "private", "handle_digits", "handle_length")
"""The columns of `X`, in this order; NaN is unknown."""

TREES = 300
LEAF = 2
"""Profiles in a leaf at least: single profiles are not learnt by heart."""


class ProfilePlausibility:
    """A risk in 0..1 for each profile, higher for counts more like those labelled fake.

    `fit(X, y)` takes an array (profiles, 8) as `COLUMNS` says and labels (1: fake); `predict_proba(X)` gives (profiles, 2). `seed` makes it
    repeatable. A ValueError when the shapes do not fit, or when the labels are of one kind only.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:  # noqa: N803 (scikit-learn's name)
        """Learn from labelled profiles."""
        from sklearn.ensemble import ExtraTreesClassifier  # noqa: PLC0415 (slow to import)

        labels = np.asarray(y, dtype=np.int64)
        if len(np.unique(labels)) < 2:
            raise ValueError("The labels are of one kind only; give fake and real profiles.")
        self.forest_: Any = ExtraTreesClassifier(TREES, min_samples_leaf=LEAF, class_weight="balanced", random_state=self.seed)
        self.forest_.fit(features(X), labels)
        return self

    def predict_proba(self, X: npt.ArrayLike) -> Matrix:  # noqa: N803
        """The probabilities of real and fake, (profiles, 2)."""
        return np.asarray(self.forest_.predict_proba(features(X)), dtype=np.float64)

    def score_samples(self, X: npt.ArrayLike) -> Matrix:  # noqa: N803
        """The risk of each profile, (profiles,)."""
        return np.asarray(self.predict_proba(X)[:, 1])


def features(X: npt.ArrayLike) -> Matrix:  # noqa: N803
    """Logarithms and log-ratios of the counts beside what is no count, (profiles, 12); NaN stays NaN. A ValueError for another shape."""
    given = np.asarray(X, dtype=np.float64)
    if given.ndim != 2 or given.shape[1] != len(COLUMNS):
        raise ValueError(f"The profiles need {len(COLUMNS)} columns ({', '.join(COLUMNS)}), not the shape {given.shape}.")
    followers, following, posts = (np.log1p(np.maximum(given[:, place], 0)) for place in range(3))
    digit_share = given[:, 6] / np.maximum(given[:, 7], 1)
    made = [followers, following, posts, followers - following, posts - followers, posts - following, digit_share]
    return np.column_stack([*made, given[:, 3:8]])
