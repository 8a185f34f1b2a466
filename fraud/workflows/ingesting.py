"""Ingestion: files of events into the lake, every row kept, counted as a repeat, or set aside with its reason."""

from __future__ import annotations

import glob
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
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
from fraud.events.setting_aside import origin_of
from fraud.events.sources import inspect
from fraud.events.staging import Staged, loaded, stage
from fraud.events.tables import TABLES

SHOWN_REJECTS = 20
"""Rejected rows that a report shows; all of them stand in the quarantine."""

SHOWN_FAULTS = 3
"""Unusable files of many that an error names."""

Progress = Callable[[str], None]


class _Appended(Protocol):
    @property
    def kept(self) -> int: ...
    @property
    def duplicates(self) -> int: ...


class EventLake(Protocol):
    """What ingestion needs of the lake (`fraud.storage.lake.ParquetLake`)."""

    def append(
        self,
        kind: str,
        program_id: str,
        table: duckdb.DuckDBPyRelation,
        ingested_at: datetime,
        con: duckdb.DuckDBPyConnection | None = None,
    ) -> _Appended:
        """Adds rows, where they stand in `con`; repeats are counted and not written."""
        ...

    def quarantine(
        self,
        kind: str,
        program_id: str,
        rows: Sequence[Mapping[str, object]],
        ingested_at: datetime,
        origin: Mapping[str, object] | None = None,
    ) -> Path:
        """Keeps rejected rows, with what reading them again needs, and says where."""
        ...


@dataclass(frozen=True, kw_only=True)
class IngestOptions:
    """How to ingest: the tracker's format (`auto` recognises it, a `.yaml` file is the user's own mapping), the pepper of the keyed
    hashes, the moment it counts as known from, whom to tell about progress, and how much memory reading may use (DuckDB's
    notation; a quarter of the machine's).
    A feed's pages are known to hold one table: `only_kind` feeds no other, and a page without a usable row is set aside, no error."""

    pepper: bytes
    ingested_at: datetime
    format: str = formats.AUTO
    progress: Progress | None = None
    memory_limit: str = "25%"
    only_kind: bool = False


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
    """What ingestion did. The counts are those of the kind that was asked for; `kinds` has every kind that the files fed.
    `passed_over` counts rows that are no such events at all, such as a web server's requests without an affiliate."""

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
    passed_over: int = 0


@dataclass
class _Tally:
    kinds: dict[str, KindCounts] = field(default_factory=dict)
    rejects: dict[str, list[Rejected]] = field(default_factory=dict)
    quarantine: dict[str, list[Path]] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    formats: set[str] = field(default_factory=set)
    passed_over: int = 0

    def add(self, reading: Reading, appended: Iterable[_Appended]) -> None:
        done = list(appended)
        counts = KindCounts(reading.rows, sum(a.kept for a in done), sum(a.duplicates for a in done), len(reading.rejected))
        self.kinds[reading.kind] = self.kinds.get(reading.kind, KindCounts()) + counts
        shown = self.rejects.setdefault(reading.kind, [])
        shown.extend(reading.rejected[: SHOWN_REJECTS - len(shown)])
        self.unknown.update(reading.unknown_columns)

    def quarantined(self, kind: str) -> str | None:
        """Where the rejected rows of a kind are: the file, or the folder when there are several."""
        paths = self.quarantine.get(kind, [])
        return str(paths[0] if len(paths) == 1 else paths[0].parent) if paths else None


def ingest(lake: EventLake, program_id: str | None, kind: str, paths: Sequence[str | Path], options: IngestOptions) -> IngestReport:
    """Appends the rows of files, folders or patterns to the lake.

    With a `program_id` every row belongs to it, and one that names another program is set aside; with `None` rows say it themselves
    (`default` when they do not). `InputError` when there is no such kind or file, or when a file is unusable: empty, binary, without
    the needed columns, or without one usable row. The other files are ingested all the same; ingesting them again adds nothing.
    """
    if kind not in TABLES:
        raise InputError(f"There is no table {kind!r}. Use one of: {', '.join(TABLES)}.")
    files = expand(paths)
    ingestion, faults = _Ingestion(lake, program_id, kind, options), []
    with tempfile.TemporaryDirectory(prefix="fraud-ingest-") as folder:
        for number, file in enumerate(files, start=1):
            if options.progress:
                options.progress(f"{file} ({number} of {len(files)})")
            try:
                ingestion.take(file, Path(folder))
            except InputError as fault:
                faults.append(fault)
    if faults:
        raise _unread(faults, len(files), ingestion.report(files)) from faults[0]
    return ingestion.report(files)


def _unread(faults: Sequence[InputError], files: int, report: IngestReport) -> InputError:
    """The error about files that are unusable: what is wrong with the first of them, and what became of the others."""
    told = list(dict.fromkeys(str(fault) for fault in faults))
    if len(told) == 1 and len(faults) == files:
        return faults[0]
    more = f" And {len(told) - SHOWN_FAULTS} more." if len(told) > SHOWN_FAULTS else ""
    read = f"{report.kept:,} rows kept, {report.duplicates:,} duplicates, {report.rejected:,} set aside"
    return InputError(
        f"{len(faults)} of {files} files cannot be used; the others were read ({read}). {' '.join(told[:SHOWN_FAULTS])}{more}"
    )


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
        with closing(open_reader(folder, self.options.memory_limit)) as con:
            staged = stage(con, inspect(file, folder), formats.known_columns(self.options.format))
            form = formats.choose(self.options.format, self.kind, staged.columns, str(file))
            self.tally.formats.add(form.name)
            others = [] if self.options.only_kind else _fed(form, staged)
            kinds = [self.kind, *(fed for fed in others if fed != self.kind)]
            if len(kinds) > 1:
                staged = loaded(con, staged)
            for kind in kinds:
                self._take_table(con, staged, form, kind)

    def _take_table(self, con: duckdb.DuckDBPyConnection, staged: Staged, form: formats.Format, kind: str) -> None:
        reading = read_table(con, staged, form, kind, Owner(self.program_id, self.options.pepper))
        if kind == self.kind:
            if not (reading.usable or self.options.only_kind):
                raise InputError(f"{staged.source.path} has not one usable row of {kind}.{summary_of(reading.rejected)}")
            self.tally.passed_over += reading.passed_over
        appended = append_rows(self.lake, con, reading, self.options.ingested_at)
        if reading.rejected:
            origin = asdict(origin_of(staged, self.options.format, self.program_id))
            rows = [asdict(row) for row in reading.rejected]
            kept = self.lake.quarantine(kind, self.program_id or DEFAULT_PROGRAM, rows, self.options.ingested_at, origin)
            self.tally.quarantine.setdefault(kind, []).append(kept)
        self.tally.add(reading, appended)

    def report(self, files: Sequence[Path]) -> IngestReport:
        """The report on all files."""
        counts = self.tally.kinds.get(self.kind, KindCounts())
        return IngestReport(
            files=tuple(str(file) for file in files),
            rows_read=counts.rows,
            kept=counts.kept,
            duplicates=counts.duplicates,
            rejected=counts.rejected,
            rejects=tuple(self.tally.rejects.get(self.kind, [])),
            unknown_columns=tuple(sorted(self.tally.unknown)),
            format=", ".join(sorted(self.tally.formats)),
            quarantine_path=self.tally.quarantined(self.kind),
            kinds=self.tally.kinds,
            passed_over=self.tally.passed_over,
        )


def append_rows(lake: EventLake, con: duckdb.DuckDBPyConnection, reading: Reading, ingested_at: datetime) -> list[_Appended]:
    """Appends the usable rows of a reading to the lake, program by program."""
    appended = []
    for program in reading.programs:
        rows = con.view(reading.relation)
        if len(reading.programs) > 1:
            rows = rows.filter(duckdb.ColumnExpression("program_id") == duckdb.ConstantExpression(program))
        appended.append(lake.append(reading.kind, program, rows, ingested_at, con))
    return appended


def _fed(form: formats.Format, staged: Staged) -> list[str]:
    """The tables a tracker's file feeds besides the one asked for; the contract's own columns name one table."""
    return [] if form.name == formats.CONTRACT else form.feeds(staged.columns)


def open_reader(folder: Path, memory_limit: str) -> duckdb.DuckDBPyConnection:
    """A connection to read files with, that spills into a folder and takes times without a zone for UTC."""
    con = duckdb.connect(config={"memory_limit": memory_limit, "temp_directory": str(folder)})
    con.execute("SET TimeZone = 'UTC'")
    return con


def expand(paths: Sequence[str | Path]) -> list[Path]:
    """The files that paths, folders (every file in them) and patterns name, once each; `InputError` when one names nothing."""
    found: dict[Path, None] = {}
    for path in paths:
        matches = _matches(Path(path))
        if not matches:
            empty = Path(path).is_dir()
            raise InputError(f"The folder {path} holds no files." if empty else f"There is no file {path}. Check the name.")
        found |= dict.fromkeys(matches)
    return list(found)


def _matches(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith("."))
    if path.exists() or not glob.has_magic(str(path)):
        return [path]
    root = Path(path.anchor)
    return sorted(match for match in root.glob(str(path.relative_to(root))) if match.is_file())
