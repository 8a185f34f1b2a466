"""Rings: who is reported, who is not, and what is shared."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.graph import pair_similarity, ring_graph, rings

ROOT = Path(__file__).parents[3]
Edge = tuple[str, str, str]


def frame(*edges: Edge) -> pd.DataFrame:
    """Edges as a frame."""
    return pd.DataFrame(edges, columns=["affiliate_id", "kind", "entity"])


def honest(count: int = 200, seed: int = 0) -> list[Edge]:
    """Affiliates with forty readers each, few of whom they have in common."""
    rng = np.random.default_rng(seed)
    return [
        (f"h{number}", kind, f"{kind}{entity}")
        for number in range(count)
        for kind in ("device", "ip")
        for entity in rng.integers(0, 300_000, 40)
    ]


def market(affiliates: int, people: int, seed: int = 0) -> pd.DataFrame:
    """Affiliates of very different sizes whose readers come from one pool and bring a device, an address, perhaps a purchase."""
    rng = np.random.default_rng(seed)
    sizes = rng.lognormal(np.log(150), 1.2, affiliates).clip(5, 3_000).astype(int)
    readers = [rng.integers(0, people, size) for size in sizes]
    frames = [
        pd.DataFrame({"affiliate_id": f"m{number}", "kind": kind, "entity": of_kind.astype(str)})
        for number, seen in enumerate(readers)
        for kind, of_kind in (("device", seen), ("ip", seen // 2), ("customer", seen[: max(1, len(seen) // 30)]))
    ]
    return pd.concat(frames, ignore_index=True)


def planted(members: int = 5, devices: int = 30) -> list[Edge]:
    """A ring whose members share devices and addresses, among readers of their own."""
    shared = [
        (f"r{number}", kind, f"{kind}-ring{entity}") for number in range(members) for kind in ("device", "ip") for entity in range(devices)
    ]
    own = [(f"r{number}", "device", f"own{number}-{entity}") for number in range(members) for entity in range(60)]
    return shared + own


def test_a_planted_ring_is_found_whole_and_alone() -> None:
    (ring,) = rings(frame(*honest(), *planted()))
    assert ring["affiliate_ids"] == ["r0", "r1", "r2", "r3", "r4"]
    assert ring["shared"] == [{"kind": "device", "count": 30}, {"kind": "ip", "count": 30}]
    assert 0.5 < ring["score"] < 1


def test_an_identity_links_two_by_itself_and_scores_highest() -> None:
    found = rings(frame(*planted(), ("x", "payout_account", "IBAN1"), ("y", "payout_account", "IBAN1"), ("z", "payout_account", "IBAN2")))
    assert found[0]["affiliate_ids"] == ["x", "y"]
    assert found[0]["shared"] == [{"kind": "payout_account", "count": 1}]
    assert found[0]["score"] > 0.99
    assert found[1]["affiliate_ids"] == ["r0", "r1", "r2", "r3", "r4"]


def test_a_common_reader_accuses_nobody() -> None:
    edges = [(affiliate, kind, "one") for affiliate in "abc" for kind in ("device",)]
    chain: list[Edge] = [("a", "device", "d1"), ("b", "device", "d1"), ("b", "ip", "i1"), ("c", "ip", "i1")]
    assert rings(frame(*edges)) == []
    assert rings(frame(*chain)) == []


def test_common_customers_are_business_not_ownership() -> None:
    assert rings(frame(("a", "customer", "c1"), ("b", "customer", "c1"))) == []


def test_two_without_a_shared_identity_are_no_ring() -> None:
    assert rings(frame(*planted(members=2))) == []


@pytest.mark.parametrize(("affiliates", "people"), [(20, 3_000), (20, 20_000), (200, 20_000), (200, 200_000)])
def test_a_market_whose_readers_follow_many_affiliates_accuses_nobody(affiliates: int, people: int) -> None:
    assert rings(market(affiliates, people)) == []


@pytest.mark.parametrize(("affiliates", "people"), [(20, 20_000), (200, 20_000), (200, 200_000)])
def test_a_ring_in_such_a_market_is_found_alone(affiliates: int, people: int) -> None:
    (ring,) = rings(pd.concat([market(affiliates, people), frame(*planted())]))
    assert ring["affiliate_ids"] == ["r0", "r1", "r2", "r3", "r4"]


def test_an_address_and_its_network_are_one_reason() -> None:
    edges = [(affiliate, kind, f"{kind}{number}") for affiliate in "abc" for kind in ("ip", "network") for number in range(4)]
    assert rings(frame(*edges)) == []


def test_five_strong_entities_of_one_kind_suffice() -> None:
    edges = [(affiliate, "analytics_id", f"UA-{number}") for affiliate in "abc" for number in range(5)]
    assert rings(frame(*edges))[0]["shared"] == [{"kind": "analytics_id", "count": 5}]
    assert rings(frame(*(edge for edge in edges if edge[2] != "UA-0"))) == []


def test_an_unknown_kind_is_weak() -> None:
    edges = [(affiliate, "moon_phase", f"m{number}") for affiliate in "abc" for number in range(9)]
    assert rings(frame(*edges)) == []


@pytest.mark.parametrize("kind", ["ip", "device", "payout_account"])
def test_a_hub_of_a_thousand_adds_no_pair(kind: str) -> None:
    hub = [(f"a{number}", kind, "everyone") for number in range(1_000)]
    assert len(pair_similarity(frame(*hub))) == 0
    assert rings(frame(*hub)) == []


def test_the_cap_follows_the_size_of_the_program() -> None:
    crowd = [(f"a{number}", "ip", f"own{number}") for number in range(5_000)]
    shared = [(f"a{number}", "ip", "shared") for number in range(60)]
    assert len(pair_similarity(frame(*crowd, *shared))) == 60 * 59 // 2
    assert len(pair_similarity(frame(*crowd[:1_000], *shared))) == 0


def test_the_rarer_of_two_shared_things_says_more() -> None:
    edges = [("a", "ip", "rare"), ("b", "ip", "rare")] + [(affiliate, "ip", "common") for affiliate in "cdefghij"]
    similarity = pair_similarity(frame(*edges)).set_index(["left", "right"])["similarity"]
    assert similarity["a", "b"] == pytest.approx(1 / np.log(5))
    assert similarity["c", "d"] == pytest.approx(1 / (7 * np.log(11)))


@pytest.mark.parametrize("mask", [["ip1", "ip2"], {("ip", "ip1"), ("ip", "ip2")}, pd.DataFrame({"kind": "ip", "entity": ["ip1", "ip2"]})])
def test_shared_egress_is_left_out(mask: list[str]) -> None:
    edges = [(affiliate, "ip", f"ip{number}") for affiliate in "abc" for number in (1, 2)]
    edges += [(affiliate, "device", f"device-{affiliate}") for affiliate in "abc"]
    assert len(pair_similarity(frame(*edges))) == 3
    assert len(pair_similarity(frame(*edges), mask=mask)) == 0


def test_an_identity_is_not_masked_by_a_bare_name() -> None:
    edges = frame(("a", "tax_id", "7"), ("b", "tax_id", "7"))
    assert len(rings(edges, mask=["7"])) == 1


@pytest.mark.parametrize(
    "groups",
    [
        {f"r{number}": "agency" for number in range(5)},
        pd.Series("agency", index=[f"r{number}" for number in range(5)]),
        pd.DataFrame({"affiliate_id": [f"r{number}" for number in range(5)], "group_id": "agency"}),
    ],
)
def test_a_declared_group_is_not_accused(groups: dict[str, str]) -> None:
    edges = frame(*planted(), *((f"r{number}", "payout_account", "P") for number in range(5)))
    assert rings(edges, groups=groups) == []


def test_a_stranger_who_shares_with_a_declared_group_is_seen() -> None:
    groups = {f"r{number}": "agency" for number in range(4)}
    edges = frame(*planted(), *((f"r{number}", "payout_account", "P") for number in range(5)))
    assert rings(edges, groups=groups)[0]["affiliate_ids"] == ["r0", "r1", "r2", "r3", "r4"]


def test_unknown_groups_are_no_group() -> None:
    edges = frame(*planted())
    groups = pd.DataFrame({"affiliate_id": ["r0", "r1", "r2"], "group_id": [None, np.nan, ""]})
    assert len(rings(edges, groups=groups)) == 1


def test_the_ring_keeps_its_name_whatever_it_shares() -> None:
    few, many = rings(frame(*planted(devices=10))), rings(frame(*planted(devices=30)))
    assert few[0]["ring_id"] == many[0]["ring_id"]
    assert rings(frame(*planted(members=4)))[0]["ring_id"] != many[0]["ring_id"]


@given(st.permutations(range(30)))
@settings(max_examples=20, deadline=None)
def test_the_order_of_rows_and_repeats_change_nothing(order: list[int]) -> None:
    edges = frame(*planted(members=3, devices=5)).iloc[:30]
    assert rings(pd.concat([edges.iloc[order], edges])) == rings(edges)


def test_renaming_affiliates_renames_the_ring() -> None:
    edges = frame(*honest(50), *planted())
    renamed = edges.assign(affiliate_id=edges["affiliate_id"].str.replace("r", "zz"))
    before, after = rings(edges)[0], rings(renamed)[0]
    assert after["affiliate_ids"] == [name.replace("r", "zz") for name in before["affiliate_ids"]]
    assert after["score"] == pytest.approx(before["score"], rel=1e-12)


def test_an_unrelated_affiliate_changes_no_ring() -> None:
    edges = frame(*planted())
    assert rings(pd.concat([edges, frame(("new", "device", "of its own"))])) == rings(edges)


def test_two_rings_joined_by_a_thread_are_cut_apart() -> None:
    first = [(f"a{n:02d}", kind, f"{kind}A{e}") for n in range(25) for kind in ("device", "ip") for e in range(10)]
    second = [(f"b{n:02d}", kind, f"{kind}B{e}") for n in range(25) for kind in ("device", "ip") for e in range(10)]
    thread: list[Edge] = [(one, "device", f"t{number}") for one in ("a00", "b00") for number in range(2)]
    found = rings(frame(*honest(150), *first, *second, *thread))
    assert sorted(len(ring["affiliate_ids"]) for ring in found) == [25, 25]


def test_an_edge_without_an_entity_is_unknown() -> None:
    edges = pd.DataFrame({"affiliate_id": ["a", "b", "c"], "kind": ["payout_account"] * 3, "entity": [None, np.nan, " "]})
    assert rings(edges) == []
    assert rings(edges.iloc[:0]) == []


def test_numbers_serve_as_ids() -> None:
    edges = pd.DataFrame({"affiliate_id": [1, 2], "kind": ["tax_id", "Tax_ID "], "entity": [77, 77]})
    assert rings(edges)[0]["affiliate_ids"] == ["1", "2"]


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        (pd.DataFrame({"affiliate_id": ["a"], "thing": ["x"]}), "missing: kind, entity; found: affiliate_id, thing"),
        (pd.DataFrame({"affiliate_id": ["a", None], "kind": ["ip", "ip"], "entity": ["x", "y"]}), "needs its affiliate_id; row 1 has none"),
        (pd.DataFrame({"affiliate_id": ["a"], "kind": [""], "entity": ["x"]}), "needs its kind; row 0"),
        (pd.DataFrame({"affiliate_id": ["a"], "kind": ["ip"], "entity": ["x"], "count": ["many"]}), "`count` of an edge must be a number"),
    ],
)
def test_unusable_edges_are_refused(edges: pd.DataFrame, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rings(edges)


def test_unusable_groups_and_masks_are_refused() -> None:
    edges = frame(("a", "ip", "x"))
    with pytest.raises(ValueError, match="Groups must map"):
        rings(edges, groups=["a"])  # type: ignore[arg-type]  # what a user might pass
    with pytest.raises(ValueError, match="columns affiliate_id and group_id"):
        rings(edges, groups=edges)
    with pytest.raises(ValueError, match="not one text"):
        rings(edges, mask="x")
    with pytest.raises(ValueError, match="columns kind and entity"):
        rings(edges, mask=pd.DataFrame({"ip": ["x"]}))


def test_the_graph_of_a_ring_shows_who_shares_what() -> None:
    edges = pd.concat([frame(*planted(members=3, devices=2)).assign(count=4), frame(("other", "ip", "ip-ring0")).assign(count=1)])
    graph = ring_graph(edges, ["r0", "r1", "r2"])
    assert nx.is_bipartite(graph)
    assert {data["kind"] for _, data in graph.nodes(data=True)} == {"affiliate", "device", "ip"}
    assert sorted(graph["ip:ip-ring0"]) == ["affiliate:r0", "affiliate:r1", "affiliate:r2"]
    assert graph.edges["affiliate:r0", "device:device-ring1"]["count"] == 4
    assert len(graph) == 3 + 4


SCRIPT = """
import pandas as pd
from models import rings
edges = [(f"a{n}", k, f"{k}{e}") for n in range(60) for k in ("device", "ip") for e in range(n // 5 * 9, n // 5 * 9 + 10)]
print(rings(pd.DataFrame(edges, columns=["affiliate_id", "kind", "entity"])))
"""


def test_two_processes_find_the_same_rings() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT], cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
    assert "ring_" in next(iter(found))


def test_scores_lie_between_zero_and_one() -> None:
    sizes = itertools.product((3, 8, 20), (10, 60))
    scores = [rings(frame(*honest(60), *planted(members, devices)))[0]["score"] for members, devices in sizes]
    assert all(0 < score < 1 for score in scores)
