"""What is asked of an engine: which windows, at which levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fraud.domain.clock import as_utc
from fraud.domain.scans import Period
from fraud.errors import InputError
from fraud.features.definition import Level


@dataclass(frozen=True)
class NumberedWindow:
    """A window of a request: half-open event time in naive UTC, as the lake keeps it, the levels that are asked for in it, and the clicks
    from which a sub-ID has a row."""

    starts: datetime
    ends: datetime
    levels: frozenset[Level]
    least_clicks: int = 0


@dataclass(frozen=True)
class FeatureRequest:
    """The windows `[start, end)` at each level. No two windows that start together may differ. `InputError` when windows make no sense.

    A sub-ID with fewer than `least_clicks` in a window has no row there; it counts in what is usual for the others all the same. Some
    affiliates put the number of the click there, and a row for each takes more memory than the clicks."""

    affiliate: tuple[Period, ...] = ()
    sub_id: tuple[Period, ...] = ()
    least_clicks: int = 0

    @classmethod
    def at(cls, level: Level, windows: Sequence[Period]) -> FeatureRequest:
        """Some windows at one level."""
        return cls(tuple(windows)) if level == "affiliate" else cls(sub_id=tuple(windows))

    @property
    def levels(self) -> dict[Level, tuple[Period, ...]]:
        """The windows by level."""
        return {"affiliate": self.affiliate, "sub_id": self.sub_id}

    def numbered(self) -> list[NumberedWindow]:
        """Every window once, by end and start: its place in the list is its number."""
        wanted: dict[tuple[datetime, datetime], set[Level]] = {}
        for level, windows in self.levels.items():
            bounds = [(naive_utc(window.start), naive_utc(window.end)) for window in windows]
            if len({start for start, _ in bounds}) != len(bounds) or any(end <= start for start, end in bounds):
                raise InputError("Windows must end after they start, and no two may start together.")
            for bound in bounds:
                wanted.setdefault(bound, set()).add(level)
        ordered = sorted(wanted, key=lambda bound: (bound[1], bound[0]))
        return [NumberedWindow(start, end, frozenset(wanted[start, end]), self.least_clicks) for start, end in ordered]


def naive_utc(moment: datetime) -> datetime:
    """A moment as the lake stores it: UTC without a zone."""
    return as_utc(moment).astimezone(UTC).replace(tzinfo=None)


def microseconds(moment: datetime) -> int:
    """A naive UTC moment in microseconds since 1970."""
    since = moment - datetime(1970, 1, 1)  # noqa: DTZ001 - naive UTC on both sides
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
