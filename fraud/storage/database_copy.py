"""A database copied whole, as of one moment, while others write: into a SQLite file, whatever it is itself, and back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, func, select, text

from fraud.errors import InputError, StorageError
from fraud.storage.database import Database, open_database
from fraud.storage.tables import METADATA

_ROWS_AT_ONCE = 500


def copy_sqlite(source: Path, target: Path) -> None:
    """Copies a SQLite file as of one moment, whoever writes to it; a `StorageError` when that fails or the copy is not whole."""
    try:
        with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as there, closing(sqlite3.connect(target)) as here:
            there.backup(here)
            here.execute("PRAGMA journal_mode = DELETE")
            found = here.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.Error as fault:
        raise StorageError(f"The database {source} cannot be copied: {fault}.") from fault
    if found != "ok":
        raise StorageError(f"The database {source} is damaged: {found[:200]}. Restore an earlier backup.")


def copy_database(database: Database, target: Path) -> dict[str, int]:
    """Copies a database into a SQLite file; returns the rows of each table in the copy."""
    if database.engine.dialect.name == "sqlite":
        copy_sqlite(Path(database.engine.url.database or ""), target)
    else:
        _copy_rows(database, target)
    return rows_of(target)


def rows_of(file: Path) -> dict[str, int]:
    """The rows of each table that a copy has."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - a name of our own
            for name in sorted(METADATA.tables.keys() & there)
        }


def fill_database(database: Database, copy: Path) -> None:
    """Puts the rows of a copy into an empty database of another kind; `InputError` when it is not empty."""
    with _opened(copy) as source, source.reading() as reading, database.transaction() as writing:
        require_empty(writing)
        for table in METADATA.sorted_tables:
            for rows in _batches(reading, table):
                writing.execute(table.insert(), rows)
        _count_on(writing, database.engine)


def require_empty(connection: Connection) -> None:
    """Raises `InputError` when a database holds anything: a restore never writes over what is there."""
    for table in METADATA.sorted_tables:
        if connection.execute(select(func.count()).select_from(table)).scalar_one():
            raise InputError(f"The database is not empty (it has {table.name}); restore into an empty one.")


def _copy_rows(database: Database, target: Path) -> None:
    with _opened(target) as copy, _snapshot(database.engine) as reading, copy.transaction() as writing:
        for table in METADATA.sorted_tables:
            for rows in _batches(reading, table):
                writing.execute(table.insert(), rows)
    with closing(sqlite3.connect(target)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    for beside in target.parent.glob(f"{target.name}.lock"):
        beside.unlink()


@contextmanager
def _opened(file: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{file}")
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection for which the database stands still."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        yield connection


def _batches(connection: Connection, table: Any) -> Iterator[list[dict[str, Any]]]:
    result = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(select(table).order_by(*table.primary_key.columns))
    for rows in result.mappings().partitions():
        yield [dict(row) for row in rows]


def _count_on(connection: Connection, engine: Engine) -> None:
    """PostgreSQL's counters go on after what was put in."""
    if engine.dialect.name != "postgresql":
        return
    for table in METADATA.sorted_tables:
        for column in table.primary_key.columns:
            if column.autoincrement is True:
                connection.execute(
                    text(
                        f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'), "  # noqa: S608 - names of our own
                        f"(SELECT coalesce(max({column.name}), 0) + 1 FROM {table.name}), false)"
                    )
                )
