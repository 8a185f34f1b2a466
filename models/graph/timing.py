"""Affiliates that act at the same moments: lockstep (C29), and gaps between clicks that come back (C27; devices: `replays`).

Sources: CopyCatch (Beutel et al., WWW 2013) and SynchroTrap (Cao et al., CCS 2014) for lockstep; Clicktok (Nagaraja & Shah, WiSec 2019)
for click re-use: replayed clicks keep the gaps between them, or their devices (`models.graph.replays`), or both. `detection.md` 3 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.arrays import BoolArray, FloatArray, IntArray
from models.graph.edges import EntityTable
from models.graph.projection import Links, held, project

GRAM = 5
"""Gaps in a row that make a pattern."""
STEP_US = 500_000
"""Gaps are told apart by half a second."""
CHANCE_PATTERNS = 0.001
"""Patterns that two affiliates may have in common by chance."""
SKETCH = 512
"""Patterns kept of every affiliate: those of the smallest hashes (bottom-k MinHash), so that two sketches overlap as the wholes do."""
FEWEST_SHARED = 3
"""Moments or patterns in common below which nothing is said, however unlikely: two may be one event that was logged twice."""
LEAST_OVERLAP = 0.01
"""Share of the smaller sketch or list of moments that two have in common: below it the rest of the traffic is honest enough."""


@dataclass(frozen=True)
class Together:
    """Pairs of affiliates that act together, and how sure that is: `evidence` (pairs,) is -log10 of the chance in the whole program."""

    links: Links
    evidence: FloatArray


def together(table: EntityTable) -> Together:
    """The pairs whose moments or patterns overlap beyond chance and by enough to mean something."""
    links = project(table)
    size = held(table, ~table.masked)
    smaller = np.maximum(np.minimum(size[links.left], size[links.right]), 1.0)
    rows = links.beyond_chance & (links.shared >= FEWEST_SHARED) & (links.shared / smaller >= LEAST_OVERLAP)
    return Together(links.chosen(rows), links.chance[rows])


def gap_patterns(affiliate: IntArray, at: IntArray) -> tuple[IntArray, IntArray]:
    """The patterns of every affiliate's clicks: distinct (affiliate, pattern) pairs, at most `SKETCH` of each affiliate.

    `affiliate` (clicks,) numbers from 0, `at` (clicks,) microseconds; any order. A pattern is a hash of five gaps in a row. One that the
    affiliate's own mix of gaps would bring about by chance says nothing and is left out: dense traffic repeats itself anyway.
    """
    order = np.lexsort((at, affiliate))
    who, gaps = affiliate[order], np.maximum(np.diff(at[order]), 0) // STEP_US
    if gaps.size < GRAM:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    inside = who[1:] == who[:-1]
    whole = np.lib.stride_tricks.sliding_window_view(inside, GRAM).all(axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(gaps, GRAM)
    kept = whole & _telling(who[1:], gaps, inside)
    return _sketched(who[GRAM:][kept], _hashed(windows[kept]))


def _telling(who: IntArray, gaps: IntArray, inside: BoolArray) -> BoolArray:
    """Which runs of gaps (patterns,) are so rare under their affiliate's own mix of gaps that two affiliates never have one by chance."""
    _, place, count = np.unique(who * (int(gaps.max()) + 1) + gaps, return_inverse=True, return_counts=True)
    size = np.maximum(np.bincount(who, weights=inside), 1.0)
    surprise = -np.log(np.minimum(count[place] / size[who], 1.0))
    run = np.convolve(surprise, np.ones(GRAM), mode="valid")
    return np.asarray(run >= np.log(size[who[GRAM - 1 :]] * size.max() / CHANCE_PATTERNS), dtype=np.bool_)


def _hashed(windows: IntArray) -> IntArray:
    """One 62-bit number for every row of gaps (patterns, gaps)."""
    mixed = np.zeros(len(windows), dtype=np.uint64)
    for column in range(windows.shape[1]):
        mixed = (mixed ^ windows[:, column].astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return (mixed >> np.uint64(2)).astype(np.int64)


def _sketched(owner: IntArray, pattern: IntArray) -> tuple[IntArray, IntArray]:
    pairs = pd.DataFrame({"owner": owner, "pattern": pattern}).drop_duplicates().sort_values(["owner", "pattern"])
    first = pairs[pairs.groupby("owner").cumcount() < SKETCH]
    return first["owner"].to_numpy(dtype=np.int64), first["pattern"].to_numpy(dtype=np.int64)
