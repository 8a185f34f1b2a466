"""Markup that would cost a parser without measure is cut; honest markup keeps its tree."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from crawlers.page import read_page
from crawlers.reading.encoding import decode
from crawlers.reading.guard import MOST_DEPTH, MOST_NODES, bounded, rewritten

ADDED_DEPTH = 12
"""html, body and kin, which parsers add."""
PARTS = 4
"""Parsers make table, tbody, tr and td of what the guard counts as one."""

HOSTILE = {
    "deep": "<div>" * 400_000,
    "deep behind a comment that is none": "<!--><i>" + "<div>" * 100_000 + "-->",
    "deep behind another": "<!---><i>" + "<div>" * 100_000 + "-->",
    "deep with end tags in comments": ("<div><!-- </div></div> -->") * 50_000,
    "deep with end tags in attributes": '<div title="></div></div>">' * 50_000,
    "deep with end tags in scripts": "<div><script>'</div></div>'</script>" * 40_000,
    "deep with end tags out of scope": "<div><table><tr><td></div></table>" * 40_000,
    "deep in svg": "<svg><style>" + "<g>" * 100_000 + "</style>",
    "deep tables": "<table><tr><td>" * 60_000,
    "deep lists": "<ul><li>" * 60_000,
    "formatting repeated": "".join(f"<b x={number}>" for number in range(20_000)) + "<p>" * 100_000,
    "formatting that is closed out of scope": "".join(f"<div><b x={number}><table><td></b></table></div>" for number in range(20_000)),
    "formatting in paragraphs": "".join(f"<p><font x={number}>" for number in range(40_000)),
    "formatting and stray ends": "".join(f"<b x={number}>" for number in range(3_000)) + "</p>" * 100_000,
    "links in links": "<a href=x>" * 100_000,
    "attributes": "<p " + " ".join(f"a{number}" for number in range(300_000)) + ">",
    "attributes with quoted ends": "<p " + " ".join(f"a{number}='>'" for number in range(100_000)) + ">",
    "a tag without end": "<p " + "a=b " * 300_000,
}


def size(html: str) -> tuple[int, int]:
    """Return how many elements a parser makes of the markup and how deep they go."""
    root = LexborHTMLParser(html).root
    assert root is not None
    depth: dict[int, int] = {}
    for node in root.traverse():
        parent = node.parent
        depth[node.mem_id] = 1 + (depth.get(parent.mem_id, 0) if parent is not None else 0)
    return len(depth), max(depth.values())


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_markup_is_cut_to_the_bounds(kind: str) -> None:
    elements, depth = size(bounded(HOSTILE[kind]))
    assert elements <= MOST_NODES + 10
    assert depth <= PARTS * MOST_DEPTH + ADDED_DEPTH


TAGS = [
    "div",
    "b",
    "i",
    "a",
    "font",
    "p",
    "table",
    "tr",
    "td",
    "ul",
    "li",
    "svg",
    "style",
    "title",
    "h1",
    "span",
    "select",
    "option",
    "body",
    "form",
    "br",
]
PIECE = st.one_of(
    st.sampled_from([f"<{tag}>" for tag in TAGS] + [f"</{tag}>" for tag in TAGS]),
    st.integers(0, 30).map(lambda number: f"<b x={number}>"),
    st.sampled_from(
        ["text", "<!--", "-->", "<!-->", "<", ">", "</", '"', "'", "<p a='", "<![CDATA[", "]]>", "<?x", "<script>", "</script>"]
    ),
)


@settings(max_examples=300)
@given(st.lists(PIECE, max_size=60))
def test_a_parser_never_makes_more_of_it_than_was_counted(pieces: list[str]) -> None:
    written, counted = rewritten("".join(pieces))
    elements, _ = size(written)
    assert elements <= 2 * counted + ADDED_DEPTH


@settings(max_examples=200)
@given(st.lists(PIECE, max_size=40))
def test_writing_twice_changes_nothing(pieces: list[str]) -> None:
    once = rewritten("".join(pieces))[0]
    assert rewritten(once)[0] == once


@pytest.mark.parametrize(
    "html",
    [
        "<!doctype html><p>One<p>Two <b>bold</p> text</b><ul><li>a<li>b</ul>",
        "<table><tr><td>a<td>b<tr><td><table><td>c</table></table>after",
        "<p title='a \"b\"' data-x=1 hidden>1 < 2 &amp; 3</p><br/><img src=a.png alt=''>",
        "<title>a < b</title><textarea><b></textarea><select><option>1<option>2</select>",
        "<a href='/x'>one</a> <a href='/y'>two</a><!-- gone --><i>three</i>",
    ],
)
def test_honest_markup_keeps_its_text_and_elements(html: str) -> None:
    facts, again = read_page(html, "https://shop.example/"), read_page(rewritten(html)[0], "https://shop.example/")
    assert facts == again


def test_small_pages_are_not_touched() -> None:
    html = "<p>Hello <!-- as it is --> <B>there</B>"
    assert bounded(html) is html


@pytest.mark.data
def test_real_pages_say_the_same_when_they_are_rewritten(real_pages: Path) -> None:
    bodies = [path.read_bytes() for path in sorted((real_pages / "sites").glob("*.html"))[::4]]
    bodies += [gzip.decompress(path.read_bytes()) for path in sorted((real_pages / "articles").glob("*.gz"))[::4]]
    sources = [decode(body, "")[0] for body in bodies]
    facts = [read_page(source, "https://shop.example/") for source in sources]
    again = [read_page(rewritten(source)[0], "https://shop.example/") for source in sources]
    same = sum((one.text, one.links, one.title) == (other.text, other.links, other.title) for one, other in zip(facts, again, strict=True))
    assert same >= 0.95 * len(facts)
