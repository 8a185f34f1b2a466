"""Decisions set aside in a folder when the store failed at the end of a process, for the next one to keep."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from fraud.domain.decisions import Decision
from fraud.domain.ports import DecisionStore
from fraud.errors import Conflict, FraudError, StorageError

_log = structlog.get_logger(__name__)
_DECODER = msgspec.json.Decoder(Decision)
_ENCODER = msgspec.json.Encoder()


class Spool:
    """A folder of NDJSON files of decisions. Any number of processes may share it: each writes files of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, decisions: Sequence[Decision]) -> None:
        """Sets decisions aside in a new file (mode 0600), whole or not at all. Raises `StorageError` when it cannot be written."""
        unfinished = self._folder / f"{secrets.token_hex(8)}.part"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                file.write(_ENCODER.encode_lines(decisions))
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(unfinished.with_suffix(".ndjson"))
        except OSError as error:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise StorageError(f"The decisions left could not be written to {self._folder} ({error}); check its permissions.") from error

    def deliver(self, store: DecisionStore) -> None:
        """Keeps in the store what was set aside, and deletes it here. A file that cannot be kept now stays, and the log says why."""
        for file in sorted(self._folder.glob("*.ndjson")):
            try:
                _keep(store, _DECODER.decode_lines(file.read_bytes()))
                file.unlink(missing_ok=True)
            except (OSError, msgspec.DecodeError, FraudError) as fault:
                _log.error("spooled_decisions_not_kept", file=str(file), detail=str(fault))
            else:
                _log.info("spooled_decisions_kept", file=str(file))


def _keep(store: DecisionStore, decisions: Sequence[Decision]) -> None:
    try:
        store.add(decisions)
    except StorageError:
        raise
    except FraudError:
        for decision in decisions:
            _keep_one(store, decision)


def _keep_one(store: DecisionStore, decision: Decision) -> None:
    try:
        store.add([decision])
    except Conflict:
        # A hanging store took it after all, or another process is delivering the same file.
        _log.info("spooled_decision_was_kept", decision_id=decision.decision_id)
    except StorageError:
        raise
    except FraudError as fault:
        _log.error("decision_unwritable", decision_id=decision.decision_id, detail=fault.message)
