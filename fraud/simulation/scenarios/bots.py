"""Machines that click."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fraud.simulation.agents import AGENTS
from fraud.simulation.kinds import Kind
from fraud.simulation.networks import Addresses, Egress, draw_addresses
from fraud.simulation.randomness import Ints, fresh
from fraud.simulation.scenarios.base import Scenario, Stage, assign, conversions, lognormal, settle
from fraud.simulation.traffic import identities
from fraud.simulation.world import PLACES

_ADDRESSES, _AGENTS, _DEVICES_EACH = 60, 4, 3


def bot_dc(stage: Stage) -> pd.DataFrame:
    """F02: 60% of the clicks come from 60 addresses in hosting networks with 4 user agents and 3 devices each, round the clock, and
    never convert.
    """
    rng, visits = stage.rng, stage.visits.copy()
    rows = stage.chosen(0.6)
    which = rng.integers(0, _ADDRESSES, len(rows))
    settle(visits, rows, draw_addresses(rng, Egress.HOSTING, _ADDRESSES).take(which))
    devices = fresh(rng, _ADDRESSES * _DEVICES_EACH)[which * _DEVICES_EACH + rng.integers(0, _DEVICES_EACH, len(rows))]
    agents = rng.choice(np.array(AGENTS.forged), _AGENTS, replace=False)
    assign(visits, rows, egress=int(Egress.HOSTING), device=devices, customer=identities(devices), agent=agents[which % _AGENTS])
    assign(visits, rows, t=rng.integers(stage.onset_us, stage.end_us, len(rows)), converts=False)
    seen = ~visits["dwell_s"].isna().to_numpy()[rows]
    assign(visits, rows[seen], dwell_s=rng.uniform(0.05, 1.5, int(seen.sum())), js=(rng.random(int(seen.sum())) < 0.3).astype(np.int8))
    return visits


def bot_resproxy(stage: Stage) -> pd.DataFrame:
    """F03: 70% of the clicks come through home connections all over the world, each a new address and device with any user agent, at
    gaps of a gamma law (9 events); half without referrer; 0.1% convert.
    """
    rng, visits = stage.rng, stage.visits.copy()
    rows = stage.chosen(0.7)
    count = len(rows)
    _new_people(stage, visits, rows, rng.integers(0, len(PLACES), count))
    assign(visits, rows, agent=rng.integers(0, AGENTS.people, count), t=stage.spaced(rng.gamma(9.0, 1.0, count)))
    _hardly_buy(stage, visits, rows, 0.001)
    assign(visits, rows[rng.random(count) < 0.5], referrer=-1)
    _glance(stage, visits, rows, 3.0, 0.7)
    return visits


def slow_drip(stage: Stage) -> pd.DataFrame:
    """F12: 60% of the clicks come at constant spacing (a tenth of jitter) from a quarter as many home addresses; 0.08% convert."""
    rng, visits = stage.rng, stage.visits.copy()
    rows = stage.chosen(0.6)
    count = len(rows)
    place = visits["place"].to_numpy()[rows]
    homes = max(1, count // 4)
    which = rng.integers(0, homes, count)
    _new_people(stage, visits, rows, place[which])
    devices, addresses = fresh(rng, homes), _addresses_at(stage, place[:homes])
    settle(visits, rows, addresses.take(which))
    assign(visits, rows, place=place[which], device=devices[which], customer=identities(devices[which]))
    assign(visits, rows, t=stage.spaced(rng.uniform(0.9, 1.1, count)))
    _hardly_buy(stage, visits, rows, 0.0008)
    _glance(stage, visits, rows, 6.0, 0.9)
    return visits


def _new_people(stage: Stage, visits: pd.DataFrame, rows: Ints, place: Ints) -> None:
    """Gives each row a home address in its place and a device never seen before."""
    devices = fresh(stage.rng, len(rows))
    settle(visits, rows, _addresses_at(stage, place))
    assign(visits, rows, place=place, egress=int(Egress.HOME), device=devices, customer=identities(devices))


def _addresses_at(stage: Stage, place: Ints) -> Addresses:
    drawn = [draw_addresses(stage.rng, Egress.HOME, len(place), where.country) for where in PLACES]
    rows = np.arange(len(place))
    return Addresses(*(np.stack([getattr(d, half) for d in drawn])[place, rows] for half in ("high", "low", "country")))


def _hardly_buy(stage: Stage, visits: pd.DataFrame, rows: Ints, rate: float) -> None:
    wins = conversions(stage, len(rows), rate)
    assign(visits, rows, converts=wins, invalid=wins)


def _glance(stage: Stage, visits: pd.DataFrame, rows: Ints, median_s: float, scripts: float) -> None:
    """Where the landing page reports anything, these visits stay about so many seconds, and that share runs its script."""
    seen = rows[~visits["dwell_s"].isna().to_numpy()[rows]]
    dwell = lognormal(stage, median_s, 0.8, len(seen))
    assign(visits, seen, dwell_s=dwell, js=(stage.rng.random(len(seen)) < scripts).astype(np.int8))


SCENARIOS = (
    Scenario(Kind("bot_dc", "F02", "bot_traffic"), bot_dc),
    Scenario(Kind("bot_resproxy", "F03", "bot_traffic"), bot_resproxy),
    Scenario(Kind("slow_drip", "F12", "bot_traffic"), slow_drip),
)
"""The kinds of this module."""
