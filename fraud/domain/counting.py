"""What is asked of the real-time counters, and the port that answers: counts, distinct members and gaps, all in event time.

The counters know keys, times and windows, nothing of clicks; `fraud.features.realtime` turns a click into questions and answers into
features. So one definition serves any keeper of counters, in this process or shared between machines.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec

BUCKET_SECONDS = {60: 10, 600: 60, 3600: 60, 86400: 900}
"""The windows there are (seconds) and the buckets each is counted in (seconds).

A window ends with the bucket that the event falls in, so the oldest part of it, at most one bucket, is left out.
"""

UNKNOWN = float("nan")
"""The answer to what cannot be known: NaN."""


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


class Sighting(msgspec.Struct, frozen=True):
    """One event: its own key (a repeat of it counts once), its time in microseconds since 1970, and what is asked.

    A question of `None` could not be asked, because the event does not say what it is about; its answer is NaN.
    """

    event_key: bytes
    at: int
    questions: tuple[Question | None, ...]


class Answers(msgspec.Struct, frozen=True):
    """One answer for each question; NaN is unknown. `repeated` when the event was seen before: these are the answers of then."""

    values: tuple[float, ...]
    repeated: bool = False


class Counters(Protocol):
    """Counters in event time, fulfilled by `fraud.storage.counters`."""

    def observe(self, sighting: Sighting) -> Answers:
        """Counts the event and answers its questions, in one step that no other thread sees half of."""
        ...
