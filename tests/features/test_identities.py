"""Many events are known under the same numbers as each alone."""

from __future__ import annotations

from datetime import UTC, datetime
from socket import AF_INET, inet_pton

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fraud.domain.events import Click
from fraud.features import identities
from fraud.features.identities import (
    LONGEST_ADDRESS,
    address_numbers,
    address_of,
    addresses_of,
    click_event_key,
    click_event_keys,
    click_parts,
    parts_of,
    places_of,
)
from fraud.features.keys import ipv4_numbers

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OCTETS = st.one_of(st.integers(0, 300).map(str), st.sampled_from(["", "00", "01", "007", "1e1", "-1", " 1", "1\n", "4294967296"]))
ADDRESSES = st.one_of(
    st.lists(OCTETS, min_size=1, max_size=6).map(".".join),
    st.ip_addresses().map(str),
    st.sampled_from(["", " 203.0.113.7 ", "{ip}", "::ffff:203.0.113.7", "9f8a7c", "203.0.113.7\n198.51.100.1", "\ud800"]),
    st.none(),
)
TEXTS = st.one_of(st.none(), st.text(max_size=3), st.sampled_from(["a", "b"]))
CLICKS = st.builds(
    Click,
    click_id=st.text(min_size=1, max_size=80),
    clicked_at=st.just(NOON),
    affiliate_id=st.sampled_from(["aff", "other"]),
    program_id=st.sampled_from(["default", "default", "default", "shoes"]),
    ip=ADDRESSES,
    user_agent=TEXTS,
    device_id=TEXTS,
    country=TEXTS,
    sub_id=TEXTS,
    offer_id=TEXTS,
)


@given(st.lists(ADDRESSES, min_size=1, max_size=12))
def test_addresses_of_many_are_those_of_each(ips: list[str | None]) -> None:
    address, network = addresses_of(ips)
    assert [*zip(address.tolist(), network.tolist(), strict=True)] == [address_numbers(ip) for ip in ips]


@given(st.lists(OCTETS, min_size=1, max_size=6).map(".".join).filter(lambda text: "\n" not in text))
def test_only_what_the_system_reads_as_an_address_is_one(text: str) -> None:
    read = int(ipv4_numbers(np.frombuffer(text.encode(), np.uint8), 1)[0])
    try:
        expected = int.from_bytes(inet_pton(AF_INET, text), "big")
    except OSError:
        expected = -1
    assert read == expected


@given(st.lists(CLICKS, min_size=identities.FEW, max_size=20))
def test_parts_and_keys_of_many_clicks_are_those_of_each(clicks: list[Click]) -> None:
    assert parts_of(clicks).tolist() == [list(click_parts(click)) for click in clicks]
    assert click_event_keys(clicks) == [click_event_key(click.program_id, click.click_id) for click in clicks]


def test_nothing_longer_than_an_address_is_remembered() -> None:
    identities._places_of.cache_clear()
    for number in range(10):
        places_of(f"{number}." + "x" * 16_000)
    assert identities._places_of.cache_info().currsize == 10
    assert all(len(address_of(f"{number}." + "x" * 16_000) or "") <= LONGEST_ADDRESS for number in range(10))
