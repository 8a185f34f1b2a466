"""The live share of claimed backlinks, with its interval: few pages say nothing, and pages nobody could look at do not count."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.backlinks.facts import BacklinkFacts, LinkSeen, LinkState
from fraud.checks.applicants.audience import Audience
from fraud.checks.applicants.live_links import live_links, wilson
from fraud.domain.signals import Severity, Signal, Status
from tests.checks.applicants.samples import facts, limits, site


def judged(live: int, gone: int, unknown: int = 0) -> Signal:
    states = [LinkState.LIVE] * live + [LinkState.GONE] * gone + [LinkState.UNKNOWN] * unknown
    seen = tuple(
        LinkSeen(url=f"https://s{n}.example/", domain=f"s{n}.example", state=state, followed=True if state is LinkState.LIVE else None)
        for n, state in enumerate(states)
    )
    audience = Audience(backlinks=BacklinkFacts(referring_domains=200, sampled=200), links=seen)
    return live_links(msgspec.structs.replace(facts(site()), audience=audience), limits("audience.live_links"))


def test_links_that_are_not_there_are_a_finding_with_the_interval() -> None:
    signal = judged(3, 27)
    assert (signal.status, signal.severity, signal.sample_size) == (Status.FINDING, Severity.LOW, 30)
    assert "3 of 30 links looked for are there (3% to 26% of all)" in signal.text
    assert signal.value["high"] == pytest.approx(0.256, abs=0.001)


@pytest.mark.parametrize(
    ("counts", "status"),
    [((25, 5, 0), Status.CLEAR), ((13, 17, 0), Status.INCONCLUSIVE), ((0, 9, 21), Status.INCONCLUSIVE), ((12, 0, 18), Status.CLEAR)],
)
def test_what_may_be_chance_or_too_few_is_not_known(counts: tuple[int, int, int], status: Status) -> None:
    assert judged(*counts).status is status


def test_without_an_export_or_a_look_it_does_not_apply() -> None:
    bare = facts(site())
    assert live_links(bare, limits("audience.live_links")).status is Status.NOT_APPLICABLE
    unlooked = msgspec.structs.replace(bare, audience=Audience(backlinks=BacklinkFacts(sampled=200)))
    assert live_links(unlooked, limits("audience.live_links")).status is Status.NOT_APPLICABLE


@given(st.integers(1, 500).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_the_interval_holds_the_share_and_stays_within_bounds(counted: tuple[int, int]) -> None:
    hits, trials = counted
    low, high = wilson(hits, trials, 1.96)
    assert 0 <= low <= hits / trials + 1e-12
    assert hits / trials - 1e-12 <= high <= 1


def test_the_interval_agrees_with_the_published_example() -> None:
    assert wilson(15, 148, 1.96) == pytest.approx((0.0624, 0.1605), abs=0.0002)  # Newcombe 1998, method 3
