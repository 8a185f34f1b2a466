"""Records of the journal carried on: decisions put into words and kept in the database, events in the lake, exactly once each.

The database knows decisions by their id and the lake events by theirs, so what arrived before does not arrive twice.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from fraud.checks.clicks.facts import FUTURE, Degraded
from fraud.checks.conversions.facts import ConversionFacts
from fraud.domain.clicks import Clicks, EventKey, ListedClicks
from fraud.domain.decisions import Artefact, Decision, DecisionKind
from fraud.domain.events import Click, Conversion
from fraud.domain.ports import DecisionStore
from fraud.errors import Conflict, FraudError, StorageError
from fraud.policy.pack import Pack
from fraud.workflows.click_decisions import decision_on, facts_of
from fraud.workflows.converting import conversion_facts_of
from fraud.workflows.judged import JudgedClick, clicks_in, read_record

_log = structlog.get_logger(__name__)

ONE_CLICK, CLICKS, DECISION = b"c", b"g", b"d"
"""What a record is: one click (as versions before 2 wrote it), clicks that were answered together, a decision."""

_READ_CLICK = msgspec.msgpack.Decoder(JudgedClick).decode
_READ_DECISION = msgspec.msgpack.Decoder(Decision).decode

ReadRecords = Callable[[Path, int, int, Callable[[bytes], int]], tuple[list[bytes], int]]
"""Whole records of a segment from an offset on until together they weigh so much, and the offset after them."""


@dataclass(frozen=True)
class Destinations:
    """Where records go: decisions into the store, events (program, clicks, conversions) into the lake.

    `pack_of` gives the policy pack that a decision was made under; `kept` is told of decisions that are in the store now.
    """

    decisions: DecisionStore
    pack_of: Callable[[Artefact], Pack]
    events: Callable[[str, Sequence[Click], Sequence[Conversion]], None] = lambda program_id, clicks, conversions: None
    kept: Callable[[Sequence[Decision]], None] = lambda decisions: None


class Kept(msgspec.Struct, frozen=True):
    """What came of some records: the offset after them, their events, and how many of those the store would never take."""

    reached: int
    events: int
    unwritable: int = 0


class Carrying(Protocol):
    """Whoever carries records on. What fails for now is a `StorageError`, and the same records may be given again."""

    def keep(self, segment: Path, offset: int, most: int) -> Kept | None:
        """Takes the decisions of the next records, some `most` events, into the store; `None` when there are no more (now)."""
        ...

    def finish(self, segment: Path) -> None:
        """Takes all events of a segment into the lake."""
        ...


class Carrier:
    """`Carrying` in the thread that asks."""

    def __init__(self, read: ReadRecords, to: Destinations) -> None:
        self._read, self._to = read, to
        self._packs: dict[str, Pack] = {}

    def keep(self, segment: Path, offset: int, most: int) -> Kept | None:
        """Takes the decisions of the next records, some `most` events, into the store; `None` when there are no more (now)."""
        bodies, reached = self._read(segment, offset, most, events_in)
        if not bodies:
            return None
        unwritable = self._into_store([decision for body in bodies for decision in _politely(self._decisions(body))])
        return Kept(reached, sum(map(events_in, bodies)), unwritable)

    def finish(self, segment: Path) -> None:
        """Takes all events of a segment into the lake."""
        clicks: defaultdict[str, list[Click]] = defaultdict(list)
        conversions: defaultdict[str, list[Conversion]] = defaultdict(list)
        bodies, _ = self._read(segment, 0, 1 << 31, events_in)
        for event in (event for body in bodies for event in events_of(body)):
            if isinstance(event, Click):
                clicks[event.program_id].append(event)
            else:
                conversions[event.program_id].append(event)
        for program_id in clicks.keys() | conversions.keys():
            self._to.events(program_id, clicks[program_id], conversions[program_id])

    def decision(self, body: bytes, key: EventKey) -> Decision | None:
        """The decision on one event of a record; `None` when the record has no such event."""
        if body[:1] == DECISION:
            return _READ_DECISION(body[1:])
        for judged in _judged(body):
            if (judged.facts.click.program_id, judged.facts.click.click_id) == key:
                return decision_on(judged, self._pack(judged.policy))
        return None

    def _decisions(self, body: bytes) -> Iterator[Decision]:
        if body[:1] == DECISION:
            yield _READ_DECISION(body[1:])
            return
        for judged in _judged(body):
            yield decision_on(judged, self._pack(judged.policy))

    def _pack(self, artefact: Artefact) -> Pack:
        if artefact.hash not in self._packs:
            self._packs[artefact.hash] = self._to.pack_of(artefact)
        return self._packs[artefact.hash]

    def _into_store(self, decisions: Sequence[Decision]) -> int:
        """Keeps decisions; how many of them the store will never take."""
        unwritable = self._added(decisions)
        self._to.kept(decisions)
        return unwritable

    def _added(self, decisions: Sequence[Decision]) -> int:
        """Those that a process kept before it was killed are told apart by one question: one by one they take five times as long."""
        try:
            self._to.decisions.add(decisions)
        except StorageError:
            raise
        except FraudError:
            known = self._to.decisions.known([decision.decision_id for decision in decisions])
            if known:
                return self._added([decision for decision in decisions if decision.decision_id not in known])
            return sum([not self._one_into_store(decision) for decision in decisions])
        return 0

    def _one_into_store(self, decision: Decision) -> bool:
        try:
            self._to.decisions.add([decision])
        except Conflict:
            _log.debug("decision_was_kept", decision_id=decision.decision_id)
        except StorageError:
            raise
        except FraudError as fault:
            _log.error("decision_unwritable", decision_id=decision.decision_id, detail=fault.message)
            return False
        return True


def events_in(body: bytes) -> int:
    """How many events a record has."""
    return clicks_in(body[1:2]) if body[:1] == CLICKS else 1


def answered_in(body: bytes) -> tuple[DecisionKind, Sequence[EventKey]]:
    """The events of a record."""
    if body[:1] == CLICKS:
        return DecisionKind.SCORE, read_record(body[1:]).facts.clicks.keys
    if body[:1] == ONE_CLICK:
        click = _READ_CLICK(body[1:]).facts.click
        return DecisionKind.SCORE, [(click.program_id, click.click_id)]
    decision = _READ_DECISION(body[1:])
    return decision.kind, [(decision.program_id, decision.subject_id)]


def counted_in(body: bytes) -> tuple[datetime, Clicks, ConversionFacts | None]:
    """When the events of a record were answered, and those of them that were counted: its clicks, or its conversion."""
    if body[:1] == CLICKS:
        judged = read_record(body[1:])
        return judged.decided_at, _counted(judged.facts.clicks, judged.facts.degraded), None
    if body[:1] == ONE_CLICK:
        one = _READ_CLICK(body[1:])
        return one.decided_at, _counted(ListedClicks([one.facts.click]), [one.facts.degraded]), None
    decision = _READ_DECISION(body[1:])
    if decision.kind is DecisionKind.SCORE:
        click = facts_of(decision)
        return decision.decided_at, _counted(ListedClicks([click.click]), [click.degraded]), None
    conversion = conversion_facts_of(decision) if decision.kind is DecisionKind.CONVERSION else None
    return decision.decided_at, ListedClicks([]), conversion if conversion is None or conversion.degraded != FUTURE else None


def _counted(clicks: Clicks, degraded: Sequence[Degraded]) -> Clicks:
    """Clicks without those that came from the future, which are not counted."""
    if FUTURE not in degraded:
        return clicks
    return clicks.only([place for place, why in enumerate(degraded) if why != FUTURE])


def _politely(decisions: Iterator[Decision]) -> Iterator[Decision]:
    """Decisions in words; the interpreter is offered to the threads that answer before each."""
    time.sleep(0)
    for decision in decisions:
        yield decision
        time.sleep(0)


def _judged(body: bytes) -> Iterable[JudgedClick]:
    return read_record(body[1:]) if body[:1] == CLICKS else [_READ_CLICK(body[1:])]


def events_of(body: bytes) -> Sequence[Click | Conversion]:
    """The events of a record."""
    if body[:1] == CLICKS:
        return read_record(body[1:]).facts.clicks
    if body[:1] == ONE_CLICK:
        return [_READ_CLICK(body[1:]).facts.click]
    decision = _READ_DECISION(body[1:])
    if decision.kind is DecisionKind.SCORE:
        return [facts_of(decision).click]
    return [conversion_facts_of(decision).conversion] if decision.kind is DecisionKind.CONVERSION else []
