"""Links summed up over referring domains, in flat memory."""

from __future__ import annotations

import csv
import tracemalloc
from datetime import date, timedelta
from pathlib import Path

import pytest

from crawlers.backlinks.facts import Backlink
from crawlers.backlinks.profile import kind_and_text, network_of, peak_z, profile_of, read_profile
from tests.crawlers.backlinks.samples import ABOUT, FRIENDS


@pytest.mark.parametrize(
    ("anchor", "kind"),
    [
        ("Trail Notes", "brand"),
        ("the trailnotes blog", "brand"),
        ("https://other.example/x", "url"),
        ("here", "generic"),
        ("Read more »", "generic"),
        ("", "empty"),
        ("best hiking tents", "commercial"),
        ("bestiary of the alps", "other"),
        ("notes on rain", "other"),
    ],
)
def test_an_anchor_is_of_one_kind(anchor: str, kind: str) -> None:
    assert kind_and_text(anchor, ABOUT)[0] == kind


def test_platforms_are_left_out_of_the_networks() -> None:
    assert network_of("104.21.3.4") == network_of("23.227.38.9") == network_of("192.0.78.12") == "shared"
    assert network_of("198.18.4.7") == network_of("198.18.4.9")
    assert network_of("nonsense") == ""


def test_a_title_on_one_owners_many_domains_is_no_cluster() -> None:
    links = [Backlink(domain=f"shop.{ending}", title="Welcome") for ending in ("com", "de", "fr", "it", "es")]
    assert profile_of(links, ABOUT).titles == ()
    links = [Backlink(domain=f"{name}.com", title=" WELCOME  home") for name in ("ab", "cd", "ef", "gh")]
    assert profile_of(links, ABOUT).titles[0].domains == 4


def test_names_that_differ_in_a_number_are_found() -> None:
    links = [Backlink(domain=f"seo-anomaly-top-{n}.xyz") for n in range(1, 90)] + [
        Backlink(domain="route66.com"),
        Backlink(domain="web20.de"),
    ]
    (found,) = profile_of(links, ABOUT).names
    assert (found.what, found.domains) == ("seo-anomaly-top-#", 89)


def test_a_week_that_stands_out_is_seen_and_a_steady_stream_is_not() -> None:
    steady = [date(2024, 1, 1) + timedelta(days=7 * week) for week in range(60) for _ in range(4)]
    calm, loud = peak_z(steady), peak_z(steady + [date(2024, 6, 3)] * 50)
    assert calm is not None
    assert loud is not None
    assert calm < 1
    assert loud > 20
    assert peak_z(steady[:8]) is None


def test_links_to_oneself_are_none_and_links_in_return_are_counted() -> None:
    found = profile_of([Backlink(domain="trailnotes.example"), Backlink(domain=FRIENDS[0]), Backlink(domain="a.com")], ABOUT)
    assert (found.referring_domains, found.reciprocal) == (2, 1)


def test_beyond_the_limit_a_sample_of_domains_stands_for_all() -> None:
    links = [Backlink(domain=f"site{n}.com", anchor="best tents" if n % 4 == 0 else "here") for n in range(20_000) for _ in range(2)]
    found = profile_of(links, ABOUT, most_domains=2_000)
    assert found.sampled <= 2_000
    assert abs(found.referring_domains - 20_000) < 2_500
    assert found.top_phrase is not None
    assert abs(found.top_phrase.domains / found.sampled - 0.25) < 0.04
    assert found.links == 40_000


def _written(path: Path, rows: int) -> Path:
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["source_url", "target_url", "anchor_text", "title", "first_seen", "ip"])
        for n in range(rows):
            out.writerow([f"https://s{n}.com/{n}", "https://trailnotes.example/", f"text {n % 977}", f"title {n}", "2024-05-06", "9.8.7.6"])
    return path


def _peak(path: Path) -> int:
    tracemalloc.start()
    assert read_profile(path, ABOUT, most_domains=1_000).links
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """Both files are larger than every cache that reading fills."""
    small, large = _peak(_written(tmp_path / "a.csv", 18_000)), _peak(_written(tmp_path / "b.csv", 40_000))
    assert large < 1.3 * small
