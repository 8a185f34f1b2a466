"""No spelling of a private address gets through, and honest addresses do."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.addresses import IP, check_url, is_public
from crawlers.errors import LookupFailed, RefusedAddress
from crawlers.limits import CrawlSettings
from crawlers.resolve import Resolver
from tests.crawlers.servers import names, run

DEFAULT = CrawlSettings()

UNSAFE = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0X7F.1/",
    "http://2130706433/",
    "http://0177.0.0.1/",
    "http://0177.1/",
    "http://017700000001/",
    "http://127.0.0.1./",
    "http://１２７.0.0.1/",
    "http://127。0。0。1/",
    "http://①②⑦.0.0.1/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1%25eth0]/",
    "http://[fd00::1]/",
    "http://0/",
    "http://0.0.0.0/",
    "http://10.0.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://a.localhost/",
    "http://8.8.8.8/",
    "http://256.256.256.256/",
    "http://1.2.3.4.5/",
    "http://%31%32%37.0.0.1/",
    "http://user@shop.example/",
    "http://user:secret@shop.example/",
    "http://shop.example@127.0.0.1/",
    "http://shop.example\\@127.0.0.1/",
    "http://shop.example:22/",
    "http://shop.example:6379/",
    "http://shop.example:0/",
    "http://shop.example:99999/",
    "http://shop.example:8o80/",
    "ftp://shop.example/",
    "file:///etc/passwd",
    "gopher://shop.example/",
    "javascript:alert(1)",
    "data:text/html,x",
    "//shop.example/",
    "shop.example",
    "",
    "http://",
    "http:///path",
    "http://shop..example/",
    "http://sho p.example/",
    "http://shop.example\r\nX: y/",
    "http://shop\x00.example/",
    "http://[::1",
    "http://[shop.example]/",
    "http://" + "a" * 64 + ".example/",
    "http://shop.example/" + "a" * 5000,
]


@pytest.mark.parametrize("url", UNSAFE)
def test_unsafe_addresses_are_refused_before_anything_is_looked_up(url: str) -> None:
    with pytest.raises(RefusedAddress) as refused:
        check_url(url, DEFAULT)
    assert refused.value.kind == "refused"
    assert refused.value.message.endswith(".")


@pytest.mark.parametrize("url", UNSAFE)
def test_connect_to_opens_no_door(url: str) -> None:
    through = CrawlSettings(connect_to={80: ("127.0.0.1", 1), 443: ("127.0.0.1", 1)})
    with pytest.raises(RefusedAddress):
        check_url(url, through)


@pytest.mark.parametrize(
    ("url", "host", "port", "normal"),
    [
        ("http://shop.example", "shop.example", 80, "http://shop.example/"),
        ("HTTPS://Shop.Example:443/A?b=c#d", "shop.example", 443, "https://shop.example/A?b=c"),
        ("http://shop.example.:8080/", "shop.example", 8080, "http://shop.example:8080/"),
        ("https://bücher.example/straße?q=ü", "xn--bcher-kva.example", 443, "https://xn--bcher-kva.example/stra%C3%9Fe?q=%C3%BC"),
        ("https://☃.example/", "xn--n3h.example", 443, "https://xn--n3h.example/"),
        ("https://my_shop.example/a b", "my_shop.example", 443, "https://my_shop.example/a%20b"),
        ("https://shop.example/a%20b%2Fc", "shop.example", 443, "https://shop.example/a%20b%2Fc"),
        ("https://4you.example/", "4you.example", 443, "https://4you.example/"),
        ("https://127.0.0.1.example.com/", "127.0.0.1.example.com", 443, "https://127.0.0.1.example.com/"),
    ],
)
def test_honest_addresses_are_brought_into_one_form(url: str, host: str, port: int, normal: str) -> None:
    target = check_url(url, DEFAULT)
    assert (target.host, target.port, target.url) == (host, port, normal)


def test_the_operator_may_allow_a_network_and_nothing_beside_it() -> None:
    allowing = CrawlSettings(allow_networks=(ip_network("10.1.0.0/16"),))
    assert check_url("http://10.1.2.3/", allowing).address == IPv4Address("10.1.2.3")
    for url in ("http://10.2.0.1/", "http://localhost/", "http://[::ffff:10.1.2.3]/", "http://0xa.1.2.3/"):
        with pytest.raises(RefusedAddress):
            check_url(url, allowing)


def test_the_operator_may_deny_a_host_with_its_subdomains() -> None:
    denying = CrawlSettings(denied_hosts=frozenset({"never.example"}))
    for url in ("http://never.example/", "https://www.NEVER.example/x"):
        with pytest.raises(RefusedAddress, match="never visited"):
            check_url(url, denying)
    assert check_url("http://whenever.example/", denying).host == "whenever.example"


def test_with_connect_to_a_port_without_an_entry_is_refused_instead_of_resolved() -> None:
    only_http = CrawlSettings(connect_to={80: ("127.0.0.1", 1)})
    with pytest.raises(RefusedAddress, match="443"):
        check_url("https://shop.example/", only_http)


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("8.8.8.8", True),
        ("93.184.216.34", True),
        ("100.63.255.255", True),
        ("100.64.0.1", False),
        ("127.0.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("168.63.129.16", False),
        ("192.0.2.1", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("239.1.1.1", False),
        ("240.0.0.1", False),
        ("0.0.0.0", False),
        ("2606:4700::1111", True),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fec0::1", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("ff0e::1", False),
        ("2001:db8::1", False),
        ("::ffff:8.8.8.8", True),
        ("::ffff:10.0.0.1", False),
        ("::10.0.0.1", False),
        ("2002:808:808::1", True),
        ("2002:a00:1::1", False),
        ("64:ff9b::808:808", True),
        ("64:ff9b::a00:1", False),
        ("64:ff9b:1::808:808", False),
        ("2001:0:a00:1::1", False),
    ],
)
def test_public_means_public_all_the_way_in(text: str, public: bool) -> None:
    assert is_public(ip_address(text)) is public


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_no_wrapping_makes_a_private_address_public(inner: IPv4Address) -> None:
    wrappings = [0xFFFF << 32, 0x64FF9B << 96, 0]
    wrapped = [IPv6Address(prefix | int(inner)) for prefix in wrappings] + [IPv6Address((0x2002 << 112) | (int(inner) << 80))]
    if not is_public(inner):
        assert not any(is_public(address) for address in wrapped)


@given(st.ip_addresses())
def test_public_addresses_are_global_for_the_standard_library_or_wrap_one_that_is(address: IP) -> None:
    if is_public(address) and isinstance(address, IPv4Address):
        assert address.is_global
        assert not address.is_multicast


@given(st.text(max_size=60))
def test_any_text_is_either_refused_or_given_a_checked_host(text: str) -> None:
    for url in (text, f"http://{text}/", f"https://shop.example{text}"):
        try:
            target = check_url(url, DEFAULT)
        except RefusedAddress:
            continue
        assert target.host.isascii()
        assert target.url.isascii()
        assert target.address is None
        assert check_url(target.url, DEFAULT).host == target.host


def test_every_address_of_a_name_must_be_public() -> None:
    both = Resolver(DEFAULT, names({"mixed.example": ["93.184.216.34", "10.0.0.1"], "good.example": ["93.184.216.34", "2606:4700::1111"]}))
    assert [str(address) for address in run(both.addresses("good.example"))] == ["93.184.216.34", "2606:4700::1111"]
    with pytest.raises(RefusedAddress, match=r"10\.0\.0\.1"):
        run(both.addresses("mixed.example"))


def test_a_name_that_is_not_found_is_a_failed_look_up() -> None:
    with pytest.raises(LookupFailed) as failed:
        run(Resolver(DEFAULT, names({})).addresses("gone.example"))
    assert failed.value.kind == "dns"
    assert "gone.example" in failed.value.message
