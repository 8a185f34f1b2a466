"""Addresses are read as browsers read them (WHATWG URL standard), so that no spelling hides a host."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.reading.urls import absolute, host_of

BASE = "https://shop.example/blog/"


@pytest.mark.parametrize(
    "url",
    [
        "https://go.brand.example/c",
        "https:\\\\go.brand.example\\c",
        "/\\go.brand.example/c",
        "\\\\go.brand.example/c",
        "///go.brand.example/c",
        "https:///go.brand.example/c",
        "http:/go.brand.example/c",
        "http:go.brand.example/c",
        "https://go%2Ebrand%2eexample/c",
        "https://x:y%40@go.brand.example:443/c",
        "ht\ntps:/\t/go.brand.example/c",
        "\x01 https://go.brand.example/c\x1f",
        "HTTPS://GO.BRAND.EXAMPLE./c",
        "https://go\u3002brand.example/c",
        "https://\uff47o.brand.example/c",
        "https://go.bra\u00adnd.example/c",
    ],
)
def test_every_spelling_of_a_host_is_that_host(url: str) -> None:
    assert host_of(absolute(BASE, url)) == "go.brand.example"


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("https:/go/c", "https://shop.example/go/c"),
        ("https:go/c", "https://shop.example/blog/go/c"),
        ("a\\b?c=\\d#\\e", "https://shop.example/blog/a/b?c=\\d#\\e"),
        ("mailto:a\\b@x.example", "mailto:a\\b@x.example"),
        ("?q=//other.example", "https://shop.example/blog/?q=//other.example"),
        ("https://shop.example/%2e%2e?u=%2E", "https://shop.example/%2e%2e?u=%2E"),
    ],
)
def test_what_stays_on_the_page_stays_there(url: str, read: str) -> None:
    assert absolute(BASE, url) == read


@given(st.text(), st.sampled_from([BASE, "http://shop.example", "", "about:blank"]))
def test_no_text_breaks_the_reading(url: str, base: str) -> None:
    assert isinstance(host_of(absolute(base, url)), str)
