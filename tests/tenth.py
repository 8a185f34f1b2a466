"""`pytest --tenth SEED`: a tenth of the long tests runs with the others, another tenth for another seed, the same for the same."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    parser.addoption("--tenth", metavar="SEED", default=None, help="run a tenth of the long tests too, chosen by this seed")


def choose_tenth(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Takes the mark `long` from the chosen tests, before others are left out by it."""
    seed = config.getoption("--tenth")
    if seed is None:
        return
    long = {item.nodeid: item for item in items if item.get_closest_marker("long")}
    for nodeid in tenth(list(long), str(seed)):
        item = long[nodeid]
        item.own_markers[:] = [mark for mark in item.own_markers if mark.name != "long"]


def tenth(names: Sequence[str], seed: str) -> list[str]:
    """A tenth of the names, rounded up: the same ones whatever their order, each as likely as any other over all seeds."""
    drawn = sorted(names, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())
    return drawn[: -(-len(drawn) // 10)]
