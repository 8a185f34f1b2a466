"""Evidence put together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.fusion import display_risk, fuse

EVIDENCE = st.lists(st.floats(0, 307), min_size=4, max_size=4)


def test_it_is_the_strongest_plus_three_tenths_of_all() -> None:
    assert fuse([[3.0, 1.0, 0.5, 0.0]]).tolist() == [3.0 + 0.3 * 4.5]


def test_an_unknown_component_adds_nothing_and_nothing_known_is_unknown() -> None:
    fused = fuse([[2.0, np.nan], [2.0, 0.0], [np.nan, np.nan]])
    assert fused[0] == fused[1] == 2.6
    assert np.isnan(fused[2])


@given(EVIDENCE, st.integers(0, 3), st.floats(0.01, 5))
def test_more_evidence_is_never_less(row: list[float], component: int, more: float) -> None:
    stronger = row.copy()
    stronger[component] += more
    before, after = fuse([row, stronger])
    assert after > before


@given(st.lists(EVIDENCE, min_size=1, max_size=4))
def test_a_row_fuses_the_same_alone(rows: list[list[float]]) -> None:
    assert fuse(rows).tolist() == [fuse([row])[0] for row in rows]


@given(st.floats(0, 2_000), st.floats(1e-6, 100))
def test_display_never_saturates(fused: float, more: float) -> None:
    low, high = display_risk([fused, fused + max(more, 1e-6 * fused)])
    assert 0 <= low < high < 1


def test_display_is_a_half_at_one_component_of_p_one_in_a_thousand() -> None:
    assert display_risk(fuse([[3.0, np.nan]]))[0] == pytest.approx(0.5)
    assert display_risk([0.0])[0] == 0.0
    assert np.isnan(display_risk([np.nan])).all()


@pytest.mark.parametrize("bad", [-0.1, np.inf])
def test_impossible_evidence_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="negative"):
        fuse([[bad, 1.0]])
    with pytest.raises(ValueError, match="negative"):
        display_risk([bad])
