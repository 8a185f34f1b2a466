"""What reports of the landing pages' tag say of a click, for all engines in SQL and for a single conversion in Python.

A report comes from the visitor's browser, which may say what it likes, or nothing: what is missing is unknown, and how much is missing is
a feature of its own. A click with several reports was driven by a program if one says so, and was never seen if none saw it.
Nothing in a window's row depends on a report at or after the window's end.
"""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fraud.domain.events import Click, Visit
from fraud.domain.tables import VISITS
from fraud.features.constants import (
    BEYOND_SCREEN,
    SMALLEST_SIDE_PX,
    TAGGED_AFFILIATES,
    VISIT_CLOCKS_S,
    VISIT_ROUNDING_MS,
    VISIT_WITHIN_S,
)

if TYPE_CHECKING:  # the hot path needs neither
    import duckdb
    import pyarrow as pa

_ODD_TIMES = (
    f"v.visible_ms > v.elapsed_ms + {VISIT_ROUNDING_MS}",
    f"v.first_input_ms > v.elapsed_ms + {VISIT_ROUNDING_MS}",
    f"v.response_ms > v.interactive_ms + {VISIT_ROUNDING_MS}",
    f"v.response_ms > v.first_input_ms + {VISIT_ROUNDING_MS}",
    f"v.elapsed_ms > {{since_click}} / 1000 + {VISIT_CLOCKS_S * 1000}",
)
_MARKS_SQL: Mapping[str, str] = {
    "driven": "v.webdriver",
    "unseen": "CASE WHEN v.visible_ms > 0 THEN false WHEN v.final THEN v.visible_ms = 0 END",
    "odd_window": f"CASE WHEN v.visible_ms > 0 THEN v.viewport_width < {SMALLEST_SIDE_PX} OR v.viewport_height < {SMALLEST_SIDE_PX} "
    f"OR v.viewport_width > {BEYOND_SCREEN} * v.screen_width OR v.viewport_height > {BEYOND_SCREEN} * v.screen_height END",
    "odd_times": f"CASE WHEN v.elapsed_ms IS NOT NULL THEN {' OR '.join(f'coalesce({one}, false)' for one in _ODD_TIMES)} END",
    "untouched": "CASE WHEN v.pointer_moves > 0 OR v.other_inputs > 0 THEN false "
    "WHEN v.final AND v.pointer_moves = 0 AND v.other_inputs = 0 THEN true END",
}
"""What a report `v` says of its click `c`, NULL where it does not say."""

MARKS: tuple[str, ...] = tuple(_MARKS_SQL)

_BY_ALL = frozenset({"unseen", "untouched"})
"""What is so of a click only when every report that tells says it; of the rest one suffices."""

BELONGS = (
    f"v.click_id = c.click_id AND v.seen_at >= c.clicked_at - INTERVAL '{VISIT_CLOCKS_S}' SECOND "
    f"AND v.seen_at < c.clicked_at + INTERVAL '{VISIT_WITHIN_S}' SECOND"
)
"""SQL, for DuckDB and Spark: that a report `v` is one of the click `c`."""

DUCKDB_SINCE = "date_diff('microsecond', c.clicked_at, v.seen_at)"
SPARK_SINCE = "timestampdiff(MICROSECOND, c.clicked_at, v.seen_at)"
"""SQL of the microseconds from click to report, in both dialects."""

COLUMNS = tuple(name for name in Visit.__struct_fields__ if name != "program_id")
"""The columns of reports that are read."""

NONE = f"CREATE OR REPLACE TEMP TABLE visits ({', '.join(f'{one.name} {one.sql_type}' for one in VISITS.columns if one.name in COLUMNS)})"
"""Creates `visits` where there are none."""

_TALLIED = ", ".join(f"count({name}) AS told_{name}, coalesce(count_if({name}), 0) AS {name}" for name in MARKS)
_TALLIES = f"""
WITH reported AS (
    SELECT w.w, c.affiliate_id, c.sub_id, c.offer_id, c.click_id, {{marks}}
    FROM {{visits}} v JOIN {{clicks}} c ON {BELONGS}
    JOIN {{windows}} w ON c.clicked_at >= w.starts AND c.clicked_at < w.ends AND v.seen_at < w.ends
    GROUP BY w.w, c.affiliate_id, c.sub_id, c.offer_id, c.click_id
)
SELECT w, affiliate_id, sub_id, offer_id, count(*) AS reported, {_TALLIED}
FROM reported GROUP BY w, affiliate_id, sub_id, offer_id
"""

TALLIES = ("reported", *(f"{told}{name}" for name in MARKS for told in ("told_", "")))

LANDED = f"""
CREATE OR REPLACE TEMP TABLE ft_landed AS
SELECT w.w, c.click_id, bool_and(v.untouched) AS untouched FROM (
    SELECT v.click_id, v.seen_at, {_MARKS_SQL["untouched"]} AS untouched FROM visits v
    WHERE v.click_id IN (SELECT click_id FROM ft_matched)
) v JOIN (SELECT DISTINCT click_id, clicked_at FROM ft_matched WHERE clicked_at IS NOT NULL) c ON {BELONGS}
JOIN ft_windows w ON v.seen_at < w.ends
GROUP BY w.w, c.click_id
"""
"""Whether anybody touched the landing page, by the click of each conversion; needs `ft_matched` and the view `visits`."""

PLACED = """
CREATE OR REPLACE TEMP TABLE ft_visits AS
SELECT n.e, coalesce(o.code, {unknown}) AS o, {summed} FROM ft_visit_tallies t
JOIN ft_named n ON {same} LEFT JOIN ft_offers o ON o.text = t.offer_id
GROUP BY n.e, o.code
"""

TAGGED = f"""
WITH reporting AS (SELECT DISTINCT w, offer_id, affiliate_id FROM ft_visit_tallies),
tagged AS (SELECT w, offer_id, count(*) AS affiliates FROM reporting GROUP BY w, offer_id)
SELECT c.e, c.n, coalesce(v.reported, 0) AS reported
FROM ft_click_offers c JOIN ft_entities USING (e) JOIN ft_affiliates f USING (a) LEFT JOIN ft_offers o ON o.code = c.o
JOIN tagged t ON t.w = f.w AND t.offer_id IS NOT DISTINCT FROM o.text
LEFT JOIN reporting own ON own.w = f.w AND own.offer_id IS NOT DISTINCT FROM o.text AND own.affiliate_id = f.affiliate_id
LEFT JOIN ft_visits v ON v.e = c.e AND v.o = c.o
WHERE t.affiliates - (own.w IS NOT NULL)::INTEGER >= {TAGGED_AFFILIATES}
"""
"""Clicks `n` and those `reported` of them by entity and offer, where the landing page carries the tag: others' visitors report from it."""


def tallies_sql(visits: str, clicks: str, windows: str, since_click: str) -> str:
    """The SELECT of the tallies by window, affiliate, sub-ID and offer, over relations of these names; whole numbers, so that any order
    of work gives the same. `since_click` is `DUCKDB_SINCE` or `SPARK_SINCE`."""
    marks = ", ".join(
        f"bool_{'and' if name in _BY_ALL else 'or'}({sql.format(since_click=since_click)}) AS {name}" for name, sql in _MARKS_SQL.items()
    )
    return _TALLIES.format(marks=marks, visits=visits, clicks=clicks, windows=windows)


def count(con: duckdb.DuckDBPyConnection) -> None:
    """Builds `ft_visit_tallies` from the views of a lake's connection, for the windows in `ft_windows`."""
    windows = "ft_windows" if con.sql("SELECT 1 FROM visits LIMIT 1").fetchall() else "(SELECT * FROM ft_windows WHERE false)"
    con.execute(f"CREATE OR REPLACE TEMP TABLE ft_visit_tallies AS {tallies_sql('visits', 'clicks', windows, DUCKDB_SINCE)}")


def place(con: duckdb.DuckDBPyConnection, entities: pa.Table, unknown: int) -> None:
    """Builds `ft_visits`: the tallies of each entity `e` of a level by offer `o` (`unknown`: none); `entities` has `e`, `w` and the names
    of the level's entities."""
    con.register("ft_named", entities)
    names = [name for name in entities.column_names if name != "e"]
    same = " AND ".join(f"n.{name} = t.{name}" for name in names)
    summed = ", ".join(f"sum(t.{name})::DOUBLE AS {name}" for name in TALLIES)
    con.execute(PLACED.format(unknown=unknown, summed=summed, same=same))
    con.unregister("ft_named")


def definitions() -> list[str]:
    """Every text that a feature's value depends on, for the hash of the feature set."""
    return [*_MARKS_SQL.values(), _TALLIES, LANDED, PLACED, TAGGED, *sorted(_BY_ALL)]


def marks_of(click: Click | None, visits: Iterable[Visit]) -> dict[str, bool | None]:
    """The marks of one click by its reports, as the SQL above gives them; all unknown without the click."""
    own = [visit for visit in visits if click is not None and _belongs(visit, click)]
    told = {
        name: [mark for visit in own if click is not None and (mark := told_by(visit, click)) is not None]
        for name, told_by in _MARKS.items()
    }
    return {name: (all(marks) if name in _BY_ALL else any(marks)) if marks else None for name, marks in told.items()}


def _belongs(visit: Visit, click: Click) -> bool:
    early, late = timedelta(seconds=VISIT_CLOCKS_S), timedelta(seconds=VISIT_WITHIN_S)
    return visit.click_id == click.click_id and click.clicked_at - early <= visit.seen_at < click.clicked_at + late


def _unseen(visit: Visit, click: Click) -> bool | None:
    if visit.visible_ms is None:
        return None
    return False if visit.visible_ms > 0 else (True if visit.final else None)


def _odd_window(visit: Visit, click: Click) -> bool | None:
    if not visit.visible_ms:
        return None
    sides = ((visit.viewport_width, visit.screen_width), (visit.viewport_height, visit.screen_height))
    said = [_odd_side(*side) for side in sides]
    return True if True in said else (None if None in said else False)


def _odd_side(viewport: int | None, screen: int | None) -> bool | None:
    if viewport is not None and viewport < SMALLEST_SIDE_PX:
        return True
    return None if viewport is None or screen is None else viewport > BEYOND_SCREEN * screen


def _odd_times(visit: Visit, click: Click) -> bool | None:
    if visit.elapsed_ms is None:
        return None
    pairs = (
        (visit.visible_ms, visit.elapsed_ms),
        (visit.first_input_ms, visit.elapsed_ms),
        (visit.response_ms, visit.interactive_ms),
        (visit.response_ms, visit.first_input_ms),
    )
    late = any(one is not None and other is not None and one > other + VISIT_ROUNDING_MS for one, other in pairs)
    return late or visit.elapsed_ms > _microseconds(click.clicked_at, visit.seen_at) / 1000 + VISIT_CLOCKS_S * 1000


def _microseconds(first: datetime, last: datetime) -> int:
    return (last - first) // timedelta(microseconds=1)


def _untouched(visit: Visit, click: Click) -> bool | None:
    if visit.pointer_moves or visit.other_inputs:
        return False
    return True if visit.final and visit.pointer_moves == 0 and visit.other_inputs == 0 else None


_MARKS: Mapping[str, Callable[[Visit, Click], bool | None]] = {
    "driven": lambda visit, click: visit.webdriver,
    "unseen": _unseen,
    "odd_window": _odd_window,
    "odd_times": _odd_times,
    "untouched": _untouched,
}
