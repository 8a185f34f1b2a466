"""The supervised ranker: takes over the order from the unsupervised detector as labels come in.

A logistic stack leads from 60 labels of which 15 are bad, trees from 120: on simulated programs 30 labels of another program ranked worse
than no labels, 60 as well, 120 better. Below 60 the order leans on the unsupervised one by `labels / (labels + 60)`; above, the anomaly
score is one more feature, weighed by what it explains. Positive-unlabelled correction after Elkan & Noto 2008, calibration after Platt
1999 on out-of-fold scores.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from models.arrays import BoolArray, FloatArray
from models.calibration import SMALLEST_PROBABILITY, corrected_probability, platt
from models.isolation import AnomalyDetector
from models.scaling import RobustScale

Stage = Literal["blend", "logistic", "trees"]
Learner: TypeAlias = "LogisticStack | TreeStack"

LABELS_FOR_LOGISTIC, BAD_FOR_LOGISTIC = 60, 15
"""Labels, and bad ones among them, from which the logistic stack leads the order."""
LABELS_FOR_TREES = 120
"""Labels from which trees are better than the logistic stack."""
HALF_TRUST = 60
"""Labels at which the supervised order weighs as much as the unsupervised one."""
LEAST = 1e-3
"""What a forest of a few hundred trees can tell from 0 and 1."""
FOLDS = 4
"""Folds whose held-out rows calibrate the probabilities."""


class LogisticStack:
    """Regularised logistic regression (C = .05, classes balanced) and randomised trees; their log odds are averaged.

    On 70 to 90 labelled sessions of real traffic either alone was worse on one of two kinds of bot.
    """

    def __init__(self, trees: int, seed: int, n_jobs: int | None) -> None:
        self.line = LogisticRegression(C=0.05, class_weight="balanced", max_iter=1_000)
        self.forest = ExtraTreesClassifier(trees, min_samples_leaf=2, class_weight="balanced", random_state=seed, n_jobs=n_jobs)

    def fit(self, features: FloatArray, bad: BoolArray) -> LogisticStack:
        """Learns from scaled features (rows, features) and what turned out bad (rows,)."""
        self.centre_, spread = features.mean(axis=0), features.std(axis=0)
        self.unit_ = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 1e-9)
        self.line.fit((features - self.centre_) * self.unit_, bad)
        self.forest.fit(features, bad)
        return self

    def log_odds(self, features: FloatArray) -> FloatArray:
        """Uncalibrated log odds of being bad (rows,)."""
        line = self.line.decision_function((features - self.centre_) * self.unit_)
        return np.asarray((line + _log_odds_of(self.forest, features)) / 2.0, dtype=np.float64)


class TreeStack:
    """Randomised trees of two kinds, on the robust scale and with the anomaly score as a feature; their log odds are averaged.

    Chosen among two dozen mixtures by repeated cross-validation on the publishers that FDMA 2012 gave for training: average precision .543,
    a random forest .469; boosted trees beside them gained nothing and cost most of the time.
    """

    def __init__(self, trees: int, seed: int, n_jobs: int | None) -> None:
        self.members = [
            ExtraTreesClassifier(trees, max_features=0.3, random_state=seed, n_jobs=n_jobs),
            ExtraTreesClassifier(trees, max_features=0.5, min_samples_leaf=2, random_state=seed + 1, n_jobs=n_jobs),
        ]

    def fit(self, features: FloatArray, bad: BoolArray) -> TreeStack:
        """Learns from scaled features (rows, features) and what turned out bad (rows,)."""
        for member in self.members:
            member.fit(features, bad)
        return self

    def log_odds(self, features: FloatArray) -> FloatArray:
        """Uncalibrated log odds of being bad (rows,)."""
        odds = [_log_odds_of(member, features) for member in self.members]
        return np.asarray(np.mean(odds, axis=0), dtype=np.float64)


class RiskRanker(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Learns from labelled rows which are bad, as far as there are labels for it, and ranks by the unsupervised detector before that.

    Two classes; the greater label is the bad one. `n_estimators` trees of each kind, `random_state` the seed, `n_jobs` threads.
    `order` names a column that already holds an unsupervised order (higher is riskier), to lean on instead of a detector of its own.
    With `unlabelled=True` the lesser label means *not reviewed* instead of *good*: the probabilities are raised by the share of the bad
    rows that carry their label (`label_frequency_`). NaN is unknown. Fitted: `classes_`, `stage_` (`blend` below 60 labels or 15 bad ones,
    `logistic` below 120, `trees`), `weight_` of the supervised order (0..1), `label_frequency_`, `n_features_in_`, and `out_of_fold_`
    (rows,), the log odds of each row by learners that had not seen it.
    """

    def __init__(
        self,
        n_estimators: int = 300,
        unlabelled: bool = False,
        order: int | None = None,
        random_state: int | None = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.unlabelled = unlabelled
        self.order = order
        self.random_state = random_state
        self.n_jobs = n_jobs

    def __sklearn_tags__(self) -> Any:
        """Tells scikit-learn that NaN is allowed and that there are two classes."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags

    def fit(self, X: ArrayLike, y: ArrayLike) -> RiskRanker:  # noqa: N803 - scikit-learn's signature
        """Learns from rows (rows, features) and their labels (rows,). Raises ValueError unless both classes occur."""
        rows, labels = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan")
        check_classification_targets(labels)
        self.classes_ = np.unique(labels)
        if len(self.classes_) != 2:
            raise ValueError(
                f"Only binary classification is supported: there must be two classes, good and bad, not {len(self.classes_)} class."
            )
        bad: BoolArray = labels == self.classes_[1]
        seed = int(check_random_state(self.random_state).randint(2**31 - 8))
        self.detector_ = AnomalyDetector(random_state=seed, n_jobs=self.n_jobs).fit(rows) if self.order is None else None
        self.scale_ = RobustScale.learn(rows)
        unusual = self._unusual(rows)
        self.ordinary_ = float(unusual.mean()), float(unusual.std()) or 1.0
        self.stage_ = _stage(bad)
        self.weight_ = len(bad) / (len(bad) + HALF_TRUST) if self.stage_ == "blend" else 1.0
        features = self._features(rows)
        self.learner_ = self._learner(seed).fit(features, bad)
        self._calibrate(features, bad, seed)
        return self

    def predict_proba(self, X: ArrayLike) -> FloatArray:  # noqa: N803 - scikit-learn's signature
        """Calibrated probabilities (rows, 2) of good and bad."""
        check_is_fitted(self)
        rows = validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan")
        features = self._features(rows)
        bad = self._probability(self._log_odds(self.learner_, features))
        return np.column_stack([1.0 - bad, bad])

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803 - scikit-learn's signature
        """The more probable class of each row (rows,)."""
        bad = self.predict_proba(X)[:, 1] > 0.5
        likely: NDArray[Any] = self.classes_[bad.astype(np.int64)]
        return likely

    def _learner(self, seed: int) -> Learner:
        return (TreeStack if self.stage_ == "trees" else LogisticStack)(self.n_estimators, seed, self.n_jobs)

    def _features(self, rows: FloatArray) -> FloatArray:
        """The rows on a robust scale, and behind them the unsupervised order, standardised (rows, features + 1)."""
        return np.column_stack([self.scale_.apply(rows), (self._unusual(rows) - self.ordinary_[0]) / self.ordinary_[1]])

    def _unusual(self, rows: FloatArray) -> FloatArray:
        """The unsupervised order (rows,): the column given for it (0 where unknown), else the log odds of the anomaly score."""
        if self.detector_ is None:
            return np.nan_to_num(rows[:, self.order])
        return np.asarray(logit(self.detector_.score_samples(rows)), dtype=np.float64)

    def _log_odds(self, learner: Learner, features: FloatArray) -> FloatArray:
        """The supervised log odds, leaning on the anomaly score's while labels are few (rows,)."""
        return self.weight_ * learner.log_odds(features) + (1.0 - self.weight_) * features[:, -1]

    def _calibrate(self, features: FloatArray, bad: BoolArray, seed: int) -> None:
        """Platt's line through out-of-fold log odds, and the share of the bad that carry a label."""
        folds = min(FOLDS, int(bad.sum()), int((~bad).sum()))
        if folds < 2:
            odds = self._log_odds(self.learner_, features)
        else:
            odds = self._out_of_fold(features, bad, StratifiedKFold(folds, shuffle=True, random_state=seed), seed)
        self.out_of_fold_ = odds
        self.slope_, self.intercept_ = platt(odds, bad)
        self.label_frequency_ = 1.0
        if self.unlabelled:
            self.label_frequency_ = float(np.clip(self._probability(odds)[bad].mean(), SMALLEST_PROBABILITY, 1.0))

    def _out_of_fold(self, features: FloatArray, bad: BoolArray, folds: StratifiedKFold, seed: int) -> FloatArray:
        odds = np.empty(len(bad))
        for learned, held_out in folds.split(features, bad):
            learner = self._learner(seed).fit(features[learned], bad[learned])
            odds[held_out] = self._log_odds(learner, features[held_out])
        return odds

    def _probability(self, odds: FloatArray) -> FloatArray:
        known = expit(self.slope_ * odds + self.intercept_)
        return np.asarray(known if self.label_frequency_ == 1.0 else corrected_probability(known, self.label_frequency_), dtype=np.float64)


def _log_odds_of(model: Any, features: FloatArray) -> FloatArray:
    bad = np.clip(model.predict_proba(features)[:, 1], LEAST, 1.0 - LEAST)
    return np.asarray(logit(bad), dtype=np.float64)


def _stage(bad: BoolArray) -> Stage:
    if len(bad) < LABELS_FOR_LOGISTIC or bad.sum() < BAD_FOR_LOGISTIC:
        return "blend"
    return "logistic" if len(bad) < LABELS_FOR_TREES else "trees"
