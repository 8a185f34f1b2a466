from __future__ import annotations

import csv
import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.reports.tables import COLUMNS, safe_text, scan_csv
from tests.reports import samples


def rows(table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table, newline="")))


def test_every_affiliate_is_a_row_riskiest_first() -> None:
    read = rows(scan_csv(samples.scan_result(60)))
    assert len(read) == 60
    assert tuple(read[0]) == COLUMNS
    assert read[0]["affiliate_id"] == "nordic-deals"
    assert read[0]["outcome"] == "hold"
    assert read[0]["reason_codes"] == "timing.late_conversions; conversion.too_few; graph.shared_identity"
    assert read[0]["commission_at_risk_mid"] == "1940.00"


def test_unknown_is_an_empty_cell() -> None:
    read = rows(scan_csv(samples.scan_result(60)))
    assert read[30]["commission_at_risk_mid"] == ""
    assert read[30]["recommended_cap"] == ""


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u00a0=1", "＝1", "|calc", "%0A", "=HYPERLINK(1)", "\ufeff=1"]
)
def test_what_could_begin_a_formula_does_not(text: str) -> None:
    assert safe_text(text).startswith("'")


def test_ordinary_text_and_negative_money_stay_as_they_are() -> None:
    assert safe_text("nordic-deals") == "nordic-deals"
    result = samples.scan_result()
    debtor = msgspec.structs.replace(result.affiliates[0], commission=-5)
    assert rows(scan_csv(msgspec.structs.replace(result, affiliates=(debtor,))))[0]["commission"] == "-5"


@given(st.text())
def test_any_name_makes_one_row_and_no_formula(name: str) -> None:
    result = samples.quiet_scan()
    named = msgspec.structs.replace(result.affiliates[0], affiliate_id=name)
    read = rows(scan_csv(msgspec.structs.replace(result, affiliates=(named,))))
    assert len(read) == 1
    assert not read[0]["affiliate_id"].lstrip().startswith(("=", "+", "-", "@"))
