"""A subject's figures beside its peers': whose peers, which figures, and when there is nothing to show."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fraud.detection.comparisons import FEWEST_PEERS, QUANTILES, PeerSpread
from fraud.detection.observations import volume_band
from fraud.detection.traffic import fit_traffic_model, judge
from fraud.features.catalogue import FEATURES
from fraud.features.table import FeatureTable
from tests.detection.tables import table_of

NAMED = {feature.name: feature for feature in FEATURES}


def spread_of(night: FeatureTable) -> PeerSpread:
    """The spread of a night judged by its own peers."""
    return PeerSpread(night, judge(fit_traffic_model(night), night))


def those_compared(night: FeatureTable, name: str, subject: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """By hand: the usable values of those of the subject's size, or of everybody where they are few."""
    usable = night.values[name][night.support[name] >= NAMED[name].minimum_support].dropna()
    bands = volume_band(night.facts["clicks"])
    peers = usable[bands[usable.index] == bands[subject]]
    return (peers if len(peers) >= FEWEST_PEERS else usable).to_numpy()


def test_quantiles_are_those_of_peers_of_the_same_size() -> None:
    night = table_of(200, seed=5)
    spread = spread_of(night)
    compared = [(subject, one) for subject in night.values.index for one in spread.of(subject)]
    assert compared
    for subject, one in compared:
        by_hand = np.quantile(those_compared(night, one.feature, subject), QUANTILES)
        assert one.quantiles == pytest.approx(tuple(by_hand), abs=1e-8)
        assert one.value == pytest.approx(night.values[one.feature][subject], abs=1e-8)


def test_the_most_telling_come_first_and_no_more_than_asked_for() -> None:
    night = table_of(200, seed=6)
    spread = spread_of(night)
    for subject in night.values.index:
        told = [one.z for one in spread.of(subject, most=2)]
        assert len(told) <= 2
        assert told == sorted(told, reverse=True)


def test_a_feature_that_nobody_has_enough_of_is_not_shown() -> None:
    night = table_of(60, seed=7)
    spread = spread_of(night)
    assert any(spread.of(subject) for subject in night.values.index)
    night.support.loc[:, :] = math.nan
    assert not any(PeerSpread(night, spread._judgement).of(subject) for subject in night.values.index)
