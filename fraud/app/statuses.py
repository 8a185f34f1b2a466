"""The status of affiliates in the program's own records, held in memory for the hot path."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta

import duckdb
import structlog

from fraud.domain.clock import Clock
from fraud.errors import FraudError
from fraud.storage.lake import ParquetLake

_log = structlog.get_logger(__name__)

REFRESH = timedelta(minutes=1)


class AffiliateStatuses:
    """Answers from memory; a program's statuses are read from the lake again once they are older than a minute."""

    def __init__(self, lake: ParquetLake, clock: Clock) -> None:
        self._lake, self._clock = lake, clock
        self._lock = threading.Lock()
        self._read_at: dict[str, datetime] = {}
        self._statuses: dict[str, Mapping[str, str]] = {}

    def __call__(self, program_id: str, affiliate_id: str) -> str | None:
        """The status in the newest version of the affiliate's record; `None` when it is not known."""
        now = self._clock.now()
        if self._is_stale(program_id, now):
            with self._lock:
                if self._is_stale(program_id, now):
                    self._statuses[program_id] = self._read(program_id)
                    self._read_at[program_id] = now
        return self._statuses[program_id].get(affiliate_id)

    def _is_stale(self, program_id: str, now: datetime) -> bool:
        read_at = self._read_at.get(program_id)
        return read_at is None or now - read_at > REFRESH

    def _read(self, program_id: str) -> Mapping[str, str]:
        try:
            with self._lake.connect(program_id) as events:
                rows = events.sql("select affiliate_id, status from affiliates where status is not null").fetchall()
        except (FraudError, duckdb.Error) as fault:
            # A damaged file must not stop the scoring of clicks: what was known last serves on, and the log says so.
            _log.error("affiliate_statuses_unreadable", program_id=program_id, reason=str(fault))
            return self._statuses.get(program_id, {})
        return {str(affiliate): str(status) for affiliate, status in rows}
