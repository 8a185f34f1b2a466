"""Conversions that never happened, posted straight to the tracker."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fraud.simulation.kinds import Kind
from fraud.simulation.scenarios.base import Scenario, Stage, joined
from fraud.simulation.traffic import identities
from fraud.simulation.world import SECOND_US

_PHANTOM_SHARE = 0.6
"""Share of the postbacks that name no click at all; the others name one the script made itself. A choice made here."""


def conv_inject(stage: Stage) -> pd.DataFrame:
    """F15: eight conversions for every hundred clicks, evenly spaced, 30 to 33 s after their click where they name one; 60% are undone."""
    rng = stage.rng
    posted = stage.more(max(3, stage.surplus(0.08)))
    count = len(posted)
    step = (stage.end_us - stage.onset_us - 60 * SECOND_US) / max(1, count)
    posted["t"] = (stage.onset_us + (np.arange(count) + rng.uniform(0.45, 0.55, count)) * step).astype(np.int64)
    posted["phantom"] = rng.random(count) < _PHANTOM_SHARE
    posted["server_side"] = posted["converts"] = posted["invalid"] = True
    posted["customer"] = identities(rng.integers(1, 2**64, count, dtype=np.uint64))
    posted["delay_s"] = rng.uniform(30.0, 33.0, count)
    posted["undo_p"] = np.float32(0.6)
    return joined(stage.visits, posted)


SCENARIOS = (Scenario(Kind("conv_inject", "F15", "conversion_injection"), conv_inject),)
"""The kinds of this module."""
