"""Small promises about files that several processes share: locks, and contents that appear whole or not at all."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Holds an exclusive lock between processes and threads, kept in a small file of its own that stays behind empty."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


Part = bytes | memoryview
"""A part of a file, which is written as it lies in memory."""


def write_whole(target: Path, data: bytes) -> None:
    """Puts `data` at `target` (mode 0600), replacing what was there; no reader ever sees a part of it."""
    write_parts(target, (data,))


def write_parts(target: Path, parts: Iterable[Part]) -> None:
    """`write_whole` of one part after the other, none of which is copied."""
    temporary = _written_beside(target, parts)
    try:
        temporary.replace(target)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def write_once(target: Path, data: bytes) -> None:
    """Puts `data` at `target` (mode 0600) unless something is there already: the first of several writers wins."""
    temporary = _written_beside(target, (data,))
    try:
        os.link(temporary, target)
    except FileExistsError:
        pass  # another process was first, and its content stands
    finally:
        temporary.unlink(missing_ok=True)


def _written_beside(target: Path, parts: Iterable[Part]) -> Path:
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            for part in parts:
                stream.write(part)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)
