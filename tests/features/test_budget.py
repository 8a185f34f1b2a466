"""How the local engine cuts its work, whatever the program's sizes and however little it may take."""

from __future__ import annotations

import threading
import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fraud.enrichment.egress_kernels import SIGHTING_TYPES
from fraud.features.clicks import CLICK_TYPES
from fraud.features.engines.budget import Budget, cut, side_by_side

SEEN, COUNTED = (sum(np.dtype(kind).itemsize for kind in kinds) for kinds in (SIGHTING_TYPES, CLICK_TYPES))
AFFILIATES = st.lists(st.integers(0, 5_000_000), max_size=40)
BUDGETS = st.builds(Budget, st.integers(1 << 23, 1 << 32), st.integers(0, 1 << 31), st.integers(5_000, 300_000))


@given(AFFILIATES, st.integers(0, 10_000_000), BUDGETS)
def test_every_part_is_scanned_once_and_no_scan_fills_the_disk(clicks: list[int], earlier: int, budget: Budget) -> None:
    inside = np.array(clicks, np.int64)
    total = int(inside.sum()) + earlier
    parts = cut(inside, total, budget)
    assert [part for scan in parts.affiliate_scans for part in scan] == list(range(parts.affiliates))
    assert [part for scan in parts.network_scans for part in scan] == list(range(parts.networks))
    for scan in parts.affiliate_scans:
        size = COUNTED * inside[np.isin(parts.place, scan)].sum()
        assert size <= budget.disk or len(scan) == 1
    for scan in parts.network_scans:
        assert SEEN * total * len(scan) / parts.networks <= budget.disk * 1.000001 or len(scan) == 1
    if parts.together:
        assert SEEN * total + COUNTED * inside.sum() <= budget.disk


@given(BUDGETS, st.integers(0, 1 << 34))
def test_a_program_with_many_distinct_values_has_less_for_its_clicks(budget: Budget, taken: int) -> None:
    left = budget.beside(taken)
    assert left.memory + taken == budget.memory or left.memory == budget.memory // 4
    assert (left.disk, left.most_rows) == (budget.disk, budget.most_rows)


@given(AFFILIATES, BUDGETS)
def test_a_part_holds_whole_affiliates_and_no_more_than_it_may(clicks: list[int], budget: Budget) -> None:
    inside = np.array(clicks, np.int64)
    parts = cut(inside, int(inside.sum()), budget)
    assert (np.diff(parts.place) >= 0).all()
    for part in range(parts.affiliates):
        own = inside[parts.place == part]
        assert own[:-1].sum() <= budget.part_rows
        too_many = own > max(budget.counted, budget.part_rows)
        assert (part in parts.large) == too_many.any()
        assert len(own) == 1 or not too_many.any()


def test_two_hundred_million_clicks_in_a_day() -> None:
    """One affiliate with a third of them, the others alike: ten gigabytes of disk, in a few scans."""
    inside = np.array([60_000_000, *[70_000] * 2_000])
    parts = cut(inside, 200_000_000, Budget())
    assert not parts.together
    assert len(parts.network_scans) + len(parts.affiliate_scans) == 2


def test_parts_at_work_never_take_more_than_the_room_unless_alone() -> None:
    lock, at_work, most = threading.Lock(), [], []

    def work(part: int) -> int:
        with lock:
            at_work.append(part)
            most.append(sum(sizes[one] for one in at_work) if len(at_work) > 1 else 0)
        time.sleep(0.001)
        with lock:
            at_work.remove(part)
        return part * part

    sizes = [3, 60, 200, 1, 1, 50, 50, 30, 80, 5] * 3
    told: list[int] = []
    assert list(side_by_side(work, sizes, 100, told.append)) == [part * part for part in range(len(sizes))]
    assert max(most) <= 100
    assert told == list(range(1, len(sizes) + 1))
