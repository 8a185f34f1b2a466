"""Deliveries, worked off: each tried until it arrives or is given up, in order for each subject, at least once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from fraud.domain.clock import Clock
from fraud.domain.outbox import Delivery, DeliveryFault, DeliveryState, Outbox, Sink

_log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)
"""Longer than any one delivery can take; a worker that dies in the middle gives its deliveries up after so long."""

MOST_ATTEMPTS = 12
"""With pauses that double from one second to an hour: given up after about a day's third, when a receiver that was down all night is up."""

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(hours=1)
AT_ONCE = 50


class Courier:
    """Works off the deliveries of some sinks."""

    def __init__(self, outbox: Outbox, sinks: Sequence[Sink], clock: Clock, most_attempts: int = MOST_ATTEMPTS) -> None:
        self._outbox = outbox
        self._sinks = {sink.name: sink for sink in sinks}
        self._clock = clock
        self._most_attempts = most_attempts

    def run_once(self) -> int:
        """Tries every delivery that is due; how many were tried."""
        if not self._sinks:
            return 0
        taken = self._outbox.lease(list(self._sinks), self._clock.now(), LEASE, AT_ONCE)
        for delivery in taken:
            self._outbox.settle(self._tried(delivery), self._clock.now())
        return len(taken)

    def _tried(self, delivery: Delivery) -> Delivery:
        attempts, now = delivery.attempts + 1, self._clock.now()
        try:
            self._sinks[delivery.sink].deliver(delivery.event, now)
        except DeliveryFault as fault:
            return self._failed(delivery, attempts, fault, now)
        except Exception as fault:
            # A sink that breaks is one that did not take it: the others must hear their news, and the log has the traceback.
            _log.exception("sink_broke", sink=delivery.sink, event_id=delivery.event.event_id)
            return self._failed(delivery, attempts, DeliveryFault(f"broke off ({type(fault).__name__}); the log has the details"), now)
        return msgspec.structs.replace(delivery, state=DeliveryState.DELIVERED, attempts=attempts, error="")

    def _failed(self, delivery: Delivery, attempts: int, fault: DeliveryFault, now: datetime) -> Delivery:
        gone = fault.final or attempts >= self._most_attempts
        level = _log.error if gone else _log.warning
        level(
            "delivery_failed", event_id=delivery.event.event_id, sink=delivery.sink, attempts=attempts, given_up=gone, reason=fault.message
        )
        return msgspec.structs.replace(
            delivery,
            state=DeliveryState.DEAD if gone else DeliveryState.PENDING,
            attempts=attempts,
            due_at=now + max(pause_after(attempts), fault.wait or timedelta(0)),
            error=fault.message,
        )


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts: doubling, up to an hour."""
    doubled: timedelta = FIRST_PAUSE * 2.0 ** min(attempts - 1, 20)
    return min(LONGEST_PAUSE, doubled)
