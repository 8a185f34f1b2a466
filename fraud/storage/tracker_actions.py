"""What was told to trackers: a file for each action, which appears whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from fraud.domain.tracker_actions import ActionRecord
from fraud.errors import Conflict, StorageError
from fraud.storage.files import write_whole


class ActionFolder:
    """A `TrackerActionLog` in a folder that is made when it is not there."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def get(self, program_id: str, action_id: str) -> ActionRecord | None:
        """The record of an action, if there is one."""
        path = self._path(program_id, action_id)
        return _read(path) if path.exists() else None

    def put(self, record: ActionRecord) -> None:
        """Keeps a record, or the changed one under the same id; durable when it returns."""
        path = self._path(record.action.program_id, record.action.action_id)
        try:
            write_whole(path, msgspec.json.encode(record))
        except OSError as fault:
            raise StorageError(f"{path} cannot be written ({fault}); check its permissions.") from fault

    def records(self, program_id: str, limit: int) -> list[ActionRecord]:
        """The newest records, newest first."""
        found = [_read(path) for path in self._folder(program_id).glob("*.json")]
        return sorted(found, key=lambda record: (record.at, record.action.action_id), reverse=True)[:limit]

    @contextmanager
    def alone(self, program_id: str, action_id: str) -> Iterator[None]:
        """Holds an action against other processes and threads; `Conflict` when one has it in hand."""
        handle = os.open(self._path(program_id, action_id).with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise Conflict(f"The action {action_id} is being carried out by another process; wait for it.") from None
        try:
            yield
        finally:
            os.close(handle)

    def _path(self, program_id: str, action_id: str) -> Path:
        return self._folder(program_id) / f"{_name(action_id)}.json"

    def _folder(self, program_id: str) -> Path:
        folder = self._root / _name(program_id)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as fault:
            raise StorageError(f"The folder {folder} cannot be made ({fault}); check its permissions.") from fault
        return folder


def _name(text: str) -> str:
    """A file's name for any id: ids may hold slashes, and may be longer than names."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _read(path: Path) -> ActionRecord:
    try:
        return msgspec.json.decode(path.read_bytes(), type=ActionRecord)
    except (OSError, msgspec.DecodeError) as fault:
        raise StorageError(f"The record {path} cannot be read ({fault}). Restore it from a backup.") from fault
