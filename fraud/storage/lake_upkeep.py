"""Upkeep of the lake: many small files of a day become one, and what is older than the setting allows is removed.

A merged file takes the place of others in one moment: beside it stands a list of the files it replaces (`NAME.replaces`), which is put
there first, and which counts from when the merged file is there. Readers leave out what is replaced; the replaced files stay for a day, so
that whoever began to read them can finish. Stopped at any moment, the lake says the same as before.
"""

# ruff: noqa: S608 - the SQL is made of the tables' own column names; what comes from outside is bound or quoted

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from fraud.domain.tables import Table
from fraud.errors import StorageError
from fraud.storage.files import write_whole
from fraud.storage.lake_views import AGAIN, order_of, quoted, read_sql, stamp

REPLACES = ".replaces"
"""The end of the name of a list of files that the merged file of the same name replaces."""

GRACE = timedelta(days=1)
"""How long replaced files stay for those who read them; no scan takes longer."""

_DAMAGE = (
    "Restore it from a backup, or move it out of the lake and ingest the files of that time again: rows that are kept are not added twice."
)


@dataclass(frozen=True)
class Merged:
    """What merging did: folders (a day of a table each) in which files were merged, and how many files became how many."""

    folders: int = 0
    before: int = 0
    after: int = 0

    def __add__(self, other: Merged) -> Merged:
        return Merged(self.folders + other.folders, self.before + other.before, self.after + other.after)


@dataclass(frozen=True)
class Removed:
    """What retention removed: days of one kind of events of a program, the rows of them, and the first and the last of the days."""

    program_id: str
    kind: str
    days: int
    rows: int
    first: date
    last: date


def standing(files: Sequence[Path]) -> list[Path]:
    """The files that count: those that no merged file beside them replaces."""
    replaced = set[Path]()
    for folder in {file.parent for file in files}:
        for listed in folder.glob(f"*{REPLACES}"):
            if listed.with_suffix(".parquet").exists():
                replaced.update(folder / name for name in _replaced(listed))
    return sorted(file for file in files if file not in replaced)


def alike(files: Sequence[Path]) -> list[list[Path]]:
    """The files of one folder that may be merged with each other: those that replace earlier versions apart from the others."""
    groups = [[file for file in files if file.stem.endswith(AGAIN) == again] for again in (False, True)]
    return [group for group in groups if len(group) > 1]


def merged(con: duckdb.DuckDBPyConnection, table: Table, files: Sequence[Path], pending: Path, at: datetime) -> Path:
    """Writes the rows of files that are `alike` into one in the folder `pending`."""
    again = AGAIN if files[0].stem.endswith(AGAIN) else ""
    written = pending / f"{stamp(at)}-{uuid.uuid4().hex[:16]}{again}.parquet"
    with naming_damage(files):
        con.execute(
            f"COPY (SELECT * FROM {read_sql(files)} ORDER BY {order_of(table)}) "
            f"TO {quoted(str(written))} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
        )
    return written


def put_in_place(written: Path, files: Sequence[Path]) -> None:
    """Puts a written file, which is on the same disk, in the place of others of one folder."""
    target = files[0].parent / written.name
    write_whole(target.with_suffix(REPLACES), json.dumps([file.name for file in files]).encode())
    written.replace(target)


def sweep(root: Path, before: datetime) -> int:
    """Removes files that were replaced before a moment, and lists whose merged file never came to be; how many files."""
    removed = 0
    for listed in root.glob(f"*/program=*/**/*{REPLACES}"):
        if not listed.with_suffix(".parquet").exists():
            listed.unlink()
        elif listed.stat().st_mtime < before.timestamp():
            for name in _replaced(listed):
                (listed.parent / name).unlink(missing_ok=True)
                removed += 1
            listed.unlink()
    return removed


def remove_days(table: Table, folder: Path, before: date, pending: Path) -> Removed | None:
    """Removes the days of a program's events that lie before a date. What is left of a stopped removal the next append clears away."""
    days = {date.fromisoformat(path.name.removeprefix("day=")): path for path in folder.glob("day=*")}
    old = {day: path for day, path in sorted(days.items()) if day < before}
    if not old:
        return None
    rows = sum(_rows(standing(sorted(path.glob("*.parquet")))) for path in old.values())
    for path in old.values():
        path.rename(pending / f"{table.kind}-{path.name}")
    shutil.rmtree(pending, ignore_errors=True)
    return Removed("", table.kind, len(old), rows, min(old), max(old))


@contextmanager
def naming_damage(files: Sequence[Path]) -> Iterator[None]:
    """Turns a failure that a damaged file causes into a `StorageError` that names it; other failures stay as they are."""
    try:
        yield
    except duckdb.Error as fault:
        damaged = next((file for file in files if _is_damaged(file)), None)
        if damaged is None:
            raise
        why = str(fault).splitlines()[0]
        raise StorageError(f"The lake's file {damaged} is damaged and cannot be read ({why}). {_DAMAGE}") from fault


def _is_damaged(file: Path) -> bool:
    try:
        with duckdb.connect() as con:
            con.execute(f"SELECT bit_xor(hash(COLUMNS(*))) FROM {read_sql([file])}").fetchall()
    except duckdb.Error:
        return True
    return False


def _rows(files: Sequence[Path]) -> int:
    if not files:
        return 0
    with naming_damage(files), duckdb.connect() as con:
        return int(con.execute(f"SELECT count(*) FROM {read_sql(files)}").fetchall()[0][0])


def _replaced(listed: Path) -> list[str]:
    try:
        return [str(name) for name in json.loads(listed.read_text("utf-8"))]
    except FileNotFoundError:  # swept away since it was listed, with the files it names
        return []
