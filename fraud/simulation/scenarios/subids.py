"""Bad traffic hidden among ever new sub-IDs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fraud.simulation.agents import draw_agents
from fraud.simulation.kinds import Kind
from fraud.simulation.networks import Egress, draw_addresses
from fraud.simulation.randomness import Ints
from fraud.simulation.scenarios.base import Scenario, Stage, assign, conversions, settle
from fraud.simulation.world import DAY_US

_NEW_PER_DAY, _BAD_SHARE = 400, 0.25
_CLICKS_EACH = 6
"""A small affiliate makes fewer new sub-IDs, so that each still gets about this many clicks. A choice made here."""


def subid_launder(stage: Stage) -> pd.DataFrame:
    """F09: up to 400 new sub-IDs a day, a quarter of them bad: 0.2% convert, half come from hosting with six user agents, from 200
    undeclared sites.
    """
    rng, visits = stage.rng, stage.visits.copy()
    acting = np.flatnonzero(stage.acting)
    days = max(1, -(-(stage.end_us - stage.onset_us) // DAY_US))
    per_day = int(np.clip(len(acting) / days / _CLICKS_EACH, 4, _NEW_PER_DAY))
    first = stage.crowd.people.strings.subs.add(*(f"s{token:x}" for token in rng.choice(16**7, days * per_day, replace=False).tolist()))
    day = (visits["t"].to_numpy()[acting] - stage.onset_us) // DAY_US
    own = day * per_day + rng.integers(0, per_day, len(acting))
    assign(visits, acting, sub=first + own)
    bad = rng.random(days * per_day) < stage.share(_BAD_SHARE)
    _spoil(stage, visits, acting[bad[own]])
    names = stage.crowd.people.strings.subs.names
    stage.bad_subs += [names[first + number] for number in np.unique(own[bad[own]]).tolist()]
    return visits


def _spoil(stage: Stage, visits: pd.DataFrame, rows: Ints) -> None:
    rng = stage.rng
    sites = stage.undeclared(200)
    wins = conversions(stage, len(rows), 0.002)
    assign(visits, rows, referrer=sites[rng.integers(0, len(sites), len(rows))], converts=wins, invalid=wins)
    hosted = rows[rng.random(len(rows)) < 0.5]
    settle(visits, hosted, draw_addresses(rng, Egress.HOSTING, len(hosted)))
    assign(visits, hosted, egress=int(Egress.HOSTING))
    assign(visits, rows, agent=draw_agents(rng, Egress.CORPORATE, 6)[rng.integers(0, 6, len(rows))])


SCENARIOS = (Scenario(Kind("subid_launder", "F09", "sub_id_laundering"), subid_launder),)
"""The kinds of this module."""
