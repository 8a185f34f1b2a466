from __future__ import annotations

import bz2
import codecs
import gzip
import io
import json
import lzma
import zipfile
from datetime import datetime
from decimal import Decimal
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from fraud.errors import InputError
from fraud.events.reading import Reading

from .conftest import Read

CSV = "click_id,clicked_at,affiliate_id,referrer\na,2026-03-01T10:00:00Z,7,https://café.example/\nb,2026-03-01T10:00:01Z,8,\n"
NDJSON = (
    '{"click_id":"a","clicked_at":"2026-03-01T10:00:00Z","affiliate_id":7,"referrer":"https://café.example/"}\n'
    '{"click_id":"b","clicked_at":1772359201,"affiliate_id":"8","referrer":null}\n'
)


def _parquet() -> bytes:
    columns = {
        "click_id": ["a", "b"],
        "clicked_at": pa.array([datetime(2026, 3, 1, 10), datetime(2026, 3, 1, 10, 0, 1)], pa.timestamp("us", "UTC")),  # noqa: DTZ001
        "affiliate_id": [7, 8],
        "referrer": ["https://café.example/", None],
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def _zip(name: str = "clicks.csv", files: int = 1) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(files):
            archive.writestr(f"{number}/{name}", CSV)
    return sink.getvalue()


def _excel(*sheets: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(f"sheet {number}")
        for row in rows:
            sheet.append(row)
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


EXCEL_ROWS: list[list[Any]] = [
    ["click_id", "clicked_at", "affiliate_id", "referrer"],
    ["a", datetime(2026, 3, 1, 10), 7, "https://café.example/"],  # noqa: DTZ001 - Excel knows no zones
    ["b", "2026-03-01T10:00:01Z", 8.0, None],
]
ARRAY = "[" + ",\n".join(NDJSON.splitlines()) + "]"


@pytest.mark.parametrize(
    "data",
    [
        CSV.encode(),
        codecs.BOM_UTF8 + CSV.encode(),
        CSV.encode("latin-1"),
        CSV.encode("utf-16"),
        CSV.encode("utf-16-be"),
        CSV.replace(",", ";").encode(),
        CSV.replace(",", "\t").replace("\n", "\r\n").encode(),
        CSV.replace("click_id", " Click_ID ").encode(),
        gzip.compress(CSV.encode()),
        zstandard.compress(CSV.encode()),
        NDJSON.encode(),
        gzip.compress(NDJSON.encode()),
        _parquet(),
        bz2.compress(CSV.encode()),
        lzma.compress(CSV.encode("utf-16")),
        _zip(),
        CSV.replace(",", "|").replace("\n", "\r\n").encode("utf-16-le"),
        ARRAY.encode(),
        json.dumps([json.loads(line) for line in NDJSON.splitlines()], indent=2).encode(),
        f'{{"status": 1, "clicks": {ARRAY}, "paging": {{"page": 1}}}}'.encode(),
        f'{{\n  "page": {{"n": 1}},\n  "clicks": {ARRAY}\n}}'.encode(),
        _excel(EXCEL_ROWS, []),
    ],
    ids=[
        *("plain", "bom", "latin1", "utf16", "utf16be", "semicolon", "tab-crlf", "spaced", "gz", "zst", "ndjson", "ndjson-gz", "parquet"),
        *("bz2", "xz-utf16", "zip", "pipe-utf16le", "array", "array-indented", "answer", "answer-indented", "excel"),
    ],
)
def test_the_same_rows_come_from_every_container(read: Read, data: bytes) -> None:
    reading, rows = read(data)
    assert (reading.rows, reading.usable, reading.rejected) == (2, 2, ())
    first, second = rows
    assert (first["click_id"], first["affiliate_id"], first["referrer"]) == ("a", "7", "https://café.example/")
    assert second["clicked_at"] == datetime(2026, 3, 1, 10, 0, 1)  # noqa: DTZ001 - the lake's times are UTC without a zone
    assert second["referrer"] is None
    assert first["program_id"] == "default"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T10:00:00Z", datetime(2026, 3, 1, 10)),  # noqa: DTZ001
        ("2026-03-01 10:00", datetime(2026, 3, 1, 10)),  # noqa: DTZ001
        ("2026-03-01T10:00:00+02:00", datetime(2026, 3, 1, 8)),  # noqa: DTZ001
        ("2026-03-01T10:00:00.5-0330", datetime(2026, 3, 1, 13, 30, 0, 500_000)),  # noqa: DTZ001
        ("2026-03-01", datetime(2026, 3, 1)),  # noqa: DTZ001
        ("1772359200", datetime(2026, 3, 1, 10)),  # noqa: DTZ001
        ("1772359200.25", datetime(2026, 3, 1, 10, 0, 0, 250_000)),  # noqa: DTZ001
        ("1772359200123", datetime(2026, 3, 1, 10, 0, 0, 123_000)),  # noqa: DTZ001
        ("1772359200123456", datetime(2026, 3, 1, 10, 0, 0, 123_456)),  # noqa: DTZ001
        ("1.772359200e+09", datetime(2026, 3, 1, 10)),  # noqa: DTZ001
        ("1.772359200123E12", datetime(2026, 3, 1, 10, 0, 0, 123_000)),  # noqa: DTZ001
    ],
)
def test_times(read: Read, text: str, expected: datetime) -> None:
    _, rows = read(f"click_id,clicked_at,affiliate_id\na,{text},7\n")
    assert rows[0]["clicked_at"] == expected


@pytest.mark.parametrize("text", ["31/31/2026", "2026-02-30", "20260301", "12", "infinity", "epoch", "now", "1e9", "9" * 19, "-5", "10:00"])
def test_what_is_no_time_is_set_aside_with_its_line(read: Read, text: str) -> None:
    reading, rows = read(f"click_id,clicked_at,affiliate_id\ngood,2026-03-01,7\nbad,{text},7\n")
    assert [row["click_id"] for row in rows] == ["good"]
    (rejected,) = reading.rejected
    assert rejected.line == 3
    assert rejected.reason.startswith(f"clicked_at '{text}' is no time")
    assert rejected.raw == f"bad,{text},7"


def test_a_time_that_a_spreadsheet_has_shortened_is_no_time(read: Read) -> None:
    reading, _ = read("click_id,clicked_at,affiliate_id\ngood,2026-03-01,7\nbad,1.77236E+12,7\n")
    assert reading.rejected[0].reason == (
        "clicked_at '1.77236E+12' is a number that a spreadsheet has shortened: export the column as whole numbers or as text"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4,50", "4.50"),
        ("-4,5", "-4.5"),
        ("1.234,56", "1234.56"),
        ("1.234.567,891", "1234567.891"),
        ("0,1234", "0.1234"),
        ("1,234.56", "1234.56"),
        ("1,234,567", "1234567"),
        ("1,234", None),
        ("1.234,", None),
        ("12,34,56", None),
        ("1,2345.6", None),
        ("4,50 EUR", None),
        ("$4.50", None),
    ],
)
def test_money_with_a_comma_is_read_where_it_can_mean_one_thing(read: Read, text: str, expected: str | None) -> None:
    reading, rows = read(f"conversion_id;converted_at;affiliate_id;amount\ngood;2026-03-01;7;1\nv;2026-03-01;7;{text}\n", "conversions")
    if expected is None:
        assert reading.rejected[0].reason == f"amount '{text}' is no decimal number, or may be read as two: write 1234.56"
    else:
        assert rows[1]["amount"] == Decimal(expected)


def test_values_are_typed_and_empty_is_unknown(read: Read) -> None:
    _, rows = read(
        'click_id,clicked_at,affiliate_id,dwell_ms,js_executed,country,sub_id\na,2026-03-01,7,1500,Yes,de,\nb,2026-03-01,7,,0,"",  \n'
    )
    assert [(r["dwell_ms"], r["js_executed"], r["country"], r["sub_id"]) for r in rows] == [
        (1500, True, "DE", None),
        (None, False, None, None),
    ]


def test_conversions_keep_exact_money_and_known_states(read: Read) -> None:
    reading, rows = read(
        "conversion_id,converted_at,affiliate_id,amount,currency,status\n"
        "a,2026-03-01,7,19.99,eur,Approved\n"
        'b,2026-03-01,7,"1,500",eur,approved\n'
        "c,2026-03-01,7,1,eur,lost\n",
        "conversions",
    )
    assert (rows[0]["amount"], rows[0]["currency"], rows[0]["status"]) == (Decimal("19.9900"), "EUR", "approved")
    reasons = [rejected.reason for rejected in reading.rejected]
    assert reasons[0] == "amount '1,500' is no decimal number, or may be read as two: write 1234.56"
    assert reasons[1].startswith("status 'lost' is none of pending, approved")


def test_lists_are_split_and_codes_in_them_checked(read: Read) -> None:
    reading, rows = read("offer_id,countries,landing_domains\n1,de; at;,shop.example\n2,germany,\n", "offers")
    assert (rows[0]["countries"], rows[0]["landing_domains"]) == (["DE", "AT"], ["shop.example"])
    assert reading.rejected[0].line == 3
    _, from_json = read('{"offer_id": 1, "countries": ["de", "at"]}', "offers")
    assert from_json[0]["countries"] == ["DE", "AT"]


def test_ragged_rows_and_open_quotes_cost_only_themselves(read: Read) -> None:
    reading, rows = read(
        "click_id,clicked_at,affiliate_id,referrer\n"  # 1
        "a,2026-03-01,7,x\n"  # 2
        "short,2026-03-01\n"  # 3
        "\n"  # 4, blank: no row
        'b,2026-03-01,7,"two\nlines"\n'  # 5 and 6
        'open,2026-03-01,7,"never closed\n'  # 7
        "c,2026-03-01,7,y\n"  # 8
        "long,2026-03-01,7,y,z\n"  # 9
        ",2026-03-01,7,y\n"  # 10
    )
    assert [row["click_id"] for row in rows] == ["a", "b", "c"]
    assert rows[1]["referrer"] == "two\nlines"
    assert [(rejected.line, rejected.reason) for rejected in reading.rejected] == [
        (3, "2 cells where the header has 4"),
        (7, "a quote is opened and not closed as it should be"),
        (9, "5 cells where the header has 4"),
        (10, "click_id is empty"),
    ]
    assert reading.rows == 7


def test_lines_are_told_right_after_cells_that_span_lines(read: Read) -> None:
    reading, _ = read('click_id,clicked_at,affiliate_id,referrer\n\na,2026-03-01,7,"1\n2\n3"\nb,never,7,\n')
    assert [(rejected.line, rejected.raw) for rejected in reading.rejected] == [(6, "b,never,7,")]


def test_broken_json_lines_are_set_aside(read: Read) -> None:
    reading, rows = read(NDJSON + '{"click_id": "c"\n\n[1]\n{"click_id":"d","clicked_at":"2026-03-01","affiliate_id":{"x":1}}\n')
    assert [row["click_id"] for row in rows] == ["a", "b", "d"]
    assert [(rejected.line, rejected.reason) for rejected in reading.rejected] == [
        (3, "the line is no JSON object"),
        (5, "the line is no JSON object"),
    ]


def test_a_record_of_a_parquet_file_is_named_by_its_number(read: Read) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"click_id": ["a", None], "clicked_at": ["2026-03-01", "2026-03-01"], "affiliate_id": ["7", "7"]}), sink)
    reading, _ = read(sink.getvalue())
    assert [(rejected.line, rejected.reason) for rejected in reading.rejected] == [(2, "click_id is empty")]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "binary"),
        (b"\x7fELF" + bytes(200), "binary"),
        (gzip.compress(CSV.encode())[:-12], "damaged"),
        (b"PAR1 and nothing more", "no Parquet file"),
        (gzip.compress(b"PAR1 and nothing more"), "compressed Parquet"),
        (lzma.compress(CSV.encode())[:-9], "damaged"),
        (_zip()[:60], "damaged"),
        (_zip(files=2), "archive of 2 files"),
        (_excel(EXCEL_ROWS, EXCEL_ROWS), "rows on several sheets \\(sheet 0, sheet 1\\)"),
        (_excel(EXCEL_ROWS)[:-40] + bytes(40), "damaged|no Excel workbook"),
        (_excel([]), "has no columns"),
        (b'[{"click_id": 1}]', "missing: affiliate_id, clicked_at; found: click_id"),
        (b"[]", "has no columns"),
        (b'{"status": 1, "clicks": []}', "missing"),
        (b"a,b,a\n1,2,3\n", "'a' more than once"),
        (b"when,who\n1,2\n", "missing: affiliate_id, click_id, clicked_at; found: when, who"),
        (b"click_id,who\n1,2\n", "Name the columns so, or say what your tracker calls them in a mapping"),
        (b"Report of March\n\nclick_id,clicked_at,affiliate_id\na,2026-03-01,7\n", "If the first line names no columns, remove it"),
        (b"<!DOCTYPE html><html><body>Log in</body></html>", "is a web page"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "Save it as .xlsx"),
        (b'{"who": 1}\n', "missing: affiliate_id, click_id, clicked_at; found: who"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_unusable_files_say_why(read: Read, data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read(data)


def test_unknown_columns_are_reported_and_ignored(read: Read) -> None:
    reading, rows = read("click_id,clicked_at,affiliate_id,Weather\na,2026-03-01,7,rain\n")
    assert reading.unknown_columns == ("weather",)
    assert "weather" not in rows[0]


def test_a_row_of_another_program_is_set_aside_when_one_is_given(read: Read) -> None:
    data = "program_id,click_id,clicked_at,affiliate_id\nother,a,2026-03-01,7\n,b,2026-03-01,7\n"
    reading, rows = read(data, program_id="mine")
    assert [(row["click_id"], row["program_id"]) for row in rows] == [("b", "mine")]
    assert reading.rejected[0].reason.startswith("program_id 'other' is not the program")
    assert read(data)[0].programs == ("default", "other")


def test_text_that_looks_like_sql_stays_text(read: Read) -> None:
    hostile = "'; DROP TABLE staged; --"
    reading, rows = read(f"click_id,clicked_at,affiliate_id,x'y\"z\n{hostile},2026-03-01,7,1\n")
    assert rows[0]["click_id"] == hostile
    assert reading.unknown_columns == ("x'y\"z",)


def test_personal_values_leave_no_trace_in_the_rows(read: Read, con: duckdb.DuckDBPyConnection) -> None:
    reading, rows = read(
        "conversion_id,converted_at,affiliate_id,customer_email,customer_phone\n"
        "a,2026-03-01,7,J.Doe+x@Gmail.com,+49 (30) 1234\n"
        "b,2026-03-01,7,jdoe@googlemail.com,0049301234\n"
        "c,2026-03-01,7,x@mailinator.com,\n",
        "conversions",
    )
    first, second, third = rows
    assert first["customer_email"] == second["customer_email"] != third["customer_email"]
    assert first["customer_phone"] == second["customer_phone"]
    assert (first["customer_email_domain"], first["customer_email_kind"]) == ("gmail.com", "free")
    assert (third["customer_email_kind"], third["customer_phone"]) == ("disposable", None)
    assert "doe" not in str(_stored(con, reading)).lower()


def _stored(con: duckdb.DuckDBPyConnection, reading: Reading) -> list[tuple[Any, ...]]:
    return con.table(reading.relation).fetchall()


def test_times_of_a_twelve_hour_clock(read: Read) -> None:
    reading, rows = read(
        "click_id,clicked_at,affiliate_id\na,2026-03-01 12:00:00 AM,7\nb,2026-03-01 1:05 pm,7\nc,2026-03-01 13:00:00 PM,7\n"
    )
    assert [row["clicked_at"] for row in rows] == [datetime(2026, 3, 1), datetime(2026, 3, 1, 13, 5)]  # noqa: DTZ001
    assert [row.line for row in reading.rejected] == [4]


def test_a_broken_element_of_an_array_costs_itself_alone(read: Read) -> None:
    good = '{"click_id": "%s", "clicked_at": "2026-03-01", "affiliate_id": 7, "referrer": {"url": "x, {y}"}}'
    text = f'[\n{good % "a"},\n{{"click_id": "b" "clicked_at"}},\n17,\n{good % "c"}\n,\n{good[:40]}'
    reading, rows = read(text)
    assert [row["click_id"] for row in rows] == ["a", "c"]
    assert [(row.line, row.reason) for row in reading.rejected] == [(line, "the line is no JSON object") for line in (3, 4, 7)]
    assert reading.rejected[0].raw == '{"click_id": "b" "clicked_at"}'


def test_members_of_objects_in_objects_are_columns(read: Read) -> None:
    lines = [{"click_id": "a", "clicked_at": "2026-03-01", "affiliate_id": 7, "geo": {"Country": {"code": "DE"}, "dots.in": 1}}]
    reading, _ = read("\n".join(json.dumps(line) for line in lines))
    assert reading.unknown_columns == ("geo.country.code", "geo.dots.in")


def test_nul_characters_and_half_characters_are_set_aside(read: Read) -> None:
    head = "click_id,clicked_at,affiliate_id\n"
    good = "".join(f"good{number},2026-03-01,7\n" for number in range(20))
    reading, rows = read(head + good + "b\0d,2026-03-01,7\n")
    assert len(rows) == 20
    assert [(row.line, row.reason) for row in reading.rejected] == [(22, "click_id holds a NUL character")]
    reading, rows = read(
        '{"click_id":"a\\u0000","clicked_at":"2026-03-01","affiliate_id":7}\n{"click_id":"\\ud83d","clicked_at":"2026-03-01","affiliate_id":7}\n'
        '{"click_id":"\\ud83d\\ude00","clicked_at":"2026-03-01","affiliate_id":7}\n'
    )
    assert [row["click_id"] for row in rows] == ["\U0001f600"]
    assert [row.reason for row in reading.rejected] == [
        "click_id holds a NUL character",
        "the line holds half of a surrogate pair, which is no character",
    ]


def test_a_nul_in_parquet_and_excel_is_found_too(read: Read) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"click_id": ["a\0", "b"], "clicked_at": ["2026-03-01"] * 2, "affiliate_id": ["7"] * 2}), sink)
    reading, rows = read(sink.getvalue())
    assert [row["click_id"] for row in rows] == ["b"]
    assert reading.rejected[0].reason == "click_id holds a NUL character"


def test_lines_of_json_may_hold_any_separator(read: Read) -> None:
    reading, rows = read('{"click_id":"a","clicked_at":"2026-03-01","affiliate_id":"7"}\n\x1e broken \x1e\n')
    assert (len(rows), reading.rejected[0].line) == (1, 2)


@pytest.mark.parametrize("size", [10, 4_000, 4_090, 5_000, 70_000, 2_000_000])
def test_elements_of_any_length_are_whole(read: Read, size: int) -> None:
    row = {"click_id": "a", "clicked_at": "2026-03-01", "affiliate_id": 7, "items": [{"n": 1}, {"n": 2}], "referrer": "x" * size}
    _, rows = read(json.dumps([row, row | {"click_id": "b"}]))
    assert [(given["click_id"], len(given["referrer"])) for given in rows] == [("a", size), ("b", size)]
