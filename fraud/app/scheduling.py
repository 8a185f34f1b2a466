"""The nightly scan by the product's own clock: once a night and program, at a time of the program's own zone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, time
from zoneinfo import ZoneInfo

import structlog

from fraud.app.parts import App
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.jobs import Job
from fraud.domain.programs import ProgramProfile

LOOK_SECONDS = 30.0
"""How often the clock is looked at."""

SCAN = "scan"
_log = structlog.get_logger(__name__)


def night_of(now: datetime, at: time, zone: str) -> str:
    """The night (a date in the zone) whose scan is due at `now`: today's once the time has come, until then yesterday's.

    An hour that the clock skips in spring begins the night when the clock has passed it; one that comes twice in autumn begins it once.
    """
    local = now.astimezone(ZoneInfo(zone or "UTC"))
    day = local.date().toordinal() - (local.time() < at)
    return local.date().fromordinal(day).isoformat()


class NightWatch:
    """Queues the nightly scans that are due. What was missed while nothing ran is caught up with once, not night by night."""

    def __init__(self, app: App) -> None:
        self._app = app

    def queue_due(self) -> list[Job]:
        """Queues the scan of each program whose night has come and that has not been queued: one for a night, whoever looks."""
        at = self._app.settings.nightly_at
        if at is None:
            return []
        with self._app.workspace.lock("nightly"):
            due = [(one.program_id, night_of(self._app.clock.now(), at, one.time_zone)) for one in self._programs()]
            return [job for program_id, night in due if (job := self._queue(program_id, night)) is not None]

    def _programs(self) -> list[ProgramProfile]:
        known = self._app.stores.programs.all()
        unnamed = [] if any(one.program_id == DEFAULT_PROGRAM for one in known) else [ProgramProfile(name=DEFAULT_PROGRAM)]
        return [one for one in (*known, *unnamed) if self._app.lake.time_range(one.program_id) is not None]

    def _queue(self, program_id: str, night: str) -> Job | None:
        if self._app.stores.jobs.newest(program_id, SCAN, "night", night) is not None:
            return None
        _log.info("night_queued", program_id=program_id, night=night)
        return self._app.stores.jobs.enqueue(program_id, SCAN, {"night": night}, SYSTEM, self._app.clock.now())


class Repeated:
    """A thread that does something again and again until it is stopped; a failure is logged, and it goes on."""

    def __init__(self, name: str, act: Callable[[], object], seconds: float) -> None:
        self._act, self._seconds, self._name = act, seconds, name
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        """Starts."""
        self._thread.start()

    def stop(self, timeout: float = 30.0) -> None:
        """Ends what is in hand and stops."""
        self._stop.set()
        self._thread.join(timeout)

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                self._act()
            except Exception:  # whatever broke, the next time it may go well; a thread that ended would be missed by nobody
                _log.exception("repeated_failed", name=self._name)
            self._stop.wait(self._seconds)
