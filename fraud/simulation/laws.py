"""The laws a made-up program can follow: two of them, so that what is tuned on one can be measured on the other.

`lognormal` is the detection study's world (`world.py`): log-normal volumes, independent visits, log-normal times to conversion. `hawkes`
differs in every law: Pareto volumes, visits that set off further visits (a Hawkes process), Weibull times to conversion, another audience,
another mix of affiliates, other offers. Nothing may be tuned on `hawkes`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from fraud.errors import InputError
from fraud.simulation import world
from fraud.simulation.randomness import Floats
from fraud.simulation.world import GOODS, PLACES, TRADES, Goods, Place, Trade

Draw = Callable[[np.random.Generator, int], Floats]
"""Draws so many values of one law."""
Spread = Callable[[np.random.Generator, Floats], Floats]
"""Draws one value around each of these medians."""


@dataclass(frozen=True)
class Laws:
    """Everything in which two worlds can differ. Shares are of visits, times in seconds or hours as named.

    `branching` is the mean number of further visits that one visit sets off within `branch_mean_s` seconds of it (0: visits come
    independently). The places of all laws are the same countries in the same order.
    """

    name: str
    goods: tuple[Goods, ...]
    offer_ids: tuple[str, ...]
    places: tuple[Place, ...]
    trades: tuple[Trade, ...]
    volumes: Draw
    typical_volume: float
    qualities: Draw
    prompt_delays: Spread
    values: Draw
    geo_concentration: float = world.GEO_CONCENTRATION
    peak_hours: tuple[float, ...] = world.PEAK_HOURS
    peak_width_h: float = world.PEAK_WIDTH_H
    night_floor: float = world.NIGHT_FLOOR
    weekend_factor: float = world.WEEKEND_FACTOR
    vpn_share: float = world.VPN_SHARE
    corporate_share: float = world.CORPORATE_SHARE
    hosting_share: float = world.HOSTING_SHARE
    refund_share: float = world.REFUND_SHARE
    dwell_median_s: float = world.DWELL_MEDIAN_S
    dwell_sigma: float = world.DWELL_SIGMA
    branching: float = 0.0
    branch_mean_s: float = 1200.0

    def goods_values(self, field: str, offers: np.ndarray) -> np.ndarray:
        """One property of each of these offers (by number)."""
        values: np.ndarray = np.array([getattr(goods, field) for goods in self.goods])[offers]
        return values

    def trade_number(self, name: str) -> int:
        """The number of a type of affiliate."""
        return [trade.name for trade in self.trades].index(name)


def _lognormal_volumes(rng: np.random.Generator, count: int) -> Floats:
    drawn = np.asarray(rng.lognormal(math.log(world.VOLUME_MEDIAN), world.VOLUME_SIGMA, count))
    return np.minimum(drawn, world.VOLUME_CAP)


def _pareto_volumes(rng: np.random.Generator, count: int) -> Floats:
    drawn = _PARETO_LEAST * (1.0 + rng.pareto(_PARETO_SHAPE, count))
    return np.asarray(np.minimum(drawn, _PARETO_CAP))


def _lognormal_delays(rng: np.random.Generator, median: Floats) -> Floats:
    return np.asarray(median * rng.lognormal(0.0, world.SIGMA_DELAY, len(median)))


def _weibull_delays(rng: np.random.Generator, median: Floats) -> Floats:
    unit = np.asarray(rng.weibull(_WEIBULL_SHAPE, len(median)))
    return np.asarray(median * unit / math.log(2.0) ** (1.0 / _WEIBULL_SHAPE))


LOGNORMAL = Laws(
    name="lognormal",
    goods=GOODS,
    offer_ids=tuple(f"offer-{number}" for number in ("17", "23", "31", "38", "44", "52", "60", "71")),
    places=PLACES,
    trades=TRADES,
    volumes=_lognormal_volumes,
    typical_volume=world.VOLUME_MEDIAN * math.exp(world.VOLUME_SIGMA**2 / 2),
    qualities=lambda rng, count: np.asarray(rng.lognormal(0.0, world.QUALITY_SIGMA, count)),
    prompt_delays=_lognormal_delays,
    values=lambda rng, count: np.asarray(rng.lognormal(0.0, world.SIGMA_VALUE, count)),
)
"""The detection study's world."""

_PARETO_SHAPE, _PARETO_LEAST, _PARETO_CAP = 1.15, 18.0, 3000.0
_WEIBULL_SHAPE = 0.62
_AUDIENCE = {
    "US": (0.18, 0.45),
    "GB": (0.10, 0.50),
    "DE": (0.20, 0.38),
    "FR": (0.12, 0.42),
    "ZA": (0.03, 0.60),
    "IN": (0.10, 0.85),
    "ID": (0.06, 0.80),
    "BR": (0.12, 0.70),
    "JP": (0.06, 0.50),
    "AU": (0.03, 0.40),
}


def _places_of(audience: Mapping[str, tuple[float, float]]) -> tuple[Place, ...]:
    return tuple(replace(p, weight=audience[p.country][0], carrier_share=audience[p.country][1]) for p in PLACES)


HAWKES = Laws(
    name="hawkes",
    goods=(
        Goods("Brightwater air fryer", "kitchen", 0.027, 95.0, 1500.0, 0.25, "revshare", 0.07, True, False),
        Goods("Ridgeway rain jackets", "outdoor", 0.016, 110.0, 2000.0, 0.30, "revshare", 0.08, False, False),
        Goods("Sunhill solar quote", "energy", 0.022, 45.0, 420.0, 0.12, "cpl", 0.35, True, False),
        Goods("Kitefish games", "app", 0.055, 12.0, 180.0, 0.06, "cpi", 0.15, True, True),
        Goods("Marlow mattresses", "home", 0.006, 420.0, 4200.0, 0.42, "revshare", 0.05, True, False),
        Goods("Fennel meal boxes", "food", 0.040, 38.0, 800.0, 0.18, "cpa", 0.20, False, False),
        Goods("Ostrava language course", "education", 0.048, 20.0, 150.0, 0.08, "cpl", 0.30, False, False),
        Goods("Quillon stationery", "office", 0.045, 28.0, 700.0, 0.14, "revshare", 0.10, True, False),
        Goods("Bluefin car insurance", "insurance", 0.030, 55.0, 360.0, 0.10, "cpl", 0.30, False, False),
        Goods("Tallow candles", "home", 0.032, 24.0, 500.0, 0.10, "revshare", 0.12, False, True),
        Goods("Aurora rail passes", "travel", 0.010, 160.0, 3000.0, 0.35, "cpa", 0.06, True, False),
    ),
    offer_ids=tuple(str(number) for number in (204, 211, 237, 248, 251, 266, 270, 283, 289, 294, 297)),
    places=_places_of(_AUDIENCE),
    trades=(
        Trade("content", 0.26, 1.0, 1.0, 0.18, 0.50, "search", 0.15),
        Trade("coupon", 0.20, 2.0, 0.45, 0.20, 0.30, "search", 0.18),
        Trade("cashback", 0.10, 2.5, 0.35, 0.42, 0.22, "search", 0.05),
        Trade("email", 0.06, 1.7, 1.3, 0.75, 0.35, "webmail", 0.45),
        Trade("social", 0.22, 0.6, 0.9, 0.45, 0.70, "social", 0.70),
        Trade("search", 0.07, 1.1, 0.7, 0.05, 0.55, "search", 0.80),
        Trade("app", 0.09, 0.7, 0.9, 0.85, 0.65, "social", 0.25),
    ),
    volumes=_pareto_volumes,
    typical_volume=81.0,
    qualities=lambda rng, count: np.asarray(rng.gamma(5.0, 1 / 5.0, count)) + 0.05,
    prompt_delays=_weibull_delays,
    values=lambda rng, count: np.asarray(rng.gamma(3.0, 1 / 3.0, count)) + 0.05,
    geo_concentration=3.0,
    peak_hours=(12.0, 18.5, 22.0),
    peak_width_h=3.8,
    night_floor=0.15,
    weekend_factor=1.1,
    vpn_share=0.05,
    corporate_share=0.03,
    hosting_share=0.012,
    refund_share=0.08,
    dwell_median_s=22.0,
    dwell_sigma=1.3,
    branching=0.35,
    branch_mean_s=900.0,
)
"""Another world, of which detection knows nothing. Every figure is a choice made here, unlike the first's on purpose."""

LAWS: Mapping[str, Laws] = {laws.name: laws for laws in (LOGNORMAL, HAWKES)}
"""The laws by name."""
_SHORT = {"a": "lognormal", "b": "hawkes"}


def laws_of(name: str) -> Laws:
    """The laws of that name (`a` and `b` for short); an unknown one is an `InputError` that lists what there is."""
    found = LAWS.get(_SHORT.get(name.lower(), name.lower()))
    if found is None:
        raise InputError(f"Cannot simulate: there are no laws {name!r}; choose from {', '.join(LAWS)}.")
    return found
