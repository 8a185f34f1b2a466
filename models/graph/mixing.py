"""How many readers two honest affiliates have in common by chance, so that only more than that is evidence of common ownership.

The people of a market click on many affiliates' links: in a program of any size large affiliates share devices, addresses and customers.
The similarity that detection.md 5 gives for honest pairs was measured where nobody did. So the mixing is learnt from the night itself: from
*how many* pairs share anything, which a ring hardly changes (five members are ten pairs), not from how much they share, which it does.
"""

from __future__ import annotations

import numpy as np
from scipy.special import pdtrc

from models.arrays import FloatArray

UNRELATED_PAIRS = 45.0
"""Pairs that share nothing, believed in beforehand: a program of a handful of affiliates cannot show by itself how audiences mix."""
NICHE = 5.0
"""How many times more than the whole program an audience of one niche may mix."""
SMALLEST_CHANCE = 1e-300
"""Where -log10 ends: beyond it figures say nothing."""
_BINS = 64
_STEPS = 100


def chance_evidence(meetings: FloatArray, left: FloatArray, right: FloatArray, mixing: tuple[FloatArray, float]) -> FloatArray:
    """-log10 of the chance (pairs,) that any pair of the program meets as often as these, even were all of it one niche.

    `meetings` (pairs,) is how many entities of the kind they share most of they have in common, `left` and `right` how many each of the
    two has; `mixing` the same of everybody (affiliates,), and the `mixing_rate` of that kind. At least 0; fewer than two meetings are no
    evidence.
    """
    sizes, rate = mixing
    found = np.zeros(meetings.size)
    several = np.flatnonzero(meetings >= 2.0)
    chance = np.asarray(pdtrc(meetings[several] - 1.0, NICHE * rate * left[several] * right[several]), dtype=np.float64)
    found[several] = np.maximum(-np.log10(np.maximum(chance * max(_pairs(sizes), 1.0), SMALLEST_CHANCE)), 0.0)
    return found


def mixing_rate(sizes: FloatArray, linked: int) -> float:
    """The rate at which affiliates meet, `rate * size * size` times a pair, given how many pairs share anything.

    Meetings being Poisson, a pair shares nothing with probability exp(-rate size size); the rate is the one that expects `linked` pairs,
    of which the part goes that `UNRELATED_PAIRS` take.
    """
    pairs = _pairs(sizes)
    if linked <= 0 or pairs < 1.0:
        return 0.0
    counts, means = _binned(sizes)
    weight = (np.outer(counts, counts) - np.diag(counts)) / 2.0
    product = np.outer(means, means)
    target = min(float(linked), pairs - 0.5) * pairs / (pairs + UNRELATED_PAIRS)
    low, high = -60.0, 60.0
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        expected = float((weight * -np.expm1(-np.exp(middle) * product)).sum())
        low, high = (middle, high) if expected < target else (low, middle)
    return float(np.exp(low))


def _pairs(sizes: FloatArray) -> float:
    return sizes.size * (sizes.size - 1) / 2.0


def _binned(sizes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Affiliates grouped by the logarithm of their size: how many, and their mean size."""
    logs = np.log(np.maximum(sizes, 1.0))
    edges = np.linspace(logs.min(), logs.max() + 1e-9, _BINS)
    place = np.digitize(logs, edges)
    counts = np.bincount(place).astype(np.float64)
    totals = np.bincount(place, weights=np.maximum(sizes, 1.0))
    return counts[counts > 0], totals[counts > 0] / counts[counts > 0]
