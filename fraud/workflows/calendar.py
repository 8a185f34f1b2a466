"""What a program declared and what its reviewers found, as a scan reads them from its events."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pandas as pd

from fraud.detection.context import Context, DeclaredEvent, with_declared_events
from fraud.domain.scans import Period
from fraud.features.table import FeatureTable


def declared(events: duckdb.DuckDBPyConnection, window: Period) -> tuple[DeclaredEvent, ...]:
    """The calendar's events that overlap a window."""
    planned = events.execute(
        "SELECT DISTINCT kind, affiliate_id, offer_id FROM calendar WHERE starts_at < $ends AND ends_at > $starts",
        {"starts": window.start, "ends": window.end},
    ).fetchall()
    return tuple(DeclaredEvent(*row) for row in planned)


def context_of(events: duckdb.DuckDBPyConnection, window: Period) -> Context:
    """The calendar's events that overlap the window, and each reviewed affiliate's newest label from before its end."""
    reviewed = events.execute(
        "SELECT affiliate_id, arg_max(label = 'bad', coalesce(labelled_at, TIMESTAMP '1970-01-01')) FROM labels "
        "WHERE labelled_at IS NULL OR labelled_at < $ends GROUP BY affiliate_id",
        {"ends": window.end},
    ).fetchall()
    return Context(declared(events, window), {str(name): bool(bad) for name, bad in reviewed})


def declared_by_window(events: duckdb.DuckDBPyConnection, windows: list[Period]) -> dict[Period, tuple[DeclaredEvent, ...]]:
    """The events of every window that has some."""
    found = {window: declared(events, window) for window in windows}
    return {window: planned for window, planned in found.items() if planned}


def without_declared(table: FeatureTable, planned: dict[Period, tuple[DeclaredEvent, ...]]) -> FeatureTable:
    """Rows by window and affiliate with what was declared in each window unknown."""
    starts = table.values.index.get_level_values("window_start")
    values = table.values.copy()
    for window, events in planned.items():
        inside = starts == pd.Timestamp(window.start)
        if inside.any():
            values.loc[inside] = with_declared_events(table.rows(table.values.index[inside]), events).values
    return replace(table, values=values)
