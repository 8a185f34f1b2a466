"""What was answered, on its way: into the journal before the answer, from there into the database and the lake (`carrying`).

What an earlier process left is carried on like everything else; `left` knows it until then. While there is much to answer another process
carries records on, where there is one: a thread that computes beside the answers keeps each of them waiting for the interpreter, several
times over.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from fraud.domain.decisions import Decision
from fraud.errors import FraudError, StorageError
from fraud.workflows.carrying import CLICKS, DECISION, Carrier, Carrying, Destinations
from fraud.workflows.judged import JudgedClicks, records_of
from fraud.workflows.leftover import Leftover

__all__ = ["Destinations", "JournalStats", "JournalWriter", "Pace", "RecordLog"]

_log = structlog.get_logger(__name__)

_ENCODE = msgspec.msgpack.Encoder().encode


class RecordLog(Protocol):
    """The journal as this workflow needs it; fulfilled by `fraud.storage.journal`."""

    @property
    def is_half_full(self) -> bool:
        """Whether it is time to hurry."""
        ...

    def append_all(self, bodies: Iterable[bytes]) -> None:
        """Adds records, all or none; a `StorageError` when that cannot be."""
        ...

    def sync(self) -> None:
        """Returns once everything is on the disk itself."""
        ...

    def rotate(self) -> None:
        """Begins the next segment."""
        ...

    def segments(self) -> list[Path]:
        """The segments, oldest first."""
        ...

    def is_open(self, segment: Path) -> bool:
        """Whether a segment may still grow."""
        ...

    def read(self, segment: Path, offset: int, most: int, weigh: Callable[[bytes], int] = ...) -> tuple[list[bytes], int]:
        """Records from an offset on until together they weigh `most`, and the offset after them."""
        ...

    def places(self, segment: Path) -> Iterator[tuple[int, bytes]]:
        """Each whole record of a segment and the offset at which it begins."""
        ...

    def drop(self, segment: Path) -> None:
        """Forgets a segment."""
        ...

    def close(self) -> None:
        """Lets the journal go."""
        ...


class Beside(Carrying, Protocol):
    """Another process that carries records on, when no answer wants the processor."""

    @property
    def works(self) -> bool:
        """Whether it may be asked; once it is lost, it stays so."""
        ...

    @property
    def runs(self) -> bool:
        """Whether it was started: it is when it is first asked."""
        ...

    def owes(self) -> bool:
        """Whether it was asked and has not replied for too long; then it is not to be asked again yet."""
        ...

    def close(self) -> None:
        """Ends it."""
        ...


@dataclass(frozen=True)
class Pace:
    """How records are carried on: some `batch` events at once, and then a rest `rest` times as long as that took: answers come first.

    Once more than `busy` events a second are answered, or more than `few` wait, another process carries on, `beside` events at once and
    without a rest; where there is none, records wait in the journal while answers are many, up to `backlog` of them. The lake gets a
    segment after `lake` seconds; after a failure the thread waits `retry` seconds, and `idle` while there is nothing to do.
    """

    batch: int = 16
    beside: int = 64
    rest: float = 4.0
    busy: float = 200.0
    few: int = 1_000
    backlog: int = 100_000
    lake: float = 60.0
    retry: float = 0.5
    idle: float = 0.05


class JournalStats(msgspec.Struct, frozen=True):
    """What became of the records of this process: `refused` found the journal full, `unwritable` the store would not take."""

    recorded: int
    waiting: int
    written: int
    refused: int
    unwritable: int
    failing: str


class JournalWriter:
    """Records what was answered and carries it on from a thread of its own. May be used from any number of threads."""

    def __init__(
        self,
        journal: RecordLog,
        to: Destinations,
        pace: Pace | None = None,
        *,
        waits_for_disk: bool = False,
        beside: Beside | None = None,
    ) -> None:
        self._journal, self._pace = journal, pace or Pace()
        self._here, self._beside = Carrier(journal.read, to), beside
        self.waits_for_disk = waits_for_disk
        self._syncing: asyncio.Future[None] | None = None
        self._next_sync: asyncio.Future[None] | None = None
        self._done: dict[Path, int] = {}
        self._recorded = self._written = self._refused = self._unwritable = 0
        self._failing = ""
        self._changed = threading.Condition()
        self._wanted = threading.Event()
        self._closing = False
        self._rotated = time.monotonic()
        self._is_busy, self._nothing_at = False, -1
        self.left = Leftover(journal, self._here)
        self._recorded = self.left.events
        self._looked = (self._rotated, self._recorded)
        if self._recorded:
            _log.info("journal_taken_over", events=self._recorded)
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def record(self, decision: Decision) -> None:
        """Writes a decision to the journal. Raises `StorageError` when it is full, or after `close`."""
        self._append([DECISION + _ENCODE(decision)], 1)

    def record_clicks(self, clicks: JudgedClicks) -> None:
        """Writes to the journal what was seen of clicks, all or nothing. Raises `StorageError` as `record` does."""
        self._append([CLICKS + record for record in records_of(clicks)], len(clicks))

    def _append(self, bodies: Sequence[bytes], events: int) -> None:
        if self._closing:
            raise StorageError("The service is stopping; try again in a few seconds.")
        try:
            self._journal.append_all(bodies)
        except StorageError:
            self._refused += events
            raise
        with self._changed:
            self._recorded += events

    async def kept(self) -> None:
        """Returns once everything recorded so far is on the disk itself, where answers wait for that: one sync serves all who wait."""
        if not self.waits_for_disk:
            return
        if self._next_sync is None:
            self._next_sync = asyncio.ensure_future(self._sync_after(self._syncing))
        await asyncio.shield(self._next_sync)

    async def _sync_after(self, running: asyncio.Future[None] | None) -> None:
        if running is not None:
            await asyncio.wait([running])
        self._syncing, self._next_sync = self._next_sync, None
        await asyncio.to_thread(self._journal.sync)

    def flush(self, timeout: float = 30.0) -> None:
        """Returns once every decision recorded so far is in the store. Raises `StorageError` when that takes longer."""
        self._wanted.set()
        with self._changed:
            if not self._changed.wait_for(lambda: self._waiting() <= 0, timeout):
                raise StorageError(f"{self._waiting()} decisions could not be written within {timeout:g} seconds. {self._failing}".strip())

    def close(self, timeout: float = 30.0) -> JournalStats:
        """Carries everything on, for at most `timeout` seconds, and ends the thread. What is left is taken up at the next start."""
        self._closing = True
        self._wanted.set()
        if self._beside is not None:
            self._beside.close()
        self._thread.join(timeout)
        if not self._thread.is_alive():
            self._journal.close()
        if self._waiting() > 0:
            _log.warning("records_left_in_the_journal", count=self._waiting(), detail=self._failing)
        return self.stats()

    def stats(self) -> JournalStats:
        """What became of the records so far; `failing` is the newest complaint, empty while all is well."""
        return JournalStats(self._recorded, self._waiting(), self._written, self._refused, self._unwritable, self._failing)

    def _waiting(self) -> int:
        return self._recorded - self._written - self._unwritable

    def _work(self) -> None:
        while True:
            carrier = self._whose_turn()
            began, before = time.monotonic(), self._recorded
            try:
                worked = self._carry_on(carrier)
                self._nothing_at = -1 if worked else before
            except Exception as fault:  # whatever broke, the next time it may go well; a thread that ended would be missed by nobody
                self._nothing_at = -1
                self._complain(fault)
                if self._closing:
                    if carrier is self._here:
                        return
                    continue  # the other process was ended in the middle of its work, which is done again here
                self._wanted.wait(self._pace.retry)
                self._wanted.clear()
                continue
            self._failing = ""
            if not worked and self._closing:
                return
            self._pause(worked, time.monotonic() - began, carrier)

    def _complain(self, fault: Exception) -> None:
        """Says once why records wait, with where it broke when nobody foresaw it."""
        detail = fault.message if isinstance(fault, FraudError) else f"{type(fault).__name__}: {fault}"
        if not self._failing:
            _log.error("records_wait_in_the_journal", detail=detail, exc_info=None if isinstance(fault, FraudError) else fault)
        self._failing = detail

    def _whose_turn(self) -> Carrying:
        """Who carries on: another process once there was much to answer, else this one; without another it waits for fewer answers.

        Where the other gets no processor, this one does its work while answers are few.
        Segments that go into the lake hold the interpreter for longest, and they go when the answers have become fewer or are many again.
        """
        while not (self._closing or self._wanted.is_set() or self._journal.is_half_full):
            is_busy, waiting = self._much_to_answer(), self._waiting()
            if self._beside is not None and self._beside.works and (is_busy or waiting > self._pace.few or self._beside.runs):
                if not self._beside.owes():
                    return self._beside
                if not is_busy:
                    break
            elif not is_busy or waiting > self._pace.backlog:
                break
            self._wanted.wait(self._pace.idle)
        return self._here

    def _much_to_answer(self) -> bool:
        now, (looked, before) = time.monotonic(), self._looked
        if now - looked >= self._pace.idle:
            self._is_busy = self._recorded - before > self._pace.busy * (now - looked)
            self._looked = now, self._recorded
        return self._is_busy

    def _pause(self, worked: bool, took: float, carrier: Carrying) -> None:
        if self._closing or self._journal.is_half_full:
            return
        if self._wanted.is_set():
            if not worked:
                self._wanted.clear()
            return
        if not worked:
            self._wanted.wait(self._pace.idle)
        elif carrier is self._here:
            self._wanted.wait(self._pace.rest * took)

    def _carry_on(self, carrier: Carrying) -> bool:
        """One batch into the store, or else one finished segment into the lake; false when there is nothing to do.

        The disk is not looked at again while nothing was recorded since it was found empty of work."""
        if self._recorded == self._nothing_at and not self._is_rotation_due():
            return False
        most = self._pace.batch if carrier is self._here else self._pace.beside
        for segment in self._journal.segments():
            if self._carried(carrier, segment, most):
                return True
            if not self._journal.is_open(segment):
                self._finish(carrier, segment)
                return True
        return self._is_rotation_due() and self._rotated_now()

    def _carried(self, carrier: Carrying, segment: Path, most: int) -> bool:
        """Some records of a segment into the store; false when there are no more (now)."""
        kept = carrier.keep(segment, self._done.get(segment, 0), most)
        if kept is None:
            return False
        with self._changed:
            self._done[segment] = kept.reached
            self._written += kept.events - kept.unwritable
            self._unwritable += kept.unwritable
            self._changed.notify_all()
        return True

    def _is_rotation_due(self) -> bool:
        return self._closing or time.monotonic() - self._rotated >= self._pace.lake

    def _rotated_now(self) -> bool:
        """Begins the next segment, so that the last one can go into the lake; false when there is none."""
        self._rotated = time.monotonic()
        if not self._journal.segments():
            return False
        self._journal.rotate()
        return True

    def _finish(self, carrier: Carrying, segment: Path) -> None:
        """Takes a segment's events into the lake and forgets it."""
        carrier.finish(segment)
        with self.left.still:
            self._journal.drop(segment)
            self.left.forget(segment)
        self._done.pop(segment, None)
