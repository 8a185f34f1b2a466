"""Clicks that nobody made, sent in the hope that some device buys by itself later."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fraud.simulation.kinds import Kind
from fraud.simulation.scenarios.base import Scenario, Stage, conversions, joined
from fraud.simulation.world import DAY_S, HOUR_S


def click_flood(stage: Stage) -> pd.DataFrame:
    """F01: twelve times as many clicks again, flat over the day and without referrer; 0.25% 'convert' between an hour and a week later."""
    rng = stage.rng
    flood = stage.more(stage.surplus(12))
    count = len(flood)
    flood["t"] = stage.evenly(count)
    flood["referrer"] = np.int32(-1)
    unseen = rng.random(count) < 0.7  # the page of a background click mostly never loads
    flood["dwell_s"] = np.where(unseen, np.nan, rng.uniform(0.1, 3.0, count)).astype(np.float32)
    flood["js"] = np.where(unseen, -1, 1).astype(np.int8)
    flood["converts"] = flood["invalid"] = conversions(stage, count, 0.0025)
    flood["delay_s"] = rng.uniform(HOUR_S, 7 * DAY_S, count)
    flood["is_new"] = rng.random(count) < 0.35
    return joined(stage.visits, flood)


def cookie_stuff(stage: Stage) -> pd.DataFrame:
    """F04: eight times as many forced clicks, 60% from 40 undeclared sites and the rest without referrer, gone within two seconds;
    0.4% buy later.
    """
    rng = stage.rng
    forced = stage.more(stage.surplus(8))
    count = len(forced)
    sites = stage.undeclared(40)
    forced["referrer"] = np.where(rng.random(count) < 0.6, sites[rng.integers(0, len(sites), count)], -1).astype(np.int32)
    glimpse = np.where(rng.random(count) < 0.9, rng.uniform(0.05, 1.9, count), rng.uniform(2.0, 20.0, count))
    forced["dwell_s"] = np.where(forced["dwell_s"].isna(), np.nan, glimpse).astype(np.float32)
    forced["converts"] = forced["invalid"] = conversions(stage, count, 0.004)
    forced["delay_s"] = 600 + rng.exponential(5 * DAY_S, count)
    forced["is_new"] = rng.random(count) < 0.18
    return joined(stage.visits, forced)


SCENARIOS = (
    Scenario(Kind("click_flood", "F01", "click_flooding"), click_flood),
    Scenario(Kind("cookie_stuff", "F04", "cookie_stuffing"), cookie_stuff),
)
"""The kinds of this module."""
