"""The seeded tenth of the long tests."""

from __future__ import annotations

from collections import Counter

from tests.tenth import tenth

NAMES = [f"tests/test_a.py::test_b[{number}]" for number in range(95)]


def test_it_is_a_tenth_rounded_up_and_the_same_in_any_order() -> None:
    assert len(tenth(NAMES, "1")) == 10
    assert set(tenth(NAMES[::-1], "1")) == set(tenth(NAMES, "1"))
    assert tenth([], "1") == []


def test_other_seeds_reach_every_test() -> None:
    drawn = Counter(name for seed in range(200) for name in tenth(NAMES, str(seed)))
    assert set(drawn) == set(NAMES)
    assert max(drawn.values()) < 3 * min(drawn.values()) + 20
