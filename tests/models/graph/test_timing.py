"""Moments and patterns: replays are found, chance and bursts are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.graph.edges import read_edges
from models.graph.timing import SKETCH, gap_patterns, together


def shared(first: np.ndarray, second: np.ndarray) -> int:
    """How many patterns two series of clicks have in common."""
    who = np.repeat([0, 1], [first.size, second.size])
    owner, pattern = gap_patterns(who, np.concatenate([first, second]))
    return int(np.intersect1d(pattern[owner == 0], pattern[owner == 1]).size)


def series(seed: int, clicks: int = 300, mean_seconds: float = 400.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.exponential(mean_seconds, clicks) * 1e6).astype(np.int64)


def test_a_replay_keeps_its_gaps_whenever_it_is_played() -> None:
    one = series(1)
    assert shared(one, one + 123_456_789_000) > 0.8 * (one.size - 5)
    assert shared(one, series(2)) == 0


@pytest.mark.parametrize("mean_seconds", [1.0, 3.0])
def test_dense_traffic_repeats_itself_anyway(mean_seconds: float) -> None:
    assert shared(series(1, 2_000, mean_seconds), series(2, 2_000, mean_seconds)) == 0


def test_a_machine_of_one_gap_has_no_pattern() -> None:
    steady = np.arange(500, dtype=np.int64) * 60_000_000
    assert shared(steady, steady + 17_000_000) == 0


def test_a_sketch_is_bounded_and_keeps_what_two_share() -> None:
    one = series(3, 5_000)
    owner, pattern = gap_patterns(np.repeat([0, 1], 5_000), np.concatenate([one, one + 99_000_000]))
    assert np.bincount(owner).max() <= SKETCH
    assert np.intersect1d(pattern[owner == 0], pattern[owner == 1]).size > 0.9 * SKETCH


@given(st.permutations(range(60)))
@settings(max_examples=10, deadline=None)
def test_the_order_of_rows_changes_no_pattern(order: list[int]) -> None:
    who, at = np.repeat([0, 1], 30), np.concatenate([series(1, 30), series(2, 30)])
    first, second = gap_patterns(who, at), gap_patterns(who[order], at[order])
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def test_few_clicks_have_none() -> None:
    owner, pattern = gap_patterns(np.zeros(3, dtype=np.int64), np.arange(3, dtype=np.int64))
    assert owner.size == pattern.size == 0


def test_those_who_share_moments_beyond_chance_act_together() -> None:
    rng = np.random.default_rng(0)
    crowd = [(f"a{n}", "device_hour", str(one)) for n in range(60) for one in rng.integers(0, 50_000, 60)]
    farm = [(who, "device_hour", f"farm{n}") for who in "xyz" for n in range(20)]
    table = read_edges(pd.DataFrame(crowd + farm, columns=["affiliate_id", "kind", "entity"]))
    found = together(table)
    pairs = {(table.affiliates[left], table.affiliates[right]) for left, right in zip(found.links.left, found.links.right, strict=True)}
    assert pairs == {("x", "y"), ("x", "z"), ("y", "z")}
    assert found.evidence.min() > 5
