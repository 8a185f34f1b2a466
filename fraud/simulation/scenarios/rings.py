"""Several accounts, one hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fraud.simulation.kinds import Kind
from fraud.simulation.networks import Egress, draw_addresses
from fraud.simulation.randomness import fresh, stream
from fraud.simulation.scenarios.base import Scenario, Stage, assign, settle
from fraud.simulation.traffic import conversion_rate, identities
from fraud.simulation.world import PLACES, RATE_CAP

_DEVICES, _ADDRESSES = 300, 120


def ring(stage: Stage) -> pd.DataFrame:
    """F10: about five affiliates share 300 devices on 120 home addresses for 45% of their clicks, which convert 1.6 times as often;
    15% are undone.
    """
    rng, visits = stage.rng, stage.visits.copy()
    shared = stream(stage.crowd.spec.seed, "ring", stage.role.ring_id)
    place = int(shared.integers(0, len(PLACES)))
    addresses = draw_addresses(shared, Egress.HOME, _ADDRESSES, PLACES[place].country)
    devices = fresh(shared, _DEVICES)
    rows = stage.chosen(0.45)
    which = rng.integers(0, _DEVICES, len(rows))
    settle(visits, rows, addresses.take(which % _ADDRESSES))
    rate = conversion_rate(stage.crowd.people, np.full(len(rows), stage.number), visits["offer"].to_numpy()[rows])
    wins = rng.random(len(rows)) < np.minimum(1.6 * rate, RATE_CAP)
    assign(visits, rows, place=place, egress=int(Egress.HOME), device=devices[which], customer=identities(devices[which]))
    assign(visits, rows, converts=wins, invalid=wins, undo_p=0.15)
    return visits


SCENARIOS = (Scenario(Kind("ring", "F10", "collusion_ring", ring_size=5), ring),)
"""The kinds of this module."""
