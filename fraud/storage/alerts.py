"""Alerts in SQL: one row per alert, and one row per sighting so that each counts once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from fraud.domain.alerts import Alert, AlertCounts, AlertQuery, AlertScope, AlertState, Merge, counted
from fraud.domain.decisions import SubjectKind
from fraud.domain.signals import Severity
from fraud.errors import NotFound
from fraud.storage.alert_queries import SEPARATOR, alert_conditions, searchable, told_typologies
from fraud.storage.database import Database
from fraud.storage.documents import decode, digest, encode, insert_new, page_size
from fraud.storage.tables import alert_sightings
from fraud.storage.tables import alerts as table

_NAMED_AT_ONCE = 10_000
"""Names in one statement: SQLite takes no more than 32,766 values."""
_ORDER = (table.c.expected_loss.desc(), table.c.score.desc(), table.c.opened_at, table.c.alert_id)


class SqlAlerts:
    """The `AlertStore` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, alerts: Sequence[Alert], merge: Merge = counted) -> list[Alert]:
        """Opens new alerts; one seen before becomes what `merge` makes of it and the sighting.

        Returns the alerts as they now stand, in the order given. The same sighting (alert and decision) counts once, however often it
        is recorded and whatever came between.
        """
        standing: dict[tuple[str, str], Alert] = {}
        with self._database.transaction() as connection:
            for alert in sorted(alerts, key=_key):  # one order for all, so that two writers never wait for each other in a circle
                standing[_key(alert)] = _record(connection, alert, merge)
        return [standing[_key(alert)] for alert in alerts]

    def get(self, program_id: str, alert_id: str) -> Alert:
        """One alert, or `NotFound`."""
        with self._database.reading() as connection:
            return _standing(connection, program_id, alert_id)

    def open_alerts(self, program_id: str, at: datetime | None = None) -> list[Alert]:
        """Open alerts, largest expected loss first, then highest score, then oldest; without those that are suppressed or, at the time
        given, snoozed."""
        query = select(table.c.document).where(table.c.program_id == program_id, table.c.state == AlertState.OPEN.value).order_by(*_ORDER)
        with self._database.reading() as connection:
            found = [decode(text, Alert) for text in connection.execute(query).scalars()]
        return [alert for alert in found if not alert.suppressed_by and not _sleeps(alert, at)]

    def open_page(self, program_id: str, at: datetime, limit: int, offset: int = 0) -> list[Alert]:
        """A page of what `open_alerts` gives at that time; the index alone says which they are, and only their documents are read."""
        query = (
            select(table.c.alert_id)
            .where(*alert_conditions(program_id, at, AlertQuery()))
            .order_by(*_ORDER)
            .limit(page_size(limit))
            .offset(offset)
        )
        with self._database.reading() as connection:
            names = list(connection.execute(query).scalars())
        known = {alert.alert_id: alert for alert in self.named(program_id, names)}
        return [known[name] for name in names if name in known]

    def count_open(self, program_id: str, at: datetime) -> int:
        """How many alerts `open_alerts` would give at that time."""
        return self.count(program_id, at, AlertScope.WAITING)

    def matching(self, program_id: str, at: datetime, query: AlertQuery) -> tuple[list[Alert], int]:
        """A page of the alerts that are asked for, as they stand at that time, and how many there are."""
        mine = alert_conditions(program_id, at, query)
        page = select(table.c.alert_id).where(*mine).order_by(*_ORDER).limit(page_size(query.limit)).offset(query.offset)
        with self._database.reading() as connection:
            names = list(connection.execute(page).scalars())
            total = int(connection.execute(select(func.count(table.c.alert_id)).where(*mine)).scalar_one())
        known = {alert.alert_id: alert for alert in self.named(program_id, names)}
        return [known[name] for name in names if name in known], total

    def count(self, program_id: str, at: datetime, scope: AlertScope) -> int:
        """How many alerts of a scope there are at that time."""
        query = select(func.count(table.c.alert_id)).where(*alert_conditions(program_id, at, AlertQuery(scope=scope)))
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def counts(self, program_id: str, at: datetime, scope: AlertScope) -> AlertCounts:
        """How many alerts of a scope there are at that time, by what they are about; the index alone says."""
        by = (table.c.severity, table.c.subject_kind, table.c.typologies)
        query = select(*by, func.count(table.c.alert_id)).where(*alert_conditions(program_id, at, AlertQuery(scope=scope))).group_by(*by)
        severities, kinds, typologies = Counter[Severity](), Counter[SubjectKind](), Counter[str]()
        with self._database.reading() as connection:
            for severity, kind, named, count in connection.execute(query):
                severities[Severity(severity)] += count
                kinds[SubjectKind(kind)] += count
                typologies.update(dict.fromkeys(filter(None, (named or "").split(SEPARATOR)), count))
        return AlertCounts(severities=dict(severities), kinds=dict(kinds), typologies=dict(typologies))

    def snoozed_page(self, program_id: str, at: datetime, limit: int, offset: int = 0) -> tuple[list[Alert], int]:
        """A page of the alerts that are snoozed at that time, the next to come back first, and how many there are."""
        mine = (table.c.program_id == program_id, table.c.state == AlertState.OPEN.value, table.c.snoozed_until > at)
        query = select(table.c.alert_id).where(*mine).order_by(table.c.snoozed_until, table.c.alert_id)
        with self._database.reading() as connection:
            names = list(connection.execute(query.limit(page_size(limit)).offset(offset)).scalars())
            total = int(connection.execute(select(func.count(table.c.alert_id)).where(*mine)).scalar_one())
        known = {alert.alert_id: alert for alert in self.named(program_id, names)}
        return [known[name] for name in names if name in known], total

    def named(self, program_id: str, names: Sequence[str]) -> list[Alert]:
        """The alerts with these ids that there are, in any state."""
        found: list[Alert] = []
        with self._database.reading() as connection:
            for some in _batched(names, _NAMED_AT_ONCE):
                query = select(table.c.document).where(table.c.program_id == program_id, table.c.alert_id.in_(some))
                found += [decode(text, Alert) for text in connection.execute(query).scalars()]
        return found

    def standing(self, program_id: str) -> list[Alert]:
        """Every alert of a program, open or not: what people have been told already."""
        query = select(table.c.document).where(table.c.program_id == program_id)
        with self._database.reading() as connection:
            return [decode(text, Alert) for text in connection.execute(query).scalars()]

    def change(self, program_id: str, alert_id: str, how: Callable[[Alert], Alert]) -> Alert:
        """Replaces an alert by what `how` makes of it, in one step; returns it as it now stands, or raises `NotFound`."""
        with self._database.transaction() as connection:
            changed = how(_standing(connection, program_id, alert_id, lock=True))
            _write(connection, changed)
        return changed


def _batched(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (names[first : first + size] for first in range(0, len(names), size))


def _sleeps(alert: Alert, at: datetime | None) -> bool:
    return at is not None and alert.snoozed_until is not None and at < alert.snoozed_until


def _record(connection: Connection, alert: Alert, merge: Merge) -> Alert:
    opened = insert_new(connection, table, _row(alert))
    standing = alert if opened else _standing(connection, alert.program_id, alert.alert_id, lock=True)
    sighting = {"program_id": alert.program_id, "sighting_key": digest(alert.alert_id, alert.decision_id)}
    if not insert_new(connection, alert_sightings, sighting) or opened:
        return standing
    merged = merge(standing, alert)
    _write(connection, merged)
    return merged


def _standing(connection: Connection, program_id: str, alert_id: str, *, lock: bool = False) -> Alert:
    query = select(table.c.document).where(table.c.program_id == program_id, table.c.alert_id == alert_id)
    text = connection.execute(query.with_for_update() if lock else query).scalar()
    if text is None:
        raise NotFound(f"There is no alert {alert_id!r} in this program.")
    return decode(text, Alert)


def _write(connection: Connection, alert: Alert) -> None:
    program_id, alert_id = _key(alert)
    connection.execute(update(table).where(table.c.program_id == program_id, table.c.alert_id == alert_id).values(_row(alert)))


def _key(alert: Alert) -> tuple[str, str]:
    return alert.program_id, alert.alert_id


def _row(alert: Alert) -> dict[str, Any]:
    return {
        "program_id": alert.program_id,
        "alert_id": alert.alert_id,
        "subject_kind": alert.subject_kind.value,
        "subject_id": alert.subject_id,
        "severity": alert.severity.value,
        "state": alert.state.value,
        "expected_loss": alert.expected_loss,
        "score": alert.score,
        "times_seen": alert.times_seen,
        "opened_at": alert.opened_at,
        "last_seen_at": alert.last_seen_at,
        "document": encode(alert),
        "suppressed_by": alert.suppressed_by or None,
        "snoozed_until": alert.snoozed_until,
        "typologies": told_typologies(alert.typologies),
        "subject_name": searchable(alert.subject_id),
    }
