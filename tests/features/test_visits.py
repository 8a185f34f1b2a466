"""What the tag's reports say of clicks: the same in the engines' SQL as for a single conversion, and of nobody who reported nothing."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraud.domain.events import Click, Visit
from fraud.domain.scans import Period
from fraud.features import visits
from fraud.features.realtime_conversions import visit_features

from .programs import START, Rows, clicks, conversions, features_of, lake_of, one

CLICK = Click(click_id="c", clicked_at=START, affiliate_id="a")
PERSON: dict[str, Any] = {
    "final": True,
    "webdriver": False,
    "viewport_width": 390,
    "viewport_height": 844,
    "screen_width": 390,
    "screen_height": 844,
    "elapsed_ms": 30_000,
    "visible_ms": 29_000,
    "response_ms": 120,
    "interactive_ms": 400,
    "first_input_ms": 2_000,
    "pointer_moves": 40,
    "other_inputs": 3,
}
"""What a person's browser reports."""


def report(**said: Any) -> Visit:
    return Visit(visit_id="v", click_id="c", seen_at=START + timedelta(seconds=40), **(PERSON | said))


def rows(of: Rows, name: str = "", **said: Any) -> Rows:
    """A report on each of these clicks, half a minute after it."""
    return [
        {"visit_id": f"{name}{click['click_id']}", "click_id": click["click_id"], "seen_at": click["clicked_at"] + timedelta(seconds=31)}
        | PERSON
        | said
        for click in of
    ]


def test_a_persons_visit_has_no_mark() -> None:
    assert visits.marks_of(CLICK, [report()]) == dict.fromkeys(visits.MARKS, False)


@pytest.mark.parametrize(
    ("said", "mark"),
    [
        ({"webdriver": True}, "driven"),
        ({"visible_ms": 0, "first_input_ms": None}, "unseen"),
        ({"viewport_width": 1}, "odd_window"),
        ({"viewport_height": 0}, "odd_window"),
        ({"viewport_width": 2_000}, "odd_window"),
        ({"visible_ms": 31_000}, "odd_times"),
        ({"first_input_ms": 31_000}, "odd_times"),
        ({"first_input_ms": 1, "response_ms": 300}, "odd_times"),
        ({"elapsed_ms": 100_001}, "odd_times"),
        ({"pointer_moves": 0, "other_inputs": 0, "first_input_ms": None}, "untouched"),
    ],
)
def test_each_sign_has_its_mark(said: dict[str, Any], mark: str) -> None:
    assert visits.marks_of(CLICK, [report(**said)])[mark] is True


def test_what_is_not_over_is_not_known() -> None:
    """A page in a hidden tab may still be looked at, and touched."""
    marks = visits.marks_of(CLICK, [report(final=False, visible_ms=0, pointer_moves=0, other_inputs=0)])
    assert (marks["unseen"], marks["untouched"], marks["odd_window"]) == (None, None, None)


def test_reports_of_another_time_say_nothing_of_the_click() -> None:
    for late in (-61, 3_600, 86_400):
        stray = msgspec.structs.replace(report(webdriver=True), seen_at=START + timedelta(seconds=late))
        assert set(visits.marks_of(CLICK, [stray]).values()) == {None}
    assert set(visits.marks_of(None, [report()]).values()) == {None}


def test_one_report_suffices_for_a_driven_browser_and_one_look_for_a_page_that_was_seen() -> None:
    marks = visits.marks_of(CLICK, [report(webdriver=True, visible_ms=0), report()])
    assert (marks["driven"], marks["unseen"]) == (True, False)


NUMBERS = st.none() | st.sampled_from([0, 1, 9, 10, 250, 251, 800, 1_051, 4_221, 30_000, 90_000, 100_001])
REPORTS = st.lists(
    st.fixed_dictionaries(
        {"seen_at": st.sampled_from([-61, -60, 0, 1, 40, 3_599, 3_600]).map(lambda s: START + timedelta(seconds=s, microseconds=7))}
        | {name: st.none() | st.booleans() for name in ("final", "webdriver")}
        | {name: NUMBERS for name in PERSON if name not in {"final", "webdriver"}}
    ),
    max_size=3,
)


@settings(max_examples=60)
@given(REPORTS)
def test_a_conversion_sees_the_marks_that_the_engines_count(said: list[dict[str, Any]]) -> None:
    reports = [Visit(visit_id=str(n), click_id="c", **one) for n, one in enumerate(said)]
    with duckdb.connect() as con:
        con.execute(visits.NONE)
        for row in reports:
            plain = [value.replace(tzinfo=None) if isinstance(value, datetime) else value for value in _cells(row)]
            con.execute(f"INSERT INTO visits ({', '.join(visits.COLUMNS)}) VALUES ({', '.join('?' * len(plain))})", plain)
        con.execute(
            "CREATE TABLE clicks AS SELECT 'c' AS click_id, 'a' AS affiliate_id, 's' AS sub_id, 'o' AS offer_id, ? AS clicked_at",
            [_naive()],
        )
        con.execute("CREATE TABLE ft_windows AS SELECT 0 AS w, TIMESTAMP '2026-02-01' AS starts, TIMESTAMP '2026-04-01' AS ends")
        visits.count(con)
        found = con.sql("SELECT * FROM ft_visit_tallies").to_df().to_dict("records")
    marks = visits.marks_of(CLICK, reports)
    counted = found[0] if found else dict.fromkeys(visits.TALLIES, 0)
    for name in visits.MARKS:
        assert (counted[f"told_{name}"], counted[name]) == (int(marks[name] is not None), int(marks[name] is True)), name
    assert visit_features(CLICK, reports)["visit_driven"] == (None if marks["driven"] is None else float(marks["driven"]))


def _cells(row: Visit) -> list[Any]:
    return [getattr(row, name) for name in visits.COLUMNS]


def _naive() -> datetime:
    return START.astimezone(UTC).replace(tzinfo=None)


def test_a_share_rests_on_those_who_reported(tmp_path: Path) -> None:
    made = clicks("a", 60)
    lake = lake_of(tmp_path, clicks=made, visits=[*rows(made[:30], webdriver=True), *rows(made[30:50])])
    table = features_of(lake)
    assert one(table, "a")["webdriver_share"] == pytest.approx(30 / 50)
    assert table.window(START).support.loc["a", "webdriver_share"] == 50
    assert one(table, "a")["odd_window_share"] == 0.0


def test_a_program_without_a_tag_knows_nothing_of_visits(tmp_path: Path) -> None:
    table = features_of(lake_of(tmp_path, clicks=clicks("a", 60)))
    told = [one(table, "a")[name] for name in ("webdriver_share", "unseen_visit_share", "odd_timing_share", "tag_coverage")]
    assert all(pd.isna(value) for value in told)


def test_coverage_is_of_offers_from_which_others_report(tmp_path: Path) -> None:
    """Three others report from the offer `o`; nobody does from `bare`, where nothing is therefore missing."""
    peers = {name: clicks(name, 40) for name in ("b", "c", "d")}
    silent, bare = clicks("a", 30), [row | {"click_id": f"x{row['click_id']}", "offer_id": "bare"} for row in clicks("a", 50)]
    reported = [row for made in peers.values() for row in rows(made[:20])]
    table = features_of(lake_of(tmp_path, clicks=[*itertools.chain(*peers.values()), *silent, *bare], visits=reported))
    assert one(table, "a")["tag_coverage"] == 0.0
    assert table.window(START).support.loc["a", "tag_coverage"] == 30
    assert pd.isna(one(table, "b")["tag_coverage"]), "only two others report beside b"


def test_conversions_from_pages_that_nobody_touched(tmp_path: Path) -> None:
    made = clicks("a", 10)
    sold = [row | {"click_id": made[n]["click_id"]} for n, row in enumerate(conversions("a", 8))]
    untouched: dict[str, Any] = {"pointer_moves": 0, "other_inputs": 0, "first_input_ms": None}
    table = features_of(lake_of(tmp_path, clicks=made, conversions=sold, visits=[*rows(made[:3], **untouched), *rows(made[3:5])]))
    assert one(table, "a")["untouched_conversion_share"] == pytest.approx(3 / 5)


def test_reports_after_the_window_are_not_known_in_it(tmp_path: Path) -> None:
    made = clicks("a", 30, every=1.0)
    late = [row | {"seen_at": START + timedelta(minutes=50), "webdriver": True} for row in rows(made)]
    lake = lake_of(tmp_path, clicks=made, visits=late)
    early = Period(start=START, end=START + timedelta(minutes=40))
    assert pd.isna(one(features_of(lake, early), "a")["webdriver_share"])


def test_the_last_word_on_a_visit_counts(tmp_path: Path) -> None:
    made = clicks("a", 25)
    lake = lake_of(tmp_path, clicks=made, visits=rows(made, final=False, visible_ms=0))
    lake.append("visits", "p", pa.Table.from_pylist(rows(made)), START + timedelta(minutes=1))
    assert one(features_of(lake), "a")["unseen_visit_share"] == 0.0
