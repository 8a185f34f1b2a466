"""The commands about networks and features, as a user at a terminal and as a script sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fraud.features.catalogue import FEATURES
from tests.cli.commands import fraud, sentence_of


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with tables of a few lines, read from files."""
    table, exits = tmp_path / "mine.csv", tmp_path / "exits.txt"
    table.write_text("network,country,asn,as_name\n5.1.0.0/16,US,64500,[red]Acme[/red] Hosting\n2400:1::/32,JP,64501,Beta Telecom\n")
    exits.write_text("5.1.0.9\n")
    folder = tmp_path / "workspace"
    ran = fraud("enrichment", "refresh", "--from", table, "--from", f"tor={exits}", "--workspace", folder)
    assert ran.code == 0, ran
    assert ran.out.startswith("In use: networks-")
    return folder


def test_an_address_is_shown_with_its_evidence(workspace: Path) -> None:
    ran = fraud("enrichment", "show", "5.1.0.9", "--workspace", workspace)
    assert ran.code == 0
    assert "AS64500 [red]Acme[/red] Hosting" in ran.out
    assert "own-exits-txt: tor: exits.txt, 5.1.0.9 to 5.1.0.9" in ran.out


def test_an_address_as_json(workspace: Path) -> None:
    facts = fraud("enrichment", "show", "2400:1::1", "--json", "--workspace", workspace).json
    assert (facts["country"], facts["asn"], facts["egress_class"]) == ("JP", 64501, "residential")
    assert facts["evidence"][0]["source"] == "own-mine-csv"


def test_the_sources_are_shown_with_their_rows(workspace: Path) -> None:
    assert "own-mine-csv" in fraud("enrichment", "show", "--workspace", workspace).out
    shown = fraud("enrichment", "show", "--json", "--workspace", workspace).json
    assert {report["kept"]["source"]["id"]: report["rows"] for report in shown["sources"]} == {"own-exits-txt": 1, "own-mine-csv": 2}


def test_a_source_is_forgotten(workspace: Path) -> None:
    assert fraud("enrichment", "refresh", "--forget", "own-exits-txt", "--workspace", workspace).code == 0
    assert fraud("enrichment", "show", "5.1.0.9", "--json", "--workspace", workspace).json["egress_class"] == "hosting"
    assert "only source" in sentence_of(fraud("enrichment", "refresh", "--forget", "own-mine-csv", "--workspace", workspace))


def test_what_is_no_address_and_what_is_not_there_is_said(workspace: Path, tmp_path: Path) -> None:
    assert "'hashed' is no internet address" in sentence_of(fraud("enrichment", "show", "hashed", "--workspace", workspace))
    assert "fraud enrichment refresh" in sentence_of(fraud("enrichment", "show", "--workspace", tmp_path / "empty"))
    assert "cannot be read" in sentence_of(fraud("enrichment", "refresh", "--from", tmp_path / "none.csv", "--workspace", workspace))


def test_every_feature_is_listed() -> None:
    listed = fraud("features").out
    assert all(feature.name in listed for feature in FEATURES)
    assert [row["name"] for row in fraud("features", "--json").json] == [feature.name for feature in FEATURES]


def test_one_feature_is_explained_in_full() -> None:
    feature = FEATURES[0]
    text = fraud("features", feature.name).out
    for said in (feature.title, feature.doc, f"Needs at least: {feature.minimum_support} {feature.support_of}", "Where it is unknown: "):
        assert said in text
    said = fraud("features", feature.name, "--json").json
    assert {"name", "level", "window", "unit", "denominator", "minimum_support", "bad", "family", "missing"} <= said.keys()


def test_a_feature_that_is_not_there_comes_with_the_nearest() -> None:
    assert f"did you mean {FEATURES[0].name}?" in sentence_of(fraud("features", FEATURES[0].name + "s"))
    assert "lists them all" in sentence_of(fraud("features", "zzzzzz"))
