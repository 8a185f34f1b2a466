from __future__ import annotations

import msgspec

from fraud.domain.events import Click, Conversion, Visit
from fraud.events.tables import CLICKS, CONVERSIONS, TABLES, VISITS, Table


def _same(table: Table, struct: type[msgspec.Struct]) -> None:
    fields = msgspec.structs.fields(struct)
    named = {column.name for column in table.columns}
    assert {column.name for column in table.contract_columns} <= {field.name for field in fields} <= named
    assert set(table.required) == {field.name for field in fields if field.required}


def test_the_tables_are_the_structs_of_the_domain() -> None:
    _same(CLICKS, Click)
    _same(CONVERSIONS, Conversion)
    _same(VISITS, Visit)


def test_every_column_is_documented_and_named_once() -> None:
    for table in TABLES.values():
        names = [column.name for column in table.columns]
        assert len(names) == len(set(names))
        assert all(column.doc for column in table.columns)
        assert not table.key or table.key in table.required


def test_the_personal_columns_are_the_ones_of_the_contract() -> None:
    personal = {column.name for table in TABLES.values() for column in table.columns if column.personal}
    assert personal == {"customer_email", "customer_phone", "email", "phone", "address", "payout_account", "tax_id"}
