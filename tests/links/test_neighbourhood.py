"""A neighbourhood explains itself: who, by what, how rare, and what else it may mean."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import networkx as nx
import pandas as pd
import pytest

from fraud.app.graph import as_graphml, as_svg
from fraud.domain.graph_view import GraphLink, Neighbourhood
from fraud.errors import NotFound
from fraud.links.edges import COLUMNS
from fraud.links.kinds import LINK_KINDS, spoken
from fraud.links.neighbourhood import Standings, near_edges, neighbourhood

AS_OF = datetime(2026, 3, 4, tzinfo=UTC)
SEEN = datetime(2026, 3, 1)  # noqa: DTZ001 - as the lake gives it


def edges(*rows: tuple[str, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame([(*row, 2, SEEN, SEEN, "clicks") for row in rows], columns=list(COLUMNS))
    return frame.astype({"first_seen": "datetime64[us]", "last_seen": "datetime64[us]"})


def looked_at(frame: pd.DataFrame, affiliate_id: str, known: Standings | None = None) -> Neighbourhood:
    with closing(duckdb.connect()) as graph:
        graph.register("edges", frame)
        return neighbourhood(near_edges(graph, affiliate_id), affiliate_id, known or Standings(), ("p", AS_OF))


def around(known: Standings | None = None) -> Neighbourhood:
    rows = [(who, "payout_account", "iban") for who in ("a", "twin", "agency")]
    rows += [("a", "device", f"d{n}") for n in range(6)] + [("friend", "device", f"d{n}") for n in range(5)]
    rows += [("a", "device", "reader"), ("passer-by", "device", "reader"), ("stranger", "device", "own")]
    return looked_at(edges(*rows), "a", known)


def link(found: Neighbourhood, other: str) -> GraphLink:
    return next(one for one in found.links if {one.left, one.right} == {"a", other})


def test_every_edge_says_why_in_words_a_manager_understands() -> None:
    found = around()
    assert link(found, "twin").text == "a and twin have the same payout account, which two owners do not have by accident."
    assert link(found, "friend").text == "a and friend have 5 visitors’ devices, which strangers rarely have in common."
    assert link(found, "passer-by").text.endswith("which by itself says little.")
    assert "a family or an agency" in link(found, "twin").also_explained_by
    assert {edge.text for edge in found.edges if edge.entity == "payout_account:iban"} >= {
        "a: payout account, seen 2 times; 3 accounts have it."
    }
    assert all(edge.first_seen == SEEN.replace(tzinfo=UTC) for edge in found.edges)


def test_declared_groups_are_shown_and_not_accused() -> None:
    found = around(Standings(groups={"a": "one", "agency": "one"}, standing={"twin": "confirmed bad"}))
    assert link(found, "agency").declared
    assert link(found, "agency").text == "a and agency belong to one declared owner, and have the same payout account."
    assert not link(found, "twin").declared
    roles = {node.node_id: (node.role, node.standing) for node in found.nodes}
    assert roles["a"] == ("centre", "")
    assert roles["agency"] == ("declared", "")
    assert roles["twin"] == ("neighbour", "confirmed bad")
    assert "stranger" not in roles


def test_nobody_known_is_said_so() -> None:
    with pytest.raises(NotFound, match="Nothing is known of the affiliate 'nobody'"):
        looked_at(edges(("a", "device", "d")), "nobody")


def test_somebody_alone_has_no_links() -> None:
    found = looked_at(edges(("a", "device", "d"), ("b", "device", "e")), "a")
    assert (found.links, found.edges, [node.node_id for node in found.nodes]) == ((), (), ["a"])
    assert "<circle" in as_svg(found)


def test_the_export_is_graphml_that_networkx_reads_back(tmp_path: Path) -> None:
    file = tmp_path / "graph.graphml"
    file.write_text(as_graphml(around()))
    graph = nx.read_graphml(file)
    assert graph.edges["a", "twin"]["tier"] == "identity"
    assert graph.nodes["payout_account:iban"]["kind"] == "payout_account"


def boxes(svg: str) -> list[tuple[float, float, float, float]]:
    found = re.findall(r'<rect class="hub[^"]*" x="(-?\d+)" y="(-?\d+)" width="(\d+)" height="(\d+)"', svg)
    return [(float(x), float(y), float(width), float(height)) for x, y, width, height in found]


def test_the_drawing_is_legible_and_escapes_what_it_is_given() -> None:
    rows = [(f"<script>{n}", kind, f"{kind}{n // 2}") for n in range(10) for kind in ("payout_account", "tax_id", "phone")]
    rows += [("a", kind, f"{kind}{n}") for n in range(5) for kind in ("payout_account", "tax_id", "phone")]
    svg = as_svg(looked_at(edges(*rows), "a"))
    assert "<script>" not in svg
    placed = boxes(svg)
    assert placed
    width, height = map(float, re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups())  # type: ignore[union-attr]  # it is there
    for number, (x, y, wide, high) in enumerate(placed):
        assert 0 <= x <= x + wide <= width
        assert 0 <= y <= y + high <= height
        for other_x, other_y, other_wide, other_high in placed[:number]:
            assert x + wide <= other_x or other_x + other_wide <= x or y + high <= other_y or other_y + other_high <= y


def test_every_kind_is_spoken_of_in_both_numbers() -> None:
    for kind, known in LINK_KINDS.items():
        assert spoken(kind) == f"the same {known.what}"
        assert spoken(kind, 1_200).startswith("1,200 ")
        assert known.innocent
    assert spoken("moon_phase", 3) == "3 moon phases"
