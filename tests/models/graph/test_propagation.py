"""What neighbours mean: a lean of half an order at most, two links far, and never for those nearer to the good."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.graph.edges import EntityTable, read_edges
from models.graph.projection import Links, project
from models.graph.propagation import MOST_CONTRIBUTION, closeness, neighbour_evidence


def chain(names: str = "abcdef") -> tuple[EntityTable, Links]:
    """Affiliates linked one to the next by a shared account each."""
    edges = [(who, "payout_account", f"p{n + side}") for n, who in enumerate(names) for side in (0, 1)]
    table = read_edges(pd.DataFrame(edges, columns=["affiliate_id", "kind", "entity"]))
    return table, project(table)


def test_two_links_are_enough_and_three_too_far() -> None:
    table, links = chain()
    found = dict(zip(table.affiliates, neighbour_evidence(table, links, ["a"]), strict=True))
    assert 0 < found["c"] <= found["b"] <= MOST_CONTRIBUTION
    assert found["a"] == found["d"] == found["f"] == 0.0


def test_a_confirmed_good_neighbour_takes_it_back() -> None:
    table, links = chain()
    alone, balanced = (neighbour_evidence(table, links, ["a"], good)[table.affiliates.index("b")] for good in ([], ["c"]))
    assert balanced < alone


def test_nobody_confirmed_means_nothing() -> None:
    table, links = chain()
    assert not neighbour_evidence(table, links, [], ["a"]).any()
    assert not neighbour_evidence(table, links, ["stranger"]).any()


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_the_lean_is_bounded_and_closeness_is_a_share(seed: int) -> None:
    rng = np.random.default_rng(seed)
    edges = pd.DataFrame({"affiliate_id": [f"a{n}" for n in rng.integers(0, 30, 80)], "kind": "device", "entity": rng.integers(0, 25, 80)})
    table = read_edges(edges)
    links = project(table)
    bad, good = [table.affiliates[0]], table.affiliates[1:3]
    found = neighbour_evidence(table, links, bad, good)
    assert ((found >= 0) & (found <= MOST_CONTRIBUTION)).all()
    assert closeness(table, links, bad).sum() <= 1.0 + 1e-9


def test_a_hub_reaches_nobody() -> None:
    edges = pd.DataFrame({"affiliate_id": [f"a{n}" for n in range(1_000)], "kind": "ip", "entity": "everyone"})
    table = read_edges(edges)
    assert not neighbour_evidence(table, project(table), ["a0"]).any()


@pytest.mark.parametrize("seeds", [["a"], ["a", "b"]])
def test_closeness_starts_with_the_confirmed(seeds: list[str]) -> None:
    table, links = chain()
    reached = dict(zip(table.affiliates, closeness(table, links, seeds), strict=True))
    assert min(reached[one] for one in seeds) > reached["f"] == 0.0
