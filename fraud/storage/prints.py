"""Prints of applicants' sites, found by the keys they share: an index in a file of the workspace, which never has to be held in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fraud.errors import StorageError

_SECONDS = 30.0  # another process may be writing
_SCHEMA = """
CREATE TABLE IF NOT EXISTS prints (
    position INTEGER PRIMARY KEY, program_id TEXT NOT NULL, application_id TEXT NOT NULL, domain TEXT NOT NULL, document BLOB NOT NULL,
    UNIQUE (program_id, application_id, domain));
CREATE TABLE IF NOT EXISTS keys (
    program_id TEXT NOT NULL, key TEXT NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (program_id, key, position)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS keys_position ON keys (position);
"""
_PLACE = "SELECT position FROM prints WHERE program_id = ? AND application_id = ? AND domain = ?"
_TOGETHER = 200  # keys looked up in one statement


class PrintIndex:
    """The index in one SQLite file. Documents are bytes to it; a key is any text that like prints share."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, where: tuple[str, str, str], document: bytes, keys: Iterable[str]) -> None:
        """Keeps the print of one site (`where`: program, application, domain), in the place of an earlier one of the same."""
        with self._open() as connection:
            row = connection.execute(_PLACE, where).fetchone()
            if row:
                position = row[0]
                connection.execute("DELETE FROM keys WHERE position = ?", (position,))
                connection.execute("UPDATE prints SET document = ? WHERE position = ?", (document, position))
            else:
                added = "INSERT INTO prints (program_id, application_id, domain, document) VALUES (?, ?, ?, ?)"
                position = connection.execute(added, (*where, document)).lastrowid
            connection.executemany("INSERT INTO keys VALUES (?, ?, ?)", [(where[0], key, position) for key in dict.fromkeys(keys)])

    def find(self, program_id: str, keys: Iterable[str], most: int, before: int | None = None) -> list[bytes]:
        """The documents of a program that share a key, those with most keys in common first, at most `most`.

        `before` leaves out what came at or after that place.
        """
        common: dict[int, int] = {}
        wanted = list(dict.fromkeys(keys))
        with self._open() as connection:
            for start in range(0, len(wanted), _TOGETHER):
                part = wanted[start : start + _TOGETHER]
                marks = ",".join("?" * len(part))
                rows = connection.execute(f"SELECT position FROM keys WHERE program_id = ? AND key IN ({marks})", (program_id, *part))  # noqa: S608 - question marks only
                for (position,) in rows:
                    if before is not None and position >= before:
                        continue
                    common[position] = common.get(position, 0) + 1
            nearest = sorted(common, key=lambda position: (-common[position], position))[:most]
            query = "SELECT document FROM prints WHERE position = ?"
            return [bytes(connection.execute(query, (position,)).fetchone()[0]) for position in nearest]

    def documents(self, program_id: str) -> list[bytes]:
        """Every document of a program, in the order of coming."""
        with self._open() as connection:
            query = "SELECT document FROM prints WHERE program_id = ? ORDER BY position"
            return [bytes(document) for (document,) in connection.execute(query, (program_id,))]

    def place(self, where: tuple[str, str, str]) -> int | None:
        """Where the print of a site (program, application, domain) stands in the order of coming; None when there is none."""
        with self._open() as connection:
            row = connection.execute(_PLACE, where).fetchone()
            return None if row is None else int(row[0])

    def forget(self, program_id: str, application_id: str) -> None:
        """Removes the prints of an applicant's sites."""
        mine = (program_id, application_id)
        with self._open() as connection:
            connection.execute(
                "DELETE FROM keys WHERE position IN (SELECT position FROM prints WHERE program_id = ? AND application_id = ?)", mine
            )
            connection.execute("DELETE FROM prints WHERE program_id = ? AND application_id = ?", mine)

    def count(self, program_id: str, key: str = "") -> int:
        """How many prints a program has, or how many of them have a key."""
        table, which = ("keys", " AND key = ?") if key else ("prints", "")
        with self._open() as connection:
            query = f"SELECT count(*) FROM {table} WHERE program_id = ?{which}"  # noqa: S608 - two fixed words
            counted: int = connection.execute(query, (program_id, *([key] if key else []))).fetchone()[0]
            return counted

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = sqlite3.connect(self._path, timeout=_SECONDS)
            try:
                connection.executescript(_SCHEMA)
                with connection:
                    yield connection
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise StorageError(
                f"The index of site prints {self._path} cannot be used ({error}); check its permissions and disk."
            ) from error
