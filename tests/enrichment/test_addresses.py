from __future__ import annotations

import ipaddress

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.enrichment.addresses import read_column, read_one, spell

HOSTILE = [
    "", " ", ".", ":", "::", ":::", "1", "1.2.3", "1.2.3.4", "1.2.3.4.5", "01.2.3.4", "1.2.3.256", "1.2.3.4 ", "1.2.3.", "1..2.3",
    "1.2.3.4:80", "[::1]", "::1", "1::", "fe80::1%eth0", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7::8", "1::2::3", "::ffff:192.0.2.1", "::192.0.2.1", "::1.2.3", "1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:7:192.0.2.1",
    "::12345", "::g", "1:", ":1", "1:2:", "2001:DB8::A", "16777216", "5f4dcc3b5aa765d61d8327deb882cf99", "1.2.3.4\x00",
    "\u0967.\u0968.\u0969.\u096a", "\uff11.2.3.4", "0x1.2.3.4", "1.2.3.4/24", "::1/128", "1.2.3.4.", "-1.2.3.4", "+1.2.3.4",
    "::0.0.0.00", "0.0.0.0", "255.255.255.255", "999999999999.1.1.1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "1:2:3:4:5:6:7:1.2.3.4", "x" * 500,
]  # fmt: skip


def truth(text: str) -> int | None:
    """What the standard library reads, IPv4 mapped into IPv6; zones are no part of an address here."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if "%" in text:
        return None
    return int(address) if address.version == 6 else 0xFFFF_0000_0000 | int(address)


def both(texts: list[str | None]) -> tuple[list[int | None], list[int | None]]:
    """A column read as a whole, and each text by itself."""
    column = read_column(pa.array(texts, pa.string()))
    rows = zip(column.high.tolist(), column.low.tolist(), column.known.tolist(), strict=True)
    singles = [read_one(text) if text is not None else None for text in texts]
    return [high << 64 | low if known else None for high, low, known in rows], [one and one[0] << 64 | one[1] for one in singles]


@pytest.mark.parametrize("text", HOSTILE)
def test_every_reader_agrees_with_the_standard_library_on_awkward_texts(text: str) -> None:
    column, single = both([text])
    assert column == single == [truth(text)]


@given(
    st.lists(
        st.one_of(st.ip_addresses().map(str), st.from_regex(r"[0-9a-fA-F:.]{0,46}", fullmatch=True), st.text(max_size=20)), max_size=20
    )
)
def test_every_reader_agrees_with_the_standard_library(texts: list[str]) -> None:
    column, single = both(list(texts))
    assert column == single == [truth(text) for text in texts]


@given(st.ip_addresses(v=6))
def test_long_forms_are_read_like_short_ones(address: ipaddress.IPv6Address) -> None:
    assert read_one(address.exploded) == read_one(address.compressed)


@given(st.ip_addresses())
def test_an_address_is_spelled_as_it_is_read(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    halves = read_one(str(address))
    assert halves is not None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    assert spell(*halves) == str(mapped or address)


def test_columns_may_be_sliced_chunked_empty_encoded_and_have_nulls() -> None:
    texts = pa.array(["192.0.2.1", None, "::1", "opaque"])
    assert read_column(texts).known.tolist() == [True, False, True, False]
    assert read_column(texts.slice(1, 2)).known.tolist() == [False, True]
    assert read_column(pa.chunked_array([texts.slice(2), texts.slice(0, 1)])).known.tolist() == [True, False, True]
    assert read_column(texts.dictionary_encode()).known.tolist() == [True, False, True, False]
    assert read_column(pa.array([], pa.string())).known.tolist() == []
    assert read_column(pa.nulls(2)).known.tolist() == [False, False]
