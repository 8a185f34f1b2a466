"""Who meets whom: what counting every pair by hand gives, on one thread as on several."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.graph import meetings as under_test
from models.graph.meetings import Incidence, Meetings, meetings

AFFILIATES, ENTITIES, STRATA = 7, 9, 3


def incidence(pairs: set[tuple[int, int]]) -> Incidence:
    ordered = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    entities, weight = np.arange(ENTITIES, dtype=np.int64), 0.5 + np.arange(ENTITIES, dtype=np.float64)
    return Incidence(ordered[:, 0].copy(), ordered[:, 1].copy(), AFFILIATES, entities % STRATA, weight)


def counted(pairs: set[tuple[int, int]]) -> tuple[Counter[tuple[int, int, int]], Counter[tuple[int, int]]]:
    """How often two meet at entities of each class, and what those weigh."""
    met: Counter[tuple[int, int, int]] = Counter()
    weight: Counter[tuple[int, int]] = Counter()
    for one, thing in pairs:
        for other, same in pairs:
            if one < other and thing == same:
                met[one, other, thing % STRATA] += 1
                weight[one, other] += 0.5 + thing  # type: ignore[assignment]  # a counter of weights
    return met, weight


def told(found: Meetings) -> tuple[Counter[tuple[int, int, int]], Counter[tuple[int, int]]]:
    sides = list(zip(found.left.tolist(), found.right.tolist(), strict=True))
    rows = zip(found.pair.tolist(), found.stratum.tolist(), found.shared.tolist(), strict=True)
    return Counter({(*sides[pair], stratum): shared for pair, stratum, shared in rows}), Counter(
        dict(zip(sides, found.weight.tolist(), strict=True))
    )


EDGES = st.sets(st.tuples(st.integers(0, AFFILIATES - 1), st.integers(0, ENTITIES - 1)), max_size=40)


@given(EDGES)
@settings(max_examples=60, deadline=None)
def test_meetings_are_those_of_counting_pairs(pairs: set[tuple[int, int]]) -> None:
    found = meetings(incidence(pairs))
    assert told(found) == counted(pairs)
    keys = found.left * AFFILIATES + found.right
    assert np.array_equal(keys, np.unique(keys))
    assert np.array_equal(found.pair, np.sort(found.pair))


def test_several_threads_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = {(one, thing) for one in range(AFFILIATES) for thing in range(ENTITIES) if (one * 5 + thing * 3) % 4}
    alone = told(meetings(incidence(pairs)))
    monkeypatch.setattr(under_test, "_WORTH_A_THREAD", 1)
    monkeypatch.setattr(under_test, "threads", lambda _: 3)
    assert told(meetings(incidence(pairs))) == alone == counted(pairs)


def test_more_pairs_than_there_was_room_for() -> None:
    everybody = Incidence(np.arange(200), np.zeros(200, dtype=np.int64), 200, np.zeros(1, dtype=np.int64), np.ones(1))
    found = meetings(everybody)
    assert found.left.size == 200 * 199 // 2
    assert found.shared.sum() == found.weight.sum() == found.left.size
