"""Who was seen with what, read from accounts and a window of events."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fraud.domain.scans import Period
from fraud.features.local import compute
from fraud.links import edges
from fraud.links.edges import declared_groups, identity_edges, shared_addresses
from fraud.storage.lake import ParquetLake
from tests.features.programs import DAY, START, WINDOW, clicks, conversions, lake_of


def edges_of(lake: ParquetLake, window: Period = WINDOW) -> set[tuple[str, str, str, int]]:
    with closing(lake.connect("p")) as events:
        frame = identity_edges(events, window)
    assert list(frame.columns) == ["affiliate_id", "kind", "entity", "count"]
    return {(str(a), str(k), str(e), int(c)) for a, k, e, c in frame.itertuples(index=False)}


def test_accounts_and_events_give_edges(tmp_path: Path) -> None:
    lake = lake_of(
        tmp_path,
        affiliates=[{"affiliate_id": "a", "payout_account": "iban", "email": "mail", "signup_device_id": "d0"}],
        clicks=clicks("a", 3, device_id="d1", ip="73.0.0.1"),
        conversions=conversions("a", 2, customer_id="k1"),
    )
    assert edges_of(lake) == {
        ("a", "payout_account", "iban", 1),
        ("a", "email", "mail", 1),
        ("a", "signup_device", "d0", 1),
        ("a", "device", "d1", 3),
        ("a", "ip", "73.0.0.1", 3),
        ("a", "customer", "k1", 2),
    }


def test_what_is_unknown_links_nobody(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, affiliates=[{"affiliate_id": "a"}, {"affiliate_id": "b"}], clicks=clicks("a", 3) + clicks("b", 3))
    assert edges_of(lake) == set()


def test_a_customer_without_a_number_is_known_by_the_mail_address(tmp_path: Path) -> None:
    sold = conversions("a", 2, customer_id=lambda n: "k1" if n else None, customer_email="mail")
    assert {edge[2] for edge in edges_of(lake_of(tmp_path, conversions=sold))} == {"k1", "mail"}


def test_events_outside_the_window_are_not_seen_and_accounts_always_are(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, affiliates=[{"affiliate_id": "a", "tax_id": "t"}], clicks=clicks("a", 5, every=86_400 / 2, ip="73.0.0.1"))
    assert edges_of(lake) == {("a", "tax_id", "t", 1), ("a", "ip", "73.0.0.1", 2)}
    assert edges_of(lake, Period(start=START - DAY, end=START)) == {("a", "tax_id", "t", 1)}
    assert edges_of(lake, Period(start=START, end=START + timedelta(seconds=1))) == {("a", "tax_id", "t", 1), ("a", "ip", "73.0.0.1", 1)}


def test_what_everybody_has_is_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owners = edges.MOST_OWNERS
    rows: list[dict[str, Any]] = [click for n in range(owners + 1) for click in clicks(f"a{n}", 1, ip="10.0.0.1", device_id="d")]
    rows += [click for n in range(owners) for click in clicks(f"b{n}", 1, ip="10.0.0.2")]
    seen = edges_of(lake_of(tmp_path, clicks=rows))
    assert {entity for _, _, entity, _ in seen} == {"10.0.0.2"}
    assert len(seen) == owners


def test_declared_groups_are_read_where_they_are_declared(tmp_path: Path) -> None:
    rows = [{"affiliate_id": "b", "group_id": "agency"}, {"affiliate_id": "a", "group_id": "agency"}, {"affiliate_id": "c"}]
    with closing(lake_of(tmp_path, affiliates=rows).connect("p")) as events:
        groups = declared_groups(events)
    pd.testing.assert_frame_equal(groups, pd.DataFrame({"affiliate_id": ["a", "b"], "group_id": ["agency", "agency"]}), check_dtype=False)


def test_a_carriers_address_is_learned_and_a_households_is_not(tmp_path: Path) -> None:
    """Behind a carrier's address are many people, with agents and devices of their own, on their way to many affiliates."""
    crowd = [
        row
        for a in range(6)
        for row in clicks(f"a{a}", 60, ip="10.9.9.9", user_agent=lambda n: f"Mozilla/5.0 agent {n}", device_id=lambda n, a=a: f"{a}-{n}")
    ]
    lake = lake_of(tmp_path, clicks=crowd + clicks("b", 50, ip="73.0.0.1", user_agent="Mozilla/5.0", device_id="one"))
    with closing(lake.connect("p")) as events:
        compute(events, (WINDOW,), "affiliate")
        assert shared_addresses(events) == ["10.9.9.9"]
