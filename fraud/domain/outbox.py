"""What the product tells others: events, and their deliveries to the sinks that asked for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

import msgspec


class EventKind(StrEnum):
    """The kinds of event (CONTRACT 4)."""

    ALERT_OPENED = "alert.opened"
    DECISION_MADE = "decision.made"
    COMMISSION_HOLD = "commission.hold"
    COMMISSION_RELEASE = "commission.release"
    CAP_RECOMMENDED = "cap.recommended"
    APPLICATION_DECIDED = "application.decided"
    WATCH_DIGEST = "watch.digest"


class OutboundEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell. The id follows from what happened, so that telling it twice is one event; `subject` is whom it is about, and
    events of one subject arrive in the order they happened."""

    event_id: str
    program_id: str
    kind: EventKind
    subject: str
    created_at: datetime
    data: dict[str, Any]


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event on its way to one sink. `error` says why the last attempt failed."""

    event: OutboundEvent
    sink: str
    state: DeliveryState
    attempts: int
    due_at: datetime
    error: str = ""


class DeliveryFault(Exception):
    """Why a delivery failed; `final` when trying again is no use, `wait` how long the other side asked for."""

    def __init__(self, message: str, *, final: bool = False, wait: timedelta | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.final = final
        self.wait = wait


class Sink(Protocol):
    """Somebody who is told."""

    @property
    def name(self) -> str:
        """What the operator calls it."""
        ...

    def wants(self, event: OutboundEvent) -> bool:
        """Whether it asked for such events."""
        ...

    def deliver(self, event: OutboundEvent, at: datetime) -> None:
        """Tells it; a `DeliveryFault` when it may not have heard."""
        ...


class Outbox(Protocol):
    """Events and their deliveries, kept until they are done."""

    def publish(self, events: Sequence[OutboundEvent], sinks: Sequence[Sink]) -> int:
        """Keeps events, each with a delivery for every sink that wants it; one that is kept already is passed over. How many were new."""
        ...

    def lease(self, sinks: Sequence[str], at: datetime, duration: timedelta, most: int) -> list[Delivery]:
        """Takes pending deliveries that are due, oldest first, none while an earlier one of the same sink and subject is pending.

        Two workers never hold the same one; a lease that has passed is free again.
        """
        ...

    def settle(self, delivery: Delivery, at: datetime) -> None:
        """Writes down how an attempt ended, and gives up the lease."""
        ...

    def dead(self, program_id: str, limit: int) -> list[Delivery]:
        """Deliveries that were given up, newest first."""
        ...

    def revive(self, program_id: str, sink: str, at: datetime) -> int:
        """Makes the dead deliveries of a sink pending again; how many there were."""
        ...

    def counts(self) -> dict[DeliveryState, int]:
        """How many deliveries stand where."""
        ...
