"""The figures that the detector and the ranker are held to, on data that nobody made up. Skipped where the data is not."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.real_data import (
    compare_on_sets,
    cross_validated_publishers,
    ranked_publishers,
    told_apart,
    unusual_publishers,
)

pytestmark = pytest.mark.data


def test_the_detector_beats_the_plain_forest_on_parts_of_the_benchmark_sets() -> None:
    results = compare_on_sets(seeds=[0], at_most=1_500)
    ours, theirs = np.mean([one.ours for one in results], axis=0), np.mean([one.theirs for one in results], axis=0)
    assert ours[0] >= theirs[0] + 0.02
    assert ours[1] >= theirs[1]


@pytest.mark.long
def test_the_detector_beats_the_plain_forest_on_the_benchmark_sets() -> None:
    results = compare_on_sets(seeds=[0, 1, 2, 3, 4])
    assert len(results) == 13
    ours, theirs = np.mean([one.ours for one in results], axis=0), np.mean([one.theirs for one in results], axis=0)
    assert ours[0] >= theirs[0] + 0.02
    assert ours[1] >= theirs[1]
    assert sum(one.ours[0] > one.theirs[0] for one in results) >= 9


def test_unusual_publishers_are_found_without_labels() -> None:
    ours, theirs = np.mean([unusual_publishers(seed) for seed in (0, 1)], axis=0)
    assert ours >= 0.25
    assert ours > theirs


@pytest.mark.long
@pytest.mark.xfail(strict=True, reason="The aim of .60 is missed: .58, see 'Ranker: publishers of FDMA 2012' in docs/benchmarks.md")
def test_the_ranker_beats_a_random_forest_on_other_publishers() -> None:
    figures = np.array([ranked_publishers(seed) for seed in range(10)])
    gain = figures[:, 0] - figures[:, 1]
    assert figures[:, 0].mean() >= 0.60
    assert gain.mean() - 2.262 * gain.std(ddof=1) / np.sqrt(10) > 0.0


@pytest.mark.long
def test_the_ranker_beats_a_random_forest_in_cross_validation() -> None:
    ours, theirs = cross_validated_publishers(seed=0)
    assert ours > theirs


@pytest.mark.parametrize(("kind", "least"), [("moderate_bot", 0.97), ("advanced_bot", 0.85)])
def test_bots_are_told_from_people_by_the_log_alone(kind: str, least: float) -> None:
    area, recall = told_apart(kind, seed=0, trees=60)
    assert area >= least
    assert recall > 0.0
