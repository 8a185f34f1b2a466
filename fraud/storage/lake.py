"""The event lake: Parquet files by program and day of event, only ever added to, read through an in-process DuckDB.

`kind/program=<name>/day=YYYY-MM-DD/<ingested>-<content>.parquet`; tables that are not split by day have their files beside the program.
A file appears whole or not at all, so readers need no lock. A file whose rows replace earlier versions ends in `-again.parquet`, and
only where there is one do readers look for the newest version.
"""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import quote, unquote

import duckdb
import pyarrow as pa

from fraud.domain.clock import as_utc
from fraud.domain.tables import TABLES, Table
from fraud.errors import StorageError
from fraud.storage import lake_views
from fraud.storage.files import file_lock, write_whole

DEFAULT_MEMORY = "1GB"

_CONTENT_DIGITS = 16


@dataclass(frozen=True)
class Appended:
    """What appending did: rows written, and rows that were there already."""

    kept: int
    duplicates: int


class ParquetLake:
    """Events under one folder, which is made when it is not there. `memory_limit` bounds each connection (DuckDB's notation)."""

    def __init__(self, root: Path, memory_limit: str = DEFAULT_MEMORY) -> None:
        self.root = root
        self._memory_limit = memory_limit
        self._temporary = root / "tmp"

    def append(self, kind: str, program_id: str, table: pa.Table | duckdb.DuckDBPyRelation, ingested_at: datetime) -> Appended:
        """Adds rows of one kind and program; columns by the table's names, absent ones are unknown.

        A row that is the same as one already kept (or earlier in the batch) is a duplicate and not written; one whose key is known but
        whose content changed is written as a new version. Columns `program_id` and `ordinal` are not stored (`ordinal` orders
        versions that arrive together).
        """
        with self._workspace() as folder, file_lock(self.root / ".lock"), closing(self._open()) as con:
            staged = folder / "incoming.parquet"
            _write(con, table, staged)
            return _Append(self, con, TABLES[kind], program_id, as_utc(ingested_at)).run(staged, folder)

    def connect(
        self, program_id: str, as_of: datetime | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> duckdb.DuckDBPyConnection:
        """A connection whose views `clicks`, `conversions`, `affiliates`, `offers`, `labels` and `calendar` hold one program's rows.

        Every column of the table is there with its type (NULL when unknown), besides `program_id` and `ingested_at`; times are
        `TIMESTAMP` in UTC. Rows are those ingested by `as_of`, with events before it, in the newest version known then; `since` and
        `until` bound event time further (`[since, until)`). A status reached after the bound reads `pending`. To look back with
        what is known today, give today as `as_of` and the past as `until`. The caller closes the connection.
        """
        con = self._open()
        bounds = lake_views.Bounds(*(None if moment is None else as_utc(moment) for moment in (as_of, since, until)))
        for table in TABLES.values():
            files = self._files(table, program_id, bounds)
            con.execute(lake_views.view_sql(table, program_id, files, bounds))
        return con

    def count(self, kind: str, program_id: str, as_of: datetime | None = None) -> int:
        """Rows of a kind, in their newest versions."""
        with closing(self.connect(program_id, as_of)) as con:
            return int(con.sql(f"SELECT count(*) FROM {TABLES[kind].kind}").fetchall()[0][0])

    def time_range(self, program_id: str) -> tuple[datetime, datetime] | None:
        """First and last event (click or conversion) of a program, in UTC; `None` when there is none."""
        with closing(self.connect(program_id)) as con:
            times = "SELECT clicked_at AS moment FROM clicks UNION ALL SELECT converted_at FROM conversions"
            first, last = con.sql(f"SELECT min(moment), max(moment) FROM ({times})").fetchall()[0]
        return None if first is None else (as_utc(first), as_utc(last))

    def programs(self) -> list[str]:
        """Every program with rows, by name."""
        folders = self.root.glob("*/program=*")
        return sorted({unquote(folder.name.removeprefix("program=")) for folder in folders})

    def quarantine(self, kind: str, program_id: str, rows: Sequence[dict[str, object]], ingested_at: datetime) -> Path:
        """Keeps rejected rows as NDJSON, one object a row, readable by the owner alone (they are as they came, personal values too)."""
        folder = self.root / "quarantine" / _folder(program_id)
        self._make(folder)
        text = "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows)
        data = text.encode("utf-8", "surrogatepass")
        target = folder / f"{kind}-{stamp(ingested_at)}-{lake_views.digest(data)[:_CONTENT_DIGITS]}.ndjson"
        write_whole(target, data)
        return target

    def folder(self, table: Table, program_id: str, day: date | None = None) -> Path:
        """Where a table's files of a program (and day) stand."""
        base = self.root / table.kind / _folder(program_id)
        return base if day is None else base / f"day={day.isoformat()}"

    def all_files(self, table: Table, program_id: str) -> list[Path]:
        """Every file of a table and program, in order."""
        pattern = "day=*/*.parquet" if table.by_day else "*.parquet"
        return sorted(self.folder(table, program_id).glob(pattern))

    def _files(self, table: Table, program_id: str, bounds: lake_views.Bounds) -> list[Path]:
        """The files that may hold rows within the bounds: by day, and every file of later versions."""
        files = self.all_files(table, program_id)
        if not table.by_day:
            return files
        return [file for file in files if _is_again(file) or bounds.may_hold(date.fromisoformat(file.parent.name.removeprefix("day=")))]

    def _open(self) -> duckdb.DuckDBPyConnection:
        self._make(self._temporary)
        con = duckdb.connect(config={"memory_limit": self._memory_limit, "temp_directory": str(self._temporary)})
        con.execute("SET TimeZone = 'UTC'")
        return con

    @contextmanager
    def _workspace(self) -> Iterator[Path]:
        self._make(self._temporary)
        folder = Path(tempfile.mkdtemp(prefix="append-", dir=self._temporary))
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as fault:
            raise StorageError(
                f"The lake's folder {folder} cannot be made: {fault.strerror}. Check the workspace's permissions."
            ) from fault


class _Append:
    """One append: compares with what is there, then writes what is new."""

    def __init__(self, lake: ParquetLake, con: duckdb.DuckDBPyConnection, table: Table, program_id: str, ingested_at: datetime) -> None:
        self._lake, self._con, self._table, self._program_id, self._ingested_at = lake, con, table, program_id, ingested_at

    def run(self, staged: Path, folder: Path) -> Appended:
        incoming = self._count(lake_views.incoming_sql(self._table, staged, self._ingested_at), "incoming")
        existing = self._lake.all_files(self._table, self._program_id)
        kept = self._count(lake_views.fresh_sql(self._table, existing), "fresh")
        for day, again in self._con.sql("SELECT DISTINCT day, again FROM fresh ORDER BY ALL").fetchall():
            self._write_part(folder, day, again)
        return Appended(kept, incoming - kept)

    def _count(self, sql: str, name: str) -> int:
        self._con.execute(sql)
        return int(self._con.sql(f"SELECT count(*) FROM {name}").fetchall()[0][0])

    def _write_part(self, folder: Path, day: date | None, again: bool) -> None:
        of_day = "day IS NULL" if day is None else f"day = DATE '{day}'"
        part = f"{of_day} AND {'again' if again else 'NOT again'}"
        content = self._con.sql(
            f"SELECT printf('%016x', (bit_xor(md5_number(row_hash)) >> 64)::UBIGINT) FROM fresh WHERE {part}"
        ).fetchall()[0][0]
        name = f"{stamp(self._ingested_at)}-{content}{lake_views.AGAIN if again else ''}.parquet"
        temporary = folder / name
        self._con.execute(
            f"COPY (SELECT * EXCLUDE (day, again) FROM fresh WHERE {part} ORDER BY {lake_views.order_of(self._table)}) "
            f"TO {lake_views.quoted(str(temporary))} (FORMAT parquet, COMPRESSION zstd)"
        )
        target = self._lake.folder(self._table, self._program_id, day)
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary.replace(target / name)


def stamp(moment: datetime) -> str:
    """A moment for a file's name, to the microsecond, sorting by time."""
    return as_utc(moment).astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")


def _folder(program_id: str) -> str:
    return f"program={quote(program_id, safe='')}"


def _is_again(file: Path) -> bool:
    return file.stem.endswith(lake_views.AGAIN)


def _write(con: duckdb.DuckDBPyConnection, table: pa.Table | duckdb.DuckDBPyRelation, target: Path) -> None:
    """Puts rows into a file, so that they pass from any connection without standing in memory."""
    if isinstance(table, duckdb.DuckDBPyRelation):
        table.write_parquet(str(target))
        return
    con.register("given_rows", table)
    con.sql("SELECT * FROM given_rows").write_parquet(str(target))
    con.unregister("given_rows")
