"""Deliveries, wired: a thread that works them off beside the service, and what an operator asks about them."""

from __future__ import annotations

import threading

import structlog

from fraud.app.parts import App
from fraud.domain.ids import new_id
from fraud.domain.outbox import DeliveryFault, EventKind, OutboundEvent
from fraud.errors import NotFound, StorageError
from fraud.storage.changes import Lookout
from fraud.storage.outbox import deliveries_due
from fraud.workflows.delivering import Courier

POLL_SECONDS = 0.5
_log = structlog.get_logger(__name__)


class CourierThread:
    """A thread that tries every delivery that is due, for as long as the service runs."""

    def __init__(self, app: App) -> None:
        self._courier, self._clock = Courier(app.stores.outbox, app.sinks, app.clock), app.clock
        self._told = [sink.name for sink in app.sinks]
        self._lookout = Lookout(app.database, deliveries_due(self._told))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="courier", daemon=True)

    def start(self) -> None:
        """Starts delivering, where there is anybody to tell."""
        if self._told:
            self._thread.start()

    def stop(self, timeout: float = 30.0) -> None:
        """Finishes the deliveries in hand and stops; what is left waits in the database for the next start."""
        self._stop.set()
        if self._told:
            self._thread.join(timeout)

    def run_once(self) -> int:
        """Tries what is due; returns how many deliveries that were."""
        return self._courier.run_once()

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                tried = self.run_once() if self._lookout.sees(self._clock.now()) else 0
            except Exception:  # whatever broke, others wait for their news, and the next time it may go well
                _log.exception("courier_failed")
                tried = 0
            if not tried:
                self._stop.wait(POLL_SECONDS)
        self._lookout.close()


def try_sink(app: App, name: str) -> None:
    """Sends one made-up event to a sink, past the outbox; a `StorageError` with the reason when it does not arrive."""
    sink = next((one for one in app.sinks if one.name == name), None)
    if sink is None:
        names = ", ".join(one.name for one in app.sinks) or "none yet"
        raise NotFound(f"There is no sink {name!r} in {app.workspace.root / 'sinks.yaml'}; there are: {names}.")
    now = app.clock.now()
    event = OutboundEvent(
        event_id=new_id("evt", now),
        program_id="default",
        kind=EventKind.ALERT_OPENED,
        subject="a-test",
        created_at=now,
        data={"test": True, "reasons": ["This is a test. Nothing happened, and nothing is to be done."]},
    )
    try:
        sink.deliver(event, now)
    except DeliveryFault as fault:
        raise StorageError(f"The sink {name!r} did not take the test: {fault.message}.") from fault
