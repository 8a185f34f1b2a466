"""Rings of a window, from a lake's own rows."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fraud.domain.scans import Ring
from fraud.links.rings import find_rings
from fraud.storage.lake import ParquetLake
from tests.features.programs import WINDOW, clicks, lake_of

Rows = list[dict[str, Any]]


def rings_of(lake: ParquetLake) -> tuple[Ring, ...]:
    with closing(lake.connect("p")) as events:
        return find_rings(events, WINDOW)


def crowd(size: int = 12) -> Rows:
    """Affiliates with visitors of their own."""
    return [row for a in range(size) for row in clicks(f"a{a}", 20, ip=lambda n, a=a: f"73.{a}.0.{n}", device_id=lambda n, a=a: f"{a}-{n}")]


def accounts(size: int = 12, **changes: dict[str, str]) -> Rows:
    return [{"affiliate_id": f"a{a}", "payout_account": f"iban{a}", **changes.get(f"a{a}", {})} for a in range(size)]


def test_strangers_are_no_ring(tmp_path: Path) -> None:
    assert rings_of(lake_of(tmp_path, clicks=crowd(), affiliates=accounts())) == ()


def test_an_empty_night_has_none(tmp_path: Path) -> None:
    bare = [{key: value for key, value in row.items() if key not in {"ip", "device_id"}} for row in crowd(2)]
    assert rings_of(lake_of(tmp_path, clicks=bare)) == ()


def test_a_shared_payout_account_is_a_ring_and_says_what_is_shared(tmp_path: Path) -> None:
    same = {"payout_account": "iban1"}
    (ring,) = rings_of(lake_of(tmp_path, clicks=crowd(), affiliates=accounts(a2=same, a5=same)))
    assert ring.affiliate_ids == ("a1", "a2", "a5")
    assert [(shared.kind, shared.count) for shared in ring.shared] == [("payout_account", 1)]
    assert 0 < ring.score <= 1


def test_those_who_say_they_belong_together_are_not_accused(tmp_path: Path) -> None:
    same = {"payout_account": "iban1", "group_id": "agency"}
    assert rings_of(lake_of(tmp_path, clicks=crowd(), affiliates=accounts(a1=same, a2=same))) == ()


def test_the_same_members_are_the_same_ring_next_night(tmp_path: Path) -> None:
    same = {"payout_account": "iban1"}
    first, second = (
        rings_of(lake_of(tmp_path / name, clicks=rows, affiliates=accounts(a2=same)))
        for name, rows in (("one", crowd()), ("two", crowd()[::2]))
    )
    assert [ring.ring_id for ring in first] == [ring.ring_id for ring in second]


@pytest.mark.parametrize("owners", [150, 1000])
def test_an_address_that_everybody_is_seen_with_links_nobody(tmp_path: Path, owners: int) -> None:
    hub = [row for a in range(owners) for row in clicks(f"a{a}", 1, ip="10.0.0.1", device_id="kiosk")]
    assert rings_of(lake_of(tmp_path, clicks=hub)) == ()
