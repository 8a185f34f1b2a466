"""Real pages: hardly an honest one gets a grave finding, and a parked one is found whatever of it is taken away."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from crawlers import read_page
from crawlers.catalogue import ignoring_case, parking
from crawlers.facts import PageFacts, SiteFacts, Snapshot, VisitedPage
from crawlers.reading.urls import host_of
from fraud.checks.applicants.context import VettingFacts, protected
from fraud.checks.running import run_applicant_checks
from fraud.domain.programs import Application
from fraud.domain.signals import Severity, Signal
from tests.checks.applicants.samples import NOW, PACK, PROFILE

pytestmark = pytest.mark.data
MOST_GRAVE = 0.02
"""Share of honest sites that may get a finding of severity high (issue 6)."""
EVERY = 4
"""Every so manieth page is looked at by default; the long run looks at all."""


def signals_of(page: PageFacts) -> list[Signal]:
    """Every check's signal on a site that is this one page."""
    url = f"http://{host_of(page.url)}/"
    visited = VisitedPage(snapshot=Snapshot(url=url, fetched_at=NOW, sha256="0" * 64), facts=page)
    seen = SiteFacts(
        requested_url=url, final_url=url, reachable=True, pages=(visited,), random_path_status=404, random_path_same_as_home=False
    )
    application = protected(Application(application_id="one", websites=(url,)), b"pepper")
    return list(run_applicant_checks(PACK, VettingFacts(application=application, profile=PROFILE, sites=(seen,), as_of=NOW)))


@cache
def read(path: Path, number: int) -> PageFacts:
    """The page's facts under the name it says it has, or a made-up one."""
    body = path.read_bytes()
    host = host_of(read_page(body, "http://unknown.test/").canonical)
    return read_page(body, f"http://{host if '.' in host and host != 'unknown.test' else f'page{number}.test'}/")


def grave(path: Path, number: int) -> list[str]:
    """The grave findings of a page, each with what it says and what else explains it."""
    found = [signal for signal in signals_of(read(path, number)) if signal.found and signal.severity in {Severity.HIGH, Severity.CRITICAL}]
    return [f"{path.name}: {signal.check_id} {signal.severity.value}: {signal.text} Else: {signal.also_explained_by}" for signal in found]


def check_sites(test_data: Path, step: int) -> None:
    paths = sorted((test_data / "pages" / "sites").glob("*.html"))
    by_page = [grave(path, number) for number, path in enumerate(paths[::step])]
    said = "\n".join(line for lines in by_page for line in lines)
    count = sum(bool(lines) for lines in by_page)
    print(f"{count} of {len(by_page)} real sites have a grave finding\n{said}")
    assert len(paths) > 100
    assert count <= MOST_GRAVE * len(by_page) + (step > 1), said


def test_hardly_a_real_site_gets_a_grave_finding(test_data: Path) -> None:
    check_sites(test_data, EVERY)


@pytest.mark.long
def test_hardly_any_of_all_real_sites_gets_a_grave_finding(test_data: Path) -> None:
    check_sites(test_data, 1)


def tell_tales(source: str) -> list[str]:
    """What gives a parked page away: the words of every sign that the catalogue finds in it."""
    markup = [mark.pattern for provider in parking().providers for mark in provider.markup if mark.hint in source]
    phrases = [phrase.pattern for phrase in parking().sale_phrases if phrase.hint in source.lower()]
    return [pattern for pattern in (*markup, *phrases) if ignoring_case(pattern).search(source)]


def test_parked_pages_are_found_whichever_tell_tale_is_taken_away(test_data: Path) -> None:
    paths = sorted((test_data / "pages" / "parked").glob("*.html"))
    missed = []
    for path in paths:
        source = path.read_bytes().decode("utf-8", errors="replace")
        variants = {"nothing": source, **{pattern: ignoring_case(pattern).sub("", source) for pattern in tell_tales(source)}}
        for taken, text in variants.items():
            parked = next(
                signal for signal in signals_of(read_page(text, f"http://{path.stem}.test/")) if signal.check_id == "website.parked"
            )
            if not parked.found:
                missed.append(f"{path.name} without {taken}: {parked.text}")
    print(f"{len(missed)} parked variants missed\n" + "\n".join(missed))
    assert paths
    assert missed == []
