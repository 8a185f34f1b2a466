"""One network, or one address, with more clicks than may be counted at a time: learned piece by piece, it is judged the same."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from fraud.enrichment import egress
from fraud.enrichment.egress_kernels import SIGHTING_TYPES, AddressTallies, Sightings, tallies_of
from fraud.features.crowds import tallies_of_crowd
from fraud.features.slices import Room
from fraud.features.spool import Spool

DAY_US = 86_400_000_000
ENDS = np.array([3, 10, 29, 31, 40]) * DAY_US


def crowd(seed: int, rows: int) -> Sightings:
    """Clicks of one network that is half of all, of an address that is a quarter, and of others; with many ties and unknown values."""
    draw = np.random.default_rng(seed)
    kind = draw.integers(0, 4, rows)
    network = np.select([kind < 2, kind == 2], [7, 0], draw.choice([0, 11, 12, 13], rows))
    lone = np.where(kind == 2, 500, draw.integers(600, 640, rows))
    address = np.where(network == 0, lone, network * 1_000 + (draw.integers(0, 40, rows) ** 2 // 40))
    agent = np.where(draw.random(rows) < 0.7, draw.integers(0, 3, rows), draw.integers(0, rows, rows))
    device, affiliate = draw.integers(0, rows // 3, rows), draw.integers(-1, 30, rows).astype(np.int32)
    return Sightings(address, network, agent, device * (draw.random(rows) < 0.8), affiliate, draw.integers(0, 41 * DAY_US, rows))


def spooled(rows: Sightings, folder: Path) -> Spool:
    """The clicks in one partition, which arrived in several batches and do not fit into memory."""
    spool = Spool(SIGHTING_TYPES, 1, folder, 4_000)
    for begin in range(0, len(rows.time), 100):
        batch = [column[begin : begin + 100] for column in rows]
        spool.add(np.zeros(len(batch[0]), np.int32), batch)
    return spool


def _by_address(found: AddressTallies) -> dict[tuple[int, int], tuple[object, ...]]:
    """Every address and window with what was found; a network that is too quiet to matter says nothing."""
    crowded = found.counts[:, 4] >= egress.LIMITS.hosting_clicks
    of_network = np.where(crowded, found.counts[:, 4], 0)
    return {
        (int(key[0]), int(key[1])): (int(key[2]), *counts[:4].tolist(), network, shown.tobytes())
        for key, counts, network, shown in zip(found.keys, found.counts, of_network.tolist(), found.entropies, strict=True)
    }


@pytest.mark.parametrize("seed", range(4))
def test_piece_by_piece_is_as_a_whole(tmp_path: Path, seed: int) -> None:
    rows = crowd(seed, 3_000)
    whole = tallies_of(rows, ENDS, egress.LIMITS)
    with closing(spooled(rows, tmp_path)) as spool:
        pieces = tallies_of_crowd(spool, 0, ENDS, egress.LIMITS, Room(150, 4_000, tmp_path))
    assert len({address for _, address in _by_address(whole)}) > 5
    assert _by_address(pieces) == _by_address(whole)
    assert not list(tmp_path.iterdir())


def test_a_network_of_few_browsers_is_told_by_the_network(tmp_path: Path) -> None:
    """Its single addresses are too quiet; so are they piece by piece."""
    draw, rows = np.random.default_rng(1), 2_000
    pool = crowd(1, rows)._replace(address=7_000 + np.arange(rows) % 900, network=np.full(rows, 7), agent=draw.integers(1, 3, rows))
    pool = pool._replace(agent=np.where(np.arange(rows) % 50, 1, 2))
    whole = tallies_of(pool, ENDS, egress.LIMITS)
    with closing(spooled(pool, tmp_path)) as spool:
        pieces = tallies_of_crowd(spool, 0, ENDS, egress.LIMITS, Room(150, 4_000, tmp_path))
    assert len(_by_address(whole)) > 900
    assert _by_address(pieces) == _by_address(whole)
