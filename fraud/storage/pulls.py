"""How far the feeds have been pulled: one small file each, which appears whole or not at all."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from fraud.errors import Conflict, StorageError
from fraud.storage.files import write_whole


class _Remembered(msgspec.Struct):
    reached: dict[str, datetime] = {}
    pulled_at: datetime | None = None


class PullFolder:
    """The state of feeds, and their pages on the way to the lake, in a folder that is made when it is not there."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def reached(self, feed: str, kind: str) -> datetime | None:
        """The end of the newest window of a table that is in the lake."""
        return self._read(feed).reached.get(kind)

    def reach(self, feed: str, kind: str, until: datetime) -> None:
        """Notes that everything before `until` has been fetched; durable when it returns."""
        remembered = self._read(feed)
        remembered.reached[kind] = until
        self._write(feed, remembered)

    def pulled_at(self, feed: str) -> datetime | None:
        """When a feed was last pulled to its end."""
        return self._read(feed).pulled_at

    def finish(self, feed: str, at: datetime) -> None:
        """Notes that a feed was pulled to its end."""
        remembered = self._read(feed)
        remembered.pulled_at = at
        self._write(feed, remembered)

    @contextmanager
    def alone(self, feed: str) -> Iterator[None]:
        """Holds a feed against other processes; a process that dies lets go. `Conflict` when one has it."""
        handle = os.open(self._made() / f".{feed}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise Conflict(f"The feed {feed} is being pulled by another process; wait for it, or stop it.") from None
        try:
            yield
        finally:
            os.close(handle)

    def room(self, feed: str) -> Path:
        """A folder for a feed's pages until they are in the lake."""
        return self._made() / feed

    def _path(self, feed: str) -> Path:
        return self._made() / f"{feed}.json"

    def _made(self) -> Path:
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as fault:
            raise StorageError(f"The folder {self._root} cannot be made ({fault}); check its permissions.") from fault
        return self._root

    def _read(self, feed: str) -> _Remembered:
        path = self._path(feed)
        try:
            return msgspec.json.decode(path.read_bytes(), type=_Remembered) if path.exists() else _Remembered()
        except (OSError, msgspec.DecodeError) as fault:
            raise StorageError(f"{path} cannot be read ({fault}). Remove it to pull the feed anew: nothing is counted twice.") from fault

    def _write(self, feed: str, remembered: _Remembered) -> None:
        try:
            write_whole(self._path(feed), msgspec.json.encode(remembered))
        except OSError as fault:
            raise StorageError(f"{self._path(feed)} cannot be written ({fault}); check its permissions.") from fault
