"""The plausibility of a profile's counts: learnt from labelled profiles, and held to a figure on real ones."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from models.plausibility import COLUMNS, ProfilePlausibility, features

NAMES = (
    "userFollowerCount", "userFollowingCount", "userMediaCount", "userBiographyLength",
    "userHasProfilPic", "userIsPrivate", "usernameDigitCount", "usernameLength",
)  # fmt: skip


def profiles() -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    folder = Path(os.environ.get("FRAUD_TEST_DATA", "")) / "social_profiles" / "instafake" / "data" / "fake-v1.0"
    if not os.environ.get("FRAUD_TEST_DATA") or not folder.is_dir():
        pytest.skip("FRAUD_TEST_DATA does not name a folder with social_profiles")
    rows = [row for name in ("fakeAccountData.json", "realAccountData.json") for row in json.loads((folder / name).read_text())]
    return np.array([[float(row[name]) for name in NAMES] for row in rows]), np.array([row["isFake"] for row in rows])


@pytest.mark.data
def test_real_profiles_are_told_apart_by_cross_validation() -> None:
    given, labels = profiles()
    risks = np.zeros(len(labels))
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(given, labels):
        risks[test] = ProfilePlausibility().fit(given[train], labels[train]).score_samples(given[test])
    assert roc_auc_score(labels, risks) >= 0.985


def made_up(seed: int = 0) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    dice = np.random.default_rng(seed)
    real = np.column_stack([dice.lognormal(6, 1, 200), dice.lognormal(6, 0.5, 200), dice.lognormal(4, 1, 200)])
    fake = np.column_stack([dice.lognormal(3, 1, 60), dice.lognormal(7, 0.5, 60), dice.integers(0, 3, 60)])
    counts = np.floor(np.vstack([real, fake]))
    rest = np.column_stack([dice.integers(0, 80, 260), np.ones(260), dice.integers(0, 2, 260), dice.integers(0, 4, 260), np.full(260, 10)])
    return np.hstack([counts, rest]), np.repeat([0, 1], [200, 60])


def test_it_learns_reads_unknown_values_and_repeats_itself() -> None:
    given, labels = made_up()
    model = ProfilePlausibility().fit(given, labels)
    given[:, 3:] = np.nan
    risks = model.score_samples(given)
    assert np.isfinite(risks).all()
    assert risks[labels == 1].mean() > risks[labels == 0].mean() + 0.3
    assert (ProfilePlausibility().fit(*made_up()).score_samples(given) == risks).all()


def test_a_wrong_shape_or_one_kind_of_label_is_refused() -> None:
    with pytest.raises(ValueError, match="8 columns"):
        features(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="one kind"):
        ProfilePlausibility().fit(np.zeros((4, len(COLUMNS))), [1, 1, 1, 1])
