"""What websites tie their owners to: accounts, holders and hosts become edges, platforms and content networks tie nobody."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawlers.facts import Certificate, DnsFacts, Favicon, PageFacts, Registration, SiteFacts, Snapshot, TrackerId, VisitedPage
from fraud.domain.graph import GraphPattern
from fraud.domain.scans import Period
from fraud.links.edges import COLUMNS, account_edges
from fraud.links.evidence import graph_night
from fraud.links.kinds import LINK_KINDS
from fraud.links.sites import MOST_NAMES, TRACKER_KINDS, SiteTies, Tie, owners_by_domain, site_edges, ties_of
from models.graph import OWNED_KINDS
from tests.features.programs import DAY, START, lake_of
from tests.links.test_evidence import crowd

SEEN = datetime(2026, 5, 1, 12, tzinfo=UTC)


def site(**changes: Any) -> SiteFacts:
    trackers = changes.pop("trackers", ())
    front = VisitedPage(snapshot=Snapshot(url="https://a.example/"), facts=PageFacts(trackers=trackers))
    return SiteFacts(requested_url="https://a.example/", pages=(front,), **changes)


def ties(domain: str, *found: Tie) -> SiteTies:
    return SiteTies(application_id=domain, domain=domain, ties=found, seen=SEEN)


GA: Tie = ("analytics_id", "google_analytics UA-7654321")


@pytest.mark.parametrize(
    ("visited", "tie"),
    [
        (site(trackers=(TrackerId(kind="google_analytics", value="UA-7654321-3"),)), GA),
        (site(trackers=(TrackerId(kind="google_adsense", value="ca-pub-1"),)), ("adsense_id", "google_adsense pub-1")),
        (site(trackers=(TrackerId(kind="google_site_verification", value="x"),)), ("verification", "google_site_verification x")),
        (site(registration=Registration(domain="a.example", holder="Acme  Media GmbH")), ("registrant", "acme media gmbh")),
        (site(dns=DnsFacts(name="a.example", addresses=("192.0.2.1",))), ("hosting_ip", "192.0.2.1")),
        (
            site(dns=DnsFacts(name="a.example", name_servers=("b.ns.example", "a.ns.example"))),
            ("name_servers", "a.ns.example b.ns.example"),
        ),
        (site(certificate=Certificate(names=("www.b.example",))), ("tls_name", "b.example")),
        (site(favicon=Favicon(url="u", sha256="s", mmh3=-7, size=3)), ("favicon", "-7")),
    ],
)
def test_what_a_site_shows_ties_its_owner(visited: SiteFacts, tie: Tie) -> None:
    assert ties_of(visited) == (tie,)


def test_one_installations_first_site_and_a_content_networks_certificate_tie_nobody() -> None:
    crowded = Certificate(names=tuple(f"shop{number}.example" for number in range(MOST_NAMES + 1)))
    assert ties_of(site(trackers=(TrackerId(kind="matomo_site", value="1"),), certificate=crowded)) == ()


def test_every_kind_is_spoken_of_and_accounts_are_an_owners_own() -> None:
    assert set(TRACKER_KINDS.values()) <= OWNED_KINDS & set(LINK_KINDS)


def test_edges_are_those_of_who_states_the_website() -> None:
    edges = site_edges(
        [ties("a.example", GA), ties("b.example", GA), ties("gone.example", GA)], {"a.example": ["A"], "b.example": ["B", "C"]}
    )
    assert tuple(edges.columns) == COLUMNS
    assert list(edges["affiliate_id"]) == ["A", "B", "C"]
    assert set(zip(edges["kind"], edges["entity"], edges["source"], strict=True)) == {(*GA, "site")}
    assert (edges["first_seen"] == SEEN.replace(tzinfo=None)).all()


def test_people_who_publish_on_one_platform_are_not_tied_by_it() -> None:
    assert site_edges([ties("pages.example", GA), ties("pages.example", GA)], {"pages.example": ["A", "B"]}).empty


def test_the_owner_of_a_website_is_found_in_any_spelling(tmp_path: Path) -> None:
    rows = [{"affiliate_id": "A", "websites": ["https://www.blog.example/about", "http://shop.co.uk:8080/"]}]
    with closing(lake_of(tmp_path, affiliates=rows).connect("p")) as events:
        assert owners_by_domain(account_edges(events)) == {"blog.example": ["A"], "shop.co.uk": ["A"]}


def test_sites_under_one_analytics_and_advertising_account_are_a_ring(tmp_path: Path) -> None:
    accounts = [{"affiliate_id": f"a{n}", "websites": [f"https://www.site{n}.example/"]} for n in range(6)]
    ads: Tie = ("adsense_id", "google_adsense pub-1")
    mine = [ties(f"site{n}.example", GA, ads) for n in range(3)]
    strangers = [ties(f"site{n}.example", ("hosting_ip", "192.0.2.1"), ("template", "t")) for n in range(3, 6)]
    with closing(lake_of(tmp_path, clicks=crowd(), affiliates=accounts).connect("p")) as events:
        found = graph_night(events, Period(start=START, end=START + 3 * DAY), [*mine, *strangers])
    (ring,) = found.rings
    assert ring.affiliate_ids == ("a0", "a1", "a2")
    (finding,) = found.of("a0")
    assert finding.pattern is GraphPattern.RING
    assert "analytics account" in finding.text
    assert not found.of("a4")
