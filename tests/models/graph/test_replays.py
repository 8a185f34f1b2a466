"""Recordings that are played again: told from habits by the moment of the day, from their victims by who came first."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.graph.replays import Replays, Visits, repeat_evidence, replays

MOMENTS = 8_640
Rows = list[tuple[int, int, int, int]]
"""Affiliate, device, day, moment."""


def looked_at(rows: Rows, affiliates: int) -> Replays:
    columns = np.array(sorted(set(rows)), dtype=np.int64).reshape(-1, 4).T
    return replays(Visits(*columns), affiliates)


def crowd(affiliates: int, seed: int = 0) -> Rows:
    """Visitors who come on several days to several affiliates, at any time."""
    rng = np.random.default_rng(seed)
    size = 200 * affiliates
    columns = (rng.integers(0, affiliates, size), rng.integers(0, 500, size), rng.integers(0, 28, size), rng.integers(0, MOMENTS, size))
    return list(zip(*(column.tolist() for column in columns), strict=True))


def recording(affiliate: int, days: range, plays: int, seed: int) -> Rows:
    """So many plays from one recording of 400 visits by devices 10,000 and up."""
    moments = np.random.default_rng(99).integers(0, MOMENTS, 400)
    rng = np.random.default_rng(seed)
    which = rng.integers(0, 400, plays)
    return [(affiliate, 10_000 + int(one), int(rng.choice(days)), int(moments[one])) for one in which]


def test_habits_are_allowed_and_recordings_are_not() -> None:
    evidence = repeat_evidence(np.array([1.0, 4.0, 6.0, 40.0]), np.array([5_000.0, 100_000.0, 20_000.0, 60.0]))
    assert evidence[:3].tolist() == [0.0, 0.0, 0.0]
    assert evidence[3] > 20


def test_a_crowd_that_comes_back_plays_nothing() -> None:
    found = looked_at(crowd(50), 50)
    assert found.recording.max() == -1
    assert found.repeated.sum() >= 5  # by chance


def test_a_few_plays_are_known_by_what_others_played_before() -> None:
    rows = crowd(50) + recording(50, range(20), 300, 1) + recording(51, range(10, 25), 200, 2) + recording(52, range(25, 28), 15, 3)
    found = looked_at(rows, 53)
    assert found.recording[:50].max() == -1
    assert len(set(found.recording[50:].tolist())) == 1
    assert found.evidence[52] > 4


def test_whose_clicks_were_recorded_is_not_accused() -> None:
    victim = [(0, device, 0, 17 * device % MOMENTS) for device in range(100)]
    thief = [(1, device, day, moment) for day in (3, 4) for _, device, _, moment in victim]
    found = looked_at(crowd(0) + victim + thief, 2)
    assert found.repeated.tolist() == [0.0, 100.0]
    assert found.recording[0] == -1
    assert found.recording[1] >= 0


def test_two_recordings_are_told_apart() -> None:
    other = [(who, device + 5_000, day, moment) for who, device, day, moment in recording(2, range(28), 300, 5)]
    found = looked_at(recording(0, range(28), 300, 4) + recording(1, range(28), 300, 6) + other, 3)
    assert found.recording[0] == found.recording[1] != found.recording[2]


def test_nothing_repeats_nothing() -> None:
    assert looked_at([], 0).evidence.size == 0


def counted(rows: Rows, affiliates: int) -> tuple[list[int], list[int]]:
    """Repeats and chances, pair by pair."""
    distinct = set(rows)
    repeated = [
        len({(d, m) for a, d, day, m in distinct if a == who and any(o[1:] == (d, e, m) for o in distinct for e in range(day))})
        for who in range(affiliates)
    ]
    chances = [sum(o[1] == d and o[2] < day for a, d, day, _ in distinct if a == who for o in distinct) for who in range(affiliates)]
    return repeated, chances


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 4), st.integers(0, 2)), min_size=1, max_size=25))
@settings(max_examples=30, deadline=None)
def test_repeats_and_chances_are_those_of_counting_pairs(rows: Rows) -> None:
    found = looked_at(rows, 3)
    assert (found.repeated.tolist(), found.chances.tolist()) == counted(rows, 3)
