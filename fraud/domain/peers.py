"""An affiliate beside its peers, feature by feature: what a chart shows and a reason rests on."""

from __future__ import annotations

import msgspec


class PeerComparison(msgspec.Struct, frozen=True, kw_only=True):
    """One feature of one affiliate beside the spread of its peers.

    `value` and `quantiles` (5, 25, 50, 75 and 95%) are in the feature's own `unit`; `z` is the shrunk, one-sided residual.
    """

    feature: str
    title: str
    unit: str
    value: float
    z: float
    sample_size: int
    quantiles: tuple[float, float, float, float, float]
