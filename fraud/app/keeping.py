"""Where the records of scored events go: into the database, and into the lake that scans read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from fraud.app.beside import CarrierBeside
from fraud.app.parts import App
from fraud.app.shadowing import EventShadows
from fraud.domain.events import Click, Conversion, Visit
from fraud.errors import StorageError
from fraud.storage.journal import Journal
from fraud.workflows.carrying import Destinations
from fraud.workflows.journaling import JournalWriter


def open_writer(app: App) -> JournalWriter:
    """The writer behind the answers of this process, with its journal in the workspace; what an earlier process left is kept first."""
    waits = app.settings.journal_sync == "disk"
    journal = Journal(journal_of(app))
    return JournalWriter(journal, destinations_of(app), waits_for_disk=waits, beside=CarrierBeside(app.settings))


def journal_of(app: App) -> Path:
    """The folder of all journals of the workspace."""
    return app.workspace.root / "journal"


def destinations_of(app: App) -> Destinations:
    """Where this product's records go; packs in shadow speak on decisions once they are kept."""
    shadows = EventShadows(app)
    return Destinations(decisions=app.stores.decisions, pack_of=app.pack_of, events=event_keeper(app), kept=shadows.speak)


@contextmanager
def adding(what: str) -> Iterator[None]:
    """Where something is added to the lake of a running service: a disk that is full or a file that cannot be read is a `StorageError`,
    which is answered as one that passes."""
    try:
        yield
    except (duckdb.Error, OSError, pa.ArrowException) as fault:
        raise StorageError(f"{what} cannot be added to the lake: {fault}.") from fault


def event_keeper(app: App) -> Callable[[str, Sequence[Click], Sequence[Conversion]], None]:
    """Appends scored events of a program to the lake, where one that is there already is not kept twice."""

    def keep(program_id: str, clicks: Sequence[Click], conversions: Sequence[Conversion]) -> None:
        with adding(f"Scored events of {program_id}"):
            for kind, events in (("clicks", clicks), ("conversions", conversions)):
                if events:
                    app.lake.append(kind, program_id, pa.Table.from_pylist([_row(event) for event in events]), app.clock.now())

    return keep


def visit_keeper(app: App) -> Callable[[str, Sequence[Visit]], None]:
    """Appends reports of the landing pages' tag to the lake."""

    def keep(program_id: str, visits: Sequence[Visit]) -> None:
        with adding(f"Reports of the tag of {program_id}"):
            app.lake.append("visits", program_id, pa.Table.from_pylist([_row(visit) for visit in visits]), app.clock.now())

    return keep


def _row(event: Click | Conversion | Visit) -> dict[str, Any]:
    values = msgspec.structs.asdict(event)
    return {name: _plain(value) for name, value in values.items() if name != "program_id"}


def _plain(value: object) -> object:
    """A time as the lake has it: UTC without a zone."""
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value
