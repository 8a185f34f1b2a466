from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from fraud.domain.clock import FixedClock, SystemClock, as_utc, isoformat


def test_times_without_a_zone_are_utc() -> None:
    assert as_utc(datetime(2026, 3, 1, 10)) == datetime(2026, 3, 1, 10, tzinfo=UTC)  # noqa: DTZ001 - the case under test


def test_other_zones_are_turned_to_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert isoformat(datetime(2026, 3, 1, 10, tzinfo=tokyo)) == "2026-03-01T01:00:00Z"


def test_the_fixed_clock_stands_still_until_it_is_moved() -> None:
    clock = FixedClock(datetime(2026, 3, 1, tzinfo=UTC))
    assert clock.now() == clock.now()
    clock.move_to(datetime(2026, 3, 2, tzinfo=UTC))
    assert clock.now().day == 2


def test_the_system_clock_knows_its_zone() -> None:
    assert SystemClock().now().tzinfo is UTC
