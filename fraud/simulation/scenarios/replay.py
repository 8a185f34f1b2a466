"""The same clicks over and over, and several at once."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fraud.simulation.kinds import Kind
from fraud.simulation.networks import Addresses, Egress, draw_addresses
from fraud.simulation.population import LANDING_PAGES
from fraud.simulation.randomness import fresh, stream
from fraud.simulation.scenarios.base import Scenario, Stage, assign, conversions, joined, settle
from fraud.simulation.traffic import identities
from fraud.simulation.world import DAY_S, DAY_US, HOUR_S, PLACES, SECOND_US

_POOL = 4_000
_JITTER_S = 1.5
_AT_ONCE = 5


def replay(stage: Stage) -> pd.DataFrame:
    """F13: 60% of the clicks re-use one recording of 4,000 (time of day, device), common to all who play this, 1.5 s off; 0.1% convert."""
    rng, visits = stage.rng, stage.visits.copy()
    rows = stage.chosen(0.6)
    recording = stream(stage.crowd.spec.seed, "recording")
    recorded = stage.everyone.iloc[recording.integers(0, max(1, len(stage.everyone)), _POOL if len(stage.everyone) else 0)]
    if recorded.empty:
        return visits
    devices, which = fresh(recording, _POOL), rng.integers(0, _POOL, len(rows))
    played = visits["t"].to_numpy()[rows] // DAY_US * DAY_US + recorded["t"].to_numpy()[which] % DAY_US
    at = played + (rng.normal(0.0, _JITTER_S, len(rows)) * SECOND_US).astype(np.int64)
    inside = (at >= stage.onset_us) & (at < stage.end_us)
    rows, which, at = rows[inside], which[inside], at[inside]
    place = recorded["place"].to_numpy()[which]
    homes = [draw_addresses(rng, Egress.HOME, len(rows), where.country) for where in PLACES]
    own = np.arange(len(rows))
    settle(visits, rows, Addresses(*(np.stack([getattr(h, half) for h in homes])[place, own] for half in ("high", "low", "country"))))
    wins = conversions(stage, len(rows), 0.001)
    assign(visits, rows, t=at, place=place, egress=int(Egress.HOME), agent=recorded["agent"].to_numpy()[which])
    assign(visits, rows, device=devices[which], customer=identities(devices[which]), converts=wins, invalid=wins)
    return visits


def ad_stack(stage: Stage) -> pd.DataFrame:
    """F16: each page view sends five clicks to five offers within a second; who clicked nothing buys by chance, hours or days later."""
    rng = stage.rng
    views = stage.visits.iloc[stage.chosen(1.0)]
    offers = len(stage.crowd.people.laws.goods)
    under = joined(*(views.assign(offer=((views["offer"] + layer) % offers).astype(np.int8)) for layer in range(1, _AT_ONCE)))
    under = under.iloc[rng.permutation(len(under))[: stage.surplus(_AT_ONCE)]].reset_index(drop=True)
    count = len(under)
    under["t"] += (rng.uniform(0.0, 0.9, count) * SECOND_US).astype(np.int64)
    page = under["landing"].to_numpy() % (2 * LANDING_PAGES)
    under["landing"] = (under["offer"].to_numpy().astype(np.int16) * 2 * LANDING_PAGES + page).astype(np.int16)
    wins = conversions(stage, count, 0.0015)
    under["converts"] = under["invalid"] = wins
    under["delay_s"] = rng.uniform(HOUR_S, 7 * DAY_S, count)
    unseen = rng.random(count) < 0.6  # a page under another is often not loaded at all
    under["dwell_s"] = under["dwell_s"].where(~unseen).astype(np.float32)
    under["js"] = np.where(unseen, -1, under["js"]).astype(np.int8)
    return joined(stage.visits, under[under["t"] < stage.end_us])


SCENARIOS = (
    Scenario(Kind("replay", "F13", "click_replay"), replay),
    Scenario(Kind("ad_stack", "F16", "ad_stacking", trades=("content", "app", "social")), ad_stack),
)
"""The kinds of this module."""
