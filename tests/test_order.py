"""The order in which several processes take up test files."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.order import LONG_FILES, longest_first


def ordered(*nodeids: str) -> list[str]:
    items: list[Any] = [SimpleNamespace(nodeid=nodeid) for nodeid in nodeids]
    return [item.nodeid for item in longest_first(items)]


def test_long_files_come_first_then_those_with_many_tests() -> None:
    long, few, many = f"{LONG_FILES[0]}::test_a", "tests/test_few.py::test_a", [f"tests/test_many.py::test_{name}" for name in "cab"]
    assert ordered(few, many[0], many[1], long, many[2]) == [long, *many, few]


def test_every_long_file_is_there() -> None:
    root = Path(__file__).parents[1]
    assert [name for name in LONG_FILES if not (root / name).is_file()] == []
    assert len(set(LONG_FILES)) == len(LONG_FILES)
