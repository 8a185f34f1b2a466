"""Alerts over the nights: counted, opened again on news alone, at rest after a person has looked, gone when the evidence is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.cases.lifecycle import expired, is_quiet, known_of, news_in, resolved, seen_again
from fraud.domain.alerts import Alert, AlertState, Known
from fraud.domain.signals import Severity
from fraud.policy.pack import AlertPolicy
from tests.storage.samples import NOON, alert

POLICY = AlertPolicy()
SEEN: dict[str, Any] = {"families": ("timing",), "evidence": 4.0, "expected_loss": 100.0}


def opened(**changes: Any) -> Alert:
    fresh = alert(**(SEEN | changes))
    return msgspec.structs.replace(fresh, known=known_of(fresh))


def night(days: float, **changes: Any) -> Alert:
    """A sighting so many days later."""
    at = NOON + timedelta(days=days)
    return opened(decision_id=f"dec_{days}", opened_at=at, last_seen_at=at, **changes)


def test_the_same_night_after_night_is_counted_and_no_news() -> None:
    standing = opened()
    for day in range(1, 6):
        assert not is_quiet(standing, night(day), POLICY), "it keeps its place"
        standing = seen_again(standing, night(day), POLICY)
    assert (standing.times_seen, standing.state, standing.opened_at, standing.news) == (6, AlertState.OPEN, NOON, "")
    assert standing.last_seen_at == NOON + timedelta(days=5)


@pytest.mark.parametrize(
    ("changes", "news"),
    [
        ({"families": ("identity", "timing")}, "Another kind of evidence: identity."),
        ({"evidence": 5.0}, "Evidence rose from 4.0 to 5.0."),
        ({"expected_loss": 200.0}, "What is at stake rose from 100.00 to 200.00."),
        ({"evidence": 4.9, "expected_loss": 199.0}, ""),
        ({"families": ()}, ""),
        ({"evidence": 0.0, "expected_loss": 0.0}, ""),
    ],
)
def test_news_is_another_kind_stronger_evidence_or_a_larger_stake(changes: dict[str, Any], news: str) -> None:
    assert news_in(opened(), night(1, **changes), POLICY) == news


def test_a_resolved_alert_rests_and_then_opens_on_news_alone() -> None:
    settled = resolved(opened(), NOON + timedelta(hours=1))
    assert (settled.state, settled.known) == (AlertState.RESOLVED, Known(**SEEN))
    resting = seen_again(settled, night(3, evidence=9.0), POLICY)
    assert (resting.state, resting.times_seen) == (AlertState.RESOLVED, 2)
    assert seen_again(resting, night(20), POLICY).state is AlertState.RESOLVED, "no news"
    again = seen_again(resting, night(8, evidence=9.0), POLICY)
    assert (again.state, again.reopened, again.opened_at, again.news) == (
        AlertState.OPEN,
        1,
        NOON + timedelta(days=8),
        "Evidence rose from 4.0 to 9.0.",
    )
    assert news_in(again, night(9, evidence=9.5), POLICY) == "", "what opened it again is known from then on"
    assert is_quiet(resolved(again, again.opened_at), night(20, evidence=9.5), POLICY)


def test_what_becomes_critical_does_not_wait() -> None:
    settled = resolved(opened(), NOON)
    worse = night(1, severity=Severity.CRITICAL, families=("identity", "timing"))
    assert seen_again(settled, worse, POLICY).state is AlertState.OPEN


def test_news_ends_a_snooze_and_a_repeat_does_not() -> None:
    snoozed = msgspec.structs.replace(opened(), snoozed_until=NOON + timedelta(days=9))
    assert seen_again(snoozed, night(1), POLICY).snoozed_until is not None
    assert seen_again(snoozed, night(1, evidence=7.0), POLICY).snoozed_until is None


def test_a_sighting_that_arrives_late_is_counted_and_changes_nothing_else() -> None:
    standing = night(5)
    late = seen_again(standing, night(1, evidence=99.0), POLICY)
    assert (late.times_seen, late.evidence, late.opened_at) == (2, 4.0, NOON + timedelta(days=1))


def test_an_alert_that_is_not_seen_any_more_expires() -> None:
    assert not expired(opened(), NOON + timedelta(days=29), POLICY)
    assert expired(opened(), NOON + timedelta(days=30), POLICY)
    assert not expired(resolved(opened(), NOON), NOON + timedelta(days=90), POLICY)


_NIGHTS = st.lists(st.tuples(st.floats(0, 12), st.floats(0, 900), st.booleans()), min_size=1, max_size=60)


@given(_NIGHTS)
def test_nobody_is_asked_twice_without_news(nights: list[tuple[float, float, bool]]) -> None:
    """Whatever the nights bring: each opening after the first says what is new, and openings lie a rest apart."""
    standing, openings = opened(), [NOON]
    for day, (evidence, loss, looked_at) in enumerate(nights, start=1):
        before = standing
        standing = seen_again(standing, night(day, evidence=evidence, expected_loss=loss), POLICY)
        if before.state is not AlertState.OPEN and standing.state is AlertState.OPEN:
            assert standing.news
            assert before.resolved_at is not None
            assert standing.opened_at - before.resolved_at >= timedelta(days=POLICY.cooldown_days)
            openings.append(standing.opened_at)
        if looked_at and standing.state is AlertState.OPEN:
            standing = resolved(standing, NOON + timedelta(days=day))
    assert standing.times_seen == len(nights) + 1
    assert standing.reopened == len(openings) - 1
