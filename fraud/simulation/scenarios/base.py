"""The stage on which one affiliate plays its role, and the few moves that the scenarios share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from fraud.simulation import world
from fraud.simulation.kinds import Kind, Role
from fraud.simulation.networks import Addresses
from fraud.simulation.randomness import Bools, Floats, Ints, fresh
from fraud.simulation.traffic import Crowd, draw_visits, identities
from fraud.simulation.words import business_names, domain_of
from fraud.simulation.world import DAY_US, SECOND_US


@dataclass
class Stage:
    """One affiliate, its ordinary visits, and its role.

    A scenario returns the affiliate's visits as they become. `everyone` holds the visits of the affiliates that play no role; only
    attribution theft changes it (the victim loses the conversion). `declared` collects the affiliate's calendar rows: (start, end,
    kind), in microseconds; `bad_subs` the sub-IDs that carry the fraud.
    """

    crowd: Crowd
    number: int
    role: Role
    rng: np.random.Generator
    visits: pd.DataFrame
    everyone: pd.DataFrame
    declared: list[tuple[int, int, str]] = field(default_factory=list)
    bad_subs: list[str] = field(default_factory=list)

    @property
    def end_us(self) -> int:
        """The end of the simulated time."""
        return self.crowd.spec.end_us

    @property
    def onset_us(self) -> int:
        """When the role begins."""
        return self.role.onset_us

    @property
    def acting(self) -> Bools:
        """Which of the affiliate's visits fall after the onset."""
        return self.visits["t"].to_numpy() >= self.onset_us

    def share(self, full: float) -> float:
        """A share or a factor at the role's intensity."""
        return full * self.role.intensity

    def surplus(self, factor: float) -> int:
        """How many visits `factor` times the usual since the onset are, within the world's limit."""
        limit = world.EXTRA_CAP_PER_DAY * max(1.0, (self.end_us - self.onset_us) / DAY_US)
        return int(min(round(self.share(factor) * int(self.acting.sum())), limit))

    def more(self, count: int, places: Sequence[int] = ()) -> pd.DataFrame:
        """`count` further ordinary visits of this affiliate on random days since the onset, from its own audience or from these places."""
        days = max(1, -(-(self.end_us - self.onset_us) // DAY_US))
        day = self.onset_us + self.rng.integers(0, days, count) * DAY_US
        place = self.rng.choice(np.array(places), count) if places else None
        drawn = draw_visits(self.crowd, self.rng, np.full(count, self.number), day, place)
        return drawn[drawn["t"] < self.end_us].reset_index(drop=True)

    def evenly(self, count: int) -> Ints:
        """`count` moments uniform between the onset and the end, in order."""
        return np.sort(self.rng.integers(self.onset_us, self.end_us, count))

    def spaced(self, gaps: Floats) -> Ints:
        """Moments between the onset and the end with gaps in these proportions."""
        after = np.cumsum(gaps)
        total = after[-1] if len(after) else 1.0
        return self.onset_us + (after / total * (self.end_us - self.onset_us - 1)).astype(np.int64)

    def chosen(self, full: float) -> Ints:
        """Positions of a random share (at the role's intensity) of the visits after the onset."""
        return np.flatnonzero(self.acting & (self.rng.random(len(self.visits)) < self.share(full)))

    def undeclared(self, count: int) -> Ints:
        """Numbers of `count` referrers on sites that the affiliate never declared, named like anybody's."""
        sites = [domain_of(name, ending) for name in business_names(self.rng, count) for ending in self.rng.choice(_ENDINGS, 1)]
        return self.crowd.people.strings.referrers.add(*(f"https://{site}/" for site in sites)) + np.arange(count)


_ENDINGS = ("-online", "-net", "-today", "-world", "-plus", "-daily")

Shape = Callable[[Stage], pd.DataFrame]
"""A scenario: what the affiliate's visits become."""


@dataclass(frozen=True)
class Scenario:
    """A kind and how it is played."""

    kind: Kind
    shape: Shape


def assign(visits: pd.DataFrame, rows: Ints, **values: object) -> None:
    """Sets columns on some rows, keeping each column's type."""
    for column, value in values.items():
        changed = visits[column].to_numpy(copy=True)
        changed[rows] = value
        visits[column] = changed


def settle(visits: pd.DataFrame, rows: Ints, addresses: Addresses) -> None:
    """Gives some rows these addresses, one each."""
    assign(visits, rows, high=addresses.high, low=addresses.low, country=addresses.country)


def few_people(stage: Stage, visits: pd.DataFrame, rows: Ints, devices: int) -> None:
    """Makes the visitors of some rows use only so many devices, each with its own customer."""
    pool = fresh(stage.rng, max(1, devices))
    mine = pool[stage.rng.integers(0, len(pool), len(rows))]
    assign(visits, rows, device=mine, customer=identities(mine))


def conversions(stage: Stage, count: int, rate: float) -> Bools:
    """Which of `count` visits convert at that rate."""
    return stage.rng.random(count) < rate


def lognormal(stage: Stage, median: float, sigma: float, count: int) -> Floats:
    """Log-normal draws by median."""
    return np.asarray(stage.rng.lognormal(np.log(median), sigma, count))


def joined(*parts: pd.DataFrame) -> pd.DataFrame:
    """Frames of visits as one."""
    return pd.concat(parts, ignore_index=True)


def burst(stage: Stage, start_us: int, mean_s: float, count: int) -> Ints:
    """`count` moments that fade out exponentially after a start, all before the end."""
    after = stage.rng.exponential(mean_s, count) * SECOND_US
    span = max(1, stage.end_us - start_us)
    return start_us + np.mod(after, span).astype(np.int64)
