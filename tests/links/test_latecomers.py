"""Members of a few clicks: the window shows next to nothing of them, the weeks enough."""

from __future__ import annotations

import zlib
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from fraud.domain.scans import Period
from fraud.links.evidence import GraphNight, graph_night
from tests.features.programs import DAY, START, Rows, clicks, lake_of

END = START + 14 * DAY
WINDOW = Period(start=END - 3 * DAY, end=END)


def visited(name: str, devices: list[str]) -> Rows:
    """One visit for each device, at any time of the two weeks."""
    at = np.random.default_rng(zlib.crc32(name.encode())).uniform(0, 14, len(devices))
    rows = clicks(name, len(devices), device_id=lambda n: devices[n])
    return [row | {"clicked_at": START + timedelta(days=float(when))} for row, when in zip(rows, at, strict=True)]


def crowd() -> Rows:
    rng = np.random.default_rng(4)
    return [row for n in range(40) for row in visited(f"a{n}", [f"d{one}" for one in rng.integers(0, 20_000, 120)])]


def ring(names: str = "xyz", size: int = 90) -> Rows:
    rng = np.random.default_rng(5)
    return [row for name in names for row in visited(name, [f"r{one}" for one in rng.integers(0, 60, size)])]


def looked_at(tmp_path: Path, rows: Rows) -> GraphNight:
    with closing(lake_of(tmp_path, clicks=rows).connect("p")) as events:
        return graph_night(events, WINDOW)


def of_few(name: str, shared: int) -> Rows:
    """Somebody with one visitor every day, the first of whom are the ring's; two come within the window."""
    rows = clicks(name, 10, device_id=lambda n: f"r{n}" if n < shared else f"{name}{n}")
    return [row | {"clicked_at": END - timedelta(days=9.5 - n)} for n, row in enumerate(rows)]


def test_who_had_a_rings_rare_things_over_weeks_is_one_of_it_and_is_shown_with_them(tmp_path: Path) -> None:
    found = looked_at(tmp_path, crowd() + ring() + of_few("late", 4))
    (one,) = found.rings
    assert one.affiliate_ids == ("late", "x", "y", "z")
    assert any("late" in held.affiliate_ids for held in one.things)
    finding = found.of("late")[0]
    assert finding.others == ("x", "y", "z")
    assert [other.others for other in found.of("x") if other.pattern is finding.pattern] == [("late", "y", "z")]


@pytest.mark.parametrize("shared", [0, 1])
def test_one_common_reader_draws_nobody_in(tmp_path: Path, shared: int) -> None:
    found = looked_at(tmp_path, crowd() + ring() + of_few("other", shared))
    assert [one.affiliate_ids for one in found.rings] == [("x", "y", "z")]
    assert found.of("other") == ()
