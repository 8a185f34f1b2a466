"""A scan and a decision told to a receiver: signed, once, in order, and no old news."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fraud.app.couriers import CourierThread, try_sink
from fraud.app.parts import App
from fraud.app.scanning import scan_workspace
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.outbox import DeliveryState
from fraud.errors import InputError, NotFound, StorageError
from fraud.workflows.night import ScanRequest
from tests.sinks.receivers import Receiver, http_receiver

REQUEST = ScanRequest(program_id=DEFAULT_PROGRAM)


@pytest.fixture
def receiver(scanned_copy: App, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver that the workspace's file of sinks names."""
    with http_receiver() as started:
        file = scanned_copy.workspace.root / "sinks.yaml"
        file.write_text(f"sinks: [{{kind: webhook, name: hook, url: '{started.url}', secret_env: HOOK_SECRET}}]")
        monkeypatch.setenv("HOOK_SECRET", "s3cret")
        yield started


def delivered(app: App) -> None:
    """Runs a courier until nothing is pending."""
    courier = CourierThread(app)
    courier.start()
    deadline = time.monotonic() + 60
    while app.stores.outbox.counts()[DeliveryState.PENDING] and time.monotonic() < deadline:
        time.sleep(0.05)
    courier.stop()
    assert app.stores.outbox.counts()[DeliveryState.PENDING] == 0


def test_a_scan_tells_of_alerts_holds_and_caps_and_a_second_one_only_of_news(scanned_copy: App, receiver: Receiver) -> None:
    result = scan_workspace(scanned_copy, REQUEST, SYSTEM, "", lambda _: None).result
    delivered(scanned_copy)
    told = [json.loads(body) for _, body in receiver.taken]
    fresh = {alert.alert_id for alert in result.alerts if alert.times_seen == 1}
    assert {event["data"]["alert_id"] for event in told if event["type"] == "alert.opened"} == fresh
    held = {subject.affiliate_id for subject in result.affiliates if subject.outcome.value in {"hold", "suspend"}}
    assert {event["subject"] for event in told if event["type"] == "commission.hold"} == held
    capped = {subject.affiliate_id: subject.recommended_cap for subject in result.affiliates if subject.recommended_cap is not None}
    assert {event["subject"]: event["data"]["cap"] for event in told if event["type"] == "cap.recommended"} == capped
    before = len(receiver.taken)
    scan_workspace(scanned_copy, REQUEST, SYSTEM, "", lambda _: None)
    delivered(scanned_copy)
    again = [json.loads(body)["type"] for _, body in receiver.taken[before:]]
    assert "alert.opened" not in again, "an alert that stands is no news"


def test_a_test_event_says_whether_a_sink_takes_it(scanned_copy: App, receiver: Receiver) -> None:
    try_sink(scanned_copy, "hook")
    assert json.loads(receiver.taken[0][1])["data"]["test"] is True
    receiver.answers = [403]
    with pytest.raises(StorageError, match="did not take the test: answered 403"):
        try_sink(scanned_copy, "hook")
    with pytest.raises(NotFound, match=r"There is no sink 'mail'.*there are: hook"):
        try_sink(scanned_copy, "mail")


def test_a_workspace_without_sinks_keeps_no_events(scanned_copy: App) -> None:
    scan_workspace(scanned_copy, REQUEST, SYSTEM, "", lambda _: None)
    assert set(scanned_copy.stores.outbox.counts().values()) == {0}


def test_a_file_of_sinks_that_cannot_be_used_is_said_before_anything_is_lost(scanned_copy: App, tmp_path: Path) -> None:
    (scanned_copy.workspace.root / "sinks.yaml").write_text("sinks: [{kind: pigeon}]")
    with pytest.raises(InputError, match="file of sinks"):
        CourierThread(scanned_copy)
