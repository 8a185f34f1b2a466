"""What chance gives two affiliates in common."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.graph.mixing import chance_evidence, mixing_rate


def test_the_rate_is_found_again_from_how_many_pairs_met() -> None:
    rng = np.random.default_rng(0)
    sizes = rng.lognormal(5, 1, 400).round()
    left, right = np.triu_indices(400, k=1)
    meetings = rng.poisson(2e-6 * sizes[left] * sizes[right])
    assert mixing_rate(sizes, int((meetings > 0).sum())) == pytest.approx(2e-6, rel=0.15)


def test_a_ring_hardly_moves_the_rate() -> None:
    sizes = np.full(200, 100.0)
    assert mixing_rate(sizes, 1_010) < 1.02 * mixing_rate(sizes, 1_000)


def test_a_handful_of_affiliates_are_believed_unrelated() -> None:
    assert mixing_rate(np.full(3, 10.0), 3) * 100 < 0.1


def test_nobody_and_no_link_have_no_rate() -> None:
    assert mixing_rate(np.array([5.0]), 0) == 0.0
    assert mixing_rate(np.full(4, 5.0), 0) == 0.0


@given(st.integers(0, 190), st.lists(st.integers(0, 5_000), min_size=20, max_size=20))
def test_the_rate_is_always_finite(linked: int, sizes: list[int]) -> None:
    assert 0 <= mixing_rate(np.array(sizes, dtype=np.float64), linked) < np.inf


def test_one_common_reader_is_never_beyond_chance() -> None:
    size = np.full(100, 40.0)
    found = chance_evidence(np.array([1.0, 20.0]), size[:2], size[:2], (size, mixing_rate(size, 2)))
    assert found[0] == 0.0
    assert found[1] > 2.0
