"""What an earlier process answered and its journal still holds: known before it is in the database, so that no start has to wait for that.

The records are read once at the start, for the names of their events. A repeat of one is told what its decision will be, made from its
record.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from fraud.domain.clicks import EventKey
from fraud.domain.decisions import Decision, DecisionKind
from fraud.workflows.carrying import Carrier, answered_in

_Names = Mapping[DecisionKind, Mapping[EventKey, int]]
"""The events of a segment by kind, and the offset of the record that each stands in."""


class Segments(Protocol):
    """The journal as this module reads it; fulfilled by `fraud.storage.journal`."""

    def segments(self) -> list[Path]:
        """The segments, oldest first."""
        ...

    def read(self, segment: Path, offset: int, most: int, weigh: Callable[[bytes], int] = ...) -> tuple[list[bytes], int]:
        """Records from an offset on until together they weigh `most`, and the offset after them."""
        ...

    def places(self, segment: Path) -> Iterator[tuple[int, bytes]]:
        """Each whole record of a segment and the offset at which it begins."""
        ...


class Leftover:
    """The events that an earlier process answered, while their segments stand. May be used from any number of threads.

    `still` is held by whoever reads it in step with the database and the lake: no segment is dropped meanwhile.
    """

    def __init__(self, journal: Segments | None = None, carrier: Carrier | None = None) -> None:
        self._journal, self._carrier = journal, carrier
        self._names: dict[Path, _Names] = {segment: self._read(segment) for segment in (journal.segments() if journal else ())}
        self.still = threading.Lock()
        self.events = sum(len(keys) for names in self._names.values() for keys in names.values())

    def _read(self, segment: Path) -> _Names:
        assert self._journal is not None
        names: defaultdict[DecisionKind, dict[EventKey, int]] = defaultdict(dict)
        for offset, body in self._journal.places(segment):
            kind, keys = answered_in(body)
            names[kind].update(dict.fromkeys(keys, offset))
        return names

    def forget(self, segment: Path) -> None:
        """A segment is gone: all of it is in the database and the lake."""
        self._names.pop(segment, None)

    def keys(self, program_id: str, kind: DecisionKind) -> list[EventKey]:
        """The events of a program that were answered, oldest first."""
        every = (names.get(kind, {}) for names in list(self._names.values()))
        return [key for keys in every for key in keys if key[0] == program_id]

    def records(self, program_id: str) -> Iterator[bytes]:
        """The records that may have events of a program, oldest first; hold `still` meanwhile."""
        for segment, names in list(self._names.items()):
            if self._journal is not None and any(key[0] == program_id for keys in names.values() for key in keys):
                yield from (body for _, body in self._journal.places(segment))

    def decision(self, program_id: str, kind: DecisionKind, event_id: str) -> Decision | None:
        """The decision on an event, or `None` where there is none here (any more): then the database has it, if there ever was one."""
        key = (program_id, event_id)
        for segment, names in list(self._names.items()):
            offset = names.get(kind, {}).get(key)
            if offset is not None:
                return self._made(segment, offset, key)
        return None

    def _made(self, segment: Path, offset: int, key: EventKey) -> Decision | None:
        assert self._journal is not None
        assert self._carrier is not None
        try:
            (body, *_), _ = self._journal.read(segment, offset, 1)
        except FileNotFoundError:
            return None  # dropped a moment ago
        return self._carrier.decision(body, key)
