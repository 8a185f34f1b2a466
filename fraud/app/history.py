"""Files of earlier events, told apart by what stands in them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import duckdb

from fraud.errors import InputError
from fraud.events import formats
from fraud.events.sources import inspect
from fraud.events.staging import stage
from fraud.events.tables import CLICKS, CONVERSIONS, TABLES
from fraud.workflows.ingesting import expand

EVENT_KINDS = (CONVERSIONS.kind, CLICKS.kind)
"""Conversions first: they may name their click and its time, while a click knows of no conversion."""


def by_kind(paths: Sequence[Path], format_name: str) -> list[tuple[str, list[Path]]]:
    """The files that paths, folders and patterns name, by the kind of event in them; `InputError` for a file that holds neither."""
    kinds = {file: kind_of(file, format_name) for file in expand(paths)}
    grouped = [(kind, [file for file, found in kinds.items() if found == kind]) for kind in reversed(EVENT_KINDS)]
    return [(kind, files) for kind, files in grouped if files]


def kind_of(file: Path, format_name: str) -> str:
    """`clicks` or `conversions`, by the file's columns; clicks for a tracker's format that feeds both from one file."""
    columns = _columns_of(file)
    if format_name in {formats.AUTO, formats.CONTRACT}:
        own = next((kind for kind in EVENT_KINDS if columns.issuperset(TABLES[kind].required)), None)
        if own is not None:
            return own
    for kind in reversed(EVENT_KINDS):
        if _feeds(format_name, kind, columns):
            return kind
    needed = "; ".join(f"{kind} need {', '.join(TABLES[kind].required)}" for kind in reversed(EVENT_KINDS))
    raise InputError(f"{file} holds neither clicks nor conversions: {needed}; found: {', '.join(sorted(columns))}.")


def _feeds(format_name: str, kind: str, columns: frozenset[str]) -> bool:
    """Whether a tracker's format, the one named or one that is recognised, makes this kind of event of the columns."""
    trackers = [form for form in formats.formats().values() if form.name != formats.CONTRACT and form.mapping(kind)]
    if format_name != formats.AUTO:
        return any(form.name == format_name for form in trackers)
    return any(form.recognise <= columns for form in trackers)


def _columns_of(file: Path) -> frozenset[str]:
    with tempfile.TemporaryDirectory(prefix="fraud-history-") as folder, closing(duckdb.connect(config={"temp_directory": folder})) as con:
        return frozenset(stage(con, inspect(file, Path(folder)), formats.known_columns()).columns)
