"""What to simulate, checked before any work is done."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fraud.domain.clock import as_utc
from fraud.errors import InputError
from fraud.simulation.world import DAY_US

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_US = timedelta(microseconds=1)
_MOST_AFFILIATES = 50_000
_MOST_DAYS = 366


@dataclass(frozen=True)
class SimulationSpec:
    """A program to make up. The same spec always gives the same tables.

    `clicks_per_day` is the mean per affiliate (None: the world's own heavy-tailed law). `bad_share` and `hard_share` of the affiliates
    play a kind of fraud or an unusual honest kind, drawn evenly from `kinds` (names such as `click_flood` or codes such as `F01`;
    empty: all there are). `window_days` is tonight's window at the end of the `days`. `intensity` in (0, 1] scales what the fraud does;
    1 is the study's strength. `reviewed_share` of the affiliates get a reviewer's label. `laws` names the world's laws. With `even_volume`
    everybody has the mean of `clicks_per_day`. `onset_days` lets every fraud that has an onset begin so many days before the end.
    """

    seed: int = 0
    affiliates: int = 500
    days: int = 31
    clicks_per_day: float | None = None
    bad_share: float = 0.05
    hard_share: float = 0.08
    kinds: tuple[str, ...] = ()
    window_days: int = 3
    ends_at: datetime = datetime(2026, 3, 31, tzinfo=UTC)
    intensity: float = 1.0
    reviewed_share: float = 0.0
    laws: str = "lognormal"
    even_volume: bool = False
    onset_days: float | None = None

    @property
    def end_us(self) -> int:
        """The end of the simulated time, which no event reaches."""
        return (as_utc(self.ends_at) - _EPOCH) // _ONE_US

    @property
    def start_us(self) -> int:
        """The first simulated moment."""
        return self.end_us - self.days * DAY_US

    @property
    def window_us(self) -> int:
        """The moment tonight's window begins."""
        return self.end_us - self.window_days * DAY_US


def check_spec(spec: SimulationSpec) -> None:
    """Raises `InputError` for the first thing in the spec that cannot be simulated, naming it."""
    for ok, complaint in (
        (spec.seed >= 0, f"seed is {spec.seed}; give a whole number from 0 up"),
        (1 <= spec.affiliates <= _MOST_AFFILIATES, f"affiliates is {spec.affiliates}; give 1 to {_MOST_AFFILIATES}"),
        (1 <= spec.days <= _MOST_DAYS, f"days is {spec.days}; give 1 to {_MOST_DAYS}"),
        (1 <= spec.window_days <= spec.days, f"window_days is {spec.window_days}; give 1 to the number of days ({spec.days})"),
        (
            spec.clicks_per_day is None or (math.isfinite(spec.clicks_per_day) and 0 < spec.clicks_per_day <= 10_000),
            f"clicks_per_day is {spec.clicks_per_day}; give a mean per affiliate above 0 and up to 10000",
        ),
        (0 <= spec.bad_share <= 1, f"bad_share is {spec.bad_share}; give a share from 0 to 1"),
        (0 <= spec.hard_share <= 1, f"hard_share is {spec.hard_share}; give a share from 0 to 1"),
        (
            spec.bad_share + spec.hard_share <= 1,
            f"bad_share and hard_share together are {spec.bad_share + spec.hard_share}; give at most 1",
        ),
        (0 < spec.intensity <= 1, f"intensity is {spec.intensity}; give a number above 0 and up to 1"),
        (
            spec.onset_days is None or 0 < spec.onset_days <= spec.days,
            f"onset_days is {spec.onset_days}; give more than 0 and at most the number of days ({spec.days})",
        ),
        (0 <= spec.reviewed_share <= 1, f"reviewed_share is {spec.reviewed_share}; give a share from 0 to 1"),
    ):
        if not ok:
            raise InputError(f"Cannot simulate: {complaint}.")
