"""CSV in one pass: the rows keep their order, and those set aside their lines, as the row-by-row reader would tell them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fraud.events import delimited, direct

from .conftest import Read

HEADER = "click_id,clicked_at,affiliate_id,js_executed,country\n"
GOOD = "{n},2026-03-01T00:00:00Z,a,true,DE\n"
BAD = {
    "torn,2026-03-01\n": "2 cells",
    "x,never,a,true,DE\n": "clicked_at",
    "y,2026-03-01,a,maybe,DE\n": "js_executed",
    "1,2,3,4,5,6\n": "6 cells",
}


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB reads the file in many pieces, by several threads."""
    monkeypatch.setattr(delimited, "_BUFFER", 1 << 22)


@pytest.mark.usefixtures("small_pieces")
def test_a_file_read_in_pieces_keeps_its_order_and_its_lines(read: Read) -> None:
    lines = [GOOD.format(n=f"{n:040d}") for n in range(300_000)]
    wanted = {}
    for number, (line, words) in enumerate(BAD.items(), start=1):
        lines[number * 55_555] = line
        wanted[number * 55_555 + 2] = (line.rstrip(), words)
    reading, rows = read(HEADER + "".join(lines))
    assert (reading.rows, len(rows)) == (300_000, 299_996)
    names = [row["click_id"] for row in rows]
    assert names == sorted(names)
    assert [(row.line, row.raw) for row in reading.rejected] == [(line, raw) for line, (raw, _) in wanted.items()]
    assert all(words in row.reason for row, (_, words) in zip(reading.rejected, wanted.values(), strict=True))
    assert [row.ordinal for row in reading.rejected] == [line - 2 for line in wanted]


@pytest.mark.parametrize(
    "text",
    [
        HEADER + "\n" + GOOD.format(n=1) + "torn\n",  # a blank line
        HEADER + GOOD.format(n=1) + '"a\nb",2026-03-01,a,true,DE\ntorn\n',  # a cell over two lines
        HEADER + GOOD.format(n=1) + 'open,"2026\n' + GOOD.format(n=2),  # a quote that is never closed
        HEADER + GOOD.format(n=1) + "a\rb,never,a,true,DE\n",  # a lone carriage return
    ],
)
def test_what_is_not_one_line_a_record_is_left_to_the_careful_reader(read: Read, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    taken: list[Any] = []
    careful = direct.load

    def load(*given: Any) -> Any:
        taken.append(careful(*given))
        return taken[-1]

    monkeypatch.setattr(direct, "load", load)
    reading, _ = read(text)
    assert taken == [None]
    assert len(reading.rejected) >= 1


LINES = st.sampled_from(
    [GOOD.format(n=n) for n in range(3)]
    + list(BAD)
    + ["\n", " \n", '"q\n', '"a\nb",2026-03-01,a,,\n', ",,,,\n", "a\r,b\n", '"x"y,1,2,3,4\n']
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, max_size=9), st.booleans())
def test_both_readers_say_the_same(read: Read, tmp_path: Path, lines: list[str], last: bool) -> None:
    text = HEADER + GOOD.format(n="first") + "".join(lines) + (GOOD.format(n="last") if last else "")
    one_pass = read(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(direct, "load", lambda *_: None)
        careful = read(text)
    assert one_pass[0].rejected == careful[0].rejected
    assert [{**row, "ordinal": 0} for row in one_pass[1]] == [{**row, "ordinal": 0} for row in careful[1]]


def test_lines_are_counted_whatever_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "lines.txt"
    file.write_bytes("".join(f"{n} é\r\n" for n in range(1, 101)).encode())
    monkeypatch.setattr(direct, "_BLOCK", 16)
    assert direct.lines_of(file, [1, 50, 100], 100) == {1: "1 é", 50: "50 é", 100: "100 é"}
    assert direct.lines_of(file, [1], 99) is None
