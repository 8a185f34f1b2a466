"""What is asked of the real-time counters, and the port that answers: counts, distinct members and gaps, all in event time.

The counters know keys, times and windows, nothing of clicks; `fraud.features.realtime` turns a click into questions and answers into
features. So one definition serves any keeper of counters, in this process or shared between machines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

BUCKET_SECONDS = {60: 10, 600: 60, 3600: 60, 86400: 900}
"""The windows there are (seconds) and the buckets each is counted in (seconds).

A window ends with the bucket that the event falls in, so the oldest part of it, at most one bucket, is left out.
"""

UNKNOWN = float("nan")
"""The answer to what cannot be known: NaN."""

KEY_BYTES = 8
"""Bytes of a key and of a member: half a million keys share one with a chance of one in a hundred million."""


class Ask(StrEnum):
    """The kinds of question."""

    COUNT = "count"
    DISTINCT = "distinct"
    GAP = "gap"


class Question(msgspec.Struct, frozen=True):
    """One thing to count and to be told, under one key, over one window.

    `count`: how many events had the key in the window, this one included. `distinct`: how many different `member`s came with it.
    `gap`: seconds since the newest earlier event of the key, at most a window ago.
    """

    kind: Ask
    key: bytes
    window: int
    member: bytes = b""


class Plan(msgspec.Struct, frozen=True):
    """What is asked of every event of one sort, in order: the kinds of question and their windows (seconds)."""

    kinds: tuple[Ask, ...]
    windows: tuple[int, ...]


class Sighting(msgspec.Struct, frozen=True):
    """One event: its own key (a repeat of it counts once), its time in microseconds since 1970, and what is asked.

    `keys` (questions, 2) holds each question's key and member; a key of 0 could not be asked, because the event does not say what it is
    about; its answer is NaN.
    """

    event_key: bytes
    at: int
    plan: Plan
    keys: NDArray[np.uint64]


class Sightings(msgspec.Struct, frozen=True):
    """Many events of one sort, in order: their keys, times (events,) in microseconds, the plan, and `keys` (events, questions, 2)."""

    event_keys: Sequence[bytes]
    at: NDArray[np.int64]
    plan: Plan
    keys: NDArray[np.uint64]


class ManyAnswers(msgspec.Struct, frozen=True):
    """`values` (events, questions) as in `Answers`, and the places of the events that were seen before."""

    values: NDArray[np.float64]
    repeated: frozenset[int]


class Answers(msgspec.Struct, frozen=True):
    """One answer for each question; NaN is unknown. `repeated` when the event was seen before: these are the answers of then."""

    values: tuple[float, ...]
    repeated: bool = False


class Counters(Protocol):
    """Counters in event time, fulfilled by `fraud.storage.counters`."""

    def observe(self, sighting: Sighting) -> Answers:
        """Counts the event and answers its questions, in one step that no other thread sees half of."""
        ...

    def observe_many(self, sightings: Sightings) -> ManyAnswers:
        """`observe` of each event in its order; other events may come between two of them."""
        ...

    def figures(self) -> dict[str, float]:
        """How it goes, for whoever watches: figures by name."""
        ...


def number_of(text: bytes) -> int:
    """A text as a key: 64 bits of its BLAKE2b hash, never 0."""
    return int.from_bytes(hashlib.blake2b(text, digest_size=KEY_BYTES).digest(), "little") or 1


def sighting_of_questions(event_key: bytes, at: int, questions: Sequence[Question | None]) -> Sighting:
    """Questions under keys of any length as a sighting; `None` is one that could not be asked."""
    asked = [question or Question(Ask.COUNT, b"", min(BUCKET_SECONDS)) for question in questions]
    plan = Plan(tuple(question.kind for question in asked), tuple(question.window for question in asked))
    keys = [(number_of(question.key), number_of(question.member)) if question else (0, 0) for question in questions]
    return Sighting(event_key, at, plan, np.array(keys, dtype=np.uint64).reshape(-1, 2))
