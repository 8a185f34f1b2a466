"""The one place that reads the time, so that every other module can be told what time it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clock(Protocol):
    """Something that knows what time it is."""

    def now(self) -> datetime:
        """The present moment, in UTC, with its zone."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is moved: for tests, simulations and replays."""

    def __init__(self, at: datetime) -> None:
        self._at = as_utc(at)

    def now(self) -> datetime:
        """The moment that was set."""
        return self._at

    def move_to(self, at: datetime) -> None:
        """Sets another moment."""
        self._at = as_utc(at)


def passed(since: datetime, now: datetime) -> timedelta:
    """How far the clock has moved since then, either way: where it was put back, what was remembered must not stay fresh until it is there
    again."""
    return abs(now - since)


def as_utc(moment: datetime) -> datetime:
    """The same moment in UTC; one without a zone is taken to be UTC already (CONTRACT 1)."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def microseconds(moment: datetime) -> int:
    """A moment with its zone as microseconds since 1970, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_at(at: int) -> datetime:
    """The moment, in UTC, so many microseconds after 1970."""
    return _EPOCH + at * _MICROSECOND


def isoformat(moment: datetime) -> str:
    """ISO 8601 in UTC with a `Z`, microseconds only when there are any."""
    return as_utc(moment).isoformat().replace("+00:00", "Z")
