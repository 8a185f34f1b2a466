"""What one enormous affiliate, or one enormous address, takes while it is counted: measured in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fraud.features.engines.budget import WORKING_BYTES

ROWS = 2_200_000
"""Just more than half a power of two: tables of keys are then as roomy as they get."""

MOST_IN_SLICES = 40
"""Bytes of a click, when there are some twenty slices: a slice takes what it takes, however many there are."""

_HEAD = """
import sys
from pathlib import Path
import numpy as np
from fraud.enrichment import egress
from fraud.enrichment.compiled import key_table
from fraud.enrichment.egress_kernels import Sightings, tallies_of
from fraud.features.click_kernels import tallies_of_clicks
from fraud.features.clicks import Clicks, Program, Verdicts, Windows

def peak():
    # Not `ru_maxrss`: a child begins with its parent's there, and whoever runs the tests may be larger.
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024

def codes(draw, kinds, rows):
    return draw.integers(-1, kinds, rows).astype(np.int32)

def keys(draw, kinds, rows):
    return draw.integers(0, kinds, rows)
"""

_AFFILIATE = """
PROGRAM = Program(
    np.zeros(50, bool), np.zeros(9, bool), np.zeros((9, 9), bool), np.zeros(1, bool), key_table(np.empty(0, np.int64)), np.zeros(9, bool)
)
WINDOWS = Windows(np.array([0]), np.array([86_400_000_000]), np.array([True]), np.array([LEAST]))
NOBODY = Verdicts(key_table(np.empty(0, np.int64)), np.empty((0, 1), bool), np.empty((0, 1), bool))

def subs(draw, begin, rows):
    return np.arange(begin, begin + rows, dtype=np.int32) if LEAST else codes(draw, 500, rows)

def count(rows):
    draw = np.random.default_rng(1)
    tallies_of_clicks(Clicks(
        np.zeros(rows, np.int32), draw.integers(0, 86_400_000_000, rows), subs(draw, 0, rows), codes(draw, 9, rows),
        codes(draw, 9, rows), keys(draw, rows, rows), codes(draw, 50, rows), keys(draw, rows, rows), codes(draw, 20, rows),
        np.zeros(rows, np.uint16),
    ), WINDOWS, PROGRAM, NOBODY)
"""

_ADDRESS = """
def count(rows):
    draw = np.random.default_rng(1)
    tallies_of(Sightings(
        np.full(rows, 7), np.full(rows, 5), keys(draw, 900, rows), keys(draw, rows, rows), codes(draw, 2000, rows),
        draw.integers(0, 86_400_000_000, rows),
    ), np.array([86_400_000_000]), egress.LIMITS)
"""

_BOTH = [_AFFILIATE.replace("LEAST", least) for least in ("0", "30")]
"""Five hundred sub-IDs; and one for every click, of which none is large enough for a row of its own."""

_IN_SLICES = [
    who.replace("def count(rows):", "def whole(rows):")
    + """
from contextlib import closing
from fraud.features.clicks import CLICK_TYPES
from fraud.features.slices import Room, tallies_in_slices
from fraud.features.spool import Spool

STEP = 50_000

def some(draw, begin, rows):
    return Clicks(
        np.zeros(rows, np.int32), draw.integers(0, 86_400_000_000, rows), subs(draw, begin, rows), codes(draw, 9, rows),
        codes(draw, 9, rows), keys(draw, 1 << 60, rows), codes(draw, 50, rows), keys(draw, 1 << 60, rows), codes(draw, 20, rows),
        np.zeros(rows, CLICK_TYPES[-1]),
    )

def count(rows):
    draw, folder = np.random.default_rng(1), Path(sys.argv[0]).parent
    with closing(Spool(CLICK_TYPES, 1, folder, 1 << 20)) as spool:
        for begin in range(0, rows, STEP):
            own = min(STEP, rows - begin)
            spool.add(np.zeros(own, np.int32), some(draw, begin, own))
        tallies_in_slices(spool, 0, (WINDOWS, PROGRAM, NOBODY), Room(STEP, 1 << 20, folder))
"""
    for who in _BOTH
]

_CROWD = """
from contextlib import closing
from fraud.enrichment.egress_kernels import SIGHTING_TYPES
from fraud.features.crowds import tallies_of_crowd
from fraud.features.slices import Room
from fraud.features.spool import Spool

STEP = 50_000

def some(draw, rows):
    return [
        np.full(rows, 7), np.full(rows, 5), keys(draw, 1 << 60, rows), keys(draw, 1 << 60, rows), codes(draw, 2000, rows),
        draw.integers(0, 86_400_000_000, rows),
    ]

def count(rows):
    draw, folder = np.random.default_rng(1), Path(sys.argv[0]).parent
    with closing(Spool(SIGHTING_TYPES, 1, folder, 1 << 20)) as spool:
        for begin in range(0, rows, STEP):
            own = min(STEP, rows - begin)
            spool.add(np.zeros(own, np.int32), some(draw, own))
        tallies_of_crowd(spool, 0, np.array([86_400_000_000]), egress.LIMITS, Room(STEP, 1 << 20, folder))
"""

_MEASURE = """
count(1000)
before = peak()
count(int(sys.argv[1]))
print((peak() - before) / int(sys.argv[1]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process stands in /proc on Linux")
@pytest.mark.parametrize("who", [*_BOTH, _ADDRESS], ids=["affiliate", "of sub-IDs like click ids", "address"])
def test_a_click_takes_no_more_than_the_budget_reckons_with(tmp_path: Path, who: str) -> None:
    program = tmp_path / "count.py"
    program.write_text(_HEAD + who + _MEASURE)
    done = subprocess.run([sys.executable, str(program), str(ROWS)], check=True, capture_output=True, text=True)
    assert 50 < float(done.stdout) <= WORKING_BYTES


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process stands in /proc on Linux")
@pytest.mark.parametrize("who", [*_IN_SLICES, _CROWD], ids=["affiliate", "of sub-IDs like click ids", "address"])
def test_piece_by_piece_a_click_takes_hardly_anything(tmp_path: Path, who: str) -> None:
    program = tmp_path / "count.py"
    program.write_text(_HEAD + who + _MEASURE)
    done = subprocess.run([sys.executable, str(program), str(ROWS // 2)], check=True, capture_output=True, text=True)
    assert float(done.stdout) <= MOST_IN_SLICES
