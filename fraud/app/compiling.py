"""Compiles the kernels that every scan and every scored click needs, ahead of the first one: `python -m fraud.app.compiling`.

Numba compiles on first use and keeps the machine code beside the sources. Most of what a newcomer waits for is that; it needs nothing but
numpy and numba, so an installation can do it on one core while everything else is still being installed on another. Each kernel is called
with next to nothing, in the very types that the engines use: of other types it would be compiled once more.
"""

from __future__ import annotations

import numpy as np

from fraud.enrichment import egress
from fraud.enrichment.compiled import key_table, positions
from fraud.enrichment.egress_kernels import SIGHTING_TYPES, Sightings, address_keys, partition_of, tallies_of
from fraud.features.click_kernels import tallies_of_clicks
from fraud.features.clicks import CLICK_TYPES, Clicks, Program, Verdicts, Windows
from fraud.features.keys import mixed_keys
from fraud.storage.counter_kernels import empty_tables, observe_each, with_room
from models.forest_kernels import forest_scores
from models.meeting_kernels import MeetingTables, by_entity, meetings_of

_ROWS = 2


def compile_kernels() -> None:
    """Compiles what is not yet compiled, the slowest first; a second time it does nothing."""
    _clicks()
    _addresses()
    _counters()
    _forest()
    _meetings()


def _clicks() -> None:
    none = key_table(np.empty(0, np.int64))
    clicks = Clicks._make(np.zeros(_ROWS, kind) for kind in CLICK_TYPES)
    windows = Windows(np.zeros(1, np.int64), np.ones(1, np.int64), np.zeros(1, np.bool_), np.zeros(1, np.int64))
    flags = np.zeros(1, np.bool_)
    program = Program(flags, flags, np.zeros((1, 1), np.bool_), flags, none, flags)
    tallies_of_clicks(clicks, windows, program, Verdicts(none, np.zeros((0, 1), np.bool_), np.zeros((0, 1), np.bool_)))


def _addresses() -> None:
    sightings = Sightings._make(np.ones(_ROWS, kind) for kind in SIGHTING_TYPES)
    partition_of(sightings.network, sightings.address, 1)
    running = egress.RunningTotals([1], _ROWS)
    running.add(sightings.time, sightings.affiliate)
    tallies_of(sightings, np.ones(1, np.int64), egress.LIMITS)
    text, offsets = np.frombuffer(b"10.0.0.1", np.uint8), np.frombuffer(np.array([0, 8], np.int32).tobytes(), np.int32)
    address_keys(text, offsets, np.ones(1, np.bool_))
    read_only = np.frombuffer(bytes(8), np.int64)
    for keys in (np.zeros(1, np.int64), read_only):
        positions(key_table(keys), keys)


def _counters() -> None:
    tables = with_room(empty_tables(0, 1, 1, 1), 1)
    plan, keys = np.zeros((1, 4), np.int64), np.zeros((1, 1, 2), np.uint64)
    observe_each(tables, plan, keys, np.zeros(1, np.int64), (0, 1, 1), np.empty((1, 1)))
    mixed_keys(np.zeros(1, np.uint64), np.zeros((1, 9), np.int64))


def _forest() -> None:
    leaf = (np.zeros((1, 2), np.uint32), np.full(1, np.inf, np.float32), np.zeros(1), np.zeros(1, np.uint32), 0, 1.0)
    forest_scores(np.zeros((_ROWS, 1), np.float32), leaf)


def _meetings() -> None:
    one, begins = np.zeros(1, np.int64), np.array([0, 1], np.int64)
    owner, _ = by_entity(one, one, begins)
    meetings_of(0, 1, MeetingTables(begins, one, begins, owner, one, np.ones(1), 1))


if __name__ == "__main__":
    compile_kernels()
