"""What the program's own records say of its affiliates, held in memory for the hot path: how they stand, and who they are."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta

import duckdb
import msgspec
import structlog

from fraud.domain.clock import Clock, passed
from fraud.domain.events import Conversion
from fraud.errors import FraudError
from fraud.storage.lake import ParquetLake

_log = structlog.get_logger(__name__)

REFRESH = timedelta(minutes=1)


class AffiliateRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The newest version of an affiliate's record, as far as events are compared with it. E-mail and phone are keyed hashes."""

    status: str | None = None
    email: str | None = None
    phone: str | None = None
    device: str | None = None


class AffiliateRecords:
    """Answers from memory; `refresh` reads a program's records from the lake again."""

    def __init__(self, lake: ParquetLake, clock: Clock) -> None:
        self._lake, self._clock = lake, clock
        self._lock = threading.Lock()
        self._read_at: dict[str, datetime] = {}
        self._versions: dict[str, tuple[str, ...]] = {}
        self._records: dict[str, Mapping[str, AffiliateRecord]] = {}
        self._statuses: dict[str, Mapping[str, str | None]] = {}

    def statuses(self, program_id: str) -> Mapping[str, str | None]:
        """The status of each affiliate on record."""
        self._known(program_id)
        return self._statuses[program_id]

    def own_identities(self, conversion: Conversion) -> tuple[str, ...] | None:
        """The kinds of identity a conversion's customer shares with its affiliate; `None` when there is nothing to compare."""
        record = self.record(conversion.program_id, conversion.affiliate_id)
        if record is None:
            return None
        pairs = {
            "e-mail address": (record.email, conversion.customer_email),
            "phone number": (record.phone, conversion.customer_phone),
            "device": (record.device, conversion.device_id),
        }
        known = {kind: own == seen for kind, (own, seen) in pairs.items() if own and seen}
        return tuple(kind for kind, same in known.items() if same) if known else None

    def record(self, program_id: str, affiliate_id: str) -> AffiliateRecord | None:
        """The affiliate's record; `None` when there is none."""
        return self._known(program_id).get(affiliate_id)

    def _known(self, program_id: str) -> Mapping[str, AffiliateRecord]:
        if program_id not in self._records:
            self.refresh(program_id)
        return self._records[program_id]

    def refresh(self, program_id: str) -> None:
        """Reads a program's records again when they are older than a minute. What serves clicks calls it beside the traffic."""
        now = self._clock.now()
        with self._lock:
            if not self._is_stale(program_id, now):
                return
            self._read_at[program_id] = now
            try:
                self._renew(program_id)
            except (FraudError, duckdb.Error) as fault:
                # A damaged file must not stop the scoring of clicks: what was known last serves on, and the log says so.
                _log.error("affiliate_records_unreadable", program_id=program_id, reason=str(fault))
                self._records.setdefault(program_id, {})
                self._statuses.setdefault(program_id, {})

    def _renew(self, program_id: str) -> None:
        """Reads the records unless those that are known are the lake's still: that takes tens of milliseconds from the answers."""
        version = self._lake.version("affiliates", program_id)
        if version == self._versions.get(program_id):
            return
        records = self._read(program_id)
        self._statuses[program_id] = {affiliate: record.status for affiliate, record in records.items()}
        self._records[program_id] = records
        self._versions[program_id] = version

    def _is_stale(self, program_id: str, now: datetime) -> bool:
        read_at = self._read_at.get(program_id)
        return read_at is None or passed(read_at, now) > REFRESH

    def _read(self, program_id: str) -> Mapping[str, AffiliateRecord]:
        with self._lake.connect(program_id) as events:
            rows = events.sql("select affiliate_id, status, email, phone, signup_device_id from affiliates").fetchall()
        return {
            str(affiliate): AffiliateRecord(status=status, email=email, phone=phone, device=device)
            for affiliate, status, email, phone, device in rows
        }
