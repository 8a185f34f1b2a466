"""Planted networks are found, honest profiles are left alone, and a brand's own links are never more than looked at."""

from __future__ import annotations

import random

import msgspec
import pytest

from crawlers.backlinks.facts import BacklinkFacts
from crawlers.backlinks.profile import profile_of
from fraud.checks.applicants.audience import Audience
from fraud.checks.applicants.backlinks import backlinks
from fraud.domain.signals import Severity, Signal, Status
from tests.checks.applicants.samples import facts, limits, site
from tests.crawlers.backlinks.samples import ABOUT, HONEST, NETWORKS

SEEDS = range(10)


def judged(found: BacklinkFacts | None) -> Signal:
    seen = msgspec.structs.replace(facts(site()), audience=Audience(backlinks=found))
    return backlinks(seen, limits("audience.backlinks"))


def judged_network(kind: str, seed: int) -> Signal:
    return judged(profile_of(NETWORKS[kind](random.Random(seed)), ABOUT))


def test_planted_networks_are_recalled() -> None:
    found = [judged_network(kind, seed) for kind in NETWORKS for seed in SEEDS]
    recalled = [signal for signal in found if signal.found and signal.severity.rank >= Severity.MEDIUM.rank]
    assert len(recalled) / len(found) >= 0.9


@pytest.mark.parametrize("seed", SEEDS)
def test_of_ten_honest_profiles_eight_are_clear_and_none_is_more_than_reviewed(seed: int) -> None:
    found = {kind: judged(profile_of(make(random.Random(seed)), ABOUT)) for kind, make in HONEST.items()}
    assert sum(signal.status is Status.CLEAR for signal in found.values()) >= 8, found
    assert all(signal.severity.rank <= Severity.MEDIUM.rank for signal in found.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_a_profile_anchored_on_the_brand_is_reviewed_and_never_more(seed: int) -> None:
    signal = judged_network("brand-anchored network", seed)
    assert (signal.status, signal.severity) == (Status.FINDING, Severity.MEDIUM)


def test_a_link_farm_is_a_grave_finding_and_names_its_sites() -> None:
    signal = judged_network("link farm", 1)
    assert signal.severity is Severity.HIGH
    assert signal.typologies == ("link_farm",)
    assert "top-hiking-deals" in str(signal.evidence[0].detail)


def test_pages_on_the_programs_matter_do_not_speak_for_a_network() -> None:
    signal = judged_network("niche network", 3)  # every title and anchor is about the program's keyword
    assert signal.found


def test_few_domains_or_an_export_without_the_columns_are_inconclusive() -> None:
    links = NETWORKS["link farm"](random.Random(1))
    assert judged(profile_of(links[:5], ABOUT)).status is Status.INCONCLUSIVE
    bare = [
        msgspec.structs.replace(link, anchor=None, address="", traffic=None, first_seen=None, title="", outbound=None) for link in links
    ]
    signal = judged(profile_of(bare, ABOUT))
    assert signal.status is Status.INCONCLUSIVE
    assert "few networks" in signal.text


def test_without_an_export_nothing_is_asked_and_an_unreadable_one_says_why() -> None:
    assert judged(None).status is Status.NOT_APPLICABLE
    signal = judged(BacklinkFacts(failure="links.csv: no column with the linking page was found."))
    assert (signal.status, signal.text) == (Status.INCONCLUSIVE, "links.csv: no column with the linking page was found.")
