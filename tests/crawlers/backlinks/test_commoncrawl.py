"""Common Crawl's graph files are searched for a set of domains in one pass."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.backlinks.commoncrawl import GraphFileError, neighbours, ranks, reversed_name
from crawlers.backlinks.facts import Rank

RANKS = (
    "#harmonicc_pos\t#harmonicc_val\t#pr_pos\t#pr_val\t#host_rev\t#n_hosts\n"
    "1\t2.9e+07\t3\t0.01\tcom.facebook\t3632\n2\t2.7e+07\t1\t0.02\tcom.googleapis\t3979\n907\t1.1e+07\t1200\t0.0001\torg.example\t4\n"
)
VERTICES = "0\tcom.aaa\t1\n1\tcom.bbb\t2\n2\torg.example\t4\n3\tnet.ccc\t1\n"
EDGES = "0\t2\n1\t2\n2\t3\n0\t1\n"


@pytest.mark.parametrize("packed", [True, False])
def test_the_ranks_of_the_wanted_domains_are_found(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "domain-ranks.txt.gz"
    path.write_bytes(gzip.compress(RANKS.encode()) if packed else RANKS.encode())
    found = ranks(path, ["example.org", "facebook.com", "absent.example"])
    assert found == {
        "example.org": Rank(domain="example.org", harmonic=907, pagerank=1200, hosts=4),
        "facebook.com": Rank(domain="facebook.com", harmonic=1, pagerank=3, hosts=3632),
    }


def test_neighbours_are_named_both_ways(tmp_path: Path) -> None:
    (tmp_path / "vertices.txt").write_text(VERTICES)
    (tmp_path / "edges.txt.gz").write_bytes(gzip.compress(EDGES.encode()))
    (found,) = neighbours(tmp_path / "vertices.txt", tmp_path / "edges.txt.gz", ["example.org", "absent.example"]).values()
    assert (found.in_links, found.out_links) == (2, 1)
    assert (found.linked_from, found.links_to) == (("aaa.com", "bbb.com"), ("ccc.net",))


def test_many_lines_are_searched_and_odd_ones_skipped(tmp_path: Path) -> None:
    path = tmp_path / "ranks.txt"
    with path.open("w") as file:
        file.writelines(f"{n}\t1.0\t{n}\t0.1\tcom.site{n}\t1\n" + ("broken line\n" if n % 1000 == 7 else "") for n in range(100_000))
    wanted = [f"site{n}.com" for n in range(0, 200_000, 200)]
    found = ranks(path, wanted)
    assert len(found) == 500
    assert found["site99800.com"].harmonic == 99_800


@pytest.mark.parametrize("content", [b"", b"one column\n", b"a,b,c\n", b"\x1f\x8b broken", gzip.compress(RANKS.encode(), mtime=0)[:60]])
def test_what_is_no_ranks_file_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ranks.txt"
    path.write_bytes(content)
    with pytest.raises(GraphFileError, match=r"ranks\.txt"):
        ranks(path, ["example.org"])


def test_names_are_turned_round() -> None:
    assert reversed_name("Shop.Example.com") == "com.example.shop"


def test_several_gzip_members_with_padding_are_one_file(tmp_path: Path) -> None:
    lines = RANKS.splitlines(keepends=True)
    path = tmp_path / "ranks.txt.gz"
    path.write_bytes(b"".join(gzip.compress(line.encode()) for line in lines) + bytes(512))
    assert set(ranks(path, ["example.org", "facebook.com"])) == {"example.org", "facebook.com"}


def test_line_ends_of_other_systems_and_a_last_line_without_one_are_read(tmp_path: Path) -> None:
    path = tmp_path / "ranks.txt"
    path.write_bytes(RANKS.rstrip("\n").replace("\n", "\r\n").encode())
    assert ranks(path, ["example.org"])["example.org"] == Rank(domain="example.org", harmonic=907, pagerank=1200, hosts=4)


def test_a_file_without_line_ends_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "ranks.txt"
    with path.open("wb") as file:
        file.write(b"1\t2\t3\t4\tcom.example\t1\n")
        file.write(b"x" * (8 << 20))
    with pytest.raises(GraphFileError, match="line"):
        ranks(path, ["absent.example"])


@given(
    names=st.lists(st.from_regex(r"[a-z]{1,3}\.[a-zäé0-9]{1,9}", fullmatch=True), min_size=1, max_size=60, unique=True),
    every=st.integers(1, 4),
    hosts=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_exactly_the_wanted_names_are_found(tmp_path_factory: pytest.TempPathFactory, names: list[str], every: int, hosts: bool) -> None:
    path = tmp_path_factory.mktemp("graph") / "ranks.txt"
    path.write_text("".join(f"{n}\t1.5\t{n}\t.5\t{name}" + ("\t7\n" if hosts else "\n") for n, name in enumerate(names)), encoding="utf-8")
    wanted = {reversed_name(name): place for place, name in enumerate(names) if place % every == 0}
    found = ranks(path, [*wanted, "never.example"])
    assert {domain: rank.harmonic for domain, rank in found.items()} == wanted
