"""Who was seen with what, read from accounts and a window of events."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fraud.domain.scans import Period
from fraud.links import edges
from fraud.links.edges import declared_groups, identity_edges, shared_addresses
from fraud.storage.lake import ParquetLake
from tests.features.programs import DAY, START, WINDOW, clicks, conversions, lake_of


def edges_of(lake: ParquetLake, window: Period = WINDOW) -> set[tuple[str, str, str, int]]:
    with closing(lake.connect("p")) as events:
        frame = identity_edges(events, window)
    assert tuple(frame.columns) == edges.COLUMNS
    return {(str(a), str(k), str(e), int(c)) for a, k, e, c, *_ in frame.itertuples(index=False)}


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
        ("a", "network", "73.0.0.0/24", 3),
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
    assert edges_of(lake) == {("a", "tax_id", "t", 1), ("a", "ip", "73.0.0.1", 2), ("a", "network", "73.0.0.0/24", 2)}
    assert edges_of(lake, Period(start=START - DAY, end=START)) == {("a", "tax_id", "t", 1)}
    assert ("a", "ip", "73.0.0.1", 1) in edges_of(lake, Period(start=START, end=START + timedelta(seconds=1)))


def test_what_everybody_has_is_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owners = edges.MOST_OWNERS
    rows: list[dict[str, Any]] = [click for n in range(owners + 1) for click in clicks(f"a{n}", 1, ip="10.0.0.1", device_id="d")]
    rows += [click for n in range(owners) for click in clicks(f"b{n}", 1, ip="10.0.0.2")]
    seen = edges_of(lake_of(tmp_path, clicks=rows))
    assert {entity for _, kind, entity, _ in seen if kind != "network"} == {"10.0.0.2"}
    assert len([edge for edge in seen if edge[1] == "ip"]) == owners


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
        assert shared_addresses(events, WINDOW) == ["10.9.9.9"]


def test_edges_say_when_and_from_where(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, affiliates=[{"affiliate_id": "a", "tax_id": "t"}], clicks=clicks("a", 3, device_id="d"))
    with closing(lake.connect("p")) as events:
        seen = {str(row["kind"]): row for row in identity_edges(events, WINDOW).to_dict("records")}
    assert (seen["device"]["count"], seen["device"]["source"]) == (3, "clicks")
    assert seen["device"]["last_seen"] - seen["device"]["first_seen"] == timedelta(seconds=120)
    assert seen["tax_id"]["source"] == "account"
    assert pd.isna(seen["tax_id"]["first_seen"])


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("73.4.5.6", "73.4.5.0/24"),
        ("2001:db8:1:2ff:aa::1", "2001:db8:1:0200::/56"),
        ("2001:DB8:1:1234:aa::1", "2001:db8:1:1200::/56"),
        ("not an address", None),
        ("2001:db8::1", None),
    ],
)
def test_networks_are_those_of_one_subscriber(tmp_path: Path, ip: str, network: str | None) -> None:
    found = {kind: entity for _, kind, entity, _ in edges_of(lake_of(tmp_path, clicks=clicks("a", 1, ip=ip)))}
    assert found.get("network") == network


def test_a_website_is_one_site_however_it_is_written(tmp_path: Path) -> None:
    rows = [{"affiliate_id": "a", "websites": ["https://www.Blog.example/"]}, {"affiliate_id": "b", "websites": ["blog.example"]}]
    assert edges_of(lake_of(tmp_path, affiliates=rows)) == {("a", "website", "blog.example", 1), ("b", "website", "blog.example", 1)}


def test_shared_egress_takes_its_network_along() -> None:
    rows = [("a", "ip", "10.0.0.1"), ("a", "network", "10.0.0.0/24"), ("a", "ip", "73.0.0.1"), ("a", "device", "10.0.0.1")]
    frame = pd.DataFrame(rows, columns=["affiliate_id", "kind", "entity"])
    left = edges.without_shared_egress(frame, ["10.0.0.1"])
    assert left["entity"].tolist() == ["73.0.0.1", "10.0.0.1"]
