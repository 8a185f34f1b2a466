"""Which addresses of a tracking host are clicks, and which are pictures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.checks.applicants.clicks import AddressKind, address_kind

HOST = "https://go.acmeoutdoor.com"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/c/77", AddressKind.CLICK),
        ("/click.php?a=1", AddressKind.CLICK),
        ("/aff_c?offer_id=1", AddressKind.CLICK),
        ("/imp/77", AddressKind.PICTURE),
        ("/aff_i?offer_id=1", AddressKind.PICTURE),
        ("/77.gif", AddressKind.PICTURE),
        ("/b/728.PNG?v=2", AddressKind.PICTURE),
        ("/c/728.png", AddressKind.UNCLEAR),
        ("/77", AddressKind.UNCLEAR),
        ("/", AddressKind.UNCLEAR),
    ],
)
def test_addresses_by_their_looks(path: str, kind: AddressKind) -> None:
    assert address_kind(HOST + path, frozenset()) is kind


def test_what_the_site_links_to_is_a_click_unless_it_is_a_picture() -> None:
    assert address_kind(HOST + "/77", frozenset({HOST + "/77"})) is AddressKind.CLICK
    assert address_kind(HOST + "/b.png", frozenset({HOST + "/b.png"})) is AddressKind.UNCLEAR


@given(st.text())
def test_any_text_has_a_kind(url: str) -> None:
    assert address_kind(url, frozenset()) in AddressKind
