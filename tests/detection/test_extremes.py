"""Beyond the whole reference: the furthest row sets the mark, in the suspicious direction, and only what passes it is told."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from fraud.detection.extremes import Furthest
from fraud.detection.traffic import fit_traffic_model, judge
from fraud.features.catalogue import FEATURES
from tests.detection.nights import with_values
from tests.detection.tables import NAMES, table_of

DISTANCES = st.lists(st.floats(-20, 20) | st.just(float("nan")), min_size=1, max_size=12)


def signed(values: list[float]) -> pd.DataFrame:
    return pd.DataFrame(dict.fromkeys(NAMES, values), dtype=float)


@given(DISTANCES, DISTANCES)
def test_nothing_is_beyond_itself_and_all_that_is_beyond_is_further_than_everything(before: list[float], now: list[float]) -> None:
    furthest = Furthest.learn(signed(before))
    assert furthest.beyond(signed(before)).isna().to_numpy().all()
    beyond = furthest.beyond(signed(now))
    for column in beyond.columns:
        told = beyond[column].dropna()
        assert (told > furthest.distance[column]).all()
        assert furthest.distance[column] >= 0.0


def test_only_the_suspicious_direction_counts() -> None:
    high = next(one.name for one in FEATURES if one.bad == "high")
    low = next(one.name for one in FEATURES if one.bad == "low")
    beyond = Furthest.learn(signed([0.0, 1.0, -1.0])).beyond(signed([5.0, -5.0]))
    assert beyond[f"{high}:high"].notna().tolist() == [True, False]
    assert beyond[f"{low}:low"].notna().tolist() == [False, True]


def test_a_planted_extreme_is_found_in_a_night_and_only_it() -> None:
    night = with_values(table_of(300, seed=4), "a7", {"short_dwell_share": 0.999})
    found = judge(fit_traffic_model(table_of(600)), night).extremes["short_dwell_share:high"]
    assert found.dropna().index.tolist() == ["a7"]
    assert np.isfinite(found["a7"])
