"""Visits that were seen before (C27): the same device at the same moment of an earlier day.

Source: Clicktok (Nagaraja & Shah, WiSec 2019), `detection.md` 3: whoever plays a recording of clicks brings its devices back at their
times of day. People come back too, but at any time: of the pairs of days on which one device was seen, chance gives one in 8,640
the same ten seconds. So few visits suffice, and those of all nights and of everybody are pooled: a replayer of twenty clicks is known
by what others played before.

Only the later of two visits counts. Whose clicks were recorded had them first, and is not accused of what others made of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.special import pdtrc

from models.arrays import BoolArray, FloatArray, IntArray, distinct
from models.graph.mixing import NICHE, SMALLEST_CHANCE
from models.graph.projection import BEYOND_CHANCE

DAY_US = 86_400_000_000
MOMENT_US = 10_000_000
"""A replayed click comes back within ten seconds of its time of day."""
FEWEST_REPEATED = 3
"""Visits seen before below which nothing is said, however unlikely: one may have been logged twice, two be one machine's schedule."""


@dataclass(frozen=True)
class Visits:
    """Distinct visits (visits,), in any order: `affiliate` and `device` numbers from 0, `day` a count of days, `moment` the ten seconds of
    the day (`MOMENT_US`)."""

    affiliate: IntArray
    device: IntArray
    day: IntArray
    moment: IntArray


@dataclass(frozen=True)
class Replays:
    """What everybody repeats, by affiliate number (affiliates,).

    `repeated`: devices with a moment that was seen on an earlier day, at anybody's. `chances`: pairs of days that could have met so.
    `evidence`: -log10 of the chance that anybody of the program repeats as much. `recording`: the same number for those who beyond chance
    play from one recording, -1 for everybody else.
    """

    repeated: FloatArray
    chances: FloatArray
    evidence: FloatArray
    recording: IntArray


def replays(visits: Visits, affiliates: int) -> Replays:
    """What each of so many affiliates repeats, and who plays the same."""
    chances = np.bincount(visits.affiliate, weights=_earlier_visits(visits), minlength=affiliates).astype(np.float64)
    place = _places(visits)
    seen = _seen_before(place, visits.day)
    own = distinct(visits.affiliate[seen] * (int(place.max(initial=0)) + 1) + place[seen])
    repeated = np.bincount(own // (int(place.max(initial=0)) + 1), minlength=affiliates).astype(np.float64)
    evidence = repeat_evidence(repeated, chances)
    recording = _recordings(visits.affiliate[seen], place[seen], (visits.affiliate, place), evidence > BEYOND_CHANCE)
    return Replays(repeated, chances, evidence, recording)


def repeat_evidence(repeated: FloatArray, chances: FloatArray) -> FloatArray:
    """-log10 of the chance (affiliates,) that so many visits come back at the very time of day, among everybody.

    `repeated` (affiliates,): devices at ten seconds of the day that were seen on an earlier one. `chances` (affiliates,): earlier days on
    which the device was seen, each of which meets by chance once in 8,640; five times that is allowed, because people keep habits.
    """
    expected = NICHE * chances * MOMENT_US / DAY_US
    p = np.asarray(pdtrc(np.maximum(repeated, 1.0) - 1.0, np.maximum(expected, 1e-12)), dtype=np.float64)
    evidence = -np.log10(np.maximum(p * max(repeated.size, 1), SMALLEST_CHANCE))
    return np.where(repeated >= FEWEST_REPEATED, np.maximum(evidence, 0.0), 0.0)


def _earlier_visits(visits: Visits) -> IntArray:
    """How many visits of the same device there were on earlier days (visits,)."""
    days = int(visits.day.max(initial=0)) + 1
    keys = visits.device * days + visits.day
    ordered = np.sort(keys)
    return np.asarray(np.searchsorted(ordered, keys) - np.searchsorted(ordered, visits.device * days), dtype=np.int64)


def _places(visits: Visits) -> IntArray:
    """One number for each device at a moment of the day (visits,)."""
    return np.asarray(visits.device * (DAY_US // MOMENT_US) + visits.moment, dtype=np.int64)


def _seen_before(place: IntArray, day: IntArray) -> BoolArray:
    """Which visits (visits,) come after an earlier day's at the same place."""
    order = np.lexsort((day, place))
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    first = np.repeat(day[order][starts], np.diff(np.append(starts, place.size)))
    seen = np.empty(place.size, dtype=np.bool_)
    seen[order] = day[order] > first
    return seen


def _recordings(affiliate: IntArray, place: IntArray, everybody: tuple[IntArray, IntArray], sure: BoolArray) -> IntArray:
    """The recording of every affiliate (affiliates,): those who are sure to play one and have a repeated place in common play the same.

    `affiliate` and `place` (repeats,) of what was seen before; `everybody` the same of all visits.
    """
    kept = sure[everybody[0]] & np.isin(everybody[1], place[sure[affiliate]])
    who, what = everybody[0][kept], np.unique(everybody[1][kept], return_inverse=True)[1]
    size = sure.size
    shape = (size + int(what.max(initial=-1)) + 1,) * 2
    met = sparse.coo_array((np.ones(who.size, dtype=np.int8), (who, size + what)), shape=shape)
    return np.where(sure, connected_components(met, directed=False)[1][:size], -1).astype(np.int64)
