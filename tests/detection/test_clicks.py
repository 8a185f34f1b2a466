"""The model of clicks on made-up features: it ranks, says why, gives honest p-values and the same bits every time."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from fraud.detection.clicks import MINIMUM_CLICKS, ClickModel, fit_click_model
from fraud.errors import ModelError
from fraud.features.realtime import CLICK_FEATURE_NAMES

WIDTH = len(CLICK_FEATURE_NAMES)


def usual_clicks(rows: int, seed: int) -> pd.DataFrame:
    """Skewed, partly unknown features without anything unusual."""
    random = np.random.default_rng(seed)
    values = random.exponential(3.0, (rows, WIDTH)).round(1)
    values[random.random((rows, WIDTH)) < 0.1] = np.nan
    return pd.DataFrame(values, columns=list(CLICK_FEATURE_NAMES))


@pytest.fixture(scope="module")
def model() -> ClickModel:
    return fit_click_model(usual_clicks(2_000, seed=1))


def test_a_click_unlike_all_others_scores_high_and_says_in_what(model: ClickModel) -> None:
    ordinary = np.full(WIDTH, 2.0)
    odd = ordinary.copy()
    odd[:5] = 500.0
    usual, unusual = model.score(ordinary), model.score(odd)
    assert usual.score < unusual.score <= 1.0
    assert unusual.p_value < 0.01 < usual.p_value
    assert {part.feature for part in unusual.contributions} <= set(CLICK_FEATURE_NAMES[:5])
    assert len(unusual.contributions) == 3
    assert usual.contributions == ()


def test_usual_clicks_that_were_not_fitted_on_get_honest_p_values(model: ClickModel) -> None:
    fresh = usual_clicks(600, seed=2).to_numpy()
    p = np.array([model.score(row).p_value for row in fresh])
    assert 0.02 <= np.mean(p <= 0.05) <= 0.09


def test_a_click_of_which_nothing_is_known_is_not_unusual(model: ClickModel) -> None:
    assert model.score(np.full(WIDTH, np.nan)).p_value > 0.5


def test_the_same_click_gives_the_same_bits_alone_after_storage_and_after_fitting_again(model: ClickModel) -> None:
    stored: ClickModel = pickle.loads(pickle.dumps(model))
    again = fit_click_model(usual_clicks(2_000, seed=1))
    for row in usual_clicks(50, seed=3).to_numpy():
        assert model.score(row) == stored.score(row) == again.score(row)


def test_the_order_of_columns_does_not_matter_but_their_names_do() -> None:
    table = usual_clicks(MINIMUM_CLICKS, seed=4)
    row = np.full(WIDTH, 7.0)
    assert fit_click_model(table[reversed(CLICK_FEATURE_NAMES)]).score(row) == fit_click_model(table).score(row)
    with pytest.raises(ModelError, match="ip_clicks_1m"):
        fit_click_model(table.drop(columns="ip_clicks_1m"))


def test_too_few_clicks_make_no_model() -> None:
    with pytest.raises(ModelError, match="at least 1,000 clicks"):
        fit_click_model(usual_clicks(MINIMUM_CLICKS - 1, seed=5))


def test_a_model_of_other_features_is_refused(model: ClickModel) -> None:
    other = ClickModel(model.detector, model.calibrator, "0" * 64, 1)
    with pytest.raises(ModelError, match="another set of features"):
        other.require_current_features()
    assert model.require_current_features() is model
