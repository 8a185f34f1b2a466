"""What the features of a click say, click by click, and what they must not say."""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraud.domain.clock import microseconds
from fraud.domain.events import Click
from fraud.features import realtime
from fraud.features.identities import click_event_key, parts_of, places_of, visitor_of
from fraud.features.realtime import (
    CLICK_FEATURE_NAMES,
    CLICK_FEATURES,
    MEASURES,
    click_feature_set_hash,
    identified_of,
    observe_click,
    sighting_of,
    vector_of,
    vectors_of,
)
from fraud.storage.counters import MemoryCounters

TEN = datetime(2026, 3, 1, 10, tzinfo=UTC)


def click(number: int, seconds: float = 0.0, **columns: Any) -> Click:
    given = {"affiliate_id": "aff", "offer_id": "shoes", "ip": "203.0.113.7", "user_agent": "Firefox", "country": "DE"} | columns
    return Click(click_id=f"c{number}", clicked_at=TEN + timedelta(seconds=seconds), **given)


def features_of(counters: MemoryCounters, sent: Click) -> dict[str, float]:
    return dict(zip(CLICK_FEATURE_NAMES, observe_click(counters, sent).vector.tolist(), strict=True))


def test_every_feature_has_its_texts_and_one_name() -> None:
    assert len(set(CLICK_FEATURE_NAMES)) == len(CLICK_FEATURES) == 17
    assert all(feature.doc.endswith(".") and feature.unit for feature in CLICK_FEATURES)


def test_the_hash_changes_with_a_definition_and_not_with_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    before = click_feature_set_hash()
    first, *others = CLICK_FEATURES
    monkeypatch.setattr(realtime, "CLICK_FEATURES", (msgspec.structs.replace(first, doc="Other words."), *others))
    assert click_feature_set_hash() == before
    monkeypatch.setattr(realtime, "CLICK_FEATURES", (msgspec.structs.replace(first, minimum=5), *others))
    assert click_feature_set_hash() != before


def test_the_first_click_stands_alone() -> None:
    features = features_of(MemoryCounters(), click(1, device_id="d", sub_id="s"))
    assert {name: value for name, value in features.items() if "clicks" in name} == {
        name: 1.0 for name in CLICK_FEATURE_NAMES if "clicks" in name
    }
    unknown = ("seconds_since_same_click", "network_share_1h", "user_agent_rarity_24h", "other_country_share_24h")
    assert all(math.isnan(features[name]) for name in unknown)


def test_what_is_missing_is_unknown() -> None:
    features = features_of(MemoryCounters(), click(1, ip=None, user_agent=None, country=None))
    known = {name for name, value in features.items() if not math.isnan(value)}
    assert known == {"affiliate_clicks_10m", "affiliate_clicks_24h"}


def test_a_minute_forgets_and_an_hour_does_not() -> None:
    counters = MemoryCounters()
    for number in range(10):
        features_of(counters, click(number, number))
    features = features_of(counters, click(10, 120))
    assert (features["ip_clicks_1m"], features["ip_clicks_1h"]) == (1.0, 11.0)


def test_a_repeat_is_measured_by_visitor_offer_and_affiliate() -> None:
    counters = MemoryCounters()
    features_of(counters, click(1))
    assert math.isnan(features_of(counters, click(2, 3, offer_id="hats"))["seconds_since_same_click"])
    assert math.isnan(features_of(counters, click(3, 4, affiliate_id="other"))["seconds_since_same_click"])
    assert features_of(counters, click(4, 5.5))["seconds_since_same_click"] == 5.5


def test_one_address_for_many_affiliates_and_many_agents() -> None:
    counters = MemoryCounters()
    for number in range(4):
        features = features_of(counters, click(number, number, affiliate_id=f"aff{number}", user_agent=f"agent {number % 2}"))
    assert (features["ip_affiliates_1h"], features["ip_user_agents_1h"]) == (4.0, 2.0)


def test_shares_wait_for_support() -> None:
    counters = MemoryCounters()
    shares = []
    for number in range(40):
        network = 113 if number % 4 == 0 else 100 + number % 4
        shares.append(features_of(counters, click(number, number, ip=f"203.0.{network}.{number}"))["network_share_1h"])
    assert all(math.isnan(share) for share in shares[:19])
    assert shares[36] == 10 / 37


def test_a_country_that_nobody_else_comes_from() -> None:
    counters = MemoryCounters()
    for number in range(30):
        features_of(counters, click(number, number))
    assert features_of(counters, click(30, 30, country="AT"))["other_country_share_24h"] == 1.0
    assert features_of(counters, click(31, 31, country="DE"))["other_country_share_24h"] == pytest.approx(1 / 31)


def test_a_rare_agent_among_many() -> None:
    counters = MemoryCounters()
    for number in range(99):
        features_of(counters, click(number, number, affiliate_id=f"a{number}"))
    features = features_of(counters, click(99, 99, user_agent="Netscape 4"))
    assert features["user_agent_rarity_24h"] == pytest.approx(2.0)


def test_programs_share_no_counter() -> None:
    counters = MemoryCounters()
    features_of(counters, click(1))
    elsewhere = features_of(counters, click(1, program_id="other"))
    assert elsewhere["ip_clicks_1m"] == 1.0
    here, there = (set(sighting_of(click(2, program_id=program)).keys[:, 0].tolist()) - {0} for program in ("default", "other"))
    assert here
    assert here.isdisjoint(there)


def test_parts_of_a_key_cannot_be_moved_into_one_another() -> None:
    counters = MemoryCounters()
    features_of(counters, click(1, affiliate_id="a", sub_id="b:c"))
    assert features_of(counters, click(2, affiliate_id="a:b", sub_id="c"))["sub_id_clicks_24h"] == 1.0
    assert features_of(counters, click(3, affiliate_id="a1", sub_id=":b"))["sub_id_clicks_24h"] == 1.0


@pytest.mark.parametrize(
    ("written", "address", "network"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.0/24"),
        (" 203.0.113.7 ", "203.0.113.7", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2::5", "20010db800010002/64", "20010db80001/48"),
        ("2001:0DB8:1:2:a::", "20010db800010002/64", "20010db80001/48"),
        ("87540", "87540", None),
        ("{ip}", None, None),
        ("", None, None),
        (None, None, None),
        ("9" * 100, hashlib.sha256(b"9" * 100).hexdigest(), None),
        (hashlib.sha256(b"9" * 100).hexdigest(), hashlib.sha256(b"9" * 100).hexdigest(), None),
        ("{" + "9" * 100, None, None),
    ],
)
def test_addresses_in_one_spelling(written: str | None, address: str | None, network: str | None) -> None:
    assert places_of(written) == (address, network)


def test_a_visitor_is_a_device_or_an_address_with_an_agent() -> None:
    assert visitor_of(click(1, device_id="d")) == "device d"
    assert visitor_of(click(1)) == "address 203.0.113.7 Firefox"
    assert visitor_of(click(1, user_agent=None)) is None


def test_times_are_exact_to_the_microsecond() -> None:
    assert microseconds(datetime(2026, 3, 1, 10, 0, 0, 1, tzinfo=UTC)) == 1_772_359_200_000_001


def test_clicks_older_than_every_window_disturb_no_newer_one() -> None:
    counters, calm = MemoryCounters(), MemoryCounters()
    for number in range(30):
        features_of(counters, click(number, number))
        features_of(calm, click(number, number))
        for old in range(20):
            features_of(counters, click(1_000 + number * 20 + old, -(2 + number * 20 + old) * 86_400))
    disturbed, undisturbed = (features_of(kept, click(30, 30)) for kept in (counters, calm))
    for name in CLICK_FEATURE_NAMES:
        assert disturbed[name] == undisturbed[name] or (math.isnan(disturbed[name]) and math.isnan(undisturbed[name]))


ANSWERS = st.lists(st.just(math.nan) | st.integers(0, 10_000).map(float), min_size=len(MEASURES), max_size=len(MEASURES))


@settings(max_examples=50, deadline=None)
@given(st.lists(ANSWERS, min_size=1, max_size=5))
def test_features_of_many_are_those_of_each_to_the_bit(answers: list[list[float]]) -> None:
    np.testing.assert_array_equal(vectors_of(np.array(answers)), np.array([vector_of(one) for one in answers]))


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([None, "", "d1"]), st.sampled_from([None, "", "{ip}", "203.0.113.9", "opaque"]), st.sampled_from([None, "", "curl/8"])
)
def test_who_is_identified_is_told_alike(device: str | None, ip: str | None, agent: str | None) -> None:
    click = Click(click_id="c", clicked_at=TEN, affiliate_id="a", device_id=device, ip=ip, user_agent=agent)
    assert identified_of(parts_of([click])).tolist() == [visitor_of(click) is not None]


def test_keys_of_clicks_do_not_run_into_one_another() -> None:
    names = [("1", "1:x"), ("1:1", "x"), ("11", ":x"), ("", "1:1x"), ("p", "c" * 64), ("p", "c" * 65), ("p" * 65, "c"), ("p", "\udc80")]
    assert len({click_event_key(*name) for name in names}) == len(names)
    assert len(click_event_key("p", "c" * 500)) == 12
