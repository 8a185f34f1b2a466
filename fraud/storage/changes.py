"""Whether there is work in a database, for the price of a look: for those who look again and again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from fraud.errors import StorageError
from fraud.storage.database import Database

Due = Callable[[Connection, datetime], datetime | None]
"""When the next piece of work can be begun, seen at a time: at or before it when that is now, `None` when none waits. One query."""


class Lookout:
    """Looks for work that is due. One thread at a time may look.

    SQLite numbers the states of its file, whichever process changes it: while the number stands, and the clock before what was due next,
    there is nothing to do, and nothing is asked. PostgreSQL numbers none, and is asked each time, on a connection that is held for it.
    """

    def __init__(self, database: Database, due: Due) -> None:
        self._database, self._due = database, due
        self._numbering: sqlite3.Connection | None = None
        self._held: Connection | None = None
        self._seen: int | None = None
        self._next: datetime | None = None

    def sees(self, now: datetime) -> bool:
        """Whether there may be work now. Raises `StorageError` when the database fails."""
        try:
            if self._database.engine.dialect.name == "sqlite":
                self._look_at_file(now)
            else:
                self._ask(now)
        except StorageError:
            self.close()
            raise
        return self._next is not None and now >= self._next

    def close(self) -> None:
        """Lets the connections go; the next look opens others."""
        if self._numbering is not None:
            self._numbering.close()
        if self._held is not None:
            self._held.close()
        self._numbering = self._held = self._seen = None

    def _look_at_file(self, now: datetime) -> None:
        state = self._state()
        if state != self._seen or (self._next is not None and now >= self._next):
            with self._database.reading() as connection:
                self._next = self._due(connection, now)
            self._seen = state  # its number before the question: what came between is asked about again

    def _ask(self, now: datetime) -> None:
        if self._held is None:
            self._held = self._database.hold()
        with self._database.asking(self._held) as connection:
            self._next = self._due(connection, now)

    def _state(self) -> int:
        """The number of the file's state, as this connection sees it: another connection's numbers are others."""
        try:
            if self._numbering is None:
                self._numbering = sqlite3.connect(self._database.engine.url.database or "", isolation_level=None, check_same_thread=False)
            return int(self._numbering.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error as error:
            raise StorageError(f"The {self._database.name} cannot be read ({error}); check it with `fraud doctor`.") from error
