"""Dense blocks: found whole under camouflage, and nothing in a crowd."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.graph import nulls
from models.graph.blocks import dense_blocks, densest_block
from models.graph.edges import read_edges
from models.graph.projection import project


def crowd(affiliates: int, people: int, seed: int) -> pd.DataFrame:
    """Affiliates of very different sizes whose readers come from one pool, some readers everywhere."""
    rng = np.random.default_rng(seed)
    sizes = rng.lognormal(np.log(150), 1.2, affiliates).clip(5, 3_000).astype(int)
    chance = 1.0 / np.sqrt(np.arange(1, people + 1))
    seen = rng.choice(people, sizes.sum(), p=chance / chance.sum())
    return pd.DataFrame({"affiliate_id": np.repeat([f"m{n}" for n in range(affiliates)], sizes), "kind": "device", "entity": seen})


def planted(name: str, members: int, camouflage: float, biased: bool, seed: int, share: float = 0.5) -> pd.DataFrame:
    """A block whose members hold a share of thirty things each, and so many others besides of what everybody holds."""
    rng = np.random.default_rng(seed)
    held = rng.random((members, 30)) < share
    who, what = np.nonzero(held)
    people, extra = 20_000, int(camouflage * share * 30)
    chance = 1.0 / np.sqrt(np.arange(1, people + 1))
    hidden = rng.choice(people, members * extra, p=chance / chance.sum() if biased else None)
    own = pd.DataFrame({"affiliate_id": [f"{name}{n}" for n in who], "entity": [f"{name}-{n}" for n in what]})
    rest = pd.DataFrame({"affiliate_id": np.repeat([f"{name}{n}" for n in range(members)], extra), "entity": hidden})
    return pd.concat([own, rest.astype({"entity": str})]).assign(kind="device")


@pytest.mark.parametrize(("camouflage", "biased"), [(0.0, False), (1.0, False), (2.0, False), (2.0, True)])
def test_planted_blocks_are_found_under_camouflage(camouflage: float, biased: bool) -> None:
    """The bar: at least 95% of the members of blocks of 3 to 20, at 95% precision."""
    blocks = {f"b{size}x": size for size in (3, 4, 5, 8, 12, 20)}
    found: set[str] = set()
    for seed in range(2):
        parts = [planted(f"{name}{seed}y", size, camouflage, biased, 10 * seed + size) for name, size in blocks.items()]
        table = read_edges(pd.concat([crowd(300, 20_000, seed).astype({"entity": str}), *parts]))
        found |= {table.affiliates[one] for block in dense_blocks(table) for one in block.affiliates.tolist()}
    truth = {f"{name}{seed}y{n}" for seed in range(2) for name, size in blocks.items() for n in range(size)}
    assert len(found & truth) >= 0.95 * len(truth)
    assert len(found & truth) >= 0.95 * len(found)


@pytest.mark.parametrize("seed", range(3))
def test_a_crowd_has_no_block(seed: int) -> None:
    assert dense_blocks(read_edges(crowd(200, 5_000, seed))) == []


def test_a_hub_of_a_thousand_adds_no_pair_and_no_block() -> None:
    hub = pd.DataFrame({"affiliate_id": [f"a{n}" for n in range(1_000)], "kind": "ip", "entity": "everyone"})
    table = read_edges(hub)
    assert project(table).left.size == 0
    assert dense_blocks(table) == []


def test_a_declared_group_is_no_block() -> None:
    edges = planted("g", 6, 0.0, False, 1)
    table = read_edges(edges, {f"g{n}": "agency" for n in range(6)})
    assert dense_blocks(table) == []


def brute_densest(weights: np.ndarray) -> float:
    """The greatest density of any block of a small matrix."""
    rows, columns = weights.shape
    best = 0.0
    for row_mask in range(1, 2**rows):
        row = [r for r in range(rows) if row_mask >> r & 1]
        for column_mask in range(1, 2**columns):
            column = [c for c in range(columns) if column_mask >> c & 1]
            best = max(best, float(weights[np.ix_(row, column)].sum()) / (len(row) + len(column)))
    return best


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_peeling_is_at_least_half_as_dense_as_the_best(seed: int) -> None:
    """Charikar's guarantee, which FRAUDAR's proof rests on."""
    rng = np.random.default_rng(seed)
    weights = np.where(rng.random((4, 5)) < 0.5, rng.uniform(0.1, 1.0, (4, 5)), 0.0)
    row, column = np.nonzero(weights)
    found = densest_block(row, column, weights[row, column])
    assert found.density >= 0.5 * brute_densest(weights) - 1e-9


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_density_is_that_of_the_block(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = np.where(rng.random((6, 8)) < 0.4, rng.uniform(0.1, 1.0, (6, 8)), 0.0)
    row, column = np.nonzero(weights)
    found = densest_block(row, column, weights[row, column])
    inside = float(weights[np.ix_(found.rows, found.columns)].sum()) / max(found.rows.size + found.columns.size, 1)
    assert found.density == pytest.approx(inside)


@given(st.permutations(range(120)))
@settings(max_examples=4, deadline=None)
def test_the_order_of_rows_changes_no_block(order: list[int]) -> None:
    edges = pd.concat([planted("p", 6, 1.0, False, 3), crowd(30, 4_000, 1).astype({"entity": str})], ignore_index=True)
    mixed = edges.iloc[[*order, *range(120, len(edges))]]
    first, second = (
        [(block.kind, block.affiliates.tolist(), round(block.density, 9)) for block in dense_blocks(read_edges(one))]
        for one in (edges, mixed)
    )
    assert first == second


def test_a_prior_suspicion_draws_its_row_in() -> None:
    row, column = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 2])
    plain = densest_block(row, column, np.ones(5))
    assert plain.rows.tolist() == [0, 1]
    suspected = densest_block(row, column, np.ones(5), prior=np.array([0.0, 0.0, 5.0]))
    assert 2 in suspected.rows.tolist()


def test_nothing_has_no_block() -> None:
    empty = np.empty(0, dtype=np.int64)
    assert densest_block(empty, empty, np.empty(0)).density == 0.0


def test_of_large_tables_a_part_is_shuffled(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read_edges(crowd(200, 5_000, 0))
    monkeypatch.setattr(nulls, "MOST_EDGES", 2_000)
    for part in nulls.shuffled_tables(whole):
        assert 0 < part.affiliate.size < whole.affiliate.size / 2
        assert len(part.affiliates) == part.owner.size == int(part.affiliate.max()) + 1


@given(st.integers(0, 1_000))
@settings(max_examples=10, deadline=None)
def test_a_shuffle_keeps_how_many_everybody_has_of_every_kind(seed: int) -> None:
    rng = np.random.default_rng(seed)
    entity, kind = rng.integers(0, 20, 60), np.sort(rng.integers(0, 3, 60))
    again = nulls.dealt_again(entity, kind, rng)
    for one in range(3):
        assert sorted(again[kind == one]) == sorted(entity[kind == one])
