"""The kernels' own sort: the order that numpy gives, whatever stands there already."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraud.enrichment.compiled import first_at, order_by, room

ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12), st.integers(-1, 2)), max_size=120)


@given(ROWS)
@settings(max_examples=100, deadline=None)
def test_rows_are_in_the_order_of_group_time_and_tie(rows: list[tuple[int, int, int]]) -> None:
    group, time, tie = (np.array([row[place] for row in rows], kind) for place, kind in enumerate((np.int32, np.int64, np.int32)))
    order, begins = order_by(group, 4, time, tie)
    assert order.tolist() == np.lexsort((tie, time, group)).tolist()
    assert np.diff(begins).tolist() == np.bincount(group, minlength=4).tolist()


@pytest.mark.parametrize("step", [1, -1])
def test_many_rows_in_order_and_against_it(step: int) -> None:
    time = np.arange(5_000, dtype=np.int64)[::step].copy()
    same = np.zeros(5_000, np.int32)
    order, _ = order_by(same, 1, time, same)
    assert (time[order] == np.arange(5_000)).all()


@given(st.lists(st.integers(-5, 5), max_size=30), st.integers(-6, 6))
@settings(max_examples=60, deadline=None)
def test_the_first_place_of_a_number(numbers: list[int], value: int) -> None:
    ascending = np.array(sorted(numbers), np.int64)
    assert first_at(ascending, value) == np.searchsorted(ascending, value)


@pytest.mark.parametrize("shape", [(3,), (3, 2)])
def test_room_keeps_what_is_there(shape: tuple[int, ...]) -> None:
    held = np.arange(np.prod(shape), dtype=np.int64).reshape(shape)
    larger = room(held, 10)
    assert larger.shape == (10, *shape[1:])
    assert (larger[:3] == held).all()
    assert room(larger, 10) is larger or (room(larger, 10) == larger).all()
