"""The same news twice is one alert, however it arrives."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from fraud.domain.alerts import Alert, AlertState
from fraud.errors import NotFound
from fraud.storage.alerts import SqlAlerts
from fraud.storage.database import Database
from tests.storage.samples import NOON, alert, later


@pytest.fixture
def alerts(database: Database) -> SqlAlerts:
    return SqlAlerts(database)


def as_(state: AlertState) -> Callable[[Alert], Alert]:
    """A change of state and of nothing else."""
    return lambda standing: msgspec.structs.replace(standing, state=state)


def seen_by(decision_id: str, hours: float, alert_id: str = "alr_1", **changes: object) -> Alert:
    """Another sighting of the same alert."""
    return alert(alert_id, decision_id=decision_id, opened_at=later(hours), last_seen_at=later(hours), **changes)


def test_a_new_alert_opens_as_given(alerts: SqlAlerts) -> None:
    assert alerts.record([alert()]) == [alert()]
    assert alerts.get("shoes", "alr_1") == alert()


def test_another_sighting_counts_and_brings_its_reasons_and_score(alerts: SqlAlerts) -> None:
    alerts.record([alert()])
    (standing,) = alerts.record([seen_by("dec_2", 24, score=0.9, reasons=(), expected_loss=70.5)])
    assert standing == alert(score=0.9, reasons=(), expected_loss=70.5, decision_id="dec_2", times_seen=2, last_seen_at=later(24))
    assert alerts.get("shoes", "alr_1") == standing


def test_the_same_sighting_counts_once_even_after_a_later_one(alerts: SqlAlerts) -> None:
    first, second = alert(), seen_by("dec_2", 24, score=0.9)
    for sighting in (first, first, second, first, second):
        (standing,) = alerts.record([sighting])
    assert (standing.times_seen, standing.score, standing.decision_id) == (2, 0.9, "dec_2")


def test_a_sighting_that_arrives_late_counts_but_does_not_replace_newer_reasons(alerts: SqlAlerts) -> None:
    alerts.record([seen_by("dec_2", 24, score=0.9)])
    (standing,) = alerts.record([alert(score=0.1)])
    assert (standing.times_seen, standing.score, standing.opened_at, standing.last_seen_at) == (2, 0.9, NOON, later(24))


def test_alerts_come_back_in_the_order_given(alerts: SqlAlerts) -> None:
    recorded = alerts.record([alert("alr_2"), alert("alr_1"), alert("alr_2")])
    assert [one.alert_id for one in recorded] == ["alr_2", "alr_1", "alr_2"]
    assert {one.times_seen for one in recorded} == {1}


def test_two_sightings_in_one_call_count_twice(alerts: SqlAlerts) -> None:
    first, second = alerts.record([alert(), seen_by("dec_2", 1)])
    assert first == second
    assert first.times_seen == 2


def test_open_alerts_stand_by_expected_loss_then_score(alerts: SqlAlerts) -> None:
    given = {"small": (1.0, 0.9), "large": (10.0, 0.1), "large and likely": (10.0, 0.8), "none": (0.0, 1.0)}
    alerts.record([alert(name, expected_loss=loss, score=score) for name, (loss, score) in given.items()])
    assert [one.alert_id for one in alerts.open_alerts("shoes")] == ["large and likely", "large", "small", "none"]


def test_a_resolved_alert_leaves_the_queue_and_stays_resolved_when_it_is_seen_again(alerts: SqlAlerts) -> None:
    alerts.record([alert()])
    assert alerts.change("shoes", "alr_1", as_(AlertState.RESOLVED)).state is AlertState.RESOLVED
    assert alerts.open_alerts("shoes") == []
    (standing,) = alerts.record([seen_by("dec_2", 1)])
    assert (standing.state, standing.times_seen) == (AlertState.RESOLVED, 2)
    alerts.change("shoes", "alr_1", as_(AlertState.OPEN))
    assert [one.times_seen for one in alerts.open_alerts("shoes")] == [2]


def test_an_unknown_alert_is_not_found(alerts: SqlAlerts) -> None:
    with pytest.raises(NotFound, match="'alr_9'"):
        alerts.change("shoes", "alr_9", as_(AlertState.RESOLVED))
    with pytest.raises(NotFound, match="'alr_9'"):
        alerts.get("shoes", "alr_9")


def test_writers_at_the_same_time_lose_no_sighting(alerts: SqlAlerts) -> None:
    names = ["alr_1", "alr_2", "alr_3"]

    def see(number: int) -> None:
        order = names if number % 2 else names[::-1]  # opposite orders would deadlock if taken as they come
        alerts.record([seen_by(f"dec_{number}", number, alert_id=name) for name in order])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(see, range(40)))
    assert [alerts.get("shoes", name).times_seen for name in names] == [40, 40, 40]
    assert {alerts.get("shoes", name).decision_id for name in names} == {"dec_39"}
