"""How an affiliate stood when its click came: the newest scan's risk and the program's own status, held in memory for the hot path."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from fraud.checks.standing import AffiliateStanding
from fraud.domain.clock import Clock, passed
from fraud.domain.decisions import Outcome
from fraud.domain.ports import ScanStore
from fraud.domain.scans import ScanResult
from fraud.domain.shared import Shared
from fraud.errors import StorageError

_log = structlog.get_logger(__name__)

UNKNOWN_STANDING = AffiliateStanding()
"""Of whom nothing is known."""

_MOST_STANDINGS = 20_000

StatusesOf = Callable[[str], Mapping[str, str | None]]
"""A program to the status of each affiliate in its records."""


class AffiliateRisks(Protocol):
    """What a click's scoring asks about the affiliate and the sub-ID behind it; must answer from memory."""

    def standing(self, program_id: str, affiliate_id: str, sub_id: str | None) -> AffiliateStanding:
        """Where the two stand now; what is unknown is `None`."""
        ...

    def standings(self, program_id: str, affiliates: Sequence[str], sub_ids: Sequence[str | None]) -> Shared[AffiliateStanding]:
        """`standing` of many at one moment."""
        ...


class UnknownRisks:
    """Knows nothing of anybody: for a program that has no scan and keeps no records."""

    def standing(self, program_id: str, affiliate_id: str, sub_id: str | None) -> AffiliateStanding:
        """Unknown, whoever is asked about."""
        return UNKNOWN_STANDING

    def standings(self, program_id: str, affiliates: Sequence[str], sub_ids: Sequence[str | None]) -> Shared[AffiliateStanding]:
        """The same of many."""
        return Shared([UNKNOWN_STANDING], [0] * len(affiliates))


@dataclass(frozen=True)
class _Snapshot:
    """One program's newest scan: risk by affiliate, who is suspended, and standings that were asked for (affiliate and status)."""

    taken_at: datetime
    scan_id: str | None = None
    risks: Mapping[str, float] = field(default_factory=dict)
    suspended: frozenset[tuple[str, str | None]] = frozenset()
    held: frozenset[str] = frozenset()
    standings: dict[tuple[str, str | None], AffiliateStanding] = field(default_factory=dict)


class ScanRisks:
    """`AffiliateRisks` from the newest scan of each program, read again once it is older than `refresh`.

    The first click of a program waits for the reading; later readings happen beside the traffic, and while one fails the last one serves.
    """

    def __init__(
        self, scans: ScanStore, clock: Clock, statuses_of: StatusesOf = lambda program_id: {}, refresh: timedelta = timedelta(minutes=1)
    ) -> None:
        self._scans = scans
        self._clock = clock
        self._statuses_of = statuses_of
        self._refresh = refresh
        self._lock = threading.Lock()
        self._snapshots: dict[str, _Snapshot] = {}
        self._reading: set[str] = set()

    def standing(self, program_id: str, affiliate_id: str, sub_id: str | None) -> AffiliateStanding:
        """Where the affiliate and the sub-ID stand, by the program's records and the newest scan."""
        return _seen(self._current(program_id), self._statuses_of(program_id), affiliate_id, sub_id)

    def standings(self, program_id: str, affiliates: Sequence[str], sub_ids: Sequence[str | None]) -> Shared[AffiliateStanding]:
        """`standing` of many under one scan."""
        seen, statuses = self._current(program_id), self._statuses_of(program_id)
        if any(sub_id is not None for _, sub_id in seen.suspended):
            subjects = list(zip(affiliates, sub_ids, strict=True))
            return Shared.by(subjects, {one: _seen(seen, statuses, *one) for one in set(subjects)})
        return Shared.by(affiliates, {name: _seen(seen, statuses, name, None) for name in set(affiliates)})

    def refresh(self, program_id: str) -> None:
        """Looks for the newest scan now, and reads one that is not known yet; a `StorageError` is the caller's."""
        now, held = self._clock.now(), self._snapshots.get(program_id)
        known = held is not None and held.scan_id is not None and held.scan_id == self._scans.latest_id(program_id)
        snapshot = replace(held, taken_at=now) if held is not None and known else _snapshot(self._scans.latest(program_id), now)
        with self._lock:
            self._snapshots[program_id] = snapshot

    def _current(self, program_id: str) -> _Snapshot:
        held = self._snapshots.get(program_id)
        if held is None:
            self.refresh(program_id)
            return self._snapshots[program_id]
        if passed(held.taken_at, self._clock.now()) >= self._refresh:
            self._refresh_beside(program_id)
        return held

    def _refresh_beside(self, program_id: str) -> None:
        with self._lock:
            if program_id in self._reading:
                return
            self._reading.add(program_id)
        threading.Thread(target=self._refresh_quietly, args=(program_id,), name="affiliate-risks", daemon=True).start()

    def _refresh_quietly(self, program_id: str) -> None:
        try:
            self.refresh(program_id)
        except StorageError as fault:
            _log.warning("newest_scan_unreadable", program_id=program_id, detail=fault.message)
        finally:
            with self._lock:
                self._reading.discard(program_id)


def _seen(seen: _Snapshot, statuses: Mapping[str, str | None], affiliate_id: str, sub_id: str | None) -> AffiliateStanding:
    status = "suspended" if (affiliate_id, None) in seen.suspended else statuses.get(affiliate_id)
    if sub_id is not None and (affiliate_id, sub_id) in seen.suspended:
        return _standing(seen, affiliate_id, status, "suspended")
    known = seen.standings.get((affiliate_id, status))
    if known is None:
        if len(seen.standings) >= _MOST_STANDINGS:
            seen.standings.clear()
        known = seen.standings[affiliate_id, status] = _standing(seen, affiliate_id, status, None)
    return known


def _standing(seen: _Snapshot, affiliate_id: str, status: str | None, sub_id_status: str | None) -> AffiliateStanding:
    return AffiliateStanding(
        status=status,
        sub_id_status=sub_id_status,
        risk=seen.risks.get(affiliate_id),
        held=affiliate_id in seen.held,
        scan_id=seen.scan_id,
    )


def _snapshot(scan: ScanResult | None, now: datetime) -> _Snapshot:
    if scan is None:
        return _Snapshot(now)
    affiliates = {(subject.affiliate_id, None) for subject in scan.affiliates if subject.outcome is Outcome.SUSPEND}
    sub_ids = {(subject.affiliate_id, str(subject.sub_id)) for subject in scan.sub_ids if subject.outcome is Outcome.SUSPEND}
    risks = {subject.affiliate_id: subject.score for subject in scan.affiliates}
    held = frozenset(subject.affiliate_id for subject in scan.affiliates if subject.outcome in {Outcome.HOLD, Outcome.SUSPEND})
    return _Snapshot(now, scan.scan_id, risks, frozenset(affiliates | sub_ids), held)
