"""Names: owners, words, look-alikes and distances."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.checks.applicants.names import LOOK_ALIKES, ascii_host, edit_distance, host_of, own_labels, skeleton, squeezed, tokens, within

LETTERS = st.text(alphabet="abcd", max_size=6)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://WWW.Example.com:8080/a?b", "www.example.com"),
        ("example.com", "example.com"),
        ("example.com/path", "example.com"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("http://[::1", ""),
        ("", ""),
    ],
)
def test_the_host_of_a_url_is_ascii_and_lower_case(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize(
    ("host", "labels"),
    [
        ("www.example.co.uk", ("example",)),
        ("nike.deals.example.com", ("nike", "deals", "example")),
        ("trail.github.io", ("trail",)),
        ("xn--bcher-kva.example.com", ("bücher", "example")),
        ("xn--\x00bad.com", ("xn--\x00bad",)),
        ("localhost", ("localhost",)),
    ],
)
def test_own_labels_are_what_the_owner_chose(host: str, labels: tuple[str, ...]) -> None:
    assert own_labels(host) == labels


def test_tokens_are_set_apart_by_hyphens_and_figures() -> None:
    assert tokens("best-nike_deals24now") == ("best", "nike", "deals", "now")


def test_squeezed_drops_what_a_domain_cannot_hold() -> None:
    assert squeezed("Acme & Outdoor™ 24") == "acmeoutdoortm24"


@pytest.mark.parametrize(
    ("name", "brand"),
    [
        ("pаypаl", "paypal"),  # Cyrillic а
        ("рауpal", "paypal"),  # Cyrillic рау
        ("paypa1", "paypal"),
        ("arnazon", "amazon"),
        ("g00gle", "google"),
        ("acmé", "acme"),
        ("vvalmart", "walmart"),
        ("νike", "vike"),  # Greek nu
    ],
)
def test_look_alike_names_have_one_skeleton(name: str, brand: str) -> None:
    assert skeleton(name) == skeleton(brand)


def test_different_names_have_different_skeletons() -> None:
    names = ["paypal", "paypol", "amazon", "nike", "acme", "google"]
    assert len({skeleton(name) for name in names}) == len(names)


def test_every_look_alike_stands_for_one_letter_only() -> None:
    alikes = [letter for letters in LOOK_ALIKES.values() for letter in letters]
    assert len(alikes) == len(set(alikes))


@given(st.text(max_size=20))
def test_a_skeleton_is_its_own_skeleton(text: str) -> None:
    assert skeleton(skeleton(text)) == skeleton(text)


@pytest.mark.parametrize(
    ("left", "right", "distance"),
    [("adidas", "adidas", 0), ("adidas", "addidas", 1), ("adidas", "aiddas", 1), ("adidas", "aidads", 2), ("", "abc", 3), ("ca", "abc", 3)],
)
def test_edit_distance_counts_swaps_of_neighbours_as_one(left: str, right: str, distance: int) -> None:
    assert edit_distance(left, right) == distance


@given(LETTERS, LETTERS)
def test_edit_distance_is_symmetric_and_zero_only_for_the_same(left: str, right: str) -> None:
    assert edit_distance(left, right) == edit_distance(right, left)
    assert (edit_distance(left, right) == 0) == (left == right)
    assert edit_distance(left, right) >= abs(len(left) - len(right))


def test_within_knows_subdomains_and_not_suffixes_of_names() -> None:
    assert within("go.acme.com", ("acme.com",))
    assert within("xn--bcher-kva.example", ("bücher.example",))
    assert not within("notacme.com", ("acme.com",))
    assert not within("acme.com", ("",))


@given(st.text(max_size=40))
def test_any_text_has_a_host_or_none(text: str) -> None:
    assert ascii_host(text) == ascii_host(text).lower()
    assert isinstance(host_of(text), str)
