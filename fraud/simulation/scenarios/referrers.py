"""Traffic that comes from elsewhere than it says."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fraud.simulation import world
from fraud.simulation.kinds import Kind
from fraud.simulation.networks import Egress
from fraud.simulation.scenarios.base import Scenario, Stage, assign
from fraud.simulation.traffic import conversion_rate

_DOMAINS = 500
_LEAKS = 0.5
"""Share of the brand bidders whose links still carry the advertiser's parameter of the search ad. A choice made here."""


def referrer_launder(stage: Stage) -> pd.DataFrame:
    """F11: 80% of the clicks are bought anywhere and come from 500 undeclared sites; they convert a quarter as often."""
    rng, visits = stage.rng, stage.visits.copy()
    rows = stage.chosen(0.8)
    sites = stage.undeclared(_DOMAINS)
    kept = visits["converts"].to_numpy()[rows] & (rng.random(len(rows)) < 0.25)
    assign(visits, rows, referrer=sites[rng.integers(0, len(sites), len(rows))], converts=kept, invalid=kept)
    return visits


def brandbid(stage: Stage) -> pd.DataFrame:
    """F14: 65% of the clicks come from an ad on the merchant's own name: six times the rate (at most .4), a third of the time to the
    order, one customer in five new.
    """
    rng, visits = stage.rng, stage.visits.copy()
    rows = stage.chosen(0.65)
    people = stage.crowd.people
    first, count = people.platforms["search"]
    rate = conversion_rate(people, np.full(len(rows), stage.number), visits["offer"].to_numpy()[rows])
    buys = visits["egress"].to_numpy()[rows] != Egress.HOSTING
    wins = buys & (rng.random(len(rows)) < np.minimum(6 * rate, 0.4))
    assign(visits, rows, referrer=first + rng.integers(0, count, len(rows)), converts=wins, invalid=wins)
    delay = np.maximum(world.DELAY_CLIP_S[0], visits["delay_s"].to_numpy()[rows] * 0.3)
    assign(visits, rows, delay_s=delay, is_new=rng.random(len(rows)) < 0.2)
    if rng.random() < _LEAKS:
        assign(visits, rows, landing=visits["landing"].to_numpy()[rows] | 1)
    return visits


SCENARIOS = (
    Scenario(Kind("referrer_launder", "F11", "referrer_laundering"), referrer_launder),
    Scenario(Kind("brandbid", "F14", "brand_bidding", trades=("content", "coupon", "social"), no_paid_search=True), brandbid),
)
"""The kinds of this module."""
