"""One affiliate with more clicks than may be counted at a time: counted in slices of time, the features are the same bits."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fraud.domain.scans import Period
from fraud.features import slices
from fraud.features.engines import local
from fraud.features.engines.budget import WORKING_BYTES, Budget
from fraud.features.request import FeatureRequest

from .programs import START, Rows, lake_of
from .test_engine import _identical

MINUTE = timedelta(minutes=1)
ODD = timedelta(hours=7, minutes=11, seconds=13, microseconds=17)
WINDOWS = (
    Period(start=START, end=START + timedelta(days=1)),
    Period(start=START + ODD, end=START + timedelta(days=1) + ODD),
    Period(start=START + 2 * ODD, end=START + 2 * ODD + timedelta(minutes=90)),
)
REQUEST = FeatureRequest(affiliate=WINDOWS, sub_id=WINDOWS[1:])


def crowded(seed: int, rows: int) -> Rows:
    """Clicks of one affiliate, and a few of others: in bursts that lie across minutes, with ties, unknown values and one busy address."""
    draw = np.random.default_rng(seed)
    bursts = [START + int(draw.integers(1, 2_000)) * MINUTE - timedelta(seconds=2) for _ in range(12)]
    return [_click(draw, number, bursts) for number in range(rows)]


def _click(draw: np.random.Generator, number: int, bursts: list[datetime]) -> dict[str, Any]:
    def some(values: list[Any]) -> Any:
        return values[draw.integers(len(values))]

    alone = START + timedelta(seconds=float(draw.integers(0, 2 * 86_400)))
    moment = some(bursts) + timedelta(milliseconds=500 * int(draw.integers(0, 80))) if draw.random() < 0.6 else alone
    return {
        "click_id": f"c{number}",
        "clicked_at": moment,
        "affiliate_id": some(["big"] * 9 + ["a", "z"]),
        "offer_id": some(["o", "p", "q", None]),
        "sub_id": some([None, "s0", "s1", f"s{number}"]),
        "ip": some([None, "192.0.2.7", "192.0.2.7", f"198.51.100.{number % 40}", f"203.0.{number % 200}.{number % 250}"]),
        "user_agent": some([None, "Mozilla/5.0 Chrome/126", "Mozilla/5.0 Firefox/127", "curl/8.4"]),
        "device_id": some([None, "d", f"d{number % 30}"]),
        "country": some([None, "DE", "FR"]),
        "referrer": some([None, "https://x.example/1", f"https://y{number % 9}.example/"]),
        "dwell_ms": some([None, 100, 9_000]),
    }


@pytest.mark.parametrize("seed", range(3))
def test_a_large_affiliate_in_slices_is_the_affiliate_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    rows = crowded(seed, 700)
    lake = lake_of(tmp_path, clicks=rows)
    sliced: list[int] = []
    count = slices.tallies_in_slices

    def noted(*given: Any) -> Any:
        sliced.append(given[0].rows(given[1]))
        return count(*given)

    monkeypatch.setattr(local, "tallies_in_slices", noted)
    monkeypatch.setattr(slices, "_FEW", 8)
    monkeypatch.setattr(Budget, "beside", lambda budget, _: budget)  # tables of keys are larger than these few clicks
    with closing(lake.connect("p")) as con:
        whole = local.compute_levels(con, REQUEST)
        assert sliced == []
        _identical(whole, local.compute_levels(con, REQUEST, budget=Budget(memory=2 * 150 * WORKING_BYTES, most_rows=60)))
    assert sliced == [sum(row["affiliate_id"] == "big" and _counted(row["clicked_at"]) for row in rows)]


def _counted(moment: datetime) -> bool:
    return WINDOWS[0].start <= moment < WINDOWS[1].end
