from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fraud.enrichment.ranges import Layer, Ranges, joined, layer_of

HALF = (1 << 64) - 1


def ranges(*pairs: tuple[int, int]) -> Ranges:
    """Ranges of whole numbers of 128 bits."""

    def half(numbers: list[int], shift: int) -> np.ndarray:
        return np.array([number >> shift & HALF for number in numbers], np.uint64)

    first, last = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return Ranges(half(first, 64), half(first, 0), half(last, 64), half(last, 0))


def layer(pairs: list[tuple[int, int]], rank: list[int] | None = None) -> Layer:
    return layer_of(ranges(*pairs), np.array(rank or [0] * len(pairs), np.int64), np.arange(len(pairs), dtype=np.int32))


def at(found: Layer, *numbers: int) -> list[int]:
    asked = ranges(*((number, number) for number in numbers))
    return [int(row) for row in found.rows_at(asked.first_high, asked.first_low)]


def test_between_ranges_nothing_is_said() -> None:
    assert at(layer([(10, 19), (30, 30)]), 9, 10, 19, 20, 29, 30, 31) == [-1, 0, 0, -1, -1, 1, -1]


def test_of_nested_ranges_the_most_specific_holds() -> None:
    assert at(layer([(0, 100), (10, 50), (20, 30)]), 5, 15, 25, 35, 60) == [0, 1, 2, 1, 0]


def test_a_better_rank_holds_over_a_more_specific_range() -> None:
    assert at(layer([(20, 30), (0, 100)], rank=[1, 0]), 25) == [1]


def test_the_halves_carry_into_one_another_and_the_space_has_an_end() -> None:
    top = (1 << 128) - 1
    found = layer([(0, HALF), (HALF + 1, HALF + 5), (top - 1, top)])
    assert at(found, HALF, HALF + 1, HALF + 6, top - 2, top) == [0, 1, -1, -1, 2]


def test_no_ranges_say_nothing() -> None:
    assert at(layer_of(joined([]), np.zeros(0, np.int64), np.zeros(0, np.int32)), 0, 5) == [-1, -1]


def test_deep_nesting_is_cheap() -> None:
    deep = layer([(number, 200_000 - number) for number in range(100_000)])
    assert at(deep, 0, 99_999, 150_000) == [0, 99_999, 50_000]


@st.composite
def overlapping(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    numbers = st.one_of(st.integers(0, 60), st.integers(HALF - 20, HALF + 20))
    pairs = draw(st.lists(st.tuples(numbers, numbers, st.integers(0, 2)), min_size=1, max_size=12))
    return [(min(a, b), max(a, b), rank) for a, b, rank in pairs]


@given(overlapping())
def test_the_layer_says_what_asking_every_range_would(drawn: list[tuple[int, int, int]]) -> None:
    found = layer([(first, last) for first, last, _ in drawn], [rank for _, _, rank in drawn])
    points = sorted({point + step for first, last, _ in drawn for point in (first, last) for step in (-1, 0, 1) if point + step >= 0})
    for point, row in zip(points, at(found, *points), strict=True):
        covering = [(rank, -first, last) for first, last, rank in drawn if first <= point <= last]
        best = min(covering) if covering else None
        said = (drawn[row][2], -drawn[row][0], drawn[row][1]) if row >= 0 else None
        assert said == best
