"""`fraud graph`: words for people, JSON for machines, files for tools."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import pytest

from tests.cli.commands import fraud


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    accounts, clicks = tmp_path / "affiliates.csv", tmp_path / "clicks.csv"
    accounts.write_text("affiliate_id,payout_account,tax_id\na,IBAN1,T1\nb,iban 1,T2\nc,IBAN3,T3\n")
    clicks.write_text("click_id,clicked_at,affiliate_id,device_id\n1,2026-03-01T10:00:00Z,a,d1\n2,2026-03-01T11:00:00Z,c,d1\n")
    folder = tmp_path / "workspace"
    for kind, file in (("affiliates", accounts), ("clicks", clicks)):
        assert fraud("ingest", kind, file, "--workspace", folder).code == 0
    return folder


def test_it_says_who_and_why(workspace: Path) -> None:
    ran = fraud("graph", "a", "--workspace", workspace)
    assert ran.code == 0
    assert "a is linked to 2 other accounts" in ran.out
    assert "a and b have the same payout account, which two owners do not have by accident." in ran.out
    assert "Also explained by:" in ran.out


def test_it_writes_what_tools_read(workspace: Path, tmp_path: Path) -> None:
    ran = fraud("graph", "a", "--workspace", workspace, "--json", "--svg", tmp_path / "a.svg", "--graphml", tmp_path / "a.graphml")
    assert [link["tier"] for link in ran.json["links"] if "b" in (link["left"], link["right"])] == ["identity"]
    assert (tmp_path / "a.svg").read_text().startswith("<svg xmlns=")
    assert nx.read_graphml(tmp_path / "a.graphml").has_edge("a", "b")


def test_somebody_unknown_and_a_folder_that_is_not_there_are_said_so(workspace: Path, tmp_path: Path) -> None:
    ran = fraud("graph", "nobody", "--workspace", workspace)
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "Nothing is known of 'nobody'" in ran.err
    ran = fraud("graph", "a", "--workspace", workspace, "--svg", tmp_path / "missing" / "a.svg")
    assert ran.code == 1
    assert "cannot be written" in ran.err
