"""From observations to fused evidence, as one chain: what must hold of the whole whatever the parts do."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from models.arrays import FloatArray
from models.baseline import Observations, PeerBaseline
from models.calibration import TailCalibrator
from models.evaluation import RawForestBaseline, average_precision
from models.fusion import display_risk, fuse
from models.isolation import AnomalyDetector
from models.tail import TopTail
from tests.models.conftest import SPECS, observations, rows


@dataclass(frozen=True)
class Chain:
    """Everything that is fitted on the reference and frozen."""

    baseline: PeerBaseline
    forest: AnomalyDetector
    calibrators: tuple[TailCalibrator, TailCalibrator]

    def parts(self, obs: Observations) -> tuple[FloatArray, FloatArray]:
        """The two component scores."""
        z = self.baseline.transform(obs).z
        return self.forest.score_samples(z), TopTail().score_samples(z)

    def risk(self, obs: Observations) -> pd.Series[float]:
        """The displayed risk of every entity."""
        evidence = [calibrator.evidence(score) for calibrator, score in zip(self.calibrators, self.parts(obs), strict=True)]
        return pd.Series(display_risk(fuse(np.column_stack(evidence))), index=obs.values.index)


@pytest.fixture(scope="module")
def chain() -> Chain:
    """The chain fitted on one reference and calibrated on another."""
    first, second = observations(seed=1, size=600), observations(seed=3, size=600)
    baseline = PeerBaseline(SPECS).fit(first)
    forest = AnomalyDetector(n_estimators=100).fit(baseline.transform(first).z)
    bare = Chain(baseline, forest, (TailCalibrator(), TailCalibrator()))
    for calibrator, score in zip(bare.calibrators, bare.parts(second), strict=True):
        calibrator.fit(score)
    return bare


def with_hosting_traffic(obs: Observations) -> tuple[Observations, pd.Series[bool]]:
    """One affiliate in twenty of those with some traffic buys half its clicks from hosting centres."""
    bad = pd.Series(False, index=obs.values.index)
    bad[obs.volume[obs.volume > 100].index[::20]] = True
    values = obs.values.copy()
    values.loc[bad, "hosting_share"] = 0.3
    values.loc[bad, "conversion_ratio"] *= 0.3
    return replace(obs, values=values), bad


def test_planted_fraud_ranks_first_where_the_raw_forest_loses_it(chain: Chain) -> None:
    night, bad = with_hosting_traffic(observations(seed=5))
    raw = RawForestBaseline().fit(night.values.assign(clicks=night.volume)).score_samples(night.values.assign(clicks=night.volume))
    ours = average_precision(bad, chain.risk(night))
    assert ours > 0.9
    assert ours > average_precision(bad, raw) + 0.1


def test_an_honest_night_looks_like_the_reference(chain: Chain) -> None:
    scores = chain.parts(observations(seed=6, size=600))
    for calibrator, score in zip(chain.calibrators, scores, strict=True):
        assert 0.02 < (calibrator.p_value(score) < 0.05).mean() < 0.08


def test_swapping_ids_swaps_risks(chain: Chain) -> None:
    night, _ = with_hosting_traffic(observations(seed=5))
    swapped = dict(zip(night.values.index, reversed(list(night.values.index)), strict=True))
    values, support, groups = (frame.rename(index=swapped) for frame in (night.values, night.support, night.groups))
    renamed = Observations(values, support, groups, night.volume.rename(index=swapped))
    assert chain.risk(renamed).to_dict() == {swapped[name]: risk for name, risk in chain.risk(night).items()}


def test_one_more_average_affiliate_changes_nobodys_risk(chain: Chain) -> None:
    night = observations(seed=5)
    names = list(night.values.index)
    assert chain.risk(rows(night, names[:-1])).equals(chain.risk(night).iloc[:-1])


@pytest.mark.parametrize("column", ["hosting_share", "conversion_ratio", "clicks_per_minute", "gap_regularity"])
def test_a_column_that_stays_away_accuses_nobody(chain: Chain, column: str) -> None:
    night = observations(seed=5)
    less = replace(night, values=night.values.drop(columns=column))
    assert (chain.risk(less) - chain.risk(night)).max() < 0.2
