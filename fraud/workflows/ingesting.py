"""Ingestion: files of events into the lake, every row kept, counted as a repeat, or set aside with its reason."""

from __future__ import annotations

import glob
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

import duckdb

from fraud.domain.actors import DEFAULT_PROGRAM
from fraud.errors import InputError
from fraud.events import formats
from fraud.events.reading import Owner, Reading, Rejected, read_table, summary_of
from fraud.events.sources import inspect
from fraud.events.staging import Staged, stage
from fraud.events.tables import TABLES

SHOWN_REJECTS = 20
"""Rejected rows that a report shows; all of them stand in the quarantine."""

Progress = Callable[[str], None]


class _Appended(Protocol):
    @property
    def kept(self) -> int: ...
    @property
    def duplicates(self) -> int: ...


class EventLake(Protocol):
    """What ingestion needs of the lake (`fraud.storage.lake.ParquetLake`)."""

    def append(self, kind: str, program_id: str, table: duckdb.DuckDBPyRelation, ingested_at: datetime) -> _Appended:
        """Adds rows; repeats are counted and not written."""
        ...

    def quarantine(self, kind: str, program_id: str, rows: Sequence[dict[str, object]], ingested_at: datetime) -> Path:
        """Keeps rejected rows and says where."""
        ...


@dataclass(frozen=True, kw_only=True)
class IngestOptions:
    """How to ingest: the tracker's format (`auto` recognises it), the pepper of the keyed hashes, the moment it counts as known from,
    whom to tell about progress, and how much memory reading may use (DuckDB's notation)."""

    pepper: bytes
    ingested_at: datetime
    format: str = formats.AUTO
    progress: Progress | None = None
    memory_limit: str = "1GB"


@dataclass(frozen=True)
class KindCounts:
    """Rows of one kind: `rows` = `kept` + `duplicates` + `rejected`."""

    rows: int = 0
    kept: int = 0
    duplicates: int = 0
    rejected: int = 0

    def __add__(self, other: KindCounts) -> KindCounts:
        return KindCounts(
            self.rows + other.rows, self.kept + other.kept, self.duplicates + other.duplicates, self.rejected + other.rejected
        )


@dataclass(frozen=True)
class IngestReport:
    """What ingestion did. The counts are those of the kind that was asked for; `kinds` has every kind that the files fed."""

    files: tuple[str, ...]
    rows_read: int
    kept: int
    duplicates: int
    rejected: int
    rejects: tuple[Rejected, ...]
    unknown_columns: tuple[str, ...]
    format: str
    quarantine_path: str | None
    kinds: dict[str, KindCounts] = field(default_factory=dict)


@dataclass
class _Tally:
    kinds: dict[str, KindCounts] = field(default_factory=dict)
    rejected: dict[str, list[Rejected]] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    formats: set[str] = field(default_factory=set)

    def add(self, reading: Reading, appended: Iterable[_Appended]) -> None:
        done = list(appended)
        counts = KindCounts(reading.rows, sum(a.kept for a in done), sum(a.duplicates for a in done), len(reading.rejected))
        self.kinds[reading.kind] = self.kinds.get(reading.kind, KindCounts()) + counts
        self.rejected.setdefault(reading.kind, []).extend(reading.rejected)
        self.unknown.update(reading.unknown_columns)


def ingest(lake: EventLake, program_id: str | None, kind: str, paths: Sequence[str | Path], options: IngestOptions) -> IngestReport:
    """Appends the rows of files, folders or patterns to the lake.

    With a `program_id` every row belongs to it, and one that names another program is set aside; with `None` rows say it themselves
    (`default` when they do not). `InputError` when there is no such kind or file, or when a file is unusable: empty, binary, without
    the needed columns, or without one usable row. Files before it stay ingested; ingesting them again adds nothing.
    """
    if kind not in TABLES:
        raise InputError(f"There is no table {kind!r}. Use one of: {', '.join(TABLES)}.")
    files = expand(paths)
    ingestion = _Ingestion(lake, program_id, kind, options)
    with tempfile.TemporaryDirectory(prefix="fraud-ingest-") as folder:
        for number, file in enumerate(files, start=1):
            if options.progress:
                options.progress(f"{file} ({number} of {len(files)})")
            ingestion.take(file, Path(folder))
    return ingestion.report(files)


@dataclass
class _Ingestion:
    """One run over files: what is asked for, and what was counted so far."""

    lake: EventLake
    program_id: str | None
    kind: str
    options: IngestOptions
    tally: _Tally = field(default_factory=_Tally)

    def take(self, file: Path, folder: Path) -> None:
        """Reads one file into every table that its format feeds."""
        with closing(_open(folder, self.options.memory_limit)) as con:
            staged = stage(con, inspect(file, folder), formats.known_columns())
            form = formats.choose(self.options.format, self.kind, staged.columns)
            self.tally.formats.add(form.name)
            for kind in _fed(form, self.kind):
                self._take_table(con, staged, form, kind)

    def _take_table(self, con: duckdb.DuckDBPyConnection, staged: Staged, form: formats.Format, kind: str) -> None:
        reading = read_table(con, staged, form, kind, Owner(self.program_id, self.options.pepper))
        if kind == self.kind and not reading.usable:
            raise InputError(f"{staged.source.path} has not one usable row of {kind}.{summary_of(reading.rejected)}")
        appended = [self._append(con, reading, program) for program in reading.programs]
        self.tally.add(reading, appended)

    def _append(self, con: duckdb.DuckDBPyConnection, reading: Reading, program: str) -> _Appended:
        rows = con.table(reading.relation).filter(duckdb.ColumnExpression("program_id") == duckdb.ConstantExpression(program))
        return self.lake.append(reading.kind, program, rows, self.options.ingested_at)

    def report(self, files: Sequence[Path]) -> IngestReport:
        """The report; keeps what was rejected in the quarantine."""
        counts = self.tally.kinds.get(self.kind, KindCounts())
        kept = {kind: self._quarantine(kind, rejected) for kind, rejected in self.tally.rejected.items() if rejected}
        return IngestReport(
            files=tuple(str(file) for file in files),
            rows_read=counts.rows,
            kept=counts.kept,
            duplicates=counts.duplicates,
            rejected=counts.rejected,
            rejects=tuple(self.tally.rejected.get(self.kind, [])[:SHOWN_REJECTS]),
            unknown_columns=tuple(sorted(self.tally.unknown)),
            format=", ".join(sorted(self.tally.formats)),
            quarantine_path=kept.get(self.kind),
            kinds=self.tally.kinds,
        )

    def _quarantine(self, kind: str, rejected: Sequence[Rejected]) -> str:
        program = self.program_id or DEFAULT_PROGRAM
        return str(self.lake.quarantine(kind, program, [asdict(row) for row in rejected], self.options.ingested_at))


def _fed(form: formats.Format, kind: str) -> list[str]:
    """The tables to fill from a file: the contract's own columns name one table, a tracker's format may feed several."""
    others = [] if form.name == formats.CONTRACT else [mapping.kind for mapping in form.mappings if mapping.kind != kind]
    return [kind, *others]


def _open(folder: Path, memory_limit: str) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"memory_limit": memory_limit, "temp_directory": str(folder)})
    con.execute("SET TimeZone = 'UTC'")
    return con


def expand(paths: Sequence[str | Path]) -> list[Path]:
    """The files that paths, folders (every file in them) and patterns name, once each; `InputError` when one names nothing."""
    found: dict[Path, None] = {}
    for path in paths:
        matches = _matches(Path(path))
        if not matches:
            raise InputError(f"There is no file {path}. Check the name.")
        found |= dict.fromkeys(matches)
    return list(found)


def _matches(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith("."))
    if path.exists() or not glob.has_magic(str(path)):
        return [path]
    root = Path(path.anchor)
    return sorted(match for match in root.glob(str(path.relative_to(root))) if match.is_file())
