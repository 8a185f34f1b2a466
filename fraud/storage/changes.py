"""Whether anything in a database has changed, for the price of a look at one number: for those who look again and again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime

from fraud.errors import StorageError
from fraud.storage.database import Database

Due = Callable[[datetime], datetime | None]
"""When the next piece of work can be begun, seen at a time: at or before it when that is now, `None` when none waits."""


class Lookout:
    """Looks for work in a database without asking for it each time. One thread at a time may look.

    SQLite counts the transactions of all connections and processes, and while that number and the clock stand before the time that was
    due next, there is nothing to do. PostgreSQL counts none, so `due` is asked each time: one query.
    """

    def __init__(self, database: Database, due: Due) -> None:
        self._database, self._due = database, due
        self._counting: sqlite3.Connection | None = None
        self._seen: int | None = None
        self._next: datetime | None = None

    def sees(self, now: datetime) -> bool:
        """Whether there may be work now. Raises `StorageError` when the database fails."""
        version = self._version()
        if version is None or version != self._seen or (self._next is not None and now >= self._next):
            self._next = self._due(now)
            self._seen = version  # read before `due` was asked: what came between is asked about again
        return self._next is not None and now >= self._next

    def close(self) -> None:
        """Lets the connection go; the next look opens another."""
        if self._counting is not None:
            self._counting.close()
        self._counting = self._seen = None

    def _version(self) -> int | None:
        """SQLite's number for this state of the file, `None` on other databases; one connection compares only with itself."""
        if self._database.engine.dialect.name != "sqlite":
            return None
        try:
            if self._counting is None:
                self._counting = sqlite3.connect(self._database.engine.url.database or "", isolation_level=None, check_same_thread=False)
            return int(self._counting.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error as error:
            self.close()
            raise StorageError(f"The {self._database.name} cannot be read ({error}); check it with `fraud doctor`.") from error
