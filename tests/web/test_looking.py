"""Answers that take their time are found in the background, once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from fraud.errors import NotFound
from fraud.web.looking import Looks


def waited(looks: Looks, asked: tuple[str, ...], find: Callable[[], str]) -> str:
    """The answer, however busy the machine is."""
    while (found := looks.get(asked, find)) is None:
        pass
    return found


def test_an_answer_is_found_once_and_kept() -> None:
    looks, asked = Looks(), []

    def find() -> str:
        asked.append(1)
        return "found"

    assert [waited(looks, ("graph", "a"), find) for _ in range(3)] == ["found"] * 3
    assert asked == [1]


def test_what_takes_long_is_none_until_it_is_there() -> None:
    looks, gate = Looks(), threading.Event()

    def slow() -> str:
        gate.wait(10)
        return "found"

    assert looks.get(("graph", "a"), slow) is None
    gate.set()
    assert waited(looks, ("graph", "a"), slow) == "found"


def test_a_failure_is_raised_and_tried_anew() -> None:
    looks = Looks()

    def gone() -> str:
        raise NotFound("Nothing is known.")

    with pytest.raises(NotFound):
        waited(looks, ("graph", "a"), gone)
    assert waited(looks, ("graph", "a"), lambda: "now") == "now"


def test_answers_of_one_program_are_not_those_of_another() -> None:
    looks = Looks()
    assert waited(looks, ("graph", "one", "a"), lambda: "one") == "one"
    assert waited(looks, ("graph", "other", "a"), lambda: "other") == "other"
