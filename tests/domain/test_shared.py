"""Sequences in which few different things stand many times."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fraud.domain.shared import Shared

A, B, C = ["a"], ["b"], ["c"]


def test_each_thing_is_held_once() -> None:
    shared = Shared.of([A, B, A, A])
    assert (shared.different, shared.which, list(shared)) == ([A, B], [0, 1, 0, 0], [A, B, A, A])
    assert shared.numbers.tolist() == [0, 1, 0, 0]


def test_things_found_by_name_are_held_once_though_two_names_have_one() -> None:
    shared = Shared.by(["x", "z", "y"], {"x": A, "y": A, "z": B})
    assert (shared.different, list(shared)) == ([A, B], [A, B, A])


def test_a_stretch_is_without_what_only_others_have() -> None:
    part = Shared.of([A, B, C, B])[1:3]
    assert (part.different, part.which) == ([B, C], [0, 1])


@given(st.lists(st.sampled_from([A, B, C])), st.data())
def test_it_reads_as_the_list_it_was_made_of(things: list[list[str]], data: st.DataObject) -> None:
    shared = Shared.of(things)
    assert list(shared) == things
    start, end = data.draw(st.integers(0, len(things))), data.draw(st.integers(0, len(things)))
    assert list(shared[start:end]) == things[start:end]
    places = data.draw(st.lists(st.integers(0, len(things) - 1), max_size=5)) if things else []
    assert list(shared.only(places)) == [things[place] for place in places]
