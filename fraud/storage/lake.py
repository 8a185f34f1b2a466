"""The event lake: Parquet files by program and day of event, only ever added to, read through an in-process DuckDB.

`kind/program=<name>/day=YYYY-MM-DD/<ingested>-<content>.parquet`; tables that are not split by day have their files beside the program.
A file appears whole or not at all, so readers need no lock, and a batch that was stopped is finished by whoever comes next.
A file whose rows replace earlier versions ends in `-again.parquet`, and only where there is one do readers look for the newest version.
"""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from fraud.domain.clock import as_utc
from fraud.domain.tables import TABLES, Table
from fraud.errors import StorageError
from fraud.storage import lake_append, lake_erasure, lake_quarantine, lake_sources, lake_upkeep, lake_views
from fraud.storage.lake_files import FolderFiles, LakeFiles, Overtaken, made, program_folder
from fraud.storage.lake_quarantine import QuarantineFile

DEFAULT_MEMORY = "1GB"

MOST_FILES = 8
"""Files of a day that may stand side by side: opening each costs about as much as reading 10,000 rows."""

MOST_ATTEMPTS = 20
"""How often an append begins anew because other machines added to the same program meanwhile."""

_BATCH_ROWS = 100_000


@dataclass(frozen=True)
class Appended:
    """What appending did: rows written, and rows that were there already."""

    kept: int
    duplicates: int


class ParquetLake:
    """Events under one folder, which is made when it is not there, or in the `files` that are given (an object store's).
    `memory_limit` bounds each connection (DuckDB's notation)."""

    def __init__(self, root: Path, memory_limit: str = DEFAULT_MEMORY, files: LakeFiles | None = None) -> None:
        self.root = root
        self.files: LakeFiles = files or FolderFiles(root)
        self._memory_limit = memory_limit

    def append(
        self,
        kind: str,
        program_id: str,
        table: pa.Table | duckdb.DuckDBPyRelation,
        ingested_at: datetime,
        con: duckdb.DuckDBPyConnection | None = None,
    ) -> Appended:
        """Adds rows of one kind and program; columns by the table's names, absent ones are unknown.

        A row that is the same as one already kept (or earlier in the batch) is a duplicate and not written; one whose key is known but
        whose content changed is written as a new version. Columns `program_id` and `ordinal` are not stored (`ordinal` orders
        versions that arrive together). With `con`, the connection that a relation belongs to, rows are taken where they stand, which is
        faster: the relation must then have every column of the lake and a different `ordinal` in each row, and read nothing temporary.
        """
        for _ in range(MOST_ATTEMPTS):
            try:
                with _working_in(con, self._open) as work:
                    numbered = _give(work, table, con is not None)
                    return self._append(work, (TABLES[kind], program_id, numbered), as_utc(ingested_at))
            except Overtaken:
                continue  # another was first: what is kept now has to be compared with again
        raise StorageError(f"Others keep adding {kind} of {program_id} at the same time; nothing of this batch was kept. Give it again.")

    def _append(self, work: duckdb.DuckDBPyConnection, what: tuple[Table, str, bool], at: datetime) -> Appended:
        target, program_id, numbered = what
        with self.files.writing() as pending:
            existing = self.files.here(self.all_files(target, program_id))
            batch = lake_append.Batch(target, "given_rows", at, existing, numbered)
            with lake_upkeep.naming_damage(existing):
                rows, new = lake_append.write_new(work, batch, pending / self.folder(target, program_id).relative_to(self.root))
            if new:
                self.files.add(pending)
        return Appended(new, rows - new)

    def connect(
        self, program_id: str, as_of: datetime | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> duckdb.DuckDBPyConnection:
        """A connection whose views `clicks`, `conversions`, `affiliates`, `offers`, `labels` and `calendar` hold one program's rows.

        Every column of the table is there with its type (NULL when unknown), besides `program_id` and `ingested_at`; times are
        `TIMESTAMP` in UTC. Rows are those ingested by `as_of`, with events before it, in the newest version known then; `since` and
        `until` bound event time further (`[since, until)`). A status reached after the bound reads `pending`. To look back with
        what is known today, give today as `as_of` and the past as `until`. `lake_sources` says what clicks and conversions are made of,
        for engines that read the files themselves. The caller closes the connection.
        """
        self.files.finish()
        con = self._open()
        bounds = lake_views.Bounds(*(None if moment is None else as_utc(moment) for moment in (as_of, since, until)))
        files = {kind: self._files(table, program_id, bounds) for kind, table in TABLES.items()}
        for kind, table in TABLES.items():
            with lake_upkeep.naming_damage(files[kind]):
                con.execute(lake_views.view_sql(table, program_id, files[kind], bounds))
        con.execute(lake_sources.sources_sql(files, bounds))
        return con

    def count(self, kind: str, program_id: str, as_of: datetime | None = None) -> int:
        """Rows of a kind, in their newest versions."""
        with closing(self.connect(program_id, as_of)) as con, lake_upkeep.naming_damage(self.all_files(TABLES[kind], program_id)):
            return int(con.sql(f"SELECT count(*) FROM {TABLES[kind].kind}").fetchall()[0][0])

    def time_range(self, program_id: str, before: datetime | None = None) -> tuple[datetime, datetime] | None:
        """First and last event (click or conversion) of a program, in UTC, `before` a time if one is given; `None` when there is none."""
        with closing(self.connect(program_id, until=before)) as con:
            times = "SELECT clicked_at AS moment FROM clicks UNION ALL SELECT converted_at FROM conversions"
            first, last = con.sql(f"SELECT min(moment), max(moment) FROM ({times})").fetchall()[0]
        return None if first is None else (as_utc(first), as_utc(last))

    def programs(self) -> list[str]:
        """Every program with rows, by name."""
        self.files.finish()
        return self.files.programs()

    def compact(self, at: datetime, most_files: int = MOST_FILES) -> lake_upkeep.Merged:
        """Merges the files of every day (and table without days) that has more than `most_files`, and removes what was replaced more than
        a day ago. Readers and later appends see the same rows before, during and after."""
        done = lake_upkeep.Merged()
        with self.files.writing() as pending, closing(self._open()) as con:
            self.files.sweep(as_utc(at) - lake_upkeep.GRACE)
            for program in self.files.programs():
                for table in TABLES.values():
                    for files in _by_folder(self.all_files(table, program)):
                        if len(files) > most_files:
                            done += self._merge(con, (table, files), pending, at)
        return done

    def _merge(self, con: duckdb.DuckDBPyConnection, folder: tuple[Table, list[Path]], pending: Path, at: datetime) -> lake_upkeep.Merged:
        """Merges the files of one folder; those that another machine merged meanwhile are left to it."""
        table, files = folder
        done = lake_upkeep.Merged()
        for alike in lake_upkeep.alike(self.files.here(files)):
            try:
                self.files.replace(lake_upkeep.merged(con, table, alike, pending, at), alike)
            except Overtaken:
                continue  # merged by another meanwhile
            done += lake_upkeep.Merged(0, len(alike), 1)
        return replace(done, folders=1) if done.before else done

    def remove_before(self, before: date) -> list[lake_upkeep.Removed]:
        """Removes clicks and conversions of days before a date, and rows set aside before it; says which days and how many rows."""
        removed = []
        for program in self.programs():
            for table in TABLES.values():
                with self.files.writing() as pending:
                    gone = self.files.drop(table, program, before, pending) if table.by_day else None
                if gone:
                    removed.append(replace(gone, program_id=program))
            with self.files.apart(self._quarantine(program)):
                for file in lake_quarantine.kept(self._quarantine(program)):
                    if file.set_aside_at and file.set_aside_at[:10] < before.isoformat():
                        lake_quarantine.remove(file.path)
        return removed

    def rows_about(self, program_id: str, kind: str, columns: Sequence[str], value: str) -> list[dict[str, Any]]:
        """Every version of every row in which one of the columns holds the value."""
        self.files.finish()
        with closing(self._open()) as con:
            return lake_erasure.rows_about(con, self.files.here(self.all_files(TABLES[kind], program_id)), columns, value)

    def erase(self, program_id: str, kind: str, about: tuple[Sequence[str], str], at: datetime) -> int:
        """Makes unknown who it was in every row in which one of the columns holds the value (`about`); how many rows, in all versions.

        Readers see it from the moment on; the files as they were stay for a day for those who began to read them (`compact` removes them).
        """
        table, rows = TABLES[kind], 0
        with self.files.writing() as pending, closing(self._open()) as con:
            waiting = self.all_files(table, program_id)
            while waiting:
                (file,) = self.files.here([waiting.pop(0)])
                copy, found = lake_erasure.erased_copy(con, table, file, about, (pending, as_utc(at)))
                try:
                    if copy:
                        self.files.replace(copy, [file])
                except Overtaken:  # merged with others meanwhile: the rows stand in another file now
                    waiting = self.all_files(table, program_id)
                    continue
                rows += found
        return rows

    def forget_quarantined(self, program_id: str, value: str, at: datetime) -> int:
        """Removes the rejected rows that name a value anywhere; how many."""
        removed = 0
        for file in self.quarantined(program_id):
            remaining = [row for row in file.rows if value.casefold() not in str(row).casefold()]
            if len(remaining) < len(file.rows):
                self.release(file, remaining, at)
                removed += len(file.rows) - len(remaining)
        return removed

    def quarantine(
        self,
        kind: str,
        program_id: str,
        rows: Sequence[Mapping[str, object]],
        ingested_at: datetime,
        origin: Mapping[str, object] | None = None,
    ) -> Path:
        """Keeps rejected rows as NDJSON, one object a row, readable by the owner alone (they are as they came, personal values too);
        `origin` is what reading them again needs. The same rows of the same origin are kept once."""
        folder = self._quarantine(program_id)
        with self.files.apart(folder):
            return lake_quarantine.keep(made(folder), kind, rows, origin or {}, as_utc(ingested_at))

    def quarantined(self, program_id: str) -> list[QuarantineFile]:
        """The rejected rows of a program, by file, oldest first."""
        with self.files.apart(self._quarantine(program_id)):
            return lake_quarantine.kept(self._quarantine(program_id))

    def release(self, file: QuarantineFile, remaining: Sequence[Mapping[str, object]], at: datetime) -> None:
        """Keeps only what remains of a file of rejected rows, when the others have been appended; in no moment is a row in neither."""
        with self.files.apart(file.path.parent):
            left = lake_quarantine.keep(file.path.parent, file.kind, remaining, file.origin, as_utc(at)) if remaining else None
            if left != file.path:
                lake_quarantine.remove(file.path)

    def _quarantine(self, program_id: str) -> Path:
        return self.root / lake_quarantine.FOLDER / program_folder(program_id)

    def folder(self, table: Table, program_id: str, day: date | None = None) -> Path:
        """Where a table's files of a program (and day) stand."""
        base = self.root / table.kind / program_folder(program_id)
        return base if day is None else base / f"day={day.isoformat()}"

    def all_files(self, table: Table, program_id: str) -> list[Path]:
        """Every file of a table and program, in order; one in an object store may not be on this machine."""
        return self.files.paths(table, program_id)

    def version(self, kind: str, program_id: str) -> tuple[str, ...]:
        """The files of a table and program by name: rows that are added, merged or erased change it, since no file is written twice."""
        self.files.finish()
        return tuple([str(path) for path in self.all_files(TABLES[kind], program_id)])

    def _files(self, table: Table, program_id: str, bounds: lake_views.Bounds) -> Sequence[Path]:
        """The files that may hold rows within the bounds: by day, and every file of later versions."""
        files = self.all_files(table, program_id)
        if table.by_day:
            files = [
                file for file in files if _is_again(file) or bounds.may_hold(date.fromisoformat(file.parent.name.removeprefix("day=")))
            ]
        return self.files.here(files)

    def everything(self) -> list[Path]:
        """Every file that is the lake's at one moment, between two appends: what a backup takes; none of an object store's."""
        return self.files.everything()

    def _open(self) -> duckdb.DuckDBPyConnection:
        temporary = str(made(self.files.temporary))
        con = duckdb.connect(config={"memory_limit": self._memory_limit, "temp_directory": temporary})
        con.execute("SET TimeZone = 'UTC'")
        return con


@contextmanager
def _working_in(
    con: duckdb.DuckDBPyConnection | None, opened: Callable[[], duckdb.DuckDBPyConnection]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The caller's connection, or one of our own for the time being."""
    if con is not None:
        yield con
        return
    with closing(opened()) as own:
        yield own


def _give(work: duckdb.DuckDBPyConnection, table: pa.Table | duckdb.DuckDBPyRelation, here: bool) -> bool:
    """Makes the rows `given_rows` of the connection; whether they stand in it and are numbered."""
    if here and isinstance(table, duckdb.DuckDBPyRelation):
        work.execute(f"CREATE OR REPLACE VIEW given_rows AS {table.sql_query()}")
        return True
    work.register("given_rows", table if isinstance(table, pa.Table) else table.to_arrow_reader(_BATCH_ROWS))
    return False


def _by_folder(files: Sequence[Path]) -> list[list[Path]]:
    return [list(alike) for _, alike in groupby(files, key=lambda file: file.parent)]


def _is_again(file: Path) -> bool:
    return file.stem.endswith(lake_views.AGAIN)
