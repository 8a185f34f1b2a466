"""Events on record found again: the newest in the lake, and clicks by their ids wherever they may be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb
import msgspec

from fraud.app.parts import App
from fraud.domain.clock import as_utc
from fraud.domain.decisions import Decision, DecisionKind
from fraud.domain.events import Click, Conversion
from fraud.errors import ReplayError, StorageError
from fraud.storage.lake import ParquetLake
from fraud.workflows.converting import RecentClicks
from fraud.workflows.scoring import facts_of

MOST_CONVERSIONS = 20_000
"""Conversions that are read at most: as many as clicks are replayed."""

_EVER = datetime.min.replace(tzinfo=UTC)


def clicks_before(lake: ParquetLake, program_id: str, as_of: datetime, most: int, since: datetime | None = None) -> list[Click]:
    """The newest clicks of a program before a time, oldest first."""
    columns = [name for name in Click.__struct_fields__ if name != "program_id"]
    rows = _newest_rows(lake, program_id, ("clicks", "clicked_at", "click_id"), columns, (since or _EVER, as_of), most)
    return [_click_of(row, program_id) for row in reversed(rows)]


def conversions_before(lake: ParquetLake, program_id: str, as_of: datetime, since: datetime) -> list[Conversion]:
    """The newest conversions of a program between two times, oldest first, at most as many as clicks are replayed."""
    columns = [name for name in Conversion.__struct_fields__ if name != "program_id"]
    rows = _newest_rows(lake, program_id, ("conversions", "converted_at", "conversion_id"), columns, (since, as_of), MOST_CONVERSIONS)
    return [conversion_of_row(row, program_id) for row in reversed(rows)]


def _newest_rows(
    lake: ParquetLake, program_id: str, of: tuple[str, str, str], columns: Sequence[str], between: tuple[datetime, datetime], most: int
) -> list[dict[str, Any]]:
    """The newest rows of a table (its name, its time and its id) between two times, newest first.

    First the time from which on there are enough of them: whole rows of millions of clicks in order are more than memory holds.
    """
    table, at, name = of
    bounds = {"since": between[0].replace(tzinfo=None), "as_of": between[1].replace(tzinfo=None)}
    chosen = f"from {table} where {at} >= $since and {at} < $as_of"
    with lake.connect(program_id) as events:
        times = f"select min({at}) from (select {at} {chosen} order by {at} desc limit {most:d})"  # noqa: S608 - names of our own columns
        (first,) = events.sql(times, params=bounds).fetchall()[0]
        if first is None:
            return []
        query = f"select {', '.join(columns)} {chosen} order by {at} desc, {name} limit {most:d}"
        rows: list[dict[str, Any]] = events.sql(query, params=bounds | {"since": first}).to_arrow_table().to_pylist()
    return rows


def conversion_of_row(row: dict[str, Any], program_id: str) -> Conversion:
    """A row of the lake's conversions as the domain knows it."""
    changed = row["status_changed_at"]
    times = {"converted_at": as_utc(row["converted_at"]), "status_changed_at": as_utc(changed) if changed else None}
    return msgspec.convert({**row, **times, "program_id": program_id}, Conversion)


def _click_of(row: dict[str, Any], program_id: str) -> Click:
    return msgspec.convert({**row, "clicked_at": as_utc(row["clicked_at"]), "program_id": program_id}, Click)


class ClickRecords:
    """Finds clicks by their ids wherever they may be: scored moments ago, scored before, or ingested."""

    def __init__(self, app: App, recent: RecentClicks, decided: Callable[[str, DecisionKind, str], Decision | None]) -> None:
        self._app = app
        self._recent = recent
        self._decided = decided

    def find(self, program_id: str, click_ids: Sequence[str]) -> dict[str, Click]:
        """Those of the clicks that are on record, by id; a `StorageError` when the records cannot be read."""
        lately = {name: self._recent.find(program_id, name) or self._scored(program_id, name) for name in click_ids}
        found = {name: click for name, click in lately.items() if click is not None}
        elsewhere = [name for name in click_ids if name not in found]
        return found | self._ingested(program_id, elsewhere) if elsewhere else found

    def _scored(self, program_id: str, click_id: str) -> Click | None:
        decision = self._decided(program_id, DecisionKind.SCORE, click_id)
        try:
            return facts_of(decision).click if decision is not None else None
        except ReplayError:
            return None  # erased: the click may still stand in the lake

    def _ingested(self, program_id: str, click_ids: Sequence[str]) -> dict[str, Click]:
        columns = ", ".join(name for name in Click.__struct_fields__ if name != "program_id")
        try:
            with self._app.lake.connect(program_id) as events:
                query = f"select {columns} from clicks where click_id in (select unnest($click_ids))"  # noqa: S608 - names of our own columns
                rows = events.sql(query, params={"click_ids": list(click_ids)}).to_arrow_table().to_pylist()
        except duckdb.Error as fault:
            raise StorageError(f"The clicks of {program_id} cannot be read: {fault}.") from fault
        return {row["click_id"]: _click_of(row, program_id) for row in rows}
