"""The newest things by key, a bounded number of them."""

from __future__ import annotations

from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from fraud.domain.newest import Newest


def test_the_oldest_go_first_also_out_of_the_middle_of_a_group() -> None:
    newest: Newest[str, int] = Newest(4)
    newest.add(["a", "b", "c"], 1)
    newest.add(["d", "e", "f"], 2)
    assert list(zip(newest.keys(), newest.values(), strict=True)) == [("c", 1), ("d", 2), ("e", 2), ("f", 2)]
    assert newest.get("b") is None


def test_of_more_than_there_is_room_for_the_last_stay() -> None:
    newest: Newest[int, str] = Newest(2)
    newest.add(range(5), "together")
    assert list(newest.keys()) == [3, 4]


def test_what_was_dropped_and_comes_again_is_new() -> None:
    newest: Newest[str, int] = Newest(3)
    newest.add(["a", "b"], 1)
    newest.drop(["a"])
    newest.add(["c"], 2)
    newest.add(["a"], 3)
    newest.add(["d"], 4)
    assert list(zip(newest.keys(), newest.values(), strict=True)) == [("c", 2), ("a", 3), ("d", 4)]


@given(st.integers(1, 6), st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=8, unique=True), max_size=12))
def test_it_holds_what_a_dictionary_in_order_would(most: int, groups: list[list[int]]) -> None:
    newest: Newest[int, int] = Newest(most)
    plain: OrderedDict[int, int] = OrderedDict()
    for number, keys in enumerate(groups):
        fresh = [key for key in keys if key not in plain]
        if number % 3 == 2:
            newest.drop(keys)
            for key in keys:
                plain.pop(key, None)
            continue
        newest.add(fresh, number)
        plain.update(dict.fromkeys(fresh, number))
        while len(plain) > most:
            plain.popitem(last=False)
        assert list(zip(newest.keys(), newest.values(), strict=True)) == list(plain.items())
        assert len(newest) == len(plain)
