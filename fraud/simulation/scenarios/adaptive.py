"""Fraud that stays below what everybody can compute.

The player knows no detector. It knows the public statistics of any affiliate (growth, sources, rates) and how they spread among affiliates
of its type, and pours as much of four kinds of fraud into its traffic as keeps each within two standard deviations of the mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fraud.simulation import world
from fraud.simulation.agents import AGENTS
from fraud.simulation.kinds import Kind
from fraud.simulation.networks import Egress, draw_addresses
from fraud.simulation.randomness import Floats, fresh
from fraud.simulation.scenarios.base import Scenario, Stage, assign, conversions, joined, settle
from fraud.simulation.traffic import identities
from fraud.simulation.world import DAY_S, HOUR_S

_Z_LIMIT = 2.0
_STEP = 0.005
_MOST = 0.6
_FAST_S = 30.0
_FLOORS = np.array([0.01, 0.02, 0.02, 0.004, 0.004])
"""The least spread the player believes each statistic to have, so that a quiet type of affiliate still leaves room."""
_MOVES = np.array(
    [
        [1.0, 0.0, 1.0, 0.0, 0.0],  # machines in hosting networks
        [0.0, 0.5, 0.9, 0.001, 0.0],  # machines on home connections
        [0.0, 1.0, 0.9, 0.004, 0.0],  # forced clicks
        [0.0, 1.0, 0.0, 0.35, 0.35],  # last-second clicks
    ]
)
"""What one click of each kind adds to: hosting, no referrer, short visit, conversion, conversion within 30 s."""


@dataclass(frozen=True)
class _Public:
    """Public statistics of affiliates as shares of their clicks: mean and spread among those of one type."""

    mean: Floats
    spread: Floats


def adaptive(stage: Stage) -> pd.DataFrame:
    """F18: datacentre robots, home robots, forced and last-second clicks (F02 to F05), each raised in turn until a public statistic
    stands two standard deviations out.
    """
    public = _public_statistics(stage)
    own = _statistics(stage.visits)
    shares = stage.role.intensity * _fill(own, public)
    counts = np.rint(shares * int(stage.acting.sum())).astype(int)
    makers = (_hosted, _at_home, _forced, _last_second)
    parts = [_made(stage, count, maker) for count, maker in zip(counts.tolist(), makers, strict=True) if count]
    return joined(stage.visits, *parts)


def _statistics(visits: pd.DataFrame) -> Floats:
    if visits.empty:
        return np.zeros(len(_FLOORS))
    converts = visits["converts"].to_numpy()
    shares = (
        visits["egress"].to_numpy() == Egress.HOSTING,
        visits["referrer"].to_numpy() < 0,
        visits["dwell_s"].to_numpy() < 2.0,
        converts,
        converts & (visits["delay_s"].to_numpy() < _FAST_S),
    )
    return np.array([share.mean() for share in shares])


def _public_statistics(stage: Stage) -> _Public:
    people, everyone = stage.crowd.people, stage.everyone
    alike = np.flatnonzero(people.trade == people.trade[stage.number])
    table = pd.DataFrame(
        {
            "affiliate": everyone["affiliate"].to_numpy(),
            "hosting": everyone["egress"].to_numpy() == Egress.HOSTING,
            "null": everyone["referrer"].to_numpy() < 0,
            "short": everyone["dwell_s"].to_numpy() < 2.0,
            "converts": everyone["converts"].to_numpy(),
            "fast": everyone["converts"].to_numpy() & (everyone["delay_s"].to_numpy() < _FAST_S),
        }
    )
    by_affiliate = table[table["affiliate"].isin(alike)].groupby("affiliate").mean()
    spread = np.nan_to_num(by_affiliate.std().to_numpy(dtype=float))
    return _Public(np.nan_to_num(by_affiliate.mean().to_numpy(dtype=float)), np.maximum(spread, _FLOORS))


def _fill(own: Floats, public: _Public) -> Floats:
    """Clicks of each kind to add, as shares of the ordinary ones: every kind rises by one step in turn and stops where its next step
    would carry a public statistic, or the growth of the traffic, past the limit.
    """
    shares, rising = np.zeros(len(_MOVES)), np.ones(len(_MOVES), dtype=bool)
    most = min(_MOST, float(np.expm1(_Z_LIMIT * world.DAY_NOISE_SIGMA)))
    while rising.any():
        for kind in np.flatnonzero(rising):
            tried = shares.copy()
            tried[kind] += _STEP
            moved = (own + tried @ _MOVES) / (1 + tried.sum())
            within = (moved - public.mean) / public.spread < _Z_LIMIT
            touched = _MOVES[kind] > 0
            rising[kind] = bool(within[touched].all()) and tried.sum() <= most
            if rising[kind]:
                shares = tried
    return shares


def _made(stage: Stage, count: int, maker: object) -> pd.DataFrame:
    clicks = stage.more(count)
    if len(clicks) and callable(maker):
        maker(stage, clicks)
    return clicks


def _hosted(stage: Stage, clicks: pd.DataFrame) -> None:
    rows = np.arange(len(clicks))
    settle(clicks, rows, draw_addresses(stage.rng, Egress.HOSTING, len(rows)))
    assign(clicks, rows, egress=int(Egress.HOSTING), converts=False, dwell_s=stage.rng.uniform(0.05, 1.5, len(rows)))


def _at_home(stage: Stage, clicks: pd.DataFrame) -> None:
    rng, rows = stage.rng, np.arange(len(clicks))
    devices = fresh(rng, len(rows))
    settle(clicks, rows, draw_addresses(rng, Egress.HOME, len(rows)))
    assign(
        clicks, rows, egress=int(Egress.HOME), device=devices, customer=identities(devices), agent=rng.integers(0, AGENTS.people, len(rows))
    )
    wins = conversions(stage, len(rows), 0.001)
    assign(clicks, rows, converts=wins, invalid=wins, dwell_s=rng.uniform(0.3, 4.0, len(rows)))
    assign(clicks, rows[rng.random(len(rows)) < 0.5], referrer=-1)


def _forced(stage: Stage, clicks: pd.DataFrame) -> None:
    rng, rows = stage.rng, np.arange(len(clicks))
    wins = conversions(stage, len(rows), 0.004)
    assign(clicks, rows, referrer=-1, converts=wins, invalid=wins, dwell_s=rng.uniform(0.05, 1.9, len(rows)))
    assign(clicks, rows, delay_s=rng.uniform(HOUR_S, 5 * DAY_S, len(rows)), is_new=rng.random(len(rows)) < 0.18)


def _last_second(stage: Stage, clicks: pd.DataFrame) -> None:
    rng, rows = stage.rng, np.arange(len(clicks))
    wins = conversions(stage, len(rows), 0.35)
    assign(clicks, rows, referrer=-1, converts=wins, invalid=wins, delay_s=rng.uniform(2.0, 25.0, len(rows)))
    assign(clicks, rows, is_new=rng.random(len(rows)) < 0.08)


SCENARIOS = (Scenario(Kind("adaptive", "F18", "bot_traffic"), adaptive),)
"""The kinds of this module."""
