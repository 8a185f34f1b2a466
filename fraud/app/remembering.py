"""Counters that outlive the process: a checkpoint now and then, and what was answered after it counted again."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from fraud.app.parts import App
from fraud.checks.clicks.facts import FUTURE
from fraud.domain.clicks import Clicks, ListedClicks
from fraud.domain.clock import passed
from fraud.domain.counting import Counters
from fraud.domain.decisions import DecisionKind
from fraud.domain.events import Click
from fraud.errors import ReplayError, StorageError
from fraud.features.realtime import observe_click, sightings_of
from fraud.features.realtime_conversions import observe_conversion
from fraud.storage.checkpoints import Checkpoints
from fraud.storage.counters import MemoryCounters
from fraud.workflows.carrying import counted_in
from fraud.workflows.click_decisions import facts_of
from fraud.workflows.converting import conversion_facts_of
from fraud.workflows.leftover import Leftover

_log = structlog.get_logger(__name__)

BEFORE = timedelta(seconds=10)
"""How long before a checkpoint the events begin that are counted again: one in hand while it was taken may have begun earlier, and
those that it knows are recognised as repeats."""

OLDEST = timedelta(hours=24)
"""The longest window: an older checkpoint says nothing of now."""


TOGETHER = 100
"""Clicks that are counted in one step: those that came one by one are collected."""

Answered = tuple[DecisionKind, str]
"""An event of a program that was answered: the kind of its decision and its id."""


class CounterMemory:
    """Takes and restores the checkpoints of programs' counters."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._kept = Checkpoints(app.workspace.root / "counters")
        self._last: dict[str, tuple[int, datetime]] = {}

    def keep(self, program_id: str, counters: MemoryCounters) -> None:
        """Takes a checkpoint, unless nothing was counted since the last one. Raises `StorageError` when it cannot be written."""
        taken_at, events = self._app.clock.now(), counters.stats().events
        if not self._kept.held or self._still_holds(program_id, events, taken_at):
            return
        self._kept.write(program_id, taken_at, counters.checkpoint_parts())
        self._last[program_id] = (events, taken_at)

    def _still_holds(self, program_id: str, events: int, now: datetime) -> bool:
        known = self._last.get(program_id)
        return known is not None and known[0] == events and passed(known[1], now) < OLDEST / 2

    def restored(self, program_id: str, counters: MemoryCounters, left: Leftover) -> bool:
        """Fills empty counters from the checkpoint and from what was answered after it, which is in the database or still in the journal
        (`left`); false when there is none to go by."""
        try:
            found = self._kept.read(program_id)
            if found is None or self._app.clock.now() - found.taken_at > OLDEST:
                return False
            counters.restore(found.counters)
        except StorageError as fault:
            _log.error("checkpoint_unusable", program_id=program_id, detail=fault.message)
            return False
        again, known = count_answered(self._app, program_id, counters, found.taken_at - BEFORE)
        again += count_left(left, program_id, counters, found.taken_at - BEFORE, known)
        _log.info("counters_restored", program_id=program_id, taken_at=found.taken_at.isoformat(), counted_again=again)
        return True

    def close(self) -> None:
        """Lets another process keep the checkpoints."""
        self._kept.close()


def count_answered(app: App, program_id: str, counters: Counters, since: datetime) -> tuple[int, frozenset[Answered]]:
    """Counts the events that were answered at or after a time, in their order; how many were new to the counters, and all their names."""
    new = unread = 0
    known: set[Answered] = set()
    for kind in (DecisionKind.SCORE, DecisionKind.CONVERSION):
        for decision in app.stores.decisions.decided(program_id, kind, since):
            known.add((kind, decision.subject_id))
            try:
                if kind is DecisionKind.SCORE:
                    facts = facts_of(decision)
                    new += facts.degraded != FUTURE and not observe_click(counters, facts.click).repeated
                else:
                    converted = conversion_facts_of(decision)
                    counted = converted.degraded != FUTURE
                    new += counted and not observe_conversion(counters, converted.conversion, converted.click).repeated
            except ReplayError:  # most likely erased since; said below, because a window may lack what cannot be read
                unread += 1
    if unread:
        _log.warning("answered_events_not_counted_again", program_id=program_id, events=unread)
    return new, frozenset(known)


def count_left(
    left: Leftover, program_id: str, counters: Counters, since: datetime | None = None, known: frozenset[Answered] = frozenset()
) -> int:
    """Counts what an earlier process answered, at or after a time, and its journal still holds, but for what is known; how many were new.

    Hold `left.still` meanwhile.
    """
    new = 0
    rows: list[Click] = []
    for body in left.records(program_id):
        decided_at, clicks, facts = counted_in(body)
        if since is not None and decided_at < since:
            continue
        if facts is not None and (DecisionKind.CONVERSION, facts.conversion.conversion_id) not in known:
            new += facts.conversion.program_id == program_id and not observe_conversion(counters, facts.conversion, facts.click).repeated
        fresh = [place for place, key in enumerate(clicks.keys) if key[0] == program_id and (DecisionKind.SCORE, key[1]) not in known]
        if len(fresh) == len(clicks) >= TOGETHER:
            new += _counted(counters, clicks)
        else:
            rows += [clicks[place] for place in fresh]
        if len(rows) >= TOGETHER:
            new += _counted(counters, ListedClicks(rows))
            rows = []
    return new + _counted(counters, ListedClicks(rows))


def _counted(counters: Counters, clicks: Clicks) -> int:
    return len(clicks) - len(counters.observe_many(sightings_of(clicks)).repeated) if clicks else 0
