from __future__ import annotations

import itertools
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from fraud.domain.networks import EgressClass, countries_agree
from fraud.enrichment.networks import (
    JOINED_CLASS_SQL,
    JOINED_SHARED_SQL,
    JOINED_SOURCE_SQL,
    SCHEMA,
    joined_egress,
    load,
    lookup,
)
from fraud.errors import InputError, StorageError
from tests.enrichment.conftest import ASNS, COUNTRIES, MakeTables, built

BOTH = (("asn", ASNS), ("country", COUNTRIES))


def test_an_address_reads_as_its_country_network_and_class(make_tables: MakeTables) -> None:
    facts = make_tables(*BOTH).read("5.2.3.4")
    assert (facts.country, facts.asn, facts.organisation, facts.egress_class) == ("DE", 64500, "Example Mobile Ltd", "mobile_carrier")
    assert make_tables(*BOTH).read("2400:1::5").country == "JP"


@pytest.mark.parametrize(
    ("address", "egress_class"),
    [("5.1.9.9", "residential"), ("5.2.9.9", "mobile_carrier"), ("5.3.9.9", "hosting"), ("5.4.9.9", "corporate"), ("5.5.9.9", "unknown")],
)
def test_who_announces_an_address_says_its_class_or_nothing(make_tables: MakeTables, address: str, egress_class: str) -> None:
    assert make_tables(*BOTH).read(address).egress_class == egress_class


def test_tor_stands_over_vpn_over_hosting_over_who_announces_it(make_tables: MakeTables) -> None:
    tables = make_tables(("asn", ASNS), ("hosting", "5.1.0.0/24"), ("vpn", "5.1.0.0/25"), ("tor", "5.1.0.1"))
    classes = [tables.read(address).egress_class for address in ("5.1.0.1", "5.1.0.2", "5.1.0.200", "5.1.1.1")]
    assert classes == ["tor", "vpn", "hosting", "residential"]


def test_a_hosting_network_is_one_though_a_list_says_less(make_tables: MakeTables) -> None:
    tables = make_tables(("asn", ASNS), ("residential", "5.3.0.0/24"))
    assert tables.read("5.3.0.1").egress_class is EgressClass.HOSTING


def test_what_the_user_says_stands_alone(make_tables: MakeTables) -> None:
    tables = make_tables(("own:residential", "5.3.0.0/24"), ("asn", ASNS), ("tor", "5.3.0.1"))
    assert tables.read("5.3.0.1").egress_class is EgressClass.RESIDENTIAL


def test_the_users_own_table_is_asked_first(make_tables: MakeTables) -> None:
    tables = make_tables(("country", COUNTRIES), ("own:anything", "network,country,asn,as_name\n5.1.0.0/16,ca,64999,Ours\n"), ("asn", ASNS))
    facts = tables.read("5.1.2.3")
    assert (facts.country, facts.asn, facts.organisation) == ("CA", 64999, "Ours")


@pytest.mark.parametrize("address", ["10.1.2.3", "192.168.0.1", "100.64.0.1", "::1", "fe80::1", "2001:db8::1", "0.0.0.0", "127.0.0.1"])
def test_addresses_that_are_nobodys_are_unknown_whatever_a_table_says(make_tables: MakeTables, address: str) -> None:
    facts = make_tables(("asn", "0.0.0.0,255.255.255.255,7922,Comcast\n::,ffff::,7922,Comcast"), ("hosting", "0.0.0.0/0\n::/0")).explain(
        address
    )
    assert (facts.known, facts.country, facts.asn, facts.egress_class) == (True, None, None, EgressClass.UNKNOWN)
    assert [evidence.source for evidence in facts.evidence] == ["iana"]


@pytest.mark.parametrize("address", ["", "16777216", "5f4dcc3b5aa765d61d8327deb882cf99", "5.1.2.3:80", "05.1.2.3", "localhost", "\x00"])
def test_what_is_no_address_is_unknown(make_tables: MakeTables, address: str) -> None:
    facts = make_tables(*BOTH).explain(address)
    assert (facts.known, facts.country, facts.asn, facts.egress_class, facts.evidence) == (False, None, None, EgressClass.UNKNOWN, ())


def test_the_evidence_names_source_stretch_and_reason(make_tables: MakeTables) -> None:
    evidence = make_tables(*BOTH, ("vpn", "5.3.7.0/24")).explain("5.3.7.7").evidence
    assert [(item.source, item.first, item.last) for item in evidence] == [
        ("vpn-2", "5.3.7.0", "5.3.7.255"),
        ("asn-0", "5.3.0.0", "5.3.255.255"),
        ("country-1", "5.3.0.0", "5.3.255.255"),
    ]
    assert "its name says 'hosting'" in evidence[1].says


def test_a_column_is_read_like_each_of_its_addresses(make_tables: MakeTables) -> None:
    tables = make_tables(*BOTH, ("hosting", "5.1.3.0/24\n5.5.0.0/17\n2400:1:8000::/33"), ("tor", "5.5.0.9\n2400:1::9"))
    rng = np.random.default_rng(7)
    texts: list[str | None] = [f"5.{a}.{b}.{c}" for a, b, c in rng.integers(0, 10, (500, 3))]
    texts += [f"2400:{a:x}:{b:x}::{c:x}" for a, b, c in rng.integers(0, [4, 0xFFFF, 16], (300, 3))]
    texts += ["opaque", None, "10.0.0.1", "2400:1::9", "::ffff:5.1.3.1", ""]
    table = tables.lookup(pa.array(texts))
    assert table.schema == SCHEMA
    for text, row in zip(texts, table.to_pylist(), strict=True):
        facts = tables.explain(text or "")
        assert (row["country"], row["asn"], row["organisation"]) == (facts.country, facts.asn, facts.organisation)
        assert (row["ip"], row["egress_class"]) == (text, facts.egress_class)
        assert (row["source"] is None) == (facts.egress_class is EgressClass.UNKNOWN)


def test_the_source_of_a_class_is_told(make_tables: MakeTables) -> None:
    tables = make_tables(("asn", ASNS), ("vpn", "5.1.0.0/24"))
    assert tables.lookup(pa.array(["5.1.0.1", "5.1.1.1", "5.5.0.1"]))["source"].to_pylist() == ["vpn-1", "asn-0", None]


def test_without_tables_everything_is_unknown() -> None:
    table = lookup(pa.chunked_array([pa.array(["5.1.0.1", None])]), None)
    assert table.schema == SCHEMA
    assert table["egress_class"].to_pylist() == ["unknown", "unknown"]
    assert table["country"].null_count == 2


def test_one_list_alone_makes_tables(make_tables: MakeTables) -> None:
    tables = make_tables(("tor", "5.1.0.1"))
    row = lookup(pa.array(["5.1.0.1", "5.1.0.2"]), tables).to_pylist()
    assert [(one["egress_class"], one["asn"], one["country"]) for one in row] == [("tor", None, None), ("unknown", None, None)]
    assert tables.read("5.1.0.1").egress_class is EgressClass.TOR


def test_a_table_can_be_joined_in_duckdb(make_tables: MakeTables) -> None:
    con = duckdb.connect()
    con.execute("CREATE TABLE clicks AS SELECT unnest(['5.1.0.1', '5.3.0.1', 'opaque', NULL]) AS ip")
    ips = con.sql("SELECT DISTINCT ip FROM clicks WHERE ip IS NOT NULL ORDER BY ip").to_arrow_table()["ip"]
    con.register("ft_networks", lookup(ips, make_tables(*BOTH)))
    found = con.sql("SELECT ip, egress_class FROM clicks LEFT JOIN ft_networks USING (ip) ORDER BY ip NULLS LAST").fetchall()
    assert found == [("5.1.0.1", "residential"), ("5.3.0.1", "hosting"), ("opaque", "unknown"), (None, None)]


def test_the_log_speaks_where_the_table_does_not_and_sql_says_the_same() -> None:
    assert joined_egress(EgressClass.RESIDENTIAL, False, True) == (EgressClass.RESIDENTIAL, False, "table")
    assert joined_egress(EgressClass.MOBILE_CARRIER, False, None) == (EgressClass.MOBILE_CARRIER, True, "table")
    assert joined_egress(EgressClass.UNKNOWN, False, True) == (EgressClass.HOSTING, False, "learned")
    assert joined_egress(EgressClass.UNKNOWN, True, None) == (EgressClass.UNKNOWN, True, "learned")
    names = {"table_class": "$table_class", "shared": "$shared", "hosting_like": "$hosting_like"}
    sql = f"SELECT {', '.join(part.format(**names) for part in (JOINED_CLASS_SQL, JOINED_SHARED_SQL, JOINED_SOURCE_SQL))}"
    for table_class, shared, hosting_like in itertools.product([*EgressClass, None], [True, False, None], [True, False, None]):
        expected = joined_egress(table_class or EgressClass.UNKNOWN, bool(shared), hosting_like)
        said = table_class.value if table_class else None
        asked = {"table_class": said, "shared": shared, "hosting_like": hosting_like}
        assert duckdb.execute(sql, asked).fetchall()[0] == (expected.egress_class, expected.shared, expected.source)


def test_the_same_data_have_the_same_hash_and_other_data_another() -> None:
    assert built(*BOTH).manifest.hash == built(*BOTH).manifest.hash
    assert built(*BOTH).manifest.hash != built(("asn", ASNS)).manifest.hash


@pytest.mark.parametrize("name", ["asn.arrow", "classes.arrow", "manifest.json"])
def test_a_damaged_file_is_refused(tmp_path: Path, name: str) -> None:
    for file, data in built(*BOTH).files.items():
        (tmp_path / file).write_bytes(data if file != name else data[: len(data) // 2] + b"x" + data[len(data) // 2 + 1 :])
    with pytest.raises(StorageError, match="fraud enrichment refresh"):
        load(tmp_path)


def test_a_file_that_is_gone_or_of_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="fraud enrichment refresh"):
        load(tmp_path)
    for file, data in built(*BOTH).files.items():
        (tmp_path / file).write_bytes(data.replace(b'"shape": 1', b'"shape": 9'))
    with pytest.raises(StorageError, match="another version"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("gives", "text", "says"),
    [
        ("asn", "5.1.0.0/16\n", "should say the asn"),
        ("country", ASNS, "should say the country"),
        ("anything", "5.1.0.0/16\n", "say what they are"),
        ("anything", "network,class\n5.1.0.0/16,bogus\n", "'bogus' is no class"),
        ("hosting", "<html>not found</html>", "none of its"),
    ],
)
def test_a_source_that_does_not_say_what_it_is_for_is_refused(gives: str, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        built((gives, text))


def test_countries_are_compared_only_where_both_are_known(make_tables: MakeTables) -> None:
    tables = make_tables(*BOTH, ("vpn", "5.1.0.0/24"))
    assert countries_agree("us", tables.read("5.1.9.9")) is True
    assert countries_agree("FR", tables.read("5.1.9.9")) is False
    assert countries_agree("FR", tables.read("5.1.0.9")) is None, "a VPN's country is not the person's"
    assert countries_agree("FR", tables.read("5.3.0.9")) is None, "nor is a data centre's"
    assert countries_agree("FR", tables.read("opaque")) is None
    assert countries_agree(None, tables.read("5.1.9.9")) is None
