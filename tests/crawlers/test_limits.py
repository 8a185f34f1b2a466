"""Settings are read strictly, and errors say what to write instead."""

from __future__ import annotations

import dataclasses

import pytest

from crawlers.errors import CrawlError, SettingsError
from crawlers.limits import CrawlSettings, Limits, parse_connect_to, parse_host_port, parse_networks


def test_connect_to_maps_ports_to_addresses() -> None:
    assert dict(parse_connect_to("80=127.0.0.1:9080, 443=[::1]:9443")) == {80: ("127.0.0.1", 9080), 443: ("::1", 9443)}
    assert dict(parse_connect_to("")) == {}
    assert dict(parse_connect_to("443=gateway:3128,")) == {443: ("gateway", 3128)}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("443", "no '='"),
        ("443=host", "not HOST:PORT"),
        ("443=:9443", "not HOST:PORT"),
        ("443=host:", "not a port"),
        ("443=host:0", "not a port"),
        ("443=host:70000", "not a port"),
        ("https=host:1", "not a port"),
        ("443=::1:9443", "brackets"),
        ("443=a:1,443=b:2", "twice"),
        ("４４３=a:1", "not a port"),
    ],
)
def test_a_malformed_connect_to_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as wrong:
        parse_connect_to(text)
    assert isinstance(wrong.value, ValueError)
    assert isinstance(wrong.value, CrawlError)


def test_host_and_port_of_a_name_server() -> None:
    assert parse_host_port("9.9.9.9:53", "dns") == ("9.9.9.9", 53)
    with pytest.raises(SettingsError, match="dns"):
        parse_host_port("9.9.9.9", "dns")


def test_networks() -> None:
    assert [str(network) for network in parse_networks("10.1.0.0/16, fd00::/8")] == ["10.1.0.0/16", "fd00::/8"]
    assert parse_networks("") == ()
    with pytest.raises(SettingsError, match="allow-networks"):
        parse_networks("10.1.0.1/16")


def test_defaults_are_those_of_the_specification() -> None:
    limits = Limits()
    assert limits.ports == {80, 443, 8080, 8443}
    assert (limits.hops, limits.page_bytes, limits.robots_bytes) == (5, 2 * 2**20, 512 * 2**10)
    assert (limits.inflated_bytes, limits.inflated_ratio) == (10 * 2**20, 100)
    assert (limits.connect_seconds, limits.read_seconds, limits.total_seconds) == (5, 10, 30)
    assert (limits.site_seconds, limits.site_pages, limits.concurrency) == (120, 25, 16)
    assert CrawlSettings().delay == 1
    assert CrawlSettings().allow_networks == ()


def test_settings_cannot_be_changed_after_they_are_made() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Limits().hops = 6  # type: ignore[misc]  # what is tested
