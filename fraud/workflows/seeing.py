"""Who saw what: a line in the audit log for each look at one affiliate, applicant, case or decision."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from urllib.parse import unquote

from fraud.domain.actors import Actor
from fraud.domain.clock import Clock, passed
from fraud.domain.ports import AuditLog

ONE_LOOK = timedelta(minutes=10)
"""Looking again within this time, as browsers and pages that refresh do, is the same look."""

_SHOWN = {
    "affiliates": "affiliate",
    "nights": "affiliate",
    "graph": "affiliate",
    "traffic": "affiliate",
    "reports": "affiliate",
    "applications": "applicant",
    "alerts": "alert",
    "cases": "case",
    "decisions": "decision",
}
"""What a page or a call shows, by the part of its address in front of the id."""
_MOST_REMEMBERED = 10_000


class Looks:
    """Records looks, and remembers those of this process so that each stands in the log once."""

    def __init__(self, audit: AuditLog, clock: Clock) -> None:
        self._audit, self._clock = audit, clock
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str, str], datetime] = {}

    def note(self, actor: Actor, program_id: str, path: str) -> bool:
        """Records a look at what stands at this path, when it is about somebody; whether it was recorded."""
        shown = shown_at(path)
        if shown is None:
            return False
        kind, name = shown
        now, key = self._clock.now(), (actor.actor_id, program_id, f"{kind} {name}")
        with self._lock:
            if (last := self._seen.get(key)) is not None and passed(last, now) < ONE_LOOK:
                return False
            if len(self._seen) >= _MOST_REMEMBERED:
                self._seen.clear()
            self._seen[key] = now
        self._audit.record(actor, program_id, f"seen.{kind}", name[:200], now, {})
        return True


def shown_at(path: str) -> tuple[str, str] | None:
    """Whom a path of the pages or of the API is about, as kind and id; `None` for lists and everything else."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["v1"]:
        parts = parts[1:]
    if len(parts) < 2 or parts[0] not in _SHOWN:
        return None
    kind = _SHOWN[parts[0]]
    name = "/".join(parts[1:]) if kind == "affiliate" else parts[1]
    return kind, unquote(name)
