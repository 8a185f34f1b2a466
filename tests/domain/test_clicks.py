"""Clicks by column say what the same clicks say as rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from fraud.domain.clicks import COLUMNS, Clicks, ColumnClicks, ListedClicks, clicks_of
from fraud.domain.clock import microseconds
from fraud.domain.events import Click

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = [
    Click(click_id=f"c{number}", clicked_at=NOON + timedelta(microseconds=number), affiliate_id="a", program_id="shoes", sub_id=sub_id)
    for number, sub_id in enumerate(["s", None, "t", "u"])
]


def by_column(rows: list[Click]) -> Clicks:
    at = np.array([microseconds(click.clicked_at) for click in rows], np.int64)
    return ColumnClicks("shoes", at, {name: [getattr(click, name) for click in rows] for name in ("click_id", "affiliate_id", "sub_id")})


@pytest.mark.parametrize("clicks", [ListedClicks(ROWS), by_column(ROWS)], ids=["rows", "columns"])
def test_both_say_the_same(clicks: Clicks) -> None:
    assert list(clicks) == ROWS
    assert clicks.keys == [("shoes", f"c{number}") for number in range(4)]
    assert clicks.program_id == "shoes"
    assert clicks.at().tolist() == [microseconds(NOON) + number for number in range(4)]
    for name in (*COLUMNS, "program_id"):
        assert list(clicks.column(name)) == [getattr(click, name) for click in ROWS]
    assert {name: list(column) for name, column in clicks.known().items()} == {
        "click_id": ["c0", "c1", "c2", "c3"],
        "affiliate_id": ["a"] * 4,
        "sub_id": ["s", None, "t", "u"],
    }


@pytest.mark.parametrize("clicks", [ListedClicks(ROWS), by_column(ROWS)], ids=["rows", "columns"])
def test_a_stretch_or_some_of_them_are_clicks_again(clicks: Clicks) -> None:
    assert list(clicks[1:3]) == ROWS[1:3]
    assert list(clicks[::2]) == ROWS[::2]
    assert list(clicks.only([3, 0])) == [ROWS[3], ROWS[0]]
    assert clicks[-1:].keys == [("shoes", "c3")]


def test_clicks_of_several_programs_have_none_in_common() -> None:
    other = Click(click_id="x", clicked_at=NOON, affiliate_id="a", program_id="hats")
    assert clicks_of([ROWS[0], other]).program_id is None
    assert clicks_of([]).program_id is None
