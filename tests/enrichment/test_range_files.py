from __future__ import annotations

import gzip
import io
import ipaddress
import json
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.enrichment import range_files
from fraud.enrichment.addresses import spell
from fraud.enrichment.range_files import RangeTable, read_range_file
from fraud.errors import InputError

Row = tuple[str, str, str, int, str, str]


def rows(table: RangeTable) -> list[Row]:
    """First, last, country, AS number, organisation and class of each range."""
    ranges = table.ranges
    bounds = zip(ranges.first_high, ranges.first_low, ranges.last_high, ranges.last_low, strict=True)
    said = zip(table.country.to_pylist(), table.asn.tolist(), table.organisation.to_pylist(), table.egress_class.to_pylist(), strict=True)
    return [
        (spell(int(a), int(b)), spell(int(c), int(d)), country, asn, name, egress)
        for (a, b, c, d), (country, asn, name, egress) in zip(bounds, said, strict=True)
    ]


def read(data: str | bytes, name: str = "file") -> list[Row]:
    return rows(read_range_file(data.encode() if isinstance(data, str) else data, name)[0])


def archive(files: dict[str, bytes]) -> bytes:
    """A packed archive, as `npm pack` makes one."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def test_a_list_of_networks_with_comments() -> None:
    text = "\ufeff# made today\n5.1.0.0/24\n\n5.1.2.3   # one host, for now\n; another\n2400:1::/32 ; and v6\n"
    assert [row[:2] for row in read(text)] == [
        ("5.1.0.0", "5.1.0.255"),
        ("5.1.2.3", "5.1.2.3"),
        ("2400:1::", "2400:1:ffff:ffff:ffff:ffff:ffff:ffff"),
    ]


def test_ranges_with_as_numbers_and_names_that_have_commas_and_hashes() -> None:
    text = '5.1.0.0,5.1.0.255,13335,"Acme #1, Inc."\n5.2.0.0,5.2.0.255,AS64500,Beta\n'
    assert read(text) == [("5.1.0.0", "5.1.0.255", "", 13335, "Acme #1, Inc.", ""), ("5.2.0.0", "5.2.0.255", "", 64500, "Beta", "")]


def test_ranges_with_countries() -> None:
    assert [row[2] for row in read("5.1.0.0,5.1.0.255,US\n5.2.0.0,5.2.0.255,de\n5.3.0.0,5.3.0.255,ZZ\n")] == ["US", "DE", ""]


def test_the_table_of_iptoasn() -> None:
    text = "5.1.0.0\t5.1.0.255\t13335\tUS\tCLOUDFLARENET\n5.2.0.0\t5.2.0.255\t0\tNone\tNot routed\n"
    assert [row[2:5] for row in read(text)] == [("US", 13335, "CLOUDFLARENET"), ("", 0, "Not routed")]


def test_a_table_with_a_heading_in_any_order_and_columns_besides() -> None:
    text = "note,Class,Network,Country Code,as_number\nx,VPN,5.1.0.0/24,us,AS7\n,,bad,us,7\n"
    table = read_range_file(text.encode(), "own.csv")[0]
    assert rows(table) == [("5.1.0.0", "5.1.0.255", "US", 7, "", "vpn")]
    assert table.unread == 1


def test_networks_with_a_value_beside_them() -> None:
    assert read("5.1.0.0/24,US\n")[0][2] == "US"
    assert read("5.1.0.0/24,64500,Acme\n")[0][3:5] == (64500, "Acme")


def test_json_wherever_the_networks_stand_in_it() -> None:
    ours = {"name": "clouds", "version": 7, "list": ["5.1.0.0/24", "2400:1::/32"]}
    clouds = {"prefixes": [{"ip_prefix": "5.1.0.0/24", "region": "x"}], "ipv6": {"deep": [{"prefix": "2400:1::/32"}]}}
    assert [row[0] for row in read(json.dumps(ours))] == [row[0] for row in read(json.dumps(clouds))] == ["5.1.0.0", "2400:1::"]


def test_packed_files_and_the_members_of_an_archive() -> None:
    assert read(gzip.compress(b"5.1.0.0/24\n"))[0][0] == "5.1.0.0"
    packed = archive({"package/b.csv": b"5.2.0.0/24\n", "package/a.csv": b"5.1.0.0/24\n", "package/README.md": b"hello"})
    assert [rows(table)[0][0] for table in read_range_file(packed, "x.tgz", ["package/b.csv", "package/a.csv"])] == ["5.2.0.0", "5.1.0.0"]
    assert [rows(table)[0][0] for table in read_range_file(packed, "x.tgz")] == ["5.1.0.0", "5.2.0.0"]
    with pytest.raises(InputError, match=r"has no package/c.csv; it has package/README.md"):
        read_range_file(packed, "x.tgz", ["package/c.csv"])


def test_an_mmdb_file_that_is_none_is_refused() -> None:
    pytest.importorskip("maxminddb")
    with pytest.raises(InputError, match="no MMDB file"):
        read(b"\x00" * 300 + b"\xab\xcd\xefMaxMind.com" + b"\x01" * 50)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"<html><body>404</body></html>",
        b"\x1f\x8b\x08broken",
        b"{not json",
        b'{"list": ["example.com"]}',
        b"[" * 100_000,
        b"a,b,c\n1,2,3\n",
        b"5.1.0.0,5.1.0.255,a,b,c,d,e,f\n",
        b"5.1.0.255,5.1.0.0,US\n",
        b"5.1.0.0/99\n",
        b"\xff\xfe\x00,\x00\n",
        b"x" * 257 + b"ustar" + b"x" * 600,
        b'5.1.0.0,"5.1.0.255,US\n',
    ],
)
def test_what_says_nothing_of_addresses_is_refused_in_one_sentence(data: bytes) -> None:
    with pytest.raises(InputError) as refused:
        read(data, "strange.bin")
    assert "strange.bin" in refused.value.message
    assert "\n" not in refused.value.message


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(range_files, "MOST_BYTES", 1000)
    with pytest.raises(InputError, match="unpacks to more than"):
        read(gzip.compress(b"5.1.0.0/24\n" * 1000))


@given(st.lists(st.ip_addresses().flatmap(lambda a: st.tuples(st.just(a), st.integers(0, a.max_prefixlen))), min_size=1, max_size=10))
def test_networks_are_what_the_standard_library_says(drawn: list[tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]]) -> None:
    networks = [ipaddress.ip_network((address, bits), strict=False) for address, bits in drawn]
    found = read_range_file("\n".join(f"{address}/{bits}" for address, bits in drawn).encode(), "list")[0].ranges
    for place, network in enumerate(networks):
        shift = 0xFFFF_0000_0000 if network.version == 4 else 0
        first, last = int(network[0]) + shift, int(network[-1]) + shift
        assert (int(found.first_high[place]) << 64 | int(found.first_low[place])) == first
        assert (int(found.last_high[place]) << 64 | int(found.last_low[place])) == last


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        tables = read_range_file(data, "bytes")
    except InputError:
        return
    assert all(len(table.ranges) for table in tables)
