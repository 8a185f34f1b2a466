"""Taking the credit for somebody else's sale at the last second."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fraud.simulation.kinds import Kind
from fraud.simulation.randomness import Ints
from fraud.simulation.scenarios.base import Scenario, Stage, assign, conversions, joined
from fraud.simulation.traffic import copy_visitors
from fraud.simulation.world import DAY_S, SECOND_US

_STOLEN_SHARE = 0.6
"""Share of the hijacked sales whose first click was another affiliate's of this program; the others came by themselves. A choice
made here.
"""

_TOOLBAR_S = (5.0, 60.0)
_TOOLBAR_SHARE = 0.1
_TOOLBAR_REACH = 0.05
"""How many orders a toolbar's users place is a choice made here, and so is its reach among everybody's orders."""
_REACH = 0.1
"""One hijacker reaches at most this share of the orders that others earned meanwhile. A choice made here."""


def lasthijack(stage: Stage) -> pd.DataFrame:
    """F05: half of the clicks fall 2 to 25 s before an order; 35% of them get it, 8% of the customers are new, no referrer."""
    rng, visits = stage.rng, stage.visits.copy()
    rows = stage.chosen(0.5)
    wins = conversions(stage, len(rows), 0.35)
    delay = rng.uniform(2.0, 25.0, len(rows))
    assign(visits, rows, converts=wins, invalid=wins, delay_s=delay, is_new=rng.random(len(rows)) < 0.08, referrer=-1)
    _steal(stage, visits, rows[wins & (rng.random(len(rows)) < _STOLEN_SHARE)])
    return visits


def _steal(stage: Stage, visits: pd.DataFrame, rows: Ints) -> None:
    """Moves the clicks of these rows to just before orders that others earned, with the buyer's device; the others lose them."""
    ordered_at = stage.everyone["t"].to_numpy() + (stage.everyone["delay_s"].to_numpy() * SECOND_US).astype(np.int64)
    after_click = stage.everyone["delay_s"].to_numpy() > 40.0
    while_acting = (ordered_at >= stage.onset_us + 30 * SECOND_US) & (ordered_at < stage.end_us)
    prey = np.flatnonzero(stage.everyone["converts"].to_numpy() & after_click & while_acting)
    count = min(len(rows), int(len(prey) * _REACH))
    victims, thefts = stage.rng.choice(prey, count, replace=False), rows[:count]
    copy_visitors(visits, thefts, stage.everyone, victims)
    before = (visits["delay_s"].to_numpy()[thefts] * SECOND_US).astype(np.int64)
    assign(visits, thefts, t=ordered_at[victims] - before, offer=stage.everyone["offer"].to_numpy()[victims], converts=True)
    assign(visits, thefts, landing=stage.everyone["landing"].to_numpy()[victims])
    assign(stage.everyone, victims, converts=False)


def overwrite(stage: Stage) -> pd.DataFrame:
    """F17: a toolbar adds its click 5 to 60 s before the order of somebody whom another affiliate sent within a day, and takes the
    order: one for every ten clicks of its own, as far as there are such orders.
    """
    rng, everyone = stage.rng, stage.everyone
    delay = everyone["delay_s"].to_numpy()
    ordered_at = everyone["t"].to_numpy() + (delay * SECOND_US).astype(np.int64)
    while_acting = (ordered_at >= stage.onset_us + _TOOLBAR_S[1] * SECOND_US) & (ordered_at < stage.end_us)
    sent_today = (delay > _TOOLBAR_S[1] + 10) & (delay < DAY_S)
    prey = np.flatnonzero(everyone["converts"].to_numpy() & while_acting & sent_today)
    count = min(max(3, stage.surplus(_TOOLBAR_SHARE)), int(len(prey) * _TOOLBAR_REACH))
    victims = rng.choice(prey, count, replace=False)
    taken = everyone.iloc[victims].reset_index(drop=True)
    before = rng.uniform(*_TOOLBAR_S, count)
    taken["t"] = ordered_at[victims] - (before * SECOND_US).astype(np.int64)
    taken["affiliate"], taken["delay_s"], taken["invalid"] = stage.number, before, True
    own = stage.crowd.people
    taken["sub"] = np.int32(own.sub_base[stage.number])
    taken["referrer"] = np.int32(-1)
    assign(everyone, victims, converts=False)
    return joined(stage.visits, taken)


SCENARIOS = (
    Scenario(Kind("lasthijack", "F05", "last_click_hijack"), lasthijack),
    Scenario(Kind("overwrite", "F17", "last_click_hijack", trades=("coupon", "cashback", "app")), overwrite),
)
"""The kinds of this module."""
