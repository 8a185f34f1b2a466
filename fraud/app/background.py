"""What works behind the answers: jobs, deliveries and the nightly schedule, in `fraud serve` itself or in `fraud worker`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from fraud.app.couriers import CourierThread
from fraud.app.parts import App
from fraud.app.scheduling import LOOK_SECONDS, NightWatch, Repeated
from fraud.app.working import Handler, Worker


@contextmanager
def background(app: App, handlers: Mapping[str, Handler]) -> Iterator[None]:
    """Works until the block ends, then finishes what is in hand; what takes longer than that goes back when its lease has passed."""
    parts = (Worker(app, handlers), CourierThread(app), Repeated("nights", NightWatch(app).queue_due, LOOK_SECONDS))
    for part in parts:
        part.start()
    try:
        yield
    finally:
        for part in reversed(parts):
            part.stop()


def work_off(app: App, handlers: Mapping[str, Handler]) -> int:
    """Does what is queued and due now, in this thread; returns how many jobs and deliveries that were."""
    NightWatch(app).queue_due()
    worker, courier = Worker(app, handlers), CourierThread(app)
    done = 0
    while worker.run_one():
        done += 1
    while tried := courier.run_once():
        done += tried
    return done
