from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from fraud.domain.ids import id_of_event, new_id, new_ids, stable_id

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_new_ids_differ_and_sort_by_their_time() -> None:
    names = [new_id("dec", NOON + timedelta(milliseconds=step)) for step in range(50)]
    assert len(set(names)) == 50
    assert names == sorted(names)
    assert new_id("dec", NOON) != new_id("dec", NOON)


@pytest.mark.parametrize("count", [0, 1, 3, 7, 8, 40])
def test_many_names_of_one_moment_are_as_one_is(count: int) -> None:
    names, one = new_ids("dec", NOON, count), new_id("dec", NOON)
    assert len(set(names)) == count
    assert {(len(name), name[:12]) for name in names} <= {(len(one), one[:12])}
    assert all(new_id("dec", NOON - timedelta(milliseconds=1)) < name < new_id("dec", NOON + timedelta(milliseconds=1)) for name in names)


def test_a_forked_process_gives_names_of_its_own() -> None:
    new_ids("dec", NOON, 1)
    receiver, sender = os.pipe()
    child = os.fork()
    if not child:
        os.write(sender, new_ids("dec", NOON, 1)[0].encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(receiver, 100).decode() not in {"", *new_ids("dec", NOON, 1)}
    os.close(receiver)
    os.close(sender)


def test_an_event_has_one_name_whoever_gives_it_and_it_sorts_by_its_time() -> None:
    assert id_of_event("dec", NOON, "shoes", "c1") == id_of_event("dec", NOON, "shoes", "c1")
    assert len({id_of_event("dec", NOON, *parts) for parts in (("shoes", "c1"), ("shoe", "sc1"), ("shoes", "c2"))}) == 3
    assert new_id("dec", NOON - timedelta(seconds=1)) < id_of_event("dec", NOON, "shoes", "c1") < new_id("dec", NOON + timedelta(seconds=1))


def test_stable_ids_follow_from_what_they_name() -> None:
    assert stable_id("ring", "a", "b") == stable_id("ring", "a", "b")
    assert stable_id("ring", "a", "b") != stable_id("ring", "ab")
    assert stable_id("ring", "a", "b").startswith("ring_")
