"""Events and deliveries in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, exists, func, or_, select, update

from fraud.domain.outbox import Delivery, DeliveryState, OutboundEvent, Sink
from fraud.storage.changes import Due
from fraud.storage.database import Database
from fraud.storage.documents import decode, digest, encode, insert_new, page_size
from fraud.storage.tables import deliveries as table
from fraud.storage.tables import outbox

_READ = (outbox.c.document, table.c.sink, table.c.state, table.c.attempts, table.c.due_at, table.c.error)


class SqlOutbox:
    """The `Outbox` of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(self, events: Sequence[OutboundEvent], sinks: Sequence[Sink]) -> int:
        """Keeps events, each with a delivery for every sink that wants it; one that is kept already is passed over. How many were new."""
        with self._database.transaction() as connection:
            return sum(_publish(connection, event, [sink.name for sink in sinks if sink.wants(event)]) for event in events)

    def lease(self, sinks: Sequence[str], at: datetime, duration: timedelta, most: int) -> list[Delivery]:
        """Takes pending deliveries that are due, oldest first, none while an earlier one of the same sink and subject is pending."""
        query = select(table.c.event_id, table.c.sink).where(_is_free(sinks, at)).order_by(table.c.number).limit(most)
        with self._database.transaction() as connection:
            names = [(row.event_id, row.sink) for row in connection.execute(query)]
            return [taken for event_id, sink in names if (taken := _take(connection, event_id, sink, (at, at + duration)))]

    def settle(self, delivery: Delivery, at: datetime) -> None:
        """Writes down how an attempt ended, and gives up the lease."""
        changed = {
            "state": delivery.state.value,
            "attempts": delivery.attempts,
            "due_at": delivery.due_at,
            "error": delivery.error,
            "lease_until": None,
            "settled_at": at,
        }
        with self._database.transaction() as connection:
            connection.execute(update(table).where(*_named(delivery.event.event_id, delivery.sink)).values(changed))

    def dead(self, program_id: str, limit: int) -> list[Delivery]:
        """Deliveries that were given up, newest first."""
        query = (
            select(*_READ)
            .join(outbox, outbox.c.event_id == table.c.event_id)
            .where(table.c.program_id == program_id, table.c.state == DeliveryState.DEAD.value)
            .order_by(table.c.settled_at.desc(), table.c.number.desc())
            .limit(page_size(limit))
        )
        with self._database.reading() as connection:
            return [_delivery(row) for row in connection.execute(query)]

    def revive(self, program_id: str, sink: str, at: datetime) -> int:
        """Makes the dead deliveries of a sink pending again; how many there were."""
        dead = (table.c.program_id == program_id, table.c.sink == sink, table.c.state == DeliveryState.DEAD.value)
        changed = {"state": DeliveryState.PENDING.value, "attempts": 0, "due_at": at, "lease_until": None}
        with self._database.transaction() as connection:
            return connection.execute(update(table).where(*dead).values(changed)).rowcount

    def counts(self) -> dict[DeliveryState, int]:
        """How many deliveries stand where."""
        with self._database.reading() as connection:
            rows = connection.execute(select(table.c.state, func.count()).group_by(table.c.state)).all()
        return dict.fromkeys(DeliveryState, 0) | {DeliveryState(state): count for state, count in rows}


def deliveries_due(sinks: Sequence[str]) -> Due:
    """When `SqlOutbox.lease` can take a delivery to one of these sinks next."""
    held = table.c.lease_until > table.c.due_at
    query = select(func.min(case((held, table.c.lease_until), else_=table.c.due_at))).where(_is_first(sinks))

    def due(connection: Connection, at: datetime) -> datetime | None:
        return connection.execute(query).scalar()

    return due


def _publish(connection: Connection, event: OutboundEvent, sinks: Sequence[str]) -> int:
    row = {"event_id": event.event_id, "program_id": event.program_id, "created_at": event.created_at, "document": encode(event)}
    if not insert_new(connection, outbox, row):
        return 0
    number = connection.execute(select(func.coalesce(func.max(table.c.number), 0))).scalar_one()
    common = {
        "event_id": event.event_id,
        "program_id": event.program_id,
        "subject_key": digest(event.program_id, event.subject),
        "state": DeliveryState.PENDING.value,
        "attempts": 0,
        "due_at": event.created_at,
        "error": "",
    }
    for place, sink in enumerate(sinks, start=1):
        connection.execute(table.insert().values({**common, "sink": sink, "number": number + place}))
    return 1


def _is_free(sinks: Sequence[str], at: datetime) -> ColumnElement[bool]:
    return and_(_is_first(sinks), table.c.due_at <= at, or_(table.c.lease_until.is_(None), table.c.lease_until <= at))


def _is_first(sinks: Sequence[str]) -> ColumnElement[bool]:
    """Pending, and no earlier one of the same sink and subject is."""
    earlier = table.alias()
    waits_for = exists().where(
        earlier.c.sink == table.c.sink,
        earlier.c.subject_key == table.c.subject_key,
        earlier.c.state == DeliveryState.PENDING.value,
        earlier.c.number < table.c.number,
    )
    return and_(
        table.c.sink.in_(list(sinks)),
        table.c.state == DeliveryState.PENDING.value,
        ~waits_for,
    )


def _take(connection: Connection, event_id: str, sink: str, lease: tuple[datetime, datetime]) -> Delivery | None:
    """The delivery with its lease written down; `None` when another worker was faster."""
    at, until = lease
    free = or_(table.c.lease_until.is_(None), table.c.lease_until <= at)
    pending = table.c.state == DeliveryState.PENDING.value
    changed = update(table).where(*_named(event_id, sink), pending, free).values(lease_until=until)
    if connection.execute(changed).rowcount != 1:
        return None
    query = select(*_READ).join(outbox, outbox.c.event_id == table.c.event_id).where(*_named(event_id, sink))
    return _delivery(connection.execute(query).one())


def _named(event_id: str, sink: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.c.event_id == event_id, table.c.sink == sink


def _delivery(row: Row[*tuple[Any, ...]]) -> Delivery:
    return Delivery(
        event=decode(row.document, OutboundEvent),
        sink=row.sink,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        due_at=row.due_at,
        error=row.error,
    )
