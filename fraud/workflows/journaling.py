"""What was answered, on its way: into the journal before the answer, from there into the database and the lake, exactly once each.

A record is taken up again after a crash; the database knows decisions by their id and the lake events by theirs, so what arrived before
does not arrive twice.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from fraud.domain.decisions import Artefact, Decision, DecisionKind
from fraud.domain.events import Click, Conversion
from fraud.domain.ports import DecisionStore
from fraud.errors import Conflict, FraudError, StorageError
from fraud.policy.pack import Pack
from fraud.workflows.click_decisions import decision_on, facts_of
from fraud.workflows.converting import conversion_facts_of
from fraud.workflows.judged import JudgedClick, JudgedClicks, clicks_in, read_record, records_of

_log = structlog.get_logger(__name__)

_ENCODE = msgspec.msgpack.Encoder().encode
_CLICK, _CLICKS, _DECISION = b"c", b"g", b"d"
"""What a record is: one click (as versions before 2 wrote it), clicks that were answered together, a decision."""

_READ_CLICK = msgspec.msgpack.Decoder(JudgedClick).decode
_READ_DECISION = msgspec.msgpack.Decoder(Decision).decode


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

    def drop(self, segment: Path) -> None:
        """Forgets a segment."""
        ...

    def close(self) -> None:
        """Lets the journal go."""
        ...


@dataclass(frozen=True)
class Destinations:
    """Where records go: decisions into the store, events (program, clicks, conversions) into the lake.

    `pack_of` gives the policy pack that a decision was made under; `kept` is told of decisions that are in the store now.
    """

    decisions: DecisionStore
    pack_of: Callable[[Artefact], Pack]
    events: Callable[[str, Sequence[Click], Sequence[Conversion]], None] = lambda program_id, clicks, conversions: None
    kept: Callable[[Sequence[Decision]], None] = lambda decisions: None


@dataclass(frozen=True)
class Pace:
    """How records are carried on: some `batch` events at once, and then a rest `rest` times as long as that took: answers come first.

    While more than `busy` events a second are answered, records wait in the journal, up to `backlog` of them. The lake gets a segment
    after `lake` seconds; after a failure the thread waits `retry` seconds.
    """

    batch: int = 16
    rest: float = 4.0
    busy: float = 200.0
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

    def __init__(self, journal: RecordLog, to: Destinations, pace: Pace | None = None, *, waits_for_disk: bool = False) -> None:
        self._journal, self._to, self._pace = journal, to, pace or Pace()
        self.waits_for_disk = waits_for_disk
        self._syncing: asyncio.Future[None] | None = None
        self._next_sync: asyncio.Future[None] | None = None
        self._packs: dict[str, Pack] = {}
        self._done: dict[Path, int] = {}
        self._recorded = self._written = self._refused = self._unwritable = 0
        self._failing = ""
        self._changed = threading.Condition()
        self._wanted = threading.Event()
        self._closing = False
        self._rotated = time.monotonic()
        self._taken_over()
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    def record(self, decision: Decision) -> None:
        """Writes a decision to the journal. Raises `StorageError` when it is full, or after `close`."""
        self._append([_DECISION + _ENCODE(decision)], 1)

    def record_clicks(self, clicks: JudgedClicks) -> None:
        """Writes to the journal what was seen of clicks, all or nothing. Raises `StorageError` as `record` does."""
        self._append([_CLICKS + record for record in records_of(clicks)], len(clicks))

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

    def _taken_over(self) -> None:
        """What an earlier process left arrives before anything is answered, so that its repeats are known and its events are counted."""
        for segment in self._journal.segments():
            try:
                while (bodies := self._read(segment, 500)) is not None:
                    self._keep([decision for body in bodies for decision in self._decisions(body)])
                    self._advance(segment, bodies)
                self._finish(segment)
            except FraudError as fault:
                _log.error("journal_waits_for_the_store", detail=fault.message)
                self._failing = fault.message
                return
        if self._written:
            _log.info("journal_taken_over", records=self._written)
        self._recorded = self._written + self._unwritable

    def _work(self) -> None:
        while True:
            self._let_answers_go_first()
            began = time.monotonic()
            try:
                worked = self._carry_on()
            except FraudError as fault:
                if not self._failing:
                    _log.error("records_wait_in_the_journal", detail=fault.message)
                self._failing = fault.message
                if self._closing:
                    return
                self._wanted.wait(self._pace.retry)
                self._wanted.clear()
                continue
            self._failing = ""
            if not worked and self._closing:
                return
            self._pause(worked, time.monotonic() - began)

    def _let_answers_go_first(self) -> None:
        """Returns when there are few events to answer, many records waiting, or somebody asks for them."""
        looked, before = time.monotonic(), self._recorded
        while not (self._closing or self._wanted.is_set() or self._waiting() > self._pace.backlog or self._journal.is_half_full):
            self._wanted.wait(self._pace.idle)
            now = time.monotonic()
            if self._recorded - before <= self._pace.busy * (now - looked):
                return
            looked, before = now, self._recorded

    def _pause(self, worked: bool, took: float) -> None:
        if self._closing or self._journal.is_half_full:
            return
        if self._wanted.is_set():
            if not worked:
                self._wanted.clear()
            return
        if worked:
            self._wanted.wait(self._pace.rest * took)

    def _carry_on(self) -> bool:
        """One batch into the store, or else one finished segment into the lake; false when there is nothing to do."""
        for segment in self._journal.segments():
            bodies = self._read(segment, self._pace.batch)
            if bodies is not None:
                self._keep([decision for body in bodies for decision in self._politely(self._decisions(body))])
                self._advance(segment, bodies)
                return True
            if not self._journal.is_open(segment):
                self._finish(segment)
                return True
        return self._rotate_when_due()

    def _rotate_when_due(self) -> bool:
        now = time.monotonic()
        due = self._closing or now - self._rotated >= self._pace.lake
        if not due or not self._journal.segments():
            return False
        self._rotated = now
        self._journal.rotate()
        return True

    def _read(self, segment: Path, most: int) -> list[bytes] | None:
        """The next records of a segment; `None` when there are none (now)."""
        bodies, offset = self._journal.read(segment, self._done.get(segment, 0), most, _events_in)
        if not bodies:
            return None
        self._reached = offset
        return bodies

    def _advance(self, segment: Path, bodies: Sequence[bytes]) -> None:
        with self._changed:
            self._done[segment] = self._reached
            self._written += sum(map(_events_in, bodies))
            self._changed.notify_all()

    def _politely(self, decisions: Iterator[Decision]) -> Iterator[Decision]:
        """Decisions in words; the interpreter is offered to the threads that answer before each."""
        time.sleep(0)
        for decision in decisions:
            yield decision
            time.sleep(0)

    def _decisions(self, body: bytes) -> Iterator[Decision]:
        if body[:1] == _DECISION:
            yield _READ_DECISION(body[1:])
            return
        for judged in _judged(body):
            yield decision_on(judged, self._pack(judged.policy))

    def _pack(self, artefact: Artefact) -> Pack:
        if artefact.hash not in self._packs:
            self._packs[artefact.hash] = self._to.pack_of(artefact)
        return self._packs[artefact.hash]

    def _keep(self, decisions: Sequence[Decision]) -> None:
        try:
            self._to.decisions.add(decisions)
        except StorageError:
            raise
        except FraudError:
            for decision in decisions:
                self._keep_one(decision)
        self._to.kept(decisions)

    def _keep_one(self, decision: Decision) -> None:
        try:
            self._to.decisions.add([decision])
        except Conflict:
            _log.debug("decision_was_kept", decision_id=decision.decision_id)
        except StorageError:
            raise
        except FraudError as fault:
            self._unwritable += 1
            self._written -= 1
            _log.error("decision_unwritable", decision_id=decision.decision_id, detail=fault.message)

    def _finish(self, segment: Path) -> None:
        """Takes a segment's events into the lake and forgets it."""
        clicks: defaultdict[str, list[Click]] = defaultdict(list)
        conversions: defaultdict[str, list[Conversion]] = defaultdict(list)
        bodies, _ = self._journal.read(segment, 0, 1 << 31)
        for event in (event for body in bodies for event in _events(body)):
            if isinstance(event, Click):
                clicks[event.program_id].append(event)
            else:
                conversions[event.program_id].append(event)
        for program_id in clicks.keys() | conversions.keys():
            self._to.events(program_id, clicks[program_id], conversions[program_id])
        self._journal.drop(segment)
        self._done.pop(segment, None)


def _events_in(body: bytes) -> int:
    return clicks_in(body[1:2]) if body[:1] == _CLICKS else 1


def _judged(body: bytes) -> Iterable[JudgedClick]:
    return read_record(body[1:]) if body[:1] == _CLICKS else [_READ_CLICK(body[1:])]


def _events(body: bytes) -> Sequence[Click | Conversion]:
    """The events of a record."""
    if body[:1] == _CLICKS:
        return read_record(body[1:]).facts.clicks
    if body[:1] == _CLICK:
        return [_READ_CLICK(body[1:]).facts.click]
    decision = _READ_DECISION(body[1:])
    if decision.kind is DecisionKind.SCORE:
        return [facts_of(decision).click]
    return [conversion_facts_of(decision).conversion] if decision.kind is DecisionKind.CONVERSION else []
