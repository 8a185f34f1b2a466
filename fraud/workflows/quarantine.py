"""Rows that were set aside: which there are and why, and another attempt at reading them."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from fraud.errors import InputError
from fraud.events import formats
from fraud.events.reading import Owner, Reading, Rejected, read_table
from fraud.events.setting_aside import Origin, kind_of_reason, restage
from fraud.workflows.ingesting import EventLake, IngestOptions, append_rows, open_reader


class SetAsideFile(Protocol):
    """Rejected rows of one kind from one file, as a store keeps them, with what reading them again needs (empty when it was not kept)."""

    @property
    def path(self) -> Path:
        """Where they are kept."""
        ...

    @property
    def kind(self) -> str:
        """The table they were read for."""
        ...

    @property
    def origin(self) -> dict[str, Any]:
        """The fields of an `Origin`."""
        ...

    @property
    def rows(self) -> tuple[dict[str, Any], ...]:
        """The fields of a `Rejected` each."""
        ...


class QuarantineLake(EventLake, Protocol):
    """What another attempt needs of the lake (`fraud.storage.lake.ParquetLake`)."""

    def quarantined(self, program_id: str) -> Sequence[Any]:
        """The rejected rows of a program, by file (`SetAsideFile`), oldest first."""
        ...

    def release(self, file: Any, remaining: Sequence[Mapping[str, object]], at: datetime) -> None:
        """Keeps only what remains of a file of rejected rows."""
        ...


@dataclass(frozen=True)
class ReasonCount:
    """Rows of one kind and file that were set aside for one reason."""

    kind: str
    file: str
    reason: str
    rows: int


@dataclass(frozen=True)
class SetAsideRow:
    """One row that was set aside."""

    kind: str
    file: str
    line: int
    reason: str
    raw: str


@dataclass(frozen=True)
class QuarantineReport:
    """What is set aside in a program: how many rows, counted by file and reason, and the first of them."""

    program_id: str
    rows: int
    reasons: tuple[ReasonCount, ...]
    shown: tuple[SetAsideRow, ...]


@dataclass(frozen=True)
class RetryReport:
    """Another attempt: `rows` = `kept` + `duplicates` + `set_aside`."""

    program_id: str
    rows: int
    kept: int
    duplicates: int
    set_aside: int
    reasons: tuple[ReasonCount, ...]


def quarantine_report(lake: QuarantineLake, program_id: str, show: int = 0) -> QuarantineReport:
    """What is set aside in a program, with the first `show` rows; a row that was set aside twice counts once."""
    rows = _distinct(lake.quarantined(program_id))
    return QuarantineReport(program_id, len(rows), _counted(rows), tuple(rows[:show]))


def retry(lake: QuarantineLake, program_id: str, options: IngestOptions) -> RetryReport:
    """Reads what was set aside again, under the format it was read with or, unless `auto`, the one of the options.

    What can now be read is appended and leaves the quarantine; the rest stays, with today's reasons. `InputError` when rows come from a
    version that kept too little to read them again: their files must be ingested again."""
    rows = kept = duplicates = 0
    for file in lake.quarantined(program_id):
        if not file.origin:
            raise InputError(
                f"The rows in {file.path} were set aside without their file's columns. Ingest {_files(file)} again and remove it."
            )
        done = _again(lake, file, options)
        rows, kept, duplicates = rows + len(file.rows), kept + done[0], duplicates + done[1]
    left = _counted(_distinct(lake.quarantined(program_id)))
    return RetryReport(program_id, rows, kept, duplicates, rows - kept - duplicates, left)


def _again(lake: QuarantineLake, file: SetAsideFile, options: IngestOptions) -> tuple[int, int]:
    """Appends what can now be read of a file's rows; how many were kept, and how many were there already."""
    origin = Origin(**file.origin | {"columns": tuple(file.origin["columns"])})
    origin = origin if options.format == formats.AUTO else replace(origin, format=options.format)
    given = [Rejected(**row) for row in file.rows]
    with tempfile.TemporaryDirectory(prefix="fraud-retry-") as folder, closing(open_reader(Path(folder), options.memory_limit)) as con:
        staged = restage(con, origin, given)
        form = formats.choose(origin.format, file.kind, staged.columns)
        reading = read_table(con, staged, form, file.kind, Owner(origin.program_id, options.pepper))
        usable = {ordinal for (ordinal,) in con.view(reading.relation).project("ordinal").fetchall()}
        appended = append_rows(lake, con, reading, options.ingested_at)
    lake.release(file, _remaining(given, usable, reading), options.ingested_at)
    return sum(done.kept for done in appended), sum(done.duplicates for done in appended)


def _remaining(given: Iterable[Rejected], usable: set[int], reading: Reading) -> list[dict[str, object]]:
    """The rows that are still unreadable, with today's reasons where there is one."""
    reasons = {row.ordinal: row.reason for row in reading.rejected}
    left = [row for row in given if row.ordinal not in usable]
    return [asdict(replace(row, reason=reasons.get(row.ordinal, row.reason))) for row in left]


def _distinct(files: Iterable[SetAsideFile]) -> list[SetAsideRow]:
    rows: dict[object, SetAsideRow] = {}
    for file in files:
        for row in file.rows:
            place = (file.kind, file.origin.get("sha256", row["file"]), row.get("ordinal", row["line"]))
            rows[place] = SetAsideRow(file.kind, row["file"], row["line"], row["reason"], row["raw"])
    return list(rows.values())


def _counted(rows: Iterable[SetAsideRow]) -> tuple[ReasonCount, ...]:
    counts = Counter((row.kind, row.file, kind_of_reason(row.reason)) for row in rows)
    return tuple(ReasonCount(*place, count) for place, count in counts.most_common())


def _files(file: SetAsideFile) -> str:
    return ", ".join(sorted({row["file"] for row in file.rows}))
