"""A log on the local disk of what was answered and is still on its way to the database and the lake.

Each process appends to segments in a folder of its own, which it holds locked; whoever starts next takes over the folders of processes
that are gone. A record is written by one call before its event is answered, so a process that is killed loses nothing it answered. A
power cut may take what the disk had not written yet, unless answers wait for `sync`.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import struct
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fraud.errors import StorageError

_FRAME = struct.Struct("<II")
_MARK = "lock"
_READ_AT_ONCE = 256 * 1024


Weigh = Callable[[bytes], int]
"""How many things a record stands for."""


def _one(body: bytes) -> int:
    return 1


@dataclass(frozen=True)
class JournalBounds:
    """Bytes of a segment, after which the next is begun, and of all segments, after which nothing more is taken."""

    segment: int = 8 * 1024 * 1024
    whole: int = 4 * 1024 * 1024 * 1024


class Journal:
    """The journal of one process. May be used from any number of threads."""

    def __init__(self, root: Path, bounds: JournalBounds | None = None) -> None:
        self._bounds = bounds or JournalBounds()
        self._lock = threading.Lock()
        self._root, self._folder = root, root / secrets.token_hex(8)
        self._number = self._size = self._file = 0
        self._closed = False
        try:
            self._folder.mkdir(mode=0o700, parents=True)
            self._mark = _locked(self._folder)
        except OSError as error:
            raise StorageError(f"The journal {self._folder} cannot be made ({error}); check its permissions.") from error
        self._left = self._taken_over()
        self._held = sum(file.stat().st_size for file in self._left)
        self._begin()

    @property
    def held_bytes(self) -> int:
        """How much is on its way."""
        return self._held

    @property
    def is_half_full(self) -> bool:
        """Whether it is time to hurry."""
        return 2 * self._held > self._bounds.whole

    def append(self, body: bytes) -> None:
        """Adds a record, whole or not at all. Raises `StorageError` when the journal or the disk is full."""
        self.append_all((body,))

    def append_all(self, bodies: Iterable[bytes]) -> None:
        """Adds records by one write, all or none. Raises `StorageError` as `append` does."""
        frame = b"".join([part for body in bodies for part in (_FRAME.pack(len(body), zlib.crc32(body)), body)])
        with self._lock:
            if self._held + len(frame) > self._bounds.whole:
                raise StorageError("Decisions cannot be kept fast enough at the moment; try again in a few seconds.")
            if self._size and self._size + len(frame) > self._bounds.segment:
                self._begin_where_possible()
            self._write(frame)

    def sync(self) -> None:
        """Returns once everything appended so far is on the disk itself."""
        try:
            os.fdatasync(self._file)
        except OSError as error:
            raise StorageError(f"The journal {self._folder} cannot be written ({error}); check the disk.") from error

    def rotate(self) -> None:
        """Begins the next segment, unless this one is empty. A `StorageError` when that cannot be now; then this one goes on."""
        with self._lock:
            if self._size:
                self._begin()

    def segments(self) -> list[Path]:
        """The segments that hold records, oldest first: those taken over, then its own; the last may still grow."""
        with self._lock:
            return [*self._left, *self._own()]

    def is_open(self, segment: Path) -> bool:
        """Whether records are still being appended to this segment."""
        return segment == self._path(self._number)

    def read(self, segment: Path, offset: int, most: int, weigh: Weigh = _one) -> tuple[list[bytes], int]:
        """`read_records` of one of these segments."""
        return read_records(segment, offset, most, weigh)

    def places(self, segment: Path) -> Iterator[tuple[int, bytes]]:
        """Each whole record of one of these segments, and the offset at which it begins."""
        bodies, _ = read_records(segment, 0, 1 << 62)
        offset = 0
        for body in bodies:
            yield offset, body
            offset += _FRAME.size + len(body)

    def drop(self, segment: Path) -> None:
        """Forgets a segment whose records have all arrived, and the folder it was taken over with when that is empty."""
        with self._lock:
            self._held -= segment.stat().st_size
            segment.unlink()
            if segment in self._left:
                self._left.remove(segment)
                if not any(segment.parent.glob("*.log")):
                    shutil.rmtree(segment.parent)

    def close(self) -> None:
        """Closes the file and lets the folder go; one that is empty is removed. Closing twice does nothing more."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            os.close(self._file)
            empty = self._size == 0 and not list(self._own())
            for mark in (self._mark, *self._marks):
                os.close(mark)
            if empty:
                shutil.rmtree(self._folder, ignore_errors=True)

    def _write(self, frame: bytes) -> None:
        try:
            written = os.write(self._file, frame)
            if written < len(frame):
                os.ftruncate(self._file, self._size)
        except OSError as error:
            raise StorageError(f"The journal {self._folder} cannot be written ({error.strerror}); free some disk space.") from error
        if written < len(frame):
            raise StorageError(f"The journal {self._folder} cannot be written; free some disk space.")
        self._size += len(frame)
        self._held += len(frame)

    def _begin_where_possible(self) -> None:
        """The next segment; this one goes on where no file can be made (too many are open, the disk became read-only)."""
        with suppress(StorageError):
            self._begin()

    def _begin(self) -> None:
        """The last file is let go once there is the next one: the number of one that is closed is soon another file's, or a client's."""
        try:
            file = os.open(self._path(self._number + 1), os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
        except OSError as error:
            raise StorageError(f"The journal {self._folder} cannot be written ({error}); check the disk and the open files.") from error
        if self._file:
            os.close(self._file)
        self._file, self._number, self._size = file, self._number + 1, 0

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:010d}.log"

    def _own(self) -> list[Path]:
        return [file for file in sorted(self._folder.glob("*.log")) if file.stat().st_size]

    def _taken_over(self) -> list[Path]:
        """The segments of processes that are gone; their folders stay locked by this one from now on."""
        segments: list[Path] = []
        self._marks: list[int] = []
        for folder in sorted(self._root.iterdir()):
            if folder == self._folder:
                continue
            try:
                self._marks.append(_locked(folder))
            except (BlockingIOError, FileNotFoundError):
                continue  # its process lives, or another has finished it
            found = [file for file in sorted(folder.glob("*.log")) if file.stat().st_size]
            segments += found
            if not found:
                shutil.rmtree(folder, ignore_errors=True)
        return segments


def _locked(folder: Path) -> int:
    mark = os.open(folder / _MARK, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(mark)
        raise
    return mark


def every_segment(root: Path) -> list[Path]:
    """The segments of every process, also of those that run: records that are on their way."""
    return sorted(root.glob("*/*.log"))


def read_records(segment: Path, offset: int, most: int, weigh: Weigh = _one) -> tuple[list[bytes], int]:
    """Whole records of a segment from an offset on, until together they weigh `most` or more, and the offset after them."""
    with segment.open("rb") as file:
        file.seek(offset)
        part = file.read(_READ_AT_ONCE)
        bodies, reached = _records(part, offset, most, weigh)
        if len(part) < _READ_AT_ONCE or sum(map(weigh, bodies)) >= most:
            return bodies, reached
        return _records(part + file.read(), offset, most, weigh)


def _records(data: bytes, offset: int, most: int, weigh: Weigh) -> tuple[list[bytes], int]:
    """Whole records at the beginning of `data`, which stands at `offset`; what a killed process wrote in part ends them."""
    bodies: list[bytes] = []
    at = weight = 0
    while weight < most and at + _FRAME.size <= len(data):
        length, check = _FRAME.unpack_from(data, at)
        body = data[at + _FRAME.size : at + _FRAME.size + length]
        if len(body) < length or zlib.crc32(body) != check:
            break
        bodies.append(body)
        weight += weigh(body)
        at += _FRAME.size + length
    return bodies, offset + at
