"""What compiled loops share: numbers are sorted as numpy sorts them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.compiling import sort_values


@pytest.mark.parametrize("kind", [np.float64, np.int32])
@given(st.lists(st.integers(-100, 100), max_size=60))
@settings(max_examples=60, deadline=None)
def test_numbers_are_sorted(kind: type[np.generic], numbers: list[int]) -> None:
    values: NDArray[np.generic] = np.array(numbers, kind)
    expected = np.sort(values)
    sort_values(values)
    assert (values == expected).all()
