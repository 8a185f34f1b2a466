"""Tracking links that open by themselves, and those that make up a site."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from crawlers.facts import AffiliateLink, AutoNavigation, Embed, Hop, Link
from fraud.checks.applicants.context import Visit
from fraud.checks.applicants.tracking import affiliate_links, hidden_tracking
from fraud.domain.signals import Severity, Signal, Status, Tier
from tests.checks.applicants.samples import BLOG, limits, page, shell, visit

OWN = "https://go.acmeoutdoor.com/c/77"
AWIN = "https://www.awin1.com/cread.php?awinmid=1"
MARKUP = f'<iframe src="{OWN}" width="1" height="1"></iframe>'


def embed(url: str = OWN, network: str = "", **changes: Any) -> Embed:
    given: dict[str, Any] = {"tag": "iframe", "hidden": True, "why_hidden": "1px", "excerpt": MARKUP}
    return Embed(url=url, network=network, **(given | changes))


def move(url: str = OWN, network: str = "") -> AutoNavigation:
    return AutoNavigation(kind="script_location", url=url, excerpt=f'location.href="{url}"', network=network)


def judged(seen: Visit) -> Signal:
    return hidden_tracking(seen, {})


def strength(signal: Signal) -> tuple[Status, Severity, Tier]:
    return signal.status, signal.severity, signal.tier


def test_the_programs_own_link_in_a_hidden_frame_is_critical_and_quoted() -> None:
    signal = judged(visit(page(embeds=(embed(),))))
    assert strength(signal) == (Status.FINDING, Severity.CRITICAL, Tier.CONCLUSIVE)
    assert signal.evidence[0].excerpt == MARKUP
    assert signal.evidence[0].sha256
    assert signal.typologies == ("cookie_stuffing", "forced_click")


def test_a_hidden_frame_on_any_page_counts() -> None:
    assert judged(visit(page(), page("lake", embeds=(embed(),)))).severity is Severity.CRITICAL


@pytest.mark.parametrize("tag", ["link", "css"])
def test_what_a_page_loads_unseen_by_nature_is_hidden(tag: str) -> None:
    assert judged(visit(page(embeds=(embed(tag=tag, hidden=False, why_hidden=""),)))).severity is Severity.CRITICAL


@pytest.mark.parametrize("tag", ["iframe", "script"])
def test_a_visible_frame_or_a_script_of_the_program_asks_for_a_look(tag: str) -> None:
    signal = judged(visit(page(embeds=(embed(tag=tag, hidden=False, why_hidden=""),))))
    assert strength(signal) == (Status.FINDING, Severity.MEDIUM, Tier.ASSOCIATIVE)


BANNER = "https://go.acmeoutdoor.com/b/728.png"
PIXEL = "https://go.acmeoutdoor.com/imp/77"
UNCLEAR = "https://go.acmeoutdoor.com/77"
DOUBT = "another rule of the page shows it"


def shown(url: str, **changes: Any) -> Embed:
    given: dict[str, Any] = {"tag": "img", "hidden": False, "why_hidden": ""}
    return embed(url, **(given | changes))


def test_a_visible_banner_is_honest() -> None:
    assert judged(visit(page(embeds=(shown(BANNER), shown(UNCLEAR))))).status is Status.CLEAR


@pytest.mark.parametrize("url", [BANNER, PIXEL, "https://go.acmeoutdoor.com/pixel?a=77"])
@pytest.mark.parametrize("doubt", ["", DOUBT])
def test_the_programs_impression_pixel_and_a_banner_that_waits_in_a_tab_are_honest(url: str, doubt: str) -> None:
    assert judged(visit(page(embeds=(embed(url, tag="img", doubt=doubt),)))).status is Status.CLEAR


def test_a_networks_impression_pixel_is_honest() -> None:
    assert judged(visit(page(embeds=(embed("https://imp.pxf.io/i/1/2/3", "impact", tag="img"),)))).status is Status.CLEAR


@pytest.mark.parametrize("tag", ["iframe", "img"])
def test_what_is_hidden_for_uncertain_asks_for_a_look(tag: str) -> None:
    signal = judged(visit(page(embeds=(embed(tag=tag, doubt=DOUBT),))))
    assert strength(signal) == (Status.FINDING, Severity.MEDIUM, Tier.ASSOCIATIVE)
    assert signal.evidence[0].detail["doubt"] == DOUBT


def test_a_hidden_picture_is_critical_where_its_address_is_a_click() -> None:
    certain, unclear = judged(visit(page(embeds=(embed(tag="img"),)))), judged(visit(page(embeds=(embed(UNCLEAR, tag="img"),))))
    assert strength(certain) == (Status.FINDING, Severity.CRITICAL, Tier.CONCLUSIVE)
    assert strength(unclear) == (Status.FINDING, Severity.MEDIUM, Tier.ASSOCIATIVE)


def test_an_address_that_the_site_links_to_is_a_click() -> None:
    links = (Link(url=UNCLEAR, host="go.acmeoutdoor.com"),)
    assert judged(visit(page(embeds=(embed(UNCLEAR, tag="img"),), links=links))).severity is Severity.CRITICAL


def test_a_request_of_a_script_counts_where_it_is_a_click() -> None:
    assert judged(visit(page(embeds=(embed(tag="request"),)))).severity is Severity.CRITICAL
    assert judged(visit(page(embeds=(embed(PIXEL, tag="request"),)))).status is Status.CLEAR


def test_a_frame_with_an_impressions_address_asks_for_a_look() -> None:
    assert strength(judged(visit(page(embeds=(embed(PIXEL),))))) == (Status.FINDING, Severity.MEDIUM, Tier.ASSOCIATIVE)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"embeds": (shown(UNCLEAR),), "outside_styles": True}, "style rules that were not read"),
        ({"embeds": (shown(UNCLEAR, doubt="a rule hides it"),)}, "a rule hides it"),
        ({"embeds": (embed(BLOG + "out?x"),)}, "of the same site, which was not read"),
        ({"embeds": (embed(BLOG + "go/tent", tag="img"),)}, "of the same site, which was not read"),
        ({"script_hosts": ("go.acmeoutdoor.com",)}, "names go.acmeoutdoor.com"),
    ],
)
def test_what_could_not_be_read_is_said_instead_of_cleared(changes: dict[str, Any], why: str) -> None:
    signal = judged(visit(page(**changes)))
    assert signal.status is Status.INCONCLUSIVE
    assert why in signal.text


@pytest.mark.parametrize(
    "changes",
    [
        {"embeds": (shown(BANNER),), "outside_styles": True},
        {"embeds": (embed(BLOG + "photo.jpg", tag="img"),)},
        {"embeds": (embed(BLOG),)},
        {"script_hosts": ("cdn.example",)},
    ],
)
def test_what_cannot_hold_a_tracking_link_is_cleared(changes: dict[str, Any]) -> None:
    assert judged(visit(page(**changes))).status is Status.CLEAR


def test_a_front_page_that_moves_to_the_programs_link_is_high() -> None:
    assert strength(judged(visit(page(auto_navigations=(move(),))))) == (Status.FINDING, Severity.HIGH, Tier.CONCLUSIVE)


def test_a_forwarding_page_deeper_down_may_follow_a_click() -> None:
    signal = judged(visit(page(), page("go/tent", auto_navigations=(move(),))))
    assert strength(signal) == (Status.FINDING, Severity.MEDIUM, Tier.ASSOCIATIVE)


def test_a_site_that_is_a_redirect_through_the_programs_link_is_high() -> None:
    hops = (Hop(url=BLOG, status=302, location=OWN), Hop(url=OWN, status=302, location="https://acmeoutdoor.com/"))
    signal = judged(visit(page(url="https://acmeoutdoor.com/"), hops=hops))
    assert strength(signal) == (Status.FINDING, Severity.HIGH, Tier.CONCLUSIVE)
    assert signal.evidence[0].detail == {"status": 302, "location": OWN}


def test_a_redirect_through_a_network_is_known_by_the_collected_names() -> None:
    seen = visit(page(), hops=(Hop(url=BLOG, status=302, location=AWIN),))
    known = Visit(msgspec.structs.replace(seen.facts, networks={AWIN: "awin"}), seen.site)
    assert judged(seen).status is Status.CLEAR
    assert strength(judged(known)) == (Status.FINDING, Severity.MEDIUM, Tier.ASSOCIATIVE)


@pytest.mark.parametrize("changes", [{"embeds": (embed(AWIN, "awin"),)}, {"auto_navigations": (move(AWIN, "awin"),)}])
def test_another_networks_link_is_associative(changes: dict[str, Any]) -> None:
    signal = judged(visit(page(**changes)))
    assert strength(signal) == (Status.FINDING, Severity.MEDIUM, Tier.ASSOCIATIVE)
    assert signal.value[0]["network"] == "awin"


def test_a_hidden_frame_of_nobody_we_know_is_clear() -> None:
    assert judged(visit(page(embeds=(embed("https://videos.example/player"),)))).status is Status.CLEAR


def test_without_a_profile_only_known_networks_can_be_seen() -> None:
    assert judged(visit(page(embeds=(embed(),)), profile=None)).status is Status.CLEAR
    assert "of a network we know" in judged(visit(page(), profile=None)).text


def test_pages_drawn_by_scripts_hide_their_frames_from_us() -> None:
    assert judged(visit(shell())).status is Status.INCONCLUSIVE
    assert judged(visit(shell(embeds=(embed(),)))).severity is Severity.CRITICAL


def linked(count: int, words: int, others: int = 0) -> Signal:
    found = tuple(AffiliateLink(url=f"{AWIN}&p={number}", network="awin", excerpt=f"<a>{number}</a>") for number in range(count))
    outward = tuple(Link(url=link.url, host="www.awin1.com") for link in found)
    leaving = outward + tuple(Link(url=f"https://friend{number}.example/", host=f"friend{number}.example") for number in range(others))
    home = Link(url=BLOG + "lake", host="trailnotes.example")
    seen = visit(page(affiliate_links=found, word_count=words, links=(*leaving, home)))
    return affiliate_links(seen, limits("website.affiliate_links"))


def test_a_few_affiliate_links_in_much_text_are_in_measure() -> None:
    signal = linked(count=5, words=900, others=20)
    assert signal.status is Status.CLEAR
    assert signal.value == {"links": 5, "networks": ["awin"], "per_100_words": 0.56, "share": 0.2}


def test_no_affiliate_links_are_clear() -> None:
    assert linked(count=0, words=900).value == {"links": 0}


@pytest.mark.parametrize(("count", "words", "others"), [(20, 100, 60), (20, 2000, 2)])
def test_dense_links_and_a_site_that_links_to_little_else_are_a_low_finding(count: int, words: int, others: int) -> None:
    signal = linked(count, words, others)
    assert (signal.status, signal.severity) == (Status.FINDING, Severity.LOW)
    assert signal.evidence[0].excerpt == "<a>0</a>"


def test_a_share_of_very_few_links_says_nothing() -> None:
    assert linked(count=2, words=900).status is Status.CLEAR


def test_links_of_empty_shells_are_unknown() -> None:
    assert affiliate_links(visit(shell()), limits("website.affiliate_links")).status is Status.INCONCLUSIVE
