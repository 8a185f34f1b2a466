from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from fraud.domain.decisions import Outcome
from fraud.reports.scan import headline, money_at_risk, scan_report, scan_view, section_of
from tests.reports import samples
from tests.reports.markup import assert_inert, read


def test_the_report_says_in_words_what_was_looked_at_and_why() -> None:
    text = read(scan_report(samples.scan_result(), samples.profile())).text
    assert "2 affiliates and 1 further alert need a person" in text
    assert "Green Garden Tools · scan as of 4 Mar 2026, 00:00 UTC" in text
    assert "412,877 clicks and 8,214 conversions of 60 active affiliates, 1 Mar 2026 to 3 Mar 2026." in text
    assert "Compared with the traffic of 1 Feb 2026 to 28 Feb 2026." in text
    assert "Only 12 affiliates have been reviewed so far" in text
    assert "4 rows could not be read and were set aside." in text
    assert "31 rows had been seen before and were counted once." in text


def test_a_night_judged_by_its_own_peers_says_so() -> None:
    text = read(scan_report(samples.quiet_scan(), None)).text
    assert "Nothing needs a person" in text
    assert "other affiliates of the same night, because there is no earlier traffic" in text
    assert "expected share of false ones stays under control" in text
    assert "No alert was opened." in text
    assert "1 conversion of 8 active affiliates" in text


def test_a_reason_comes_with_figures_sample_proof_and_what_else_explains_it() -> None:
    text = read(scan_report(samples.scan_result(), samples.profile())).text
    assert "Seen 61% Usual 4% Rests on 212" in text
    assert "Seen 0.2× Usual 1× Rests on 48,210" in text
    assert "High · timing · counts with a second, independent kind of evidence" in text
    assert "Also explained by: Considered purchases and long trials" in text
    assert "click to conversion: 6 d 4 h" in text


def test_peers_sub_ids_and_rings_stand_beside_the_affiliate_they_concern() -> None:
    page = read(scan_report(samples.scan_result(), samples.profile()))
    assert "Half of the peers: 2.5% to 7% · rests on 212" in page.text
    assert "banner-17 0.93 Hold commission 44,020 196" in page.text
    assert "5 affiliates share what strangers do not share" in page.text
    assert "sparfuchs24" in page.text


def test_every_affiliate_is_in_the_table_but_only_those_that_matter_have_a_section() -> None:
    result = samples.scan_result(500)
    view = scan_view(result, None)
    assert len(view.leading) + len(view.following) == 500
    assert len(view.leading) == 20
    assert len(view.sections) == 20
    page = read(scan_report(result, None))
    assert all(one.affiliate_id in page.text for one in result.affiliates)
    assert len(page.all("tr")) >= 500
    assert "480 more affiliates that passed" in page.text


def test_an_alerted_affiliate_far_down_the_ranks_still_has_its_section() -> None:
    result = samples.scan_result(60)
    late = msgspec.structs.replace(result.affiliates[49], alerted=True, outcome=Outcome.REVIEW)
    view = scan_view(msgspec.structs.replace(result, affiliates=(*result.affiliates[:49], late, *result.affiliates[50:])), None)
    assert late.affiliate_id in view.anchors
    assert late in view.leading


def test_alerted_sections_stand_open_and_the_others_closed() -> None:
    sections = scan_view(samples.scan_result(), None).sections
    assert [one.subject.affiliate_id for one in sections if one.opened] == ["nordic-deals", "coupon-harbour"]


def test_every_anchor_that_is_linked_exists() -> None:
    page = read(scan_report(samples.scan_result(), samples.profile()))
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    links = [href.removeprefix("#") for href in page.hrefs()]
    assert links
    assert set(links) <= ids


def test_the_report_stands_alone_and_nothing_in_it_runs() -> None:
    html = scan_report(samples.scan_result(), samples.profile())
    page = read(html)
    assert_inert(page)
    assert "http://" not in html
    assert "url(" not in html
    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_hostile_names_are_only_text() -> None:
    html = scan_report(samples.hostile_scan(), msgspec.structs.replace(samples.profile(), name=samples.HOSTILE))
    page = read(html)
    assert_inert(page)
    assert samples.HOSTILE in page.text
    assert samples.LONG in page.text, "a name cut short in the table stands whole in its section"
    assert not set("\x00\x1b\u202e") & set(html)


def test_a_large_ring_names_every_member_once_drawn_or_not() -> None:
    members = tuple(f"member-{number:03d}" for number in range(60))
    page = read(scan_report(msgspec.structs.replace(samples.quiet_scan(), rings=(samples.ring(*members),)), None))
    assert all(name in page.text for name in members)
    assert "36 more members" in page.text
    assert "The first 12 members are drawn." in page.text


def test_a_night_without_anybody_says_what_to_do() -> None:
    empty = msgspec.structs.replace(samples.quiet_scan(), affiliates=())
    assert "Check that the window ends after the newest events." in read(scan_report(empty, None)).text


@pytest.mark.parametrize(
    ("alerts", "alerted", "said"),
    [(0, 0, "Nothing needs a person"), (0, 1, "1 affiliate needs a person"), (2, 0, "Nothing needs a person")],
)
def test_the_headline_counts_who_needs_a_person(alerts: int, alerted: int, said: str) -> None:
    chosen = samples.scan_result().affiliates[:alerted]
    result = msgspec.structs.replace(samples.quiet_scan(), affiliates=chosen, alerts=tuple(samples.alert("a") for _ in range(alerts)))
    assert headline(result) == said


def test_money_at_risk_is_added_by_currency_and_the_unknown_is_counted_not_zeroed() -> None:
    result = samples.scan_result()
    euros, other, watched = result.affiliates[:3]
    dollars = msgspec.structs.replace(other, commission_at_risk=samples.risk("5", "USD"))
    unknown = msgspec.structs.replace(watched, alerted=True, commission_at_risk=samples.risk(None))
    mixed = msgspec.structs.replace(result, affiliates=(euros, dollars, unknown))
    assert money_at_risk(mixed) == "1,940.00 EUR and 5.00 USD, and unknown for 1"
    assert money_at_risk(msgspec.structs.replace(result, affiliates=(unknown,))) == "unknown"
    assert money_at_risk(samples.quiet_scan()) == ""


def test_a_section_is_of_one_affiliate_and_nobody_else() -> None:
    result = samples.scan_result()
    section = section_of(result, "nordic-deals")
    assert section is not None
    assert [one.sub_id for one in section.sub_ids] == ["banner-17", "newsletter", ""]
    assert [one.z for one in section.peers] == sorted((one.z for one in section.peers), reverse=True)
    assert section_of(result, "nobody") is None
    passed = section_of(result, "coupon-harbour")
    assert passed is not None
    assert passed.sub_ids == ()


def test_commission_that_is_unknown_is_never_shown_as_zero() -> None:
    result = samples.quiet_scan()
    unknown = msgspec.structs.replace(result.affiliates[0], commission=None, commission_at_risk=samples.risk(None))
    text = read(scan_report(msgspec.structs.replace(result, affiliates=(unknown,)), None)).text
    assert "Commission unknown At risk unknown" in text
    assert Decimal("0") != unknown.commission
