"""Checkpoints of real-time counters in the workspace, so that a restart goes on counting where it was.

One process at a time keeps them: whoever has the folder's lock. Others count as if there were none. A checkpoint is written part by part:
to copy its many megabytes at once would keep the interpreter from every answer meanwhile.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from fraud.domain.ids import stable_id
from fraud.errors import StorageError
from fraud.storage.files import Part, write_parts

_MAGIC = b"fraud-counters-2\n"
_LENGTH_BYTES = 4


class _Head(msgspec.Struct, frozen=True, array_like=True):
    program_id: str
    taken_at: datetime


class Checkpoint(msgspec.Struct, frozen=True):
    """What the counters of a program knew, and a moment before which every event they had seen had begun."""

    program_id: str
    taken_at: datetime
    counters: bytes


class Checkpoints:
    """The checkpoints of a workspace, one file a program."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._mark = os.open(folder / "lock", os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(f"The folder {folder} cannot be used ({error}); check its permissions.") from error
        self.held = self._locked()

    def read(self, program_id: str) -> Checkpoint | None:
        """The newest checkpoint of a program; `None` when there is none, or it is another process's to keep.

        Raises `StorageError` for one that cannot be read.
        """
        path = self._path(program_id)
        if not self.held or not path.exists():
            return None
        try:
            return _checkpoint(path.read_bytes())
        except (OSError, ValueError) as error:  # msgspec's own errors are ValueErrors
            raise StorageError(f"The checkpoint {path} cannot be read ({error}); delete it to count from the lake.") from error

    def write(self, program_id: str, taken_at: datetime, counters: Iterable[Part]) -> None:
        """Keeps a checkpoint in place of the last one; its counters come in parts. Raises `StorageError` when the disk will not have it."""
        if not self.held:
            return
        path = self._path(program_id)
        try:
            write_parts(path, _file(_Head(program_id, taken_at), counters))
        except OSError as error:
            raise StorageError(f"The checkpoint {path} cannot be written ({error}); check the disk.") from error

    def close(self) -> None:
        """Lets the folder go to another process."""
        if self._mark >= 0:
            os.close(self._mark)
        self._mark, self.held = -1, False

    def _locked(self) -> bool:
        try:
            fcntl.flock(self._mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _path(self, program_id: str) -> Path:
        return self._folder / f"{stable_id('counters', program_id)}.bin"


def _file(head: _Head, counters: Iterable[Part]) -> Iterator[Part]:
    encoded = msgspec.msgpack.encode(head)
    yield _MAGIC + len(encoded).to_bytes(_LENGTH_BYTES, "little") + encoded
    yield from counters


def _checkpoint(data: bytes) -> Checkpoint:
    begin = len(_MAGIC) + _LENGTH_BYTES
    if not data.startswith(_MAGIC) or len(data) < begin:
        raise ValueError("it is none of this version")
    end = begin + int.from_bytes(data[len(_MAGIC) : begin], "little")
    head = msgspec.msgpack.decode(data[begin:end], type=_Head)
    return Checkpoint(head.program_id, head.taken_at, data[end:])
