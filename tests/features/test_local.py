from __future__ import annotations

import math
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fraud.domain.scans import Period
from fraud.errors import InputError
from fraud.features.catalogue import FEATURES
from fraud.features.table import FACT_COLUMNS, FeatureTable
from fraud.storage.lake import ParquetLake
from fraud.workflows.ingesting import IngestOptions, ingest

from .programs import DAY, START, WINDOW, Rows, chance_program, clicks, conversions, exits_of, features_of, lake_of, one

AGENT = "Mozilla/5.0 (Windows NT 10.0) Chrome/126"


def _values(tmp_path: Path, affiliate: str = "a", **tables: Rows) -> pd.Series[Any]:
    return one(features_of(lake_of(tmp_path / "lake", **tables)), affiliate)


def test_repeats_within_twenty_seconds_are_duplicates(tmp_path: Path) -> None:
    close = clicks("a", 4, every=20.0, device_id="d")
    far = clicks("b", 4, every=21.0, device_id="d")
    others = clicks("c", 4, every=1.0, device_id=lambda n: f"d{n}")
    unknown = clicks("e", 4, every=1.0)
    table = features_of(lake_of(tmp_path, clicks=[*close, *far, *others, *unknown]))
    assert [one(table, name).duplicate_click_share for name in "abc"] == [0.75, 0.0, 0.0]
    assert math.isnan(one(table, "e").duplicate_click_share)


def test_three_of_one_kind_in_a_minute_are_a_spike(tmp_path: Path) -> None:
    values = _values(tmp_path, clicks=clicks("a", 4, every=29.9, ip="192.0.2.1", user_agent=AGENT))
    assert values.spiky_click_share == 0.75


def test_addresses(tmp_path: Path) -> None:
    values = _values(tmp_path, clicks=clicks("a", 10, ip=lambda n: f"192.0.2.{max(n, 5)}"))
    assert values.top_ip_share == 0.6
    assert values.distinct_ip_ratio == 0.5
    assert values.clicks_per_ip == 2.0


def test_exits_are_told_by_tables_among_public_addresses(tmp_path: Path) -> None:
    """Ten clicks from public addresses, two of them hosting, three a VPN's and one Tor's; what is hashed or reserved does not count."""
    public = [*["5.3.0.1"] * 2, *["5.6.0.1"] * 3, "5.6.0.9", *["80.1.2.3"] * 4]
    lake = lake_of(tmp_path, clicks=clicks("a", 14, ip=lambda n: [*public, "10.0.0.1", "192.0.2.1", "9f8a7c", None][n]))
    exits = exits_of(("hosting", "5.3.0.0/16"), ("vpn", "5.6.0.0/24"), ("tor", "5.6.0.9"))
    table = features_of(lake, exits=exits)
    assert [one(table, "a")[name] for name in ("hosting_share", "vpn_share", "tor_share")] == [0.2, 0.3, 0.1]
    assert table.support.hosting_share.tolist() == [10.0]


def test_exits_are_unknown_without_tables_and_without_public_addresses(tmp_path: Path) -> None:
    exits = exits_of(("hosting", "5.3.0.0/16"))
    public = lake_of(tmp_path / "public", clicks=clicks("a", 3, ip="5.3.0.1"))
    hashed = lake_of(tmp_path / "hashed", clicks=clicks("a", 3, ip="9f8a7c"))
    for table in (features_of(public), features_of(hashed, exits=exits)):
        assert math.isnan(one(table, "a").hosting_share)
        assert table.support.hosting_share.tolist() == [0.0]


def test_agents(tmp_path: Path) -> None:
    made = clicks("a", 8, user_agent=lambda n: [AGENT, "curl/8.4"][n % 2])
    values = _values(tmp_path, clicks=made)
    assert values.declared_bot_share == 0.5
    assert values.top_agent_share == 0.5
    assert values.agent_entropy == pytest.approx(math.log(2) + 1 / 16)


def test_landing_pages(tmp_path: Path) -> None:
    made = clicks("a", 4, dwell_ms=lambda n: [None, 1999, 2000, 5000][n], js_executed=lambda n: [None, True, False, False][n])
    values = _values(tmp_path, clicks=made)
    assert values.short_dwell_share == pytest.approx(1 / 3)
    assert values.no_script_share == pytest.approx(2 / 3)


def test_short_visits_are_compared_with_the_affiliates_own_that_have_a_referrer(tmp_path: Path) -> None:
    stay, page = [500, 500, 9000, None, 500, 9000, 9000, 9000], "https://mine.example/"
    made = clicks("a", 8, dwell_ms=lambda n: stay[n], referrer=lambda n: None if n < 4 else page)
    table = features_of(lake_of(tmp_path, clicks=[*made, *clicks("b", 8, dwell_ms=500, referrer=page), *clicks("c", 8, dwell_ms=500)]))
    assert one(table, "a").unlinked_short_excess == pytest.approx(2 / 3 - 1 / 4)
    assert table.support.xs("a", level="affiliate_id").unlinked_short_excess.item() == pytest.approx(3 * 4 / 7)
    assert math.isnan(one(table, "b").unlinked_short_excess)
    assert math.isnan(one(table, "c").unlinked_short_excess)


def test_sources(tmp_path: Path) -> None:
    pages = ["https://www.mine.example/1", "https://blog.mine.example", "https://other.example/", None]
    made = clicks("a", 4, referrer=lambda n: pages[n], country=lambda n: ["DE", "FR", None, "DE"][n])
    people = [{"affiliate_id": "a", "websites": ["mine.example"]}]
    values = _values(tmp_path, clicks=made, affiliates=people, offers=[{"offer_id": "o", "countries": ["DE"]}])
    assert values.undeclared_referrer_share == pytest.approx(1 / 3)
    assert values.referrer_diversity == 2
    assert values.off_target_country_share == pytest.approx(1 / 3)


def test_a_timer_has_no_variation(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    moments = np.cumsum(rng.exponential(60, 400))
    people = clicks("b", 400, clicked_at=lambda n: START + timedelta(seconds=float(moments[n])))
    table = features_of(lake_of(tmp_path, clicks=[*clicks("a", 50), *people]))
    assert one(table, "a").gap_variation == 0.0
    assert one(table, "b").gap_variation == pytest.approx(1.0, abs=0.15)


def test_hours_are_compared_with_the_other_affiliates(tmp_path: Path) -> None:
    spread = [*clicks("a", 24, every=3600), *clicks("b", 48, every=1800)]
    table = features_of(lake_of(tmp_path, clicks=[*spread, *clicks("c", 30, every=1)]))
    assert one(table, "a").hour_divergence < one(table, "c").hour_divergence <= math.log(2)
    alone = features_of(lake_of(tmp_path / "alone", clicks=clicks("a", 24, every=3600)))
    assert math.isnan(one(alone, "a").hour_divergence)
    opposite = [*clicks("a", 10, every=1), *clicks("b", 10, every=1, clicked_at=lambda n: START + timedelta(hours=12, seconds=n))]
    apart = features_of(lake_of(tmp_path / "apart", clicks=opposite))
    assert one(apart, "a").hour_divergence == pytest.approx(math.log(2))


def test_conversions_against_what_others_get(tmp_path: Path) -> None:
    made = [*clicks("a", 200), *clicks("b", 1000, every=10), *clicks("c", 1000, every=10)]
    sold = [*conversions("a", 12), *conversions("b", 20), *conversions("c", 20)]
    table = features_of(lake_of(tmp_path, clicks=made, conversions=sold)).window(START)
    assert table.support.loc["a", "conversion_level"] == pytest.approx(200 * 40 / 2000)
    assert table.values.loc["a", "conversion_level"] == pytest.approx(3.0)
    assert table.facts.loc["a", "expected_conversions"] == pytest.approx(4.0)


def test_delays_reach_back_before_the_window(tmp_path: Path) -> None:
    early = clicks("a", 1, clicked_at=START - timedelta(hours=30))
    late = clicks("b", 1, clicked_at=START)
    sold = [
        {"conversion_id": "1", "converted_at": START + timedelta(hours=1), "affiliate_id": "a", "click_id": "a-0"},
        {"conversion_id": "2", "converted_at": START + timedelta(seconds=29), "affiliate_id": "b", "click_id": "b-0"},
    ]
    table = features_of(lake_of(tmp_path, clicks=[*early, *late], conversions=sold))
    assert (one(table, "a").late_conversion_share, one(table, "b").late_conversion_share) == (1.0, 0.0)
    assert one(table, "a").delay_log_median - one(table, "b").delay_log_median == pytest.approx(math.log(31 * 3600 + 1) - math.log(30))


def timed(affiliate: str, delays: list[float], offer: str) -> tuple[Rows, Rows]:
    """Clicks of an affiliate on an offer, and a conversion of each so many seconds later."""
    clicked = clicks(affiliate, len(delays), offer_id=offer)
    sold = [
        {
            "conversion_id": f"{row['click_id']}-sold",
            "converted_at": row["clicked_at"] + timedelta(seconds=delay),
            "affiliate_id": affiliate,
            "offer_id": offer,
            "click_id": row["click_id"],
        }
        for row, delay in zip(clicked, delays, strict=True)
    ]
    return clicked, sold


def test_an_offer_learns_its_own_pace(tmp_path: Path) -> None:
    """Twenty seconds are nothing at a one-click checkout and far too fast for an offer that takes people half an hour."""
    quick = [timed(name, [15, 20, 25, 30, 40, 60], "one-click") for name in ("q1", "q2", "q3")]
    slow = [timed(name, [900, 1500, 1800, 2400, 3600, 5000], "insurance") for name in ("s1", "s2", "s3")]
    hurried = timed("h", [20] * 6, "insurance")
    everything = [*quick, *slow, hurried]
    table = features_of(
        lake_of(
            tmp_path, clicks=[row for made, _ in everything for row in made], conversions=[row for _, sold in everything for row in sold]
        )
    )
    assert one(table, "h").fast_conversion_share == 1.0
    assert one(table, "q1").fast_conversion_share == 0.0
    assert abs(one(table, "q1").delay_log_median) < 0.2
    assert one(table, "h").delay_log_median < -3


def test_returning_customers(tmp_path: Path) -> None:
    sold = conversions("a", 4, customer_id=lambda n: ["k", "k", "l", None][n], customer_email=lambda n: ["1", "2", "1", None][n])
    assert _values(tmp_path, conversions=sold).repeated_customer_share == pytest.approx(2 / 3)


def test_another_goal_of_the_same_customer_is_no_repeat(tmp_path: Path) -> None:
    sold = conversions("a", 2, customer_id="k", goal=lambda n: ["install", "purchase"][n])
    assert _values(tmp_path, conversions=sold).repeated_customer_share == 0.0


class TestConversionsWithoutAClick:
    def test_none_and_unknown_count_when_the_log_should_know(self, tmp_path: Path) -> None:
        made = [*clicks("a", 1, clicked_at=START - 40 * DAY), *clicks("b", 3)]
        sold = conversions("b", 4, click_id=lambda n: ["b-0", "b-1", None, "never-seen"][n])
        assert _values(tmp_path, "b", clicks=made, conversions=sold).no_click_share == 0.5

    def test_clicks_that_may_lie_before_the_log_do_not(self, tmp_path: Path) -> None:
        offers = [{"offer_id": "o", "attribution_window_hours": 720}]
        sold = conversions("b", 2, click_id=lambda n: ["b-0", "before-the-log"][n])
        values = _values(tmp_path, "b", clicks=clicks("b", 3), conversions=sold, offers=offers)
        assert values.no_click_share == 0.0

    def test_a_program_that_never_sends_click_ids_is_unknown(self, tmp_path: Path) -> None:
        values = _values(tmp_path, clicks=clicks("a", 3), conversions=conversions("a", 3))
        assert math.isnan(values.no_click_share)


def test_quality_of_conversions(tmp_path: Path) -> None:
    later = START + 5 * DAY
    sold = conversions(
        "a",
        4,
        status=lambda n: ["approved", "refunded", "pending", "chargeback"][n],
        status_changed_at=lambda n: [START, None, None, later][n],
        new_customer=lambda n: [True, False, None, True][n],
        customer_email_kind=lambda n: ["free", "disposable", None, "own"][n],
    )
    values = _values(tmp_path, conversions=sold)
    assert values.reversal_share == 0.5, "the chargeback was not known when the window ended"
    assert values.new_customer_share == pytest.approx(2 / 3)
    assert values.disposable_email_share == pytest.approx(1 / 3)


def test_amounts_are_compared_on_the_same_offer_and_in_the_same_currency(tmp_path: Path) -> None:
    cheap = conversions("a", 2, amount=Decimal(10), currency="EUR")
    usual = conversions("b", 2, amount=Decimal(40), currency="EUR")
    yen = conversions("c", 2, amount=Decimal(9000), currency="JPY")
    table = features_of(lake_of(tmp_path, conversions=[*cheap, *usual, *yen]))
    assert one(table, "a").value_ratio == pytest.approx(math.log(1 / 4))
    assert math.isnan(one(table, "c").value_ratio)


def test_haste_is_told_from_an_affiliates_own_other_orders(tmp_path: Path) -> None:
    """Two of four orders were clicked without a referrer ten seconds before; the others took a quarter of an hour."""
    made = clicks("a", 4, every=1000.0, referrer=lambda n: "https://mine.example/" if n < 2 else None)
    delays = [900.0, 900.0, 10.0, 10.0]
    sold = conversions(
        "a",
        4,
        click_id=lambda n: made[n]["click_id"],
        converted_at=lambda n: made[n]["clicked_at"] + timedelta(seconds=delays[n]),
        new_customer=lambda n: [True, True, False, False][n],
    )
    table = features_of(lake_of(tmp_path, clicks=made, conversions=sold))
    for name in ("unlinked_haste", "known_customer_haste"):
        assert one(table, "a")[name] == pytest.approx(math.log(901 / 11))
        assert table.support[name].item() == 1.0


def test_conversions_from_one_address(tmp_path: Path) -> None:
    sold = conversions("a", 4, every=20, ip=lambda n: f"192.0.2.{n // 3}")
    assert _values(tmp_path, conversions=sold).conversion_ip_share == 0.75


def test_conversions_in_one_minute_count_when_they_come_back(tmp_path: Path) -> None:
    """A webinar is one lump; a farm comes back."""

    def lump(number: int) -> Any:
        return START + timedelta(hours=1 + 2 * (number // 4), seconds=20 * (number % 4))

    sold = [*conversions("a", 8, converted_at=lump), *conversions("b", 4, converted_at=lump)]
    table = features_of(lake_of(tmp_path, conversions=sold))
    others = 3 / 60
    assert one(table, "a").same_minute_excess == pytest.approx((0.75 - (1 - math.exp(-others) * (1 + others))) / 2)
    assert one(table, "b").same_minute_excess == 0.0


def test_a_timer_under_peoples_clicks_makes_the_pace_even(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    people = np.sort(rng.uniform(0, 86_000, 120))
    mixed = np.sort([*rng.uniform(0, 86_000, 48), *(number * 1200.0 for number in range(71))])
    made = [
        *clicks("a", 120, clicked_at=lambda n: START + timedelta(seconds=float(people[n]))),
        *clicks("b", 119, clicked_at=lambda n: START + timedelta(seconds=float(mixed[n]))),
    ]
    table = features_of(lake_of(tmp_path, clicks=made))
    assert abs(one(table, "a").pace_evenness) < 0.5
    assert one(table, "b").pace_evenness < -0.6


def test_several_offers_at_once_are_stacked(tmp_path: Path) -> None:
    stacked = clicks("a", 6, every=0.1, device_id=lambda n: f"d{n // 4}", offer_id=lambda n: f"o{n % 4}")
    assert _values(tmp_path, clicks=stacked).stacked_click_share == pytest.approx(4 / 6)


def test_a_second_may_hold_any_number_of_clicks(tmp_path: Path) -> None:
    """A log whose times are of the day alone: everything happens in its first second, on one device."""
    at_once = clicks("a", 30_000, every=0.0, device_id="d", offer_id=lambda n: f"o{n % 2}")
    stacked = clicks("b", 30_000, every=0.0, device_id=lambda n: "d" if n else "e", offer_id=lambda n: f"o{n % 3}" if n % 7 else None)
    table = features_of(lake_of(tmp_path, clicks=[*at_once, *stacked]))
    assert one(table, "a").stacked_click_share == 0.0
    assert one(table, "b").stacked_click_share == pytest.approx(29_999 / 30_000, abs=1e-12)


def test_sub_ids_that_are_new_every_time(tmp_path: Path) -> None:
    long = Period(start=START, end=START + 3 * DAY)
    old = clicks("a", 60, every=3600.0, sub_id=lambda n: f"s{n % 6}")
    new = clicks("b", 60, every=3600.0, sub_id=lambda n: f"s{n % 6}" if n % 4 else f"x{n}")
    ids = clicks("c", 60, every=3600.0, sub_id=lambda n: f"x{n}")
    table = features_of(lake_of(tmp_path, clicks=[*old, *new, *ids]), long)
    assert one(table, "a").fresh_sub_share == 0.0
    assert one(table, "b").fresh_sub_share == 0.25
    assert math.isnan(one(table, "c").fresh_sub_share)


def test_paid_clicks_count_where_they_are_forbidden(tmp_path: Path) -> None:
    pages = ["https://shop.example/?gclid=1", "https://shop.example/?q=gclid", None, "https://shop.example/?a=1&msclkid=2"]
    made = [
        *clicks("a", 4, landing_url=lambda n: pages[n], offer_id="strict"),
        *clicks("b", 4, landing_url=lambda n: pages[n], offer_id="open"),
    ]
    offers = [{"offer_id": "strict", "allows_paid_search": False}, {"offer_id": "open", "allows_paid_search": True}]
    table = features_of(lake_of(tmp_path, clicks=made, offers=offers))
    assert one(table, "a").paid_click_share == pytest.approx(2 / 3)
    assert math.isnan(one(table, "b").paid_click_share)


def test_a_click_just_before_the_order_of_anothers_visitor_overwrites(tmp_path: Path) -> None:
    first = clicks("owner", 2, every=60.0, device_id=lambda n: f"d{n}")
    last = clicks("taker", 3, every=60.0, device_id=lambda n: f"d{n}")
    for row in last:
        row["clicked_at"] += timedelta(hours=2)
    sold = [
        {
            "conversion_id": f"v{n}",
            "converted_at": row["clicked_at"] + timedelta(seconds=30),
            "affiliate_id": "taker",
            "click_id": row["click_id"],
        }
        for n, row in enumerate(last)
    ]
    table = features_of(lake_of(tmp_path, clicks=[*first, *last], conversions=sold))
    assert one(table, "taker").overwrite_share == pytest.approx(2 / 3)


def test_a_busy_day_fills_its_minutes_by_chance(tmp_path: Path) -> None:
    """Six a minute for an hour: nearly every minute has three, and that is what chance gives."""
    assert abs(_values(tmp_path, conversions=conversions("a", 360, every=10)).same_minute_excess) < 0.03


def test_the_rate_an_affiliate_is_measured_by_is_that_of_its_kind(tmp_path: Path) -> None:
    """Coupon sites convert three times as often; one of them is measured against the others."""
    kinds = {**dict.fromkeys(("c1", "c2", "c3"), "coupon"), **dict.fromkeys(("b1", "b2", "b3"), "content")}
    people = [{"affiliate_id": name, "affiliate_type": kind} for name, kind in kinds.items()]
    made = [row for name in kinds for row in clicks(name, 1000, every=30, offer_id="o")]
    sold = [row for name, kind in kinds.items() for row in conversions(name, 90 if kind == "coupon" else 30, every=60)]
    table = features_of(lake_of(tmp_path, affiliates=people, clicks=made, conversions=sold))
    assert one(table, "c1").conversion_level == pytest.approx(1.0, abs=0.2)
    assert one(table, "b1").conversion_level == pytest.approx(1.0, abs=0.25)


def test_missing_columns_are_unknown_and_never_zero(tmp_path: Path) -> None:
    bare = [{name: row[name] for name in ("click_id", "clicked_at", "affiliate_id")} for row in clicks("a", 100)]
    values = _values(tmp_path, clicks=bare).dropna()
    assert set(values.index) == {"gap_variation", "pace_evenness"}


def test_the_line_of_business_is_that_of_the_main_offer(tmp_path: Path) -> None:
    offers = [{"offer_id": "o", "vertical": " Travel "}, {"offer_id": "p", "vertical": "fashion"}, {"offer_id": "q"}]
    made = [*clicks("a", 4, offer_id=lambda n: "o" if n else "p"), *clicks("b", 2, offer_id="q"), *clicks("c", 2, offer_id=None)]
    facts = features_of(lake_of(tmp_path, clicks=made, offers=offers)).window(START).facts
    assert facts["vertical"].fillna("unknown").to_dict() == {"a": "travel", "b": "unknown", "c": "unknown"}


def test_facts(tmp_path: Path) -> None:
    people = [{"affiliate_id": "a", "email": "hash", "signup_ip": "192.0.2.9", "affiliate_type": "coupon", "joined_at": START - DAY}]
    sold = conversions(
        "a",
        3,
        customer_email=lambda n: ["hash", "x", None][n],
        ip=lambda n: ["192.0.2.9", "192.0.2.9", None][n],
        commission=lambda n: [Decimal("1.10"), Decimal("2.20"), None][n],
        status=lambda n: ["pending", "approved", "approved"][n],
        currency="EUR",
    )
    made = [*clicks("a", 3, country="DE"), *clicks("b", 1)]
    facts = features_of(lake_of(tmp_path, clicks=made, conversions=sold, affiliates=people)).window(START).facts
    assert tuple(facts.columns) == FACT_COLUMNS
    a, b = facts.loc["a"], facts.loc["b"]
    assert (a.clicks, a.conversions, a.main_offer, a.main_country, a.affiliate_type) == (3, 3, "o", "DE", "coupon")
    assert (a.commission, a.pending_commission, a.currency) == (Decimal("3.30"), Decimal("1.10"), "EUR")
    assert (a.self_matches, a.self_match_kinds) == (2, "email;ip")
    assert a.joined_at == pd.Timestamp(START - DAY)
    assert b.conversions == 0
    assert pd.isna(b.self_matches)


def test_sub_ids_are_entities_of_their_own(tmp_path: Path) -> None:
    made = clicks("a", 9, sub_id=lambda n: ["x", "y", None][n % 3], dwell_ms=lambda n: 100 if n % 3 == 0 else 9000)
    table = features_of(lake_of(tmp_path, clicks=made), level="sub_id").window(START)
    assert list(table.values.index) == [("a", "x"), ("a", "y")]
    assert table.values["short_dwell_share"].to_list() == [1.0, 0.0]
    assert list(table.facts["clicks"]) == [3, 3]


def test_windows_are_half_open_and_labelled_by_their_start(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, clicks=clicks("a", 49, every=3600))
    windows = [Period(start=START + n * DAY, end=START + (n + 1) * DAY) for n in range(4)]
    table = features_of(lake, *windows)
    assert [int(table.window(window.start).facts["clicks"].sum()) for window in windows] == [24, 24, 1, 0]
    assert table.values.index.get_level_values("window_start")[0] == pd.Timestamp(START)
    assert len(table.window(windows[3].start)) == 0


@pytest.mark.parametrize("windows", [[Period(start=START, end=START)], [WINDOW, Period(start=START, end=START + 2 * DAY)]])
def test_windows_that_make_no_sense_are_refused(tmp_path: Path, windows: list[Period]) -> None:
    with pytest.raises(InputError, match="Windows must end after they start"):
        features_of(ParquetLake(tmp_path), *windows)


def _same(one: FeatureTable, other: FeatureTable) -> None:
    for left, right in ((one.values, other.values), (one.support, other.support), (one.facts, other.facts)):
        pd.testing.assert_frame_equal(left, right, check_dtype=False)


@pytest.mark.parametrize("level", ["affiliate", "sub_id"])
def test_later_events_never_change_an_earlier_value(tmp_path: Path, level: Any) -> None:
    program = chance_program(seed=3, days=6)
    lake = lake_of(tmp_path, **program)
    window = Period(start=START + 2 * DAY, end=START + 4 * DAY)
    then = features_of(lake, window, level=level, until=window.end)
    today = features_of(lake, window, level=level)
    assert then.values.notna().any().sum() > 25, "the program exercises the features"
    _same(then, today)


def test_a_window_is_the_same_beside_other_windows(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, **chance_program(seed=4, days=4))
    windows = [Period(start=START + n * DAY, end=START + (n + 2) * DAY) for n in range(3)]
    together = features_of(lake, *windows)
    for window in windows:
        _same(together.window(window.start), features_of(lake, window).window(window.start))


def test_features_are_the_catalogues_in_its_order(tmp_path: Path) -> None:
    table = features_of(lake_of(tmp_path, **chance_program(seed=5, days=1)))
    assert list(table.values.columns) == list(table.support.columns) == [feature.name for feature in FEATURES]
    rates = [feature.name for feature in FEATURES if feature.kind == "rate"]
    counts = (table.values * table.support)[rates].stack().dropna()
    assert np.allclose(counts, counts.round()), "the count behind a rate is value times support"
    assert ((shares := table.values[rates].to_numpy())[~np.isnan(shares)] <= 1).all()


@pytest.mark.data
def test_the_channels_of_talkingdata(tmp_path: Path) -> None:
    folder = os.environ.get("FRAUD_TEST_DATA")
    if not folder:
        pytest.skip("FRAUD_TEST_DATA is not set")
    lake = ParquetLake(tmp_path)
    options = IngestOptions(pepper=b"x", ingested_at=START)
    ingest(lake, "p", "clicks", [Path(folder) / "talkingdata" / "train_sample.csv"], options)
    start = datetime(2017, 11, 6, tzinfo=UTC)
    table = features_of(lake, Period(start=start, end=start + 4 * DAY)).window(start)
    assert len(table) == 161
    assert table.facts["clicks"].sum() == 100_000
    assert table.facts["conversions"].sum() == 227
    assert (table.values["no_click_share"].dropna() == 0).all()
    assert table.values[["clicks_per_device", "referrer_diversity", "reversal_share"]].isna().all(axis=None)
