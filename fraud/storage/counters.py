"""Real-time counters in this process: bucketed windows in event time, bounded in memory, checkpointed to bytes.

Late events go into the bucket of their own time and are answered as of it. Each key keeps twice its window; what was dropped below that is
remembered by its limit, and a window that would reach under it is answered NaN, never with a number that is too low. Only where the number
of keys itself passes its bound is the key touched longest ago forgotten whole, which `stats` counts.
"""

from __future__ import annotations

import hashlib
import threading
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from fraud.domain.counting import BUCKET_SECONDS, UNKNOWN, Answers, Ask, Question, Sighting
from fraud.errors import StorageError

_CHECKPOINT_VERSION = 1
_DIGEST_BYTES = 32
_SECOND = 1_000_000

_Entry = TypeVar("_Entry")


@dataclass(frozen=True)
class CounterBounds:
    """How much is kept: keys, members of one bucket, times of one key, and answers to give again.

    A key costs some 200 to 400 bytes, an answer some 800.
    """

    keys: int = 500_000
    members: int = 64
    times: int = 32
    answers: int = 100_000


class CounterStats(msgspec.Struct, frozen=True):
    """How full the counters are, and what they have let go: `too_late` events counted nowhere in one of their windows."""

    keys: int
    answers: int
    events: int
    repeated: int
    forgotten_keys: int
    too_late: int


class _Buckets(msgspec.Struct, Generic[_Entry]):
    """The buckets of one key by number; all below `floor` were dropped."""

    entries: dict[int, _Entry]
    floor: int | None = None


class _Tallies(msgspec.Struct):
    """What is kept under one key: the one of the three that its question needs."""

    counts: _Buckets[int] | None = None
    members: _Buckets[set[bytes]] | None = None
    times: list[int] | None = None


class _Checkpoint(msgspec.Struct, frozen=True):
    version: int
    keys: dict[bytes, _Tallies]
    answers: dict[bytes, tuple[float, ...]]


class MemoryCounters:
    """The `Counters` of one process. One lock makes each observation a single step; nothing waits for anything else within it."""

    def __init__(self, bounds: CounterBounds | None = None) -> None:
        self._bounds = bounds or CounterBounds()
        self._lock = threading.Lock()
        self._keys: OrderedDict[bytes, _Tallies] = OrderedDict()
        self._answers: OrderedDict[bytes, tuple[float, ...]] = OrderedDict()
        self._events = self._repeated = self._forgotten = self._too_late = 0

    def observe(self, sighting: Sighting) -> Answers:
        """Counts the event and answers its questions; an event seen before is not counted again and gets its first answers."""
        with self._lock:
            known = self._answers.get(sighting.event_key)
            if known is not None:
                self._repeated += 1
                return Answers(known, repeated=True)
            values = tuple(self._answer(question, sighting.at) if question else UNKNOWN for question in sighting.questions)
            self._events += 1
            self._answers[sighting.event_key] = values
            self._trim()
            return Answers(values)

    def stats(self) -> CounterStats:
        """How full the counters are."""
        with self._lock:
            return CounterStats(len(self._keys), len(self._answers), self._events, self._repeated, self._forgotten, self._too_late)

    def checkpoint(self) -> bytes:
        """Everything that is counted, as bytes for `restore`; observations wait while it is taken."""
        with self._lock:
            body = msgspec.msgpack.encode(_Checkpoint(_CHECKPOINT_VERSION, self._keys, self._answers))
        return hashlib.sha256(body).digest() + body

    def restore(self, data: bytes) -> None:
        """Replaces everything by a checkpoint. Raises `StorageError`, and changes nothing, when the bytes are not a whole one."""
        kept = _read_checkpoint(data)
        with self._lock:
            self._keys = OrderedDict(kept.keys)
            self._answers = OrderedDict(kept.answers)
            self._trim()

    def _trim(self) -> None:
        while len(self._answers) > self._bounds.answers:
            self._answers.popitem(last=False)
        while len(self._keys) > self._bounds.keys:
            self._keys.popitem(last=False)
            self._forgotten += 1

    def _answer(self, question: Question, at: int) -> float:
        tallies = self._keys.get(question.key)
        if tallies is None:
            tallies = self._keys[question.key] = _Tallies()
        else:
            self._keys.move_to_end(question.key)
        if question.kind is Ask.GAP:
            return self._gap(tallies, at, question.window)
        bucket = at // (BUCKET_SECONDS[question.window] * _SECOND)
        span = question.window // BUCKET_SECONDS[question.window]
        if question.kind is Ask.COUNT:
            return self._count(tallies, bucket, span)
        return self._distinct(tallies, bucket, span, question.member)

    def _count(self, tallies: _Tallies, bucket: int, span: int) -> float:
        counts = tallies.counts
        if counts is None:
            counts = tallies.counts = _Buckets({})
        if not self._opens(counts, bucket, span, 0):
            return UNKNOWN
        counts.entries[bucket] += 1
        if not _reaches(counts, bucket, span):
            return UNKNOWN
        return float(sum(count for number, count in counts.entries.items() if bucket - span < number <= bucket))

    def _distinct(self, tallies: _Tallies, bucket: int, span: int, member: bytes) -> float:
        members = tallies.members
        if members is None:
            members = tallies.members = _Buckets({})
        if not self._opens(members, bucket, span, set()):
            return UNKNOWN
        held = members.entries[bucket]
        if len(held) < self._bounds.members:
            held.add(member)
        if not _reaches(members, bucket, span):
            return UNKNOWN
        seen: set[bytes] = set()
        seen.update(*(held for number, held in members.entries.items() if bucket - span < number <= bucket))
        return float(len(seen))

    def _opens(self, buckets: _Buckets[_Entry], bucket: int, span: int, empty: _Entry) -> bool:
        """Makes room for the bucket; false when it is so old that it was dropped."""
        if buckets.floor is not None and bucket < buckets.floor:
            self._too_late += 1
            return False
        if bucket in buckets.entries:
            return True
        buckets.entries[bucket] = empty
        if len(buckets.entries) <= 2 * span:
            return True
        oldest = min(buckets.entries)
        del buckets.entries[oldest]
        buckets.floor = oldest + 1
        if oldest == bucket:
            self._too_late += 1
        return oldest != bucket

    def _gap(self, tallies: _Tallies, at: int, window: int) -> float:
        times = tallies.times
        if times is None:
            times = tallies.times = []
        before = bisect_right(times, at)
        earlier = times[before - 1] if before else None
        times.insert(before, at)
        if len(times) > self._bounds.times:
            del times[0]
        if earlier is None or at - earlier > window * _SECOND:
            return UNKNOWN
        return (at - earlier) / _SECOND


def _reaches(buckets: _Buckets[_Entry], bucket: int, span: int) -> bool:
    """Whether nothing of the window that ends with this bucket was dropped."""
    return buckets.floor is None or bucket - span + 1 >= buckets.floor


def _read_checkpoint(data: bytes) -> _Checkpoint:
    digest, body = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    if hashlib.sha256(body).digest() != digest:
        raise StorageError("The checkpoint of the counters is incomplete or altered; delete it to start with empty counters.")
    try:
        kept = msgspec.msgpack.decode(body, type=_Checkpoint)
    except msgspec.MsgspecError as error:
        raise StorageError("The checkpoint of the counters was made by another version; delete it to start with empty counters.") from error
    if kept.version != _CHECKPOINT_VERSION:
        raise StorageError(f"The checkpoint of the counters has version {kept.version}; delete it to start with empty counters.")
    return kept
