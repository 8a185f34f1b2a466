"""The SQL database behind the stores: a SQLite file (the default) or a PostgreSQL server, told apart by URL.

On SQLite every writing transaction begins with `BEGIN IMMEDIATE` and waits its turn, so processes never trip over "database is locked"
half way and never overwrite what they did not see. On PostgreSQL the default isolation (read committed) serves, with row locks where
a store reads before it writes.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from fraud.errors import FraudError, StorageError
from fraud.storage.files import file_lock

LOCK_WAIT_SECONDS = 60
"""How long a writer waits for the others. Transactions here last milliseconds, so a wait this long means one that hangs."""

CONNECT_SECONDS = 10
"""How long a PostgreSQL server may take to answer before it counts as unreachable."""

MIGRATION_LOCK = 0x6672617564  # "fraud"
"""The advisory lock that PostgreSQL migrations hold."""

_POSTGRES_SCHEMES = frozenset({"postgres", "postgresql", "postgresql+psycopg"})
_SQLITE_SCHEMES = frozenset({"sqlite", "sqlite+pysqlite"})
_VERSIONS = Path(__file__).parent / "migrations" / "versions"
_migrating = threading.Lock()


class Database:
    """A database with its tables up to date, and the two ways of using it: reading and transacting."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def name(self) -> str:
        """Which database this is, for people: kind and place, never a password."""
        return describe(self.engine.url)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection that writes: all of it is kept when the block ends, none of it when the block raises.

        Raises `StorageError` when the database fails, and whatever the block itself raises.
        """
        with _translated(self.engine.url), self.engine.connect() as connection:
            writer = connection.execution_options(sqlite_begin="IMMEDIATE")
            with writer.begin():
                yield writer

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that only reads, and sees one consistent state on SQLite. Raises `StorageError` when the database fails."""
        with _translated(self.engine.url), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def asking(self, connection: Connection) -> Iterator[Connection]:
        """A connection of `hold` in use. Raises `StorageError` when the database fails; hold another one then."""
        with _translated(self.engine.url):
            yield connection

    def hold(self) -> Connection:
        """A connection for whoever asks one thing again and again: nothing goes to the server but the question. Close it at the end."""
        with _translated(self.engine.url):
            return self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def ping(self) -> None:
        """Asks the database for a sign of life, or raises `StorageError`."""
        with self.reading() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Closes the connections that are held open."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """The database at `url`, reachable and with its tables up to date; otherwise a `StorageError`."""
    engine = open_engine(url)
    try:
        migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return Database(engine)


def open_engine(url: str) -> Engine:
    """An engine for `sqlite:///FILE` or `postgresql://…`, once the database has answered; otherwise a `StorageError`."""
    parsed = _parsed(url)
    engine = _sqlite_engine(parsed) if parsed.drivername in _SQLITE_SCHEMES else _postgres_engine(parsed)
    try:
        Database(engine).ping()
    except StorageError:
        engine.dispose()
        raise
    return engine


def migrate(engine: Engine) -> None:
    """Brings the tables up to date. Processes that start together wait for each other; an up-to-date database costs one query.

    Raises `StorageError` when the database was made by a newer version of the product, or fails.
    """
    if _revision(engine) == newest_revision():
        return
    from alembic import command  # noqa: PLC0415 -- slow to import, and needed once in a database's life
    from alembic.util import CommandError  # noqa: PLC0415

    with _migrating, Database(engine).transaction() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        try:
            command.upgrade(alembic_config(connection), "head")
        except CommandError as error:
            raise StorageError(
                f"The {describe(engine.url)} was made by another version of this software ({error}); install that version or a newer one."
            ) from error


def newest_revision() -> str:
    """The revision that this version of the software needs. Revisions are numbered files: `0001_first_tables.py`."""
    return max(path.name.split("_")[0] for path in _VERSIONS.glob("[0-9]*_*.py"))


def alembic_config(connection: Connection | None = None) -> Any:
    """Alembic's configuration, which needs no `alembic.ini`; commands use `connection` and leave its transaction to the caller."""
    from alembic.config import Config  # noqa: PLC0415 -- slow to import, and needed once in a database's life

    config = Config()
    config.set_main_option("script_location", "fraud.storage:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def describe(url: URL) -> str:
    """Which database a URL means, for people: kind and place, never user or password."""
    if url.drivername in _SQLITE_SCHEMES:
        return f"SQLite file {url.database}"
    port = f":{url.port}" if url.port else ""
    return f"PostgreSQL database {url.database or ''} at {url.host or 'the local socket'}{port}"


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StorageError(
            "The database URL cannot be read; write sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE."
        ) from None
    if parsed.drivername in _POSTGRES_SCHEMES:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in _SQLITE_SCHEMES:
        raise StorageError(f"The database kind {parsed.drivername!r} is not supported; use sqlite:///FILE or postgresql://HOST/DATABASE.")
    if not parsed.database or parsed.database == ":memory:":
        raise StorageError("The SQLite URL names no file, and nothing would be kept; write sqlite:///FILE.")
    return parsed


def _postgres_engine(url: URL) -> Engine:
    connect_args: dict[str, Any] = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_SECONDS}
    try:
        engine = create_engine(url, connect_args=connect_args, pool_pre_ping=True)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise StorageError("PostgreSQL needs the psycopg driver; install affiliate-fraud[postgres].") from error
    event.listen(engine, "connect", _use_utc)
    return engine


def _use_utc(connection: Any, record: object) -> None:
    """Times come back in UTC whatever the server's own zone, so none can fall outside what Python can hold."""
    autocommit, connection.autocommit = connection.autocommit, True
    connection.execute("SET TIME ZONE 'UTC'")
    connection.autocommit = autocommit


def _sqlite_engine(url: URL) -> Engine:
    path = Path(url.database or "")
    if path.is_dir():
        raise StorageError(f"The SQLite file {path} cannot be opened, because a folder is in its place; name a file.")
    try:
        _prepare_file(path)
    except (OSError, ValueError, sqlite3.Error) as error:
        raise StorageError(f"The SQLite file {path} cannot be opened ({error}); check the path and its permissions.") from error
    engine = create_engine(url, connect_args={"timeout": LOCK_WAIT_SECONDS})
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_file(path: Path) -> None:
    """Makes the file (0600) with write-ahead logging, one process at a time: SQLite does not queue those who switch the log."""
    with file_lock(path.with_name(f"{path.name}.lock")):
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(path, timeout=LOCK_WAIT_SECONDS)) as connection:
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
            if mode != "wal":
                connection.execute("PRAGMA journal_mode = WAL")


def _set_pragmas(connection: Any, record: object) -> None:
    connection.isolation_level = None  # the driver would begin transactions by itself, too late and not IMMEDIATE
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")  # with WAL: a power cut may undo the last moments, never corrupt


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('sqlite_begin', 'DEFERRED')}")


def _revision(engine: Engine) -> str | None:
    """The revision the database is at; `None` for one without tables."""
    with _translated(engine.url), engine.connect() as connection, connection.begin():
        if not engine.dialect.has_table(connection, "alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


@contextmanager
def _translated(url: URL) -> Iterator[None]:
    """Turns the driver's failures into ours, and gives back our own errors where SQLAlchemy wrapped them."""
    try:
        yield
    except StatementError as error:
        if isinstance(error.orig, FraudError):
            raise error.orig from None
        raise StorageError(_sentence(url, error)) from error
    except PoolTimeoutError as error:
        raise StorageError(f"The {describe(url)} is busy: no connection came free; try again, or run fewer workers.") from error


def _sentence(url: URL, error: StatementError) -> str:
    detail = " ".join(str(error.orig).split())
    for secret in _secrets(url):
        detail = detail.replace(secret, "***")
    if error.statement is None:
        return f"The {describe(url)} cannot be reached ({detail[:300]}); check the database URL and that the server runs."
    return f"The {describe(url)} could not do what was asked ({detail[:300]}); check it with `fraud doctor`."


def _secrets(url: URL) -> list[str]:
    named = url.query.get("password", ())
    candidates = [str(url.password or ""), *((named,) if isinstance(named, str) else named)]
    return [secret for secret in candidates if secret]
