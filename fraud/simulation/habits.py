"""How honest affiliates differ from one another besides volume: each has an audience and a way of linking of its own.

The detection study draws one figure per type of affiliate; no two real sites of a type are alike. The spreads are choices made here: about
a factor of one and a half between ordinary affiliates, with a longer tail upward where the cause is somebody's audience.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraud.simulation.laws import Laws
from fraud.simulation.randomness import Bools, Floats, Ints
from fraud.simulation.world import DOUBLE_CLICK_SHARE, RETURNING_SHARE

_ALIKE = 28.0
"""Concentration of an affiliate's share around its type's: the larger, the more alike."""
_EGRESS_SIGMA = 0.4
_UNDO_SIGMA = 0.25
_DELAY_SIGMA = 0.15
_CARRIER_SIGMA = 0.3
_DWELL_SIGMA = 0.18
_DOUBLE_SIGMA = 0.3
_RETURN_SIGMA = 0.25
_MOST = 0.35
"""No ordinary affiliate has more than this share of VPN, office or hosting visits, double clicks or refunds."""
DYNAMIC_SUB_SHARE = 0.015
"""Share of affiliates that pass a fresh token with each click in the sub-ID, as some trackers do."""


@dataclass(frozen=True)
class Habits:
    """One figure per affiliate, shape `(n,)`: shares of visits, and factors on the world's medians."""

    null_referrer: Floats
    platform: Floats
    new_customers: Floats
    vpn: Floats
    corporate: Floats
    hosting: Floats
    carrier_tilt: Floats
    undo: Floats
    delay: Floats
    dwell: Floats
    silent: Floats
    double_click: Floats
    returning: Floats
    dynamic_subs: Bools


def draw_habits(rng: np.random.Generator, laws: Laws, trade: Ints) -> Habits:
    """The habits of affiliates of these types."""
    n = len(trade)

    def around(field: str) -> Floats:
        mean = np.array([getattr(t, field) for t in laws.trades])[trade]
        return np.asarray(rng.beta(_ALIKE * mean, _ALIKE * (1 - mean)))

    def tailed(share: float, sigma: float) -> Floats:
        return np.minimum(share * rng.lognormal(-(sigma**2) / 2, sigma, n), _MOST)

    return Habits(
        null_referrer=around("null_referrer"),
        platform=around("platform_share"),
        new_customers=around("new_customers"),
        vpn=tailed(laws.vpn_share, _EGRESS_SIGMA),
        corporate=tailed(laws.corporate_share, _EGRESS_SIGMA),
        hosting=tailed(laws.hosting_share, _EGRESS_SIGMA),
        carrier_tilt=rng.normal(0.0, _CARRIER_SIGMA, n),
        undo=tailed(laws.refund_share, _UNDO_SIGMA),
        delay=rng.lognormal(0.0, _DELAY_SIGMA, n),
        dwell=rng.lognormal(0.0, _DWELL_SIGMA, n),
        silent=np.asarray(rng.beta(8.0, 32.0, n)),
        double_click=tailed(DOUBLE_CLICK_SHARE, _DOUBLE_SIGMA),
        returning=tailed(RETURNING_SHARE, _RETURN_SIGMA),
        dynamic_subs=rng.random(n) < DYNAMIC_SUB_SHARE,
    )
