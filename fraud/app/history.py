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

EVENT_KINDS = (CLICKS.kind, CONVERSIONS.kind)


def by_kind(paths: Sequence[Path], format_name: str) -> list[tuple[str, list[Path]]]:
    """The files that paths, folders and patterns name, by the kind of event in them; `InputError` for a file that holds neither."""
    kinds = {file: kind_of(file, format_name) for file in expand(paths)}
    grouped = [(kind, [file for file, found in kinds.items() if found == kind]) for kind in EVENT_KINDS]
    return [(kind, files) for kind, files in grouped if files]


def kind_of(file: Path, format_name: str) -> str:
    """`clicks` or `conversions`, by the file's columns. Of one that would do for both, a tracker's export is read as clicks, because those
    feed conversions too, and a table of our own columns as conversions, which may tell of their click what no click knows of them."""
    columns = _columns_of(file)
    found = {kind: form for kind in EVENT_KINDS if (form := _form_of(kind, format_name, columns))}
    if not found:
        needed = "; ".join(f"{kind} need {', '.join(TABLES[kind].required)}" for kind in EVENT_KINDS)
        raise InputError(f"{file} holds neither clicks nor conversions: {needed}; found: {', '.join(sorted(columns))}.")
    own = [kind for kind, form in found.items() if form.name == formats.CONTRACT]
    return own[-1] if own else next(iter(found))


def _form_of(kind: str, format_name: str, columns: frozenset[str]) -> formats.Format | None:
    """The format under which the columns feed a kind of event, if any does."""
    try:
        form = formats.choose(format_name, kind, columns)
    except InputError:  # the format is one of the other kind
        return None
    return form if kind in form.feeds(columns) else None


def _columns_of(file: Path) -> frozenset[str]:
    with tempfile.TemporaryDirectory(prefix="fraud-history-") as folder, closing(duckdb.connect(config={"temp_directory": folder})) as con:
        return frozenset(stage(con, inspect(file, Path(folder)), formats.known_columns()).columns)
