from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from fraud.domain.networks import PRECEDENCE
from fraud.enrichment.exits import ExitClasses
from fraud.enrichment.networks import NetworkTables

from .conftest import ASNS, MakeTables

LISTS = (("asn", ASNS), ("vpn", "5.1.2.0/24"), ("hosting", "2400:2::/32"), ("own:corporate", "5.3.9.0/24"), ("tor", "5.1.2.7"))


def _named(exits: ExitClasses, *texts: str | None) -> list[str | None]:
    codes = exits.of(pa.array(texts, pa.string())).tolist()
    return [PRECEDENCE[code].value if code >= 0 else None for code in codes]


def test_classes_of_a_column(make_tables: MakeTables) -> None:
    exits = make_tables(*LISTS).exits
    assert _named(exits, "5.3.0.1", "5.1.2.3", "5.1.2.7", "5.3.9.1", "2400:2::1", "5.1.9.9") == [
        "hosting",
        "vpn",
        "tor",
        "corporate",
        "hosting",
        "residential",
    ]


def test_what_is_no_public_address_is_no_class_and_what_no_table_knows_is_unknown(make_tables: MakeTables) -> None:
    exits = make_tables(*LISTS).exits
    assert _named(exits, "10.0.0.1", "192.0.2.1", "::1", "9f8a7c", "", None) == [None] * 6
    assert _named(exits, "80.1.2.3", "5.5.0.1") == ["unknown", "unknown"]


def test_nothing_is_known_of_no_addresses(make_tables: MakeTables) -> None:
    assert make_tables(*LISTS).exits.of(pa.array([], pa.string())).tolist() == []


_TEXTS = st.one_of(st.none(), st.ip_addresses().map(str), st.from_regex(r"5\.[1-6]\.[0-9]\.[0-9]", fullmatch=True), st.text(max_size=12))


def test_the_column_says_what_a_single_address_says(make_tables: MakeTables) -> None:
    tables: NetworkTables = make_tables(*LISTS)

    @given(st.lists(_TEXTS, max_size=12))
    def same(texts: list[str | None]) -> None:
        named = _named(tables.exits, *texts)
        alone = [None if text is None else tables.read(text).egress_class.value for text in texts]
        assert [name or "unknown" for name in named] == [name or "unknown" for name in alone]

    same()
