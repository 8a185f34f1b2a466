"""Machines that click."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fraud.simulation.agents import AGENTS
from fraud.simulation.kinds import Kind
from fraud.simulation.networks import Egress, draw_addresses
from fraud.simulation.randomness import fresh
from fraud.simulation.scenarios.base import Scenario, Stage, assign, settle
from fraud.simulation.traffic import identities

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


SCENARIOS = (Scenario(Kind("bot_dc", "F02", "bot_traffic"), bot_dc),)
"""The kinds of this module."""
