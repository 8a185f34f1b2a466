"""The outbox on both databases: once kept, in order for each subject, leased by one worker at a time."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from fraud.domain.outbox import DeliveryState, Outbox
from fraud.sinks.webhook import Webhook
from fraud.storage.database import Database
from fraud.storage.outbox import SqlOutbox
from tests.sinks.test_sinks import NOON, event

HOOK = Webhook(name="hook", url="http://x", secrets=("s",))
OTHER = Webhook(name="other", url="http://y", secrets=("s",))
LEASE = timedelta(minutes=1)
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return SqlOutbox(database)


def settled(outbox: Outbox, state: DeliveryState, most: int = 10) -> list[str]:
    """Leases what is free for the first sink and settles it; the events' ids."""
    taken = outbox.lease(["hook"], LATER, LEASE, most)
    for delivery in taken:
        outbox.settle(msgspec.structs.replace(delivery, state=state, attempts=delivery.attempts + 1), LATER)
    return [delivery.event.event_id for delivery in taken]


def test_an_event_is_kept_once_and_delivered_to_every_sink_that_wants_it(outbox: Outbox) -> None:
    assert outbox.publish([event(1), event(2, "aff-8")], [HOOK, OTHER]) == 2
    assert outbox.publish([event(1)], [HOOK, OTHER]) == 0
    assert outbox.counts() == {DeliveryState.PENDING: 4, DeliveryState.DELIVERED: 0, DeliveryState.DEAD: 0}
    assert settled(outbox, DeliveryState.DELIVERED) == ["evt_1", "evt_2"]
    assert outbox.counts()[DeliveryState.PENDING] == 2


def test_events_of_one_subject_wait_for_the_one_before(outbox: Outbox) -> None:
    outbox.publish([event(1), event(2), event(3, "aff-8")], [HOOK])
    assert settled(outbox, DeliveryState.PENDING) == ["evt_1", "evt_3"], "the second waits for the first"
    assert settled(outbox, DeliveryState.DELIVERED) == ["evt_1", "evt_3"]
    assert settled(outbox, DeliveryState.DELIVERED) == ["evt_2"]


def test_one_that_is_given_up_lets_the_next_pass(outbox: Outbox) -> None:
    outbox.publish([event(1), event(2)], [HOOK])
    settled(outbox, DeliveryState.DEAD)
    assert settled(outbox, DeliveryState.DELIVERED) == ["evt_2"]
    assert [delivery.event.event_id for delivery in outbox.dead("shoes", 10)] == ["evt_1"]
    assert outbox.dead("hats", 10) == []
    assert outbox.revive("shoes", "hook", LATER) == 1
    assert settled(outbox, DeliveryState.DELIVERED) == ["evt_1"]


def test_a_lease_is_held_by_one_worker_until_it_passes(outbox: Outbox) -> None:
    outbox.publish([event(1)], [HOOK])
    (first,) = outbox.lease(["hook"], LATER, LEASE, 10)
    assert outbox.lease(["hook"], LATER, LEASE, 10) == []
    assert outbox.lease(["hook"], LATER + LEASE, LEASE, 10) == [first]


def test_nothing_is_leased_before_it_is_due_or_for_other_sinks(outbox: Outbox) -> None:
    outbox.publish([event(5)], [HOOK])
    assert outbox.lease(["hook"], NOON, LEASE, 10) == []
    assert outbox.lease(["other"], LATER, LEASE, 10) == []
