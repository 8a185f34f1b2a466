"""Reports of the landing pages' tag, on their way into the lake, and at hand for the conversions that follow.

A report replaces the earlier ones of the same visit. It is kept within a minute, not before its browser is answered: one that a crash takes
is a visit of which nothing is known, as of anybody who did not consent.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from fraud.domain.events import Visit
from fraud.errors import StorageError

_log = structlog.get_logger(__name__)

Keep = Callable[[str, Sequence[Visit]], None]
"""Appends visits of a program to the lake; a `StorageError` when that cannot be."""


@dataclass(frozen=True)
class VisitBounds:
    """How many reports wait at most, of how many clicks reports are at hand, how many of one click, and how often they go to the lake
    (seconds)."""

    waiting: int = 50_000
    clicks: int = 100_000
    of_click: int = 4
    every: float = 60.0


class VisitBook:
    """The reports of one process. May be used from any number of threads."""

    def __init__(self, keep: Keep, bounds: VisitBounds | None = None) -> None:
        self._keep, self._bounds = keep, bounds or VisitBounds()
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], Visit] = {}
        self._recent: OrderedDict[tuple[str, str], dict[str, Visit]] = OrderedDict()
        self._taken = self._refused = self._kept = 0
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, visit: Visit) -> bool:
        """Takes a report; false when too many wait, or another visit of its click is one too many: then it is counted and forgotten."""
        key = (visit.program_id, visit.visit_id)
        with self._lock:
            of_click = self._recent.get((visit.program_id, visit.click_id), {})
            crowded = len(of_click) >= self._bounds.of_click and visit.visit_id not in of_click
            if crowded or (len(self._waiting) >= self._bounds.waiting and key not in self._waiting):
                self._refused += 1
                return False
            self._taken += 1
            self._waiting[key] = visit
            self._remember(visit)
            return True

    def of_click(self, program_id: str, click_id: str) -> tuple[Visit, ...]:
        """The reports on a click that came in lately."""
        with self._lock:
            return tuple(self._recent.get((program_id, click_id), {}).values())

    def figures(self) -> dict[str, float]:
        """How many reports were taken, were refused, wait and were kept."""
        with self._lock:
            counted = {"taken": self._taken, "refused": self._refused, "waiting": len(self._waiting), "kept": self._kept}
        return {f"visits_{name}": float(value) for name, value in counted.items()}

    def flush(self) -> None:
        """Keeps what waits. Raises `StorageError` when that cannot be; then it waits on."""
        with self._lock:
            leaving = dict(self._waiting)
        programs: defaultdict[str, list[Visit]] = defaultdict(list)
        for visit in leaving.values():
            programs[visit.program_id].append(visit)
        for program_id, visits in programs.items():
            self._keep(program_id, visits)
            self._left(visits)

    def start(self) -> None:
        """Keeps reports from a thread of its own until `close`."""
        self._thread = threading.Thread(target=self._work, name="visits", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the thread and keeps what waits; what cannot be kept is counted in the log."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        self._flush_or_tell()

    def _work(self) -> None:
        while not self._closing.wait(self._bounds.every):
            self._flush_or_tell()

    def _flush_or_tell(self) -> None:
        try:
            self.flush()
        except StorageError as fault:
            _log.error("visits_wait", count=len(self._waiting), detail=fault.message)
        except Exception:  # whatever broke, the next time it may go well
            _log.exception("visits_wait", count=len(self._waiting))

    def _remember(self, visit: Visit) -> None:
        key = (visit.program_id, visit.click_id)
        self._recent.setdefault(key, {})[visit.visit_id] = visit
        self._recent.move_to_end(key)
        if len(self._recent) > self._bounds.clicks:
            self._recent.popitem(last=False)

    def _left(self, visits: Sequence[Visit]) -> None:
        """Forgets visits that are kept, but for those that a newer report has replaced since."""
        with self._lock:
            self._kept += len(visits)
            for visit in visits:
                key = (visit.program_id, visit.visit_id)
                if self._waiting.get(key) is visit:
                    del self._waiting[key]
