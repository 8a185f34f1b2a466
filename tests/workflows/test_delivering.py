"""Deliveries through faults and kills: every event arrives at least once, with one id, in order for each subject."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from fraud.domain.clock import FixedClock, SystemClock
from fraud.domain.outbox import DeliveryState, OutboundEvent
from fraud.sinks.webhook import Webhook
from fraud.storage.database import open_database
from fraud.storage.outbox import SqlOutbox
from fraud.workflows import delivering
from fraud.workflows.delivering import FIRST_PAUSE, LONGEST_PAUSE, Courier, pause_after
from tests.sinks.receivers import Receiver, http_receiver
from tests.sinks.test_sinks import NOON, event

SUBJECTS = 6
EVENTS = 60


def told(receiver: Receiver) -> list[tuple[str, str]]:
    """Subject and id of what arrived, in order."""
    return [(body["subject"], body["id"]) for body in (json.loads(raw) for _, raw in receiver.taken)]


def in_order(received: list[tuple[str, str]]) -> bool:
    """Whether the first arrivals of each subject's events came in the order they happened."""
    numbers: dict[str, list[int]] = {}
    for subject, name in dict.fromkeys(received):
        numbers.setdefault(subject, []).append(int(name.removeprefix("evt_")))
    return all(seen == sorted(seen) for seen in numbers.values())


def filled(path: Path, url: str) -> tuple[SqlOutbox, Webhook]:
    outbox = SqlOutbox(open_database(f"sqlite:///{path}"))
    hook = Webhook(name="hook", url=url, secrets=("s",))
    outbox.publish([event(number, f"aff-{number % SUBJECTS}") for number in range(EVENTS)], [hook])
    return outbox, hook


def test_a_receiver_that_fails_a_third_of_the_time_gets_everything_in_order(tmp_path: Path) -> None:
    with http_receiver() as receiver:
        outbox, hook = filled(tmp_path / "f.sqlite3", receiver.url)
        random.seed(8)
        receiver.answers = [random.choice([204, 204, 204, 204, 204, 204, 204, 500, 503, 429]) for _ in range(400)]
        clock = FixedClock(NOON + timedelta(minutes=2))
        courier = Courier(outbox, [hook], clock, most_attempts=50)
        for _ in range(400):
            courier.run_once()
            clock.move_to(clock.now() + LONGEST_PAUSE)
            if outbox.counts()[DeliveryState.PENDING] == 0:
                break
        received = told(receiver)
    assert receiver.refused > 10
    assert sorted({name for _, name in received}) == sorted(f"evt_{number}" for number in range(EVENTS))
    assert len(received) == EVENTS, "nothing that was taken was sent again"
    assert in_order(received)


class Broken(Webhook):
    """A sink with a fault of its own."""

    def deliver(self, event: OutboundEvent, at: datetime) -> None:
        """Breaks."""
        raise ZeroDivisionError("a fault of ours")


def test_a_sink_that_breaks_is_tried_later_and_keeps_no_other_waiting(tmp_path: Path) -> None:
    with http_receiver() as receiver:
        outbox = SqlOutbox(open_database(f"sqlite:///{tmp_path / 'f.sqlite3'}"))
        hook = Webhook(name="hook", url=receiver.url, secrets=("s",))
        broken = Broken(name="broken", url=receiver.url, secrets=("s",))
        outbox.publish([event(1), event(2, "aff-8")], [broken, hook])
        clock = FixedClock(NOON + timedelta(minutes=2))
        with capture_logs() as logs:
            assert Courier(outbox, [broken, hook], clock, most_attempts=2).run_once() == 4
            clock.move_to(clock.now() + LONGEST_PAUSE)
            assert Courier(outbox, [broken, hook], clock, most_attempts=2).run_once() == 2
        assert {name for _, name in told(receiver)} == {"evt_1", "evt_2"}
    assert outbox.counts() == {DeliveryState.PENDING: 0, DeliveryState.DELIVERED: 2, DeliveryState.DEAD: 2}
    assert {delivery.error for delivery in outbox.dead("shoes", 10)} == {"broke off (ZeroDivisionError); the log has the details"}
    assert [entry["event"] for entry in logs].count("sink_broke") == 4


def test_a_delivery_that_is_refused_for_good_or_for_too_long_is_given_up_and_kept(tmp_path: Path) -> None:
    with http_receiver() as receiver:
        outbox, hook = filled(tmp_path / "f.sqlite3", receiver.url)
        receiver.answers = [410] * EVENTS
        clock = FixedClock(NOON + timedelta(minutes=2))
        courier = Courier(outbox, [hook], clock, most_attempts=3)
        while courier.run_once():
            pass
        assert outbox.counts()[DeliveryState.DEAD] == EVENTS
        assert {delivery.error for delivery in outbox.dead("shoes", 100)} == {"answered 410 Gone"}
        assert outbox.revive("shoes", "hook", clock.now()) == EVENTS
        while courier.run_once():
            pass
        assert in_order(told(receiver))
        assert len(receiver.taken) == EVENTS


def test_pauses_double_up_to_an_hour() -> None:
    assert [pause_after(n) for n in (1, 2, 3)] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pause_after(1_000) == LONGEST_PAUSE


def test_without_sinks_there_is_nothing_to_do(tmp_path: Path) -> None:
    outbox, _ = filled(tmp_path / "f.sqlite3", "http://127.0.0.1:1/")
    assert Courier(outbox, [], SystemClock()).run_once() == 0


def _deliver(path: str, url: str) -> None:
    """A courier process that works until it is killed."""
    delivering.LEASE = timedelta(milliseconds=50)
    outbox = SqlOutbox(open_database(f"sqlite:///{path}"))
    courier = Courier(outbox, [Webhook(name="hook", url=url, secrets=("s",))], SystemClock())
    while True:
        courier.run_once()
        time.sleep(0.002)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_process_killed_in_mid_delivery_loses_nothing_and_keeps_the_order(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "f.sqlite3"
    delays = random.Random(seed)
    with http_receiver() as receiver:
        outbox, hook = filled(path, receiver.url)
        for _ in range(3):
            process = multiprocessing.get_context("spawn").Process(target=_deliver, args=(str(path), receiver.url))
            process.start()
            before = len(receiver.taken)
            while len(receiver.taken) < before + delays.randint(3, 12) and process.is_alive():
                time.sleep(0.001)
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            process.join()
        time.sleep(0.1)  # the dead process' lease passes
        courier = Courier(outbox, [hook], SystemClock())
        while outbox.counts()[DeliveryState.PENDING]:
            courier.run_once()
        received = told(receiver)
    assert {name for _, name in received} == {f"evt_{number}" for number in range(EVENTS)}
    assert in_order(received)
