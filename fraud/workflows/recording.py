"""Writing decisions behind the answer: a bounded queue, and one thread that keeps them in batches.

What waits is in memory: a process that is killed loses it. One that is ended keeps it, in the store or, when that fails, in a spool.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from fraud.domain.decisions import Decision
from fraud.domain.ports import DecisionStore
from fraud.errors import FraudError, StorageError
from fraud.workflows.spooling import Spool

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class WriterBounds:
    """How much waits (decisions), how much is written at once, and how long things may take (seconds).

    `patience` is how long a caller is held back while the queue is full; `retry` is the pause after the store has failed.
    """

    waiting: int = 20_000
    batch: int = 500
    patience: float = 1.0
    retry: float = 0.5


class WriterStats(msgspec.Struct, frozen=True):
    """What became of the decisions: `held_back` had to wait for room, `refused` found none, `unwritable` the store would not take.

    `spooled` were left for the next start because the store failed at the end of this one.
    """

    waiting: int
    written: int
    held_back: int
    refused: int
    unwritable: int
    failing: str
    spooled: int = 0


class DecisionWriter:
    """Keeps decisions in a store from a thread of its own, so that an answer does not wait for the store.

    A full queue holds its callers back and then refuses them with a `StorageError`; once it has refused one it refuses all, at once, until
    there is room. While the store fails, what waits is tried again. `close` writes what is left, into the folder `spool` when the store
    does not take it; the next writer with that folder keeps it. What could not be kept either way is counted, in the log too. A process
    that is killed loses what waits, at most `bounds.waiting` decisions.
    """

    def __init__(self, store: DecisionStore, bounds: WriterBounds | None = None, spool: Path | None = None) -> None:
        self._store = store
        self._bounds = bounds or WriterBounds()
        self._spool = Spool(spool) if spool is not None else None
        self._hand: Sequence[Decision] = ()
        self._stuck = self._abandoned = False
        self._spooled = 0
        self._waiting: deque[Decision] = deque()
        self._changed = threading.Condition()
        self._in_hand = 0
        self._closing = False
        self._written = self._held_back = self._refused = self._unwritable = 0
        self._failing = ""
        if self._spool is not None:
            self._spool.deliver(store)
        self._thread = threading.Thread(target=self._work, name="decision-writer", daemon=True)
        self._thread.start()

    def record(self, decision: Decision) -> None:
        """Queues a decision; waits while the queue is full. Raises `StorageError` when no room came free, or after `close`."""
        with self._changed:
            if len(self._waiting) >= self._bounds.waiting and not self._stuck:
                self._held_back += 1
                self._changed.wait_for(self._has_room, self._bounds.patience)
            if self._closing or len(self._waiting) >= self._bounds.waiting:
                self._stuck = True
                self._refused += 1
                raise StorageError("Decisions cannot be kept fast enough at the moment; try again in a few seconds.")
            self._waiting.append(decision)
            self._changed.notify_all()

    def flush(self, timeout: float = 30.0) -> None:
        """Returns once everything queued so far is written. Raises `StorageError` when that takes longer than `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(self._is_idle, timeout):
                raise StorageError(f"{self._left()} decisions could not be written within {timeout:g} seconds. {self._failing}".strip())

    def close(self, timeout: float = 30.0) -> WriterStats:
        """Writes what is left, for at most `timeout` seconds, and ends the thread. What could not be written is logged and counted."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            if not self._changed.wait_for(self._is_idle, timeout):
                self._set_aside([*self._hand, *self._waiting])
                self._waiting.clear()
                self._abandoned = True
            self._changed.notify_all()
        self._thread.join(timeout=self._bounds.retry + 1.0)
        return self.stats()

    def stats(self) -> WriterStats:
        """What became of the decisions so far; `failing` is the store's newest complaint, empty while it works."""
        with self._changed:
            counts = (self._left(), self._written, self._held_back, self._refused, self._unwritable)
            return WriterStats(*counts, self._failing, self._spooled)

    def _set_aside(self, left: Sequence[Decision]) -> None:
        """Leaves to the next start what the store did not take in time. What a hanging store takes after all is not kept twice then."""
        try:
            if self._spool is not None:
                self._spool.add(left)
                self._spooled += len(left)
                _log.warning("decisions_spooled_at_shutdown", count=len(left), detail=self._failing)
                return
        except StorageError as fault:
            self._failing = fault.message
        self._unwritable += len(left)
        _log.error("decisions_lost_at_shutdown", count=len(left), detail=self._failing)

    def _has_room(self) -> bool:
        return self._closing or len(self._waiting) < self._bounds.waiting

    def _is_idle(self) -> bool:
        return self._left() == 0

    def _left(self) -> int:
        return len(self._waiting) + self._in_hand

    def _work(self) -> None:
        try:
            while batch := self._take():
                self._write(batch)
        finally:
            with self._changed:
                if not self._closing:
                    self._failing = "The thread that writes decisions has ended unexpectedly; see the log, and start this process again."
                self._closing = True
                self._changed.notify_all()

    def _take(self) -> list[Decision]:
        """The next batch; empty when the writer is closing and nothing is left."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._bounds.batch))]
            self._in_hand, self._hand = len(batch), batch
            self._stuck = False
            self._changed.notify_all()
            return batch

    def _write(self, batch: Sequence[Decision]) -> None:
        try:
            self._store.add(batch)
        except StorageError as fault:
            self._put_back(batch, fault)
        except FraudError:
            self._write_singly(batch)
        else:
            self._settle(written=len(batch))

    def _write_singly(self, batch: Sequence[Decision]) -> None:
        """One of the batch is refused for what it is: keeps the others."""
        for place, decision in enumerate(batch):
            try:
                self._store.add([decision])
            except StorageError as fault:
                self._put_back(batch[place:], fault)
                return
            except FraudError as fault:
                _log.error("decision_unwritable", decision_id=decision.decision_id, detail=fault.message)
                self._settle(unwritable=1)
            else:
                self._settle(written=1)

    def _settle(self, *, written: int = 0, unwritable: int = 0) -> None:
        with self._changed:
            self._in_hand -= written + unwritable
            self._hand = self._hand[written + unwritable :]
            self._written += written
            self._unwritable += unwritable
            self._failing = ""
            self._changed.notify_all()

    def _put_back(self, batch: Sequence[Decision], fault: StorageError) -> None:
        """Queues again, in order, what the store could not take, and pauses."""
        with self._changed:
            if not self._failing:
                _log.error("decisions_wait_for_the_store", detail=fault.message)
            self._failing = fault.message
            if not self._abandoned:
                self._waiting.extendleft(reversed(batch))
            self._in_hand, self._hand = 0, ()
            self._changed.wait_for(lambda: self._closing and not self._waiting, self._bounds.retry)
