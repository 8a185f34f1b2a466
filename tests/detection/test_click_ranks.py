"""The p-value of one click is the calibrator's own, to the last bit."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd

from fraud.detection.clicks import fit_click_model
from fraud.features.realtime import CLICK_FEATURE_NAMES


def test_one_score_has_the_p_value_that_the_calibrator_gives() -> None:
    draw = np.random.default_rng(7)
    rows = draw.gamma(2.0, size=(2_000, len(CLICK_FEATURE_NAMES)))
    model = fit_click_model(pd.DataFrame(rows, columns=list(CLICK_FEATURE_NAMES)))
    vectors = [*rows[:200], *(rows[:50] * 4)]
    scored = [model.score(vector) for vector in vectors]
    assert [one.p_value for one in scored] == [float(model.calibrator.p_value([one.score])[0]) for one in scored]
    assert "_ranks" not in pickle.loads(pickle.dumps(model)).__dict__
