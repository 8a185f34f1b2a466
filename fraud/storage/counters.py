"""Real-time counters in this process: bucketed windows in event time, bounded in memory, checkpointed to bytes.

Late events go into the bucket of their own time and are answered as of it. Each key keeps twice its window; what was dropped below that is
remembered by its limit, and a window that would reach under it is answered NaN, never with a number that is too low. Only where the number
of keys itself passes its bound is the key touched longest ago forgotten whole, which `stats` counts.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from fraud.domain.counting import BUCKET_SECONDS, Answers, Ask, ManyAnswers, Plan, Sighting, Sightings
from fraud.domain.newest import Newest
from fraud.storage.counter_checkpoints import checkpoint_parts, read_checkpoint
from fraud.storage.counter_kernels import (
    COUNT,
    DISTINCT,
    FORGOTTEN,
    GAP,
    KEYS,
    MEMBERS,
    MOST_KEYS,
    TIMES,
    TOO_LATE,
    Integers,
    Tables,
    empty_tables,
    grown,
    observe_each,
    room_for,
    used,
    with_room,
)
from fraud.storage.files import Part

_SECOND = 1_000_000
_SEED_BITS = 62
_MOST_QUESTIONS = 64
_KINDS = {Ask.COUNT: COUNT, Ask.DISTINCT: DISTINCT, Ask.GAP: GAP}


Row = NDArray[np.float64]
"""One event's answers (questions,)."""


@dataclass(frozen=True)
class CounterBounds:
    """How much is kept: keys, members of one bucket, times of one key, and answers to give again.

    A key costs some 100 bytes and 32 for each bucket it was seen in, an answer some 400.
    """

    keys: int = 500_000
    members: int = 64
    times: int = 32
    answers: int = 100_000


@dataclass(frozen=True, eq=False)
class _Counted:
    """The answers to events that were counted together: their keys, and `values` (events, questions)."""

    keys: Sequence[bytes]
    values: NDArray[np.float64]

    def to(self, key: bytes) -> Row:
        """The answers to one of them."""
        row: Row = self.values[self._places[key]]
        return row

    @cached_property
    def _places(self) -> dict[bytes, int]:
        return {key: place for place, key in enumerate(self.keys)}


class CounterStats(msgspec.Struct, frozen=True):
    """How full the counters are, and what they have let go: `too_late` events counted nowhere in one of their windows."""

    keys: int
    answers: int
    events: int
    repeated: int
    forgotten_keys: int
    too_late: int


class MemoryCounters:
    """The `Counters` of one process. One lock makes each observation a single step; nothing waits for anything else within it."""

    def __init__(self, bounds: CounterBounds | None = None) -> None:
        self._bounds = bounds or CounterBounds()
        self._lock = threading.Lock()
        self._room = 0
        self._asked: Plan | None = None
        self._plan = np.empty((0, 4), np.int64)
        self._tables = self._bounded(empty_tables(secrets.randbits(_SEED_BITS), 0, 0, 0))
        self._answers: Newest[bytes, _Counted] = Newest(self._bounds.answers)
        self._events = self._repeated = 0

    def observe(self, sighting: Sighting) -> Answers:
        """Counts the event and answers its questions; an event seen before is not counted again and gets its first answers."""
        with self._lock:
            known = self._answers.get(sighting.event_key)
            if known is not None:
                self._repeated += 1
                return Answers(tuple(known.to(sighting.event_key).tolist()), repeated=True)
            values = self._count(sighting)
            self._events += 1
            self._answers.add((sighting.event_key,), _Counted((sighting.event_key,), values.reshape(1, -1)))
            return Answers(tuple(values.tolist()))

    def observe_many(self, sightings: Sightings) -> ManyAnswers:
        """`observe` of each event in its order, in one step."""
        with self._lock:
            if len(set(sightings.event_keys)) == len(sightings.event_keys) and self._answers.keys().isdisjoint(sightings.event_keys):
                return ManyAnswers(self._count_many(sightings), frozenset())
            first: dict[bytes, int] = {}
            for place, key in enumerate(sightings.event_keys):
                if self._answers.get(key) is None:
                    first.setdefault(key, place)
            return self._with_repeats(sightings, first)

    def _with_repeats(self, sightings: Sightings, first: dict[bytes, int]) -> ManyAnswers:
        """`first` has the place of each event that is counted now; all others were seen before."""
        before = {key: self._answers.get(key) for key in sightings.event_keys if key not in first}
        rows = {key: counted.to(key) for key, counted in before.items() if counted is not None}
        fresh = list(first.values())
        counted = self._count_many(Sightings(list(first), sightings.at[fresh], sightings.plan, sightings.keys[fresh]))
        rows.update(zip(first, counted, strict=True))
        repeated = frozenset(range(len(sightings.event_keys))).difference(fresh)
        self._repeated += len(repeated)
        return ManyAnswers(np.stack([rows[key] for key in sightings.event_keys]), repeated)

    def reserve(self) -> None:
        """Takes the memory for as many keys as may be kept, so that no event waits while tables grow; what is not used stays unwritten."""
        with self._lock:
            self._tables = with_room(self._tables, _MOST_QUESTIONS, self._bounds.keys)

    def stats(self) -> CounterStats:
        """How full the counters are."""
        with self._lock:
            keys, forgotten, late = (int(self._tables.meta[place]) for place in (KEYS, FORGOTTEN, TOO_LATE))
            return CounterStats(keys, len(self._answers), self._events, self._repeated, forgotten, late)

    def figures(self) -> dict[str, float]:
        """`stats` by name."""
        return {name: float(value) for name, value in msgspec.structs.asdict(self.stats()).items()}

    def checkpoint(self) -> bytes:
        """Everything that is counted, as bytes for `restore`."""
        return b"".join(self.checkpoint_parts())

    def checkpoint_parts(self) -> Iterator[Part]:
        """The same in parts, none of which takes long to make; observations wait only while what is in use is copied."""
        room = room_for(self._tables)  # its pages are taken now and not while others wait
        with self._lock:
            tables, events, counted = used(self._tables, room), list(self._answers.keys()), list(self._answers.values())
        yield from checkpoint_parts(tables, events, lambda place: counted[place].to(events[place]))

    def restore(self, data: bytes) -> None:
        """Replaces everything by a checkpoint. Raises `StorageError`, and changes nothing, when the bytes are not a whole one."""
        kept = read_checkpoint(data)
        tables = self._bounded(grown(kept.slots, kept.nodes, kept.meta))
        answers: Newest[bytes, _Counted] = Newest(self._bounds.answers)
        for key, row in zip(kept.events, kept.rows, strict=True):
            answers.add((key,), _Counted((key,), row.reshape(1, -1)))
        with self._lock:
            self._tables, self._answers = tables, answers

    def _count(self, sighting: Sighting) -> Row:
        plan = self._ready_for(sighting.plan)
        values = np.empty((1, len(plan)))
        at = np.array([sighting.at], np.int64)
        if observe_each(self._tables, plan, sighting.keys[np.newaxis], at, (0, 1, self._room), values) < 0:
            self._tables = with_room(self._tables, self._room)
        row: Row = values[0]
        return row

    def _count_many(self, sightings: Sightings) -> NDArray[np.float64]:
        plan = self._ready_for(sightings.plan)
        values = np.empty((len(sightings.event_keys), len(plan)))
        done = 0
        while done < len(values):
            reached = observe_each(self._tables, plan, sightings.keys, sightings.at, (done, len(values), self._room), values)
            done = abs(reached)
            if reached < 0:
                self._tables = with_room(self._tables, self._room)
        self._events += len(values)
        self._answers.add(sightings.event_keys, _Counted(sightings.event_keys, values))
        return values

    def _ready_for(self, asked: Plan) -> Integers:
        if self._asked is not asked:
            self._asked, self._plan = asked, plan_numbers(asked)
        plan = self._plan
        if len(plan) > self._room:
            self._tables, self._room = with_room(self._tables, len(plan)), len(plan)
        return plan

    def _bounded(self, tables: Tables) -> Tables:
        """The tables under this keeper's own bounds."""
        tables.meta[[MEMBERS, TIMES, MOST_KEYS]] = (self._bounds.members, self._bounds.times, self._bounds.keys)
        self._room = 0
        return tables


@lru_cache(maxsize=256)
def plan_numbers(plan: Plan) -> Integers:
    """A plan (questions, 4) as the compiled code takes it: kind, width of a bucket (µs), buckets of a window, window (µs)."""
    widths = [BUCKET_SECONDS[window] for window in plan.windows]
    rows = [
        (_KINDS[kind], width * _SECOND, window // width, window * _SECOND)
        for kind, width, window in zip(plan.kinds, widths, plan.windows, strict=True)
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, 4)
