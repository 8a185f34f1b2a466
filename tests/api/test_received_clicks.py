"""Clicks read by column are the clicks that are read one by one, whatever a tracker sends."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraud.api.clicks import click_of, read_clicks, received_clicks
from fraud.api.problems import InvalidFields

TEXT = st.sampled_from([None, "", "x", "1.2.3.4", "2001:db8::1", "de", "DE", "{ip}", "é" * 70, "a" * 65])
TIMES = st.sampled_from(
    [1772359200, 1772359200123, 1772359200123456, 1772359200.5, "1772359200", "2026-03-01T10:00:00Z", "2026-03-01 10:00:00"]
)
FIELDS = (
    "offer_id",
    "sub_id",
    "sub2",
    "sub3",
    "sub4",
    "sub5",
    "ip",
    "user_agent",
    "device_id",
    "country",
    "language",
    "referrer",
    "viewport",
)
SENT = st.fixed_dictionaries(
    {"click_id": st.sampled_from(["c1", "c2"]), "affiliate_id": st.just("a"), "clicked_at": TIMES},
    optional=dict.fromkeys(FIELDS, TEXT)
    | {"dwell_ms": st.sampled_from([None, "", 0, 5]), "js_executed": st.sampled_from([None, "", True, False])},
)


def body_of(clicks: list[dict[str, Any]]) -> bytes:
    return msgspec.json.encode(clicks)


@settings(max_examples=200, deadline=None)
@given(st.lists(SENT, min_size=1, max_size=6), st.booleans())
def test_columns_say_what_each_click_says(clicks: list[dict[str, Any]], alike: bool) -> None:
    if alike:
        clicks = [click | {"clicked_at": 1772359200 + number} for number, click in enumerate(clicks)]
    body = body_of(clicks)
    sent = read_clicks(body)
    assert list(received_clicks(body, sent, {None: "shoes"})) == [click_of(one, "shoes") for one in sent]


def test_each_click_has_the_program_it_names() -> None:
    body = body_of([{"click_id": "c", "clicked_at": 1772359200, "affiliate_id": "a", "program_id": name} for name in ("shoes", "hats")])
    clicks = received_clicks(body, read_clicks(body), {"shoes": "shoes", "hats": "hats"})
    assert [click.program_id for click in clicks] == ["shoes", "hats"]


@pytest.mark.parametrize("time", [10**17, -(10**17), 1, "soon", 4102444800 * 1000 * 10, 1e300])
def test_a_time_that_is_none_is_told_with_its_place(time: Any) -> None:
    body = body_of([{"click_id": f"c{number}", "clicked_at": at, "affiliate_id": "a"} for number, at in enumerate([1772359200, time])])
    with pytest.raises(InvalidFields, match=r"\[1\]\.clicked_at"):
        received_clicks(body, read_clicks(body), {None: "shoes"})


def test_text_that_no_store_can_keep_is_told_with_its_place() -> None:
    body = body_of([{"click_id": "c", "clicked_at": 1772359200, "affiliate_id": "a", "sub_id": "x\0"}])
    with pytest.raises(InvalidFields, match=r"\[0\]\.sub_id"):
        received_clicks(body, read_clicks(body), {None: "shoes"})
