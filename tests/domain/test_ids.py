from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fraud.domain.ids import new_id, stable_id

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_new_ids_differ_and_sort_by_their_time() -> None:
    names = [new_id("dec", NOON + timedelta(milliseconds=step)) for step in range(50)]
    assert len(set(names)) == 50
    assert names == sorted(names)
    assert new_id("dec", NOON) != new_id("dec", NOON)


def test_stable_ids_follow_from_what_they_name() -> None:
    assert stable_id("ring", "a", "b") == stable_id("ring", "a", "b")
    assert stable_id("ring", "a", "b") != stable_id("ring", "ab")
    assert stable_id("ring", "a", "b").startswith("ring_")
