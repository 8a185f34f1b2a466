"""The same news twice is one alert, however it arrives."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from fraud.domain.alerts import Alert, AlertQuery, AlertScope, AlertState
from fraud.domain.decisions import SubjectKind
from fraud.domain.signals import Severity
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


@pytest.fixture
def several(alerts: SqlAlerts) -> SqlAlerts:
    """Alerts of different kinds, of which one is snoozed and one is resolved."""
    alerts.record(
        [
            alert("alr_1", subject_id="shoes-daily", severity=Severity.HIGH, typologies=("click_flooding",), expected_loss=5),
            alert("alr_2", subject_id="Shoes_100%", severity=Severity.LOW, typologies=("click_flooding", "geo_mismatch"), expected_loss=9),
            alert(
                "alr_3",
                subject_id="rng_1",
                subject_kind=SubjectKind.RING,
                severity=Severity.MEDIUM,
                typologies=("collusion_ring",),
                opened_at=later(30),
            ),
            alert("alr_4", subject_id="sleeper", snoozed_until=later(48)),
            alert("alr_5", subject_id="settled", state=AlertState.RESOLVED),
        ]
    )
    return alerts


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (AlertQuery(), ["alr_2", "alr_1", "alr_3"]),
        (AlertQuery(search="SHOES"), ["alr_2", "alr_1"]),
        (AlertQuery(search="100%"), ["alr_2"]),
        (AlertQuery(search="%"), ["alr_2"]),
        (AlertQuery(search="no\x00body"), []),
        (AlertQuery(kind=SubjectKind.RING), ["alr_3"]),
        (AlertQuery(severity=Severity.HIGH), ["alr_1"]),
        (AlertQuery(typology="click_flooding"), ["alr_2", "alr_1"]),
        (AlertQuery(typology="flooding"), []),
        (AlertQuery(opened_from=later(1)), ["alr_3"]),
        (AlertQuery(opened_before=later(1)), ["alr_2", "alr_1"]),
        (AlertQuery(among=("alr_3", "alr_5")), ["alr_3"]),
        (AlertQuery(among=()), []),
        (AlertQuery(without=("alr_2",)), ["alr_1", "alr_3"]),
        (AlertQuery(scope=AlertScope.SNOOZED), ["alr_4"]),
        (AlertQuery(scope=AlertScope.RESOLVED), ["alr_5"]),
        (AlertQuery(scope=AlertScope.SUPPRESSED), []),
        (AlertQuery(scope=AlertScope.EXPIRED), []),
    ],
)
def test_a_list_is_what_was_asked_for(several: SqlAlerts, asked: AlertQuery, found: list[str]) -> None:
    shown, total = several.matching("shoes", later(31), asked)
    assert [one.alert_id for one in shown] == found
    assert total == len(found)


def test_a_page_is_a_part_of_the_list(several: SqlAlerts) -> None:
    shown, total = several.matching("shoes", later(31), AlertQuery(scope=AlertScope.ALL, limit=2, offset=1))
    assert (len(shown), total) == (2, 5)
    assert several.matching("other", later(31), AlertQuery(scope=AlertScope.ALL)) == ([], 0)


def test_the_counts_of_a_list_are_those_of_its_parts(several: SqlAlerts) -> None:
    counts = several.counts("shoes", later(31), AlertScope.WAITING)
    for severity, number in counts.severities.items():
        assert several.matching("shoes", later(31), AlertQuery(severity=severity))[1] == number
    for kind, number in counts.kinds.items():
        assert several.matching("shoes", later(31), AlertQuery(kind=kind))[1] == number
    for typology, number in counts.typologies.items():
        assert several.matching("shoes", later(31), AlertQuery(typology=typology))[1] == number
    assert counts.typologies["click_flooding"] == 2
