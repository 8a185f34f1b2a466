"""Records of the journal carried on by a process of its own (`fraud.app.carrying`), which computes only while no other wants the processor.

A thread of the service would hold the interpreter that its answers need. The process is started when there is first much to answer, told
segments by name over a pipe, and ends with the service; whatever it was killed in the middle of is done again and arrives once. On a
machine whose processor others always want it may get none for minutes: what it then owes the service does itself, and it arrives once.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, TypeVar

import msgspec
import structlog
from pydantic import SecretStr

from fraud.errors import StorageError
from fraud.settings import Settings
from fraud.workflows.carrying import Kept

_log = structlog.get_logger(__name__)

_END_SECONDS = 5.0
"""How long the process may finish what it has in hand when the service stops; what it does not finish is done again."""


PATIENCE_SECONDS = 15.0
"""How long the service waits for a reply before it does without: longer than a start takes where others leave some of a core."""


class Task(msgspec.Struct, frozen=True):
    """What is asked of the process: the next records of a segment, or with no `most` all its events."""

    segment: str
    offset: int = 0
    most: int = 0


class Done(msgspec.Struct, frozen=True):
    """Its reply: `kept` is `None` when there were no more records; `fault` says why it could not be done now."""

    kept: Kept | None = None
    fault: str = ""


_Kind = TypeVar("_Kind")


def lowest_priority(pid: int) -> None:
    """The process gets the processor when no other wants it, and a hundredth of it when others always do, so that it never stands still."""
    os.setpriority(os.PRIO_PROCESS, pid, 19)


class CarrierBeside:
    """`Carrying` by another process. Asked by one thread at a time; `works` is false for good once the process is lost."""

    def __init__(self, settings: Settings, lower: Callable[[int], None] = lowest_priority, patience: float = PATIENCE_SECONDS) -> None:
        self._settings, self._lower, self._patience = settings, lower, patience
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._lost = self._owes = False

    @property
    def works(self) -> bool:
        """Whether it may be asked."""
        return not self._lost

    @property
    def runs(self) -> bool:
        """Whether it was started."""
        return self._process is not None

    def owes(self) -> bool:
        """Whether a reply that was waited for in vain is still to come; it is not to be asked until then."""
        with suppress(StorageError, ValueError):  # it is gone instead, or its pipe closed by `close`, which `works` tells
            if self._owes and not self._lost and self._replies(within=0):
                self._heard()
        return self._owes

    def keep(self, segment: Path, offset: int, most: int) -> Kept | None:
        """The decisions of the next records into the store. Raises `StorageError` when they could not be kept now."""
        return self._asked(Task(str(segment.resolve()), offset, most)).kept

    def finish(self, segment: Path) -> None:
        """All events of a segment into the lake. Raises `StorageError` when they could not be added now."""
        self._asked(Task(str(segment.resolve())))

    def close(self) -> None:
        """Ends the process after what it has in hand."""
        self._lost = True
        process = self._process
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def _asked(self, task: Task) -> Done:
        told = self._heard(task)
        if told is None:
            raise StorageError(
                f"The process behind the answers said nothing for {self._patience:g} seconds (does it get the processor?); "
                "the service carries on itself meanwhile."
            )
        if told.fault:
            raise StorageError(told.fault)
        return told

    def _heard(self, task: Task | None = None) -> Done | None:
        """The reply to a task, or to the last one; `None` while there is none."""
        with self._lock:
            try:
                process = self._running()
                assert process.stdin is not None
                assert process.stdout is not None
                if task is not None:
                    write_line(process.stdin, task)
                self._owes = not self._replies(self._patience)
                return None if self._owes else read_line(process.stdout, Done)
            except (OSError, ValueError) as fault:  # the pipe is broken, or closed by `close`
                self._lost = True
                raise StorageError(f"The process behind the answers is gone ({fault}); the service carries on itself.") from fault

    def _replies(self, within: float) -> bool:
        """Whether there is something to read. Each task has one reply, so that nothing of it is left in a buffer."""
        assert self._process is not None
        assert self._process.stdout is not None
        replies = select.poll()  # `select` itself takes no file numbers above 1,023, and every client has one
        replies.register(self._process.stdout, select.POLLIN)
        return bool(replies.poll(within * 1000))

    def _running(self) -> subprocess.Popen[bytes]:
        if self._lost:
            raise ValueError("it was ended")
        if self._process is None:
            self._process = _started(self._settings, self._lower)
        return self._process


def _started(settings: Settings, lower: Callable[[int], None]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "fraud.app.carrying"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own module
    lower(process.pid)
    assert process.stdin is not None
    write_line(process.stdin, {name: _plain(settings, name) for name in settings.model_fields_set})
    _log.info("carrying_on_beside", pid=process.pid)
    return process


def _plain(settings: Settings, name: str) -> object:
    value = getattr(settings, name)
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value) if isinstance(value, Path) else value


def write_line(stream: IO[bytes], value: object) -> None:
    """Writes a value as one line of JSON."""
    stream.write(msgspec.json.encode(value) + b"\n")
    stream.flush()


def read_line(stream: IO[bytes], kind: type[_Kind]) -> _Kind:
    """One such line read back; a `ValueError` when there are no more."""
    line = stream.readline()
    if not line:
        raise ValueError("it said nothing more")
    return msgspec.json.decode(line, type=kind)
