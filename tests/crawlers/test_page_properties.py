"""Reading never fails, whatever the page: random bytes, damaged pages, and pages made to exhaust a reader."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.facts import PageFacts
from crawlers.page import read_page
from crawlers.reading.text import count_words

SAMPLE = b"""<!doctype html><html lang="en" style="x"><head><meta charset="utf-8"><title>Sample</title><base href="/b/">
<meta http-equiv="refresh" content="5; url=https://there.example/?a=1"><link rel="prefetch" href="//cdn.example/x">
<style>.t, #u { position:absolute; left:-9999px } @media print { p { display:none } }</style>
<script type="application/ld+json">{"@type": "Organization", "sameAs": ["https://x.com/example"]}</script></head>
<body onload="go()"><nav><a href="/about">About us</a></nav><p>This post contains affiliate links \xc3\xa9.</p>
<a href="https://www.awin1.com/cread.php?awinmid=1" rel="sponsored"><img src="a.png" width="1" height=1></a>
<iframe class=t src="https://amzn.to/abc" style="width:0;opacity:0"></iframe><a href="mailto:a@shop.example">m</a>
<script>function go() { setTimeout(function() { window.location.href = "https:\\/\\/there.example" }, 1000) }
var i = new Image(); i.src = 'x';
document.write("<iframe src='y'></iframe>"); ga('create', 'UA-12345-1'); fbq('init', '1234567890123');</script></body></html>"""


def check(facts: PageFacts) -> None:
    """Facts are within their bounds and can be kept as JSON."""
    assert len(facts.text) <= 20_000
    assert all(embed.hidden == bool(embed.why_hidden) and len(embed.excerpt) <= 300 for embed in facts.embeds)
    assert msgspec.convert(json.loads(msgspec.json.encode(facts)), PageFacts) == facts


@settings(deadline=None)
@given(st.binary(max_size=3000), st.text(max_size=30), st.text(max_size=60))
def test_random_bytes(body: bytes, url: str, content_type: str) -> None:
    check(read_page(body, url, content_type))


@settings(deadline=None)
@given(st.text(st.characters(), max_size=2000))
def test_random_text(text: str) -> None:
    check(read_page(text, "https://shop.example/"))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(SAMPLE)), st.integers(0, 60), st.binary(max_size=12)), max_size=6))
def test_damaged_pages(cuts: list[tuple[int, int, bytes]]) -> None:
    body = SAMPLE
    for start, length, put in cuts:
        body = body[:start] + put + body[start + length :]
    check(read_page(body, "https://shop.example/page", "text/html"))


@settings(deadline=None)
@given(st.text("<>/=\"' {}();:.,-aifsc\\\n", max_size=300))
def test_markup_like_noise(text: str) -> None:
    for html in (text, f"<script>{text}</script>", f"<style>{text}</style>", f'<p style="{text}">', f'<a href="{text}">x</a>'):
        check(read_page(html, "https://shop.example/"))


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=200), st.text(max_size=200))
def test_words_add_up(left: str, right: str) -> None:
    assert count_words(f"{left} {right}") >= max(count_words(left), count_words(right))


HOSTILE: dict[str, Callable[[], str]] = {
    "deep": lambda: "<div>" * 100_000 + "x",
    "deep objects": lambda: "<object data=x>" * 20_000,
    "many links": lambda: "<a href=/x>y</a>" * 60_000,
    "many attributes": lambda: "<p " + " ".join(f"a{number}=b" for number in range(50_000)) + ">",
    "open comments in style": lambda: "<style>" + "/*" * 100_000 + "</style>",
    "open braces in style": lambda: "<style>" + "@media{a{" * 30_000 + "</style>",
    "many rules": lambda: "<style>" + ".a{display:none}" * 15_000 + "</style>" + "<p class=a>" * 2_000,
    "open strings in script": lambda: "<script>" + "location='" * 20_000 + "</script>",
    "open braces in script": lambda: "<script>" + "function a(){a();location='/x';" * 6_000 + "</script>",
    "mutual calls in script": lambda: (
        "<script>" + "".join(f"function f{n}(){{f{n + 1}();location='/x{n}'}}" for n in range(3_000)) + "</script>"
    ),
    "parentheses in script": lambda: "<script>" + "setTimeout(" * 20_000 + "location='/x'</script>",
    "variables in script": lambda: "<script>" + ";a='b" * 40_000 + "</script>",
    "deep json": lambda: '<script type="application/ld+json">' + '{"a":' * 100_000 + "</script>",
    "wide json": lambda: '<script type="application/ld+json">[' + '{"@type":"A"},' * 50_000 + "{}]</script>",
    "long word": lambda: "<p>" + "a" * 2_000_000,
    "at signs": lambda: "<p>" + "a@" * 300_000,
    "dots": lambda: "<p>a@" + "a." * 300_000,
    "spaces": lambda: "<p>affiliate" + " " * 1_000_000 + "commission may",
    "nearly disclosures": lambda: "<p>" + "may earn a small small small small " * 20_000 + "commission affiliate",
    "nearly trackers": lambda: "<p>" + "UA-1234 G- GTM- pub- fbq( ym( " * 30_000,
    "srcset": lambda: "<img srcset='" + "a 1x, " * 100_000 + "'>",
    "style attribute": lambda: "<p style='" + "a:b;" * 200_000 + "'>x",
    "backslashes": lambda: "<script>location='" + "\\\\" * 90_000 + "'</script>",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_pages_made_to_exhaust_a_reader_are_read(kind: str) -> None:
    """A reader with a quadratic step would not come to an end here within the patience of whoever runs the tests."""
    check(read_page(HOSTILE[kind](), "https://shop.example/"))


@pytest.mark.data
def test_real_sites_are_read_and_hardly_any_looks_parked(real_pages: Path) -> None:
    sites = sorted((real_pages / "sites").glob("*.html"))
    facts = [read_page(path.read_bytes(), f"https://{path.stem.split('-')[0].lower()}/") for path in sites]
    assert len(facts) > 200
    for one in facts:
        check(one)
    assert sum(bool(one.parking_signs) for one in facts) <= 2
    assert sum(one.scripts_needed for one in facts) <= 2
    assert sum(one.word_count > 100 for one in facts) >= 0.95 * len(facts)
    assert sum(bool(one.detected_language) for one in facts) >= 0.99 * len(facts)


@pytest.mark.data
def test_declared_languages_are_mostly_the_detected_ones(real_pages: Path) -> None:
    facts = [read_page(path.read_bytes(), "https://shop.example/") for path in sorted((real_pages / "sites").glob("*.html"))]
    both = [one for one in facts if one.declared_language and one.detected_language]
    agreeing = [one for one in both if one.declared_language[:2] == one.detected_language]
    assert len(agreeing) >= 0.9 * len(both)


@pytest.mark.data
def test_real_articles_are_read(real_pages: Path) -> None:
    articles = sorted((real_pages / "articles").glob("*.gz"))
    facts = [read_page(gzip.decompress(path.read_bytes()), "https://news.example/") for path in articles]
    assert len(facts) > 80
    assert all(one.word_count for one in facts)


@pytest.mark.data
def test_real_parked_pages_are_recognised(real_pages: Path) -> None:
    pages = {path.stem: read_page(path.read_bytes(), "http://tobogo.net/") for path in sorted((real_pages / "parked").glob("*.html"))}
    assert len(pages) == 3
    for facts in pages.values():
        assert facts.parking_signs
        assert facts.word_count < 150
