"""What the graph finds in a window of events: rings, lockstep and recordings of clicks, and whom it leaves in peace."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fraud.domain.graph import GraphFinding, GraphPattern, graph_evidence
from fraud.domain.scans import Period
from fraud.links.evidence import GraphNight, graph_night
from tests.features.programs import DAY, START, lake_of

Rows = list[dict[str, Any]]
NIGHTS = Period(start=START, end=START + 3 * DAY)


def visits(affiliate: str, devices: list[str], seconds: list[float], prefix: str = "") -> Rows:
    return [
        {
            "click_id": f"{prefix}{affiliate}-{number}",
            "clicked_at": START + timedelta(seconds=float(at)),
            "affiliate_id": affiliate,
            "offer_id": "o",
            "device_id": device,
        }
        for number, (device, at) in enumerate(zip(devices, seconds, strict=True))
    ]


def crowd(affiliates: int = 40, clicks: int = 120, people: int = 20_000) -> Rows:
    """Affiliates whose visitors come at any time, a few of them to several."""
    rng = np.random.default_rng(4)
    rows: Rows = []
    for number in range(affiliates):
        devices = [f"d{one}" for one in rng.integers(0, people, clicks)]
        rows += visits(f"a{number}", devices, rng.uniform(0, 3 * 86_400, clicks).tolist())
    return rows


def night(tmp_path: Path, **tables: Rows) -> GraphNight:
    with closing(lake_of(tmp_path, **tables).connect("p")) as events:
        return graph_night(events, NIGHTS)


def patterns(found: GraphNight, affiliate: str) -> set[GraphPattern]:
    return {finding.pattern for finding in found.of(affiliate)}


def test_an_ordinary_crowd_has_nothing(tmp_path: Path) -> None:
    found = night(tmp_path, clicks=crowd())
    assert (found.rings, dict(found.findings)) == ((), {})


def test_devices_that_go_from_one_to_the_next_are_lockstep(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    devices, at = [f"farm{n}" for n in range(60)], rng.uniform(0, 3 * 86_400 - 3_600, 60)
    farm = [row for who in "xyz" for row in visits(who, devices, (at // 3_600 * 3_600 + rng.uniform(0, 3_599, 60)).tolist())]
    found = night(tmp_path, clicks=crowd() + farm)
    assert GraphPattern.LOCKSTEP in patterns(found, "x")
    (ring,) = found.rings
    assert ring.affiliate_ids == ("x", "y", "z")
    assert {finding.typologies for finding in found.of("y") if finding.pattern is GraphPattern.LOCKSTEP} == {("collusion_ring",)}


def test_a_recording_played_every_day_is_a_replay_of_its_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    devices, at = [f"bot{n}" for n in range(30)], rng.uniform(3_600, 80_000, 30)
    played = [
        row for day in range(3) for row in visits("x", devices, (at + day * 86_400 + rng.normal(0, 1.5, 30)).tolist(), prefix=f"{day}-")
    ]
    found = night(tmp_path, clicks=crowd() + played)
    assert patterns(found, "x") == {GraphPattern.REPLAY}
    (finding,) = found.of("x")
    assert (finding.typologies, finding.others) == (("click_replay",), ())
    assert found.rings == ()


def test_gaps_that_come_back_under_other_devices_are_a_replay(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    at = np.cumsum(rng.exponential(400, 200))
    first = visits("x", [f"m{n}" for n in range(200)], at.tolist())
    second = visits("y", [f"n{n}" for n in range(200)], (at + 7_777.0).tolist())
    found = night(tmp_path, clicks=crowd() + first + second)
    assert patterns(found, "x") == patterns(found, "y") == {GraphPattern.REPLAY}
    assert found.of("x")[0].others == ("y",)
    assert found.rings == ()


def test_bursts_of_clicks_are_no_recording(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    blasts = [row for who in "xy" for row in visits(who, [f"{who}{n}" for n in range(900)], np.cumsum(rng.exponential(2, 900)).tolist())]
    found = night(tmp_path, clicks=crowd() + blasts)
    assert dict(found.findings) == {}


def test_a_declared_agency_is_linked_and_not_accused(tmp_path: Path) -> None:
    together = [{"affiliate_id": f"g{n}", "payout_account": "one", "tax_id": "one", "group_id": "agency"} for n in range(6)]
    found = night(tmp_path, clicks=crowd(), affiliates=together)
    assert (found.rings, dict(found.findings)) == ((), {})


def test_a_ring_names_what_it_shares_and_who_else_is_in_it(tmp_path: Path) -> None:
    accounts = [{"affiliate_id": who, "payout_account": "one"} for who in ("a1", "a2")]
    found = night(tmp_path, clicks=crowd(), affiliates=accounts)
    (finding,) = found.of("a1")
    assert finding.others == ("a2",)
    assert finding.typologies == ("duplicate_account",)
    assert "the same payout account" in finding.text


@pytest.mark.parametrize(("evidence", "expected"), [([], None), ([12.0, 3.0], 12.0 - np.log10(4)), ([0.2], None)])
def test_the_best_of_several_patterns_pays_for_how_many_were_tried(evidence: list[float], expected: float | None) -> None:
    found = [GraphFinding(pattern=GraphPattern.RING, evidence=one, others=(), shared={}, typologies=(), text="") for one in evidence]
    assert graph_evidence(found) == (None if expected is None else pytest.approx(expected))
