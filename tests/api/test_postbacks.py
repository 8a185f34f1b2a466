"""Postbacks: addresses with macros in them, as trackers call them."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from fraud.domain.actors import Role
from tests.api.conftest import KEYS, House
from tests.api.problems import problem

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:135.0) Gecko/20100101 Firefox/135.0"


def ask(house: House, **parameters: Any) -> Any:
    """A call as a tracker makes it: without headers, the key among the parameters."""
    return house.client().get("/v1/postback", params={"key": KEYS[Role.SCORE]} | parameters)


def test_a_click_is_answered_as_json_and_as_one_digit(house: House) -> None:
    given = ask(house, click_id="c1", affiliate_id="aff", user_agent=BROWSER).json()
    assert (given["click_id"], given["decision"]) == ("c1", "allow")
    assert ask(house, click_id="c1", affiliate_id="aff", fmt="text").text == "1"
    assert ask(house, click_id="c2", affiliate_id="aff", user_agent="curl/8.5.0", fmt="text").text == "0"


def test_reasons_come_in_another_products_words_on_request(house: House) -> None:
    given = ask(house, click_id="c2", affiliate_id="aff", user_agent="curl/8.5.0", codes="appsflyer").json()
    assert given["partner_codes"] == ["bots"]


def test_macros_left_unfilled_are_unknown(house: House) -> None:
    macros = {"sub_id": "{aff_sub}", "ip": "[ip]", "country": "${country}", "device_id": "#device#", "offer_id": ""}
    answer = ask(house, click_id="c1", affiliate_id="aff", **macros).json()
    house.writer.flush()
    kept = house.services.decisions.get("default", answer["decision_id"]).inputs["click"]
    assert {kept[name] for name in macros} == {None}


def test_a_conversion_is_matched_to_the_click_that_was_posted_before(house: House) -> None:
    ask(house, click_id="c1", affiliate_id="aff", clicked_at="2026-03-01T10:00:00Z")
    converted = {"type": "conversion", "click_id": "c1", "affiliate_id": "aff", "converted_at": "1772359620", "amount": "59.90"}
    given = ask(house, **converted).json()
    assert given["click_found"]
    assert ask(house, **converted).json()["conversion_id"] == given["conversion_id"], "a repeated postback is the same conversion"
    other = ask(house, **converted, goal="upsell").json()
    assert other["conversion_id"] != given["conversion_id"]


def test_texts_become_the_types_of_the_columns(house: House) -> None:
    answer = ask(house, click_id="c1", affiliate_id="aff", dwell_ms="1200", js_executed="true").json()
    house.writer.flush()
    kept = house.services.decisions.get("default", answer["decision_id"]).inputs["click"]
    assert (kept["dwell_ms"], kept["js_executed"]) == (1200, True)


@pytest.mark.parametrize(
    ("parameters", "status", "code"),
    [
        ({"affiliate_id": "aff"}, 422, "invalid_input"),
        ({"type": "conversion", "affiliate_id": "aff"}, 422, "invalid_input"),
        ({"click_id": "c", "affiliate_id": "aff", "dwell_ms": "soon"}, 422, "invalid_input"),
        ({"click_id": "c", "affiliate_id": "aff", "type": "sale"}, 422, "invalid_input"),
        ({"click_id": "c", "affiliate_id": "aff", "key": "unknown"}, 401, "unauthorised"),
        ({"click_id": "c", "affiliate_id": "aff", "key": ""}, 401, "unauthorised"),
        ({"click_id": "c", "affiliate_id": "aff", "program_id": "theirs"}, 403, "forbidden"),
    ],
)
def test_what_cannot_be_used_is_a_problem(parameters: dict[str, str], status: int, code: str, house: House) -> None:
    problem(ask(house, **parameters), status, code)


def test_the_key_may_come_in_a_header_too(tracker: TestClient) -> None:
    assert tracker.get("/v1/postback", params={"click_id": "c1", "affiliate_id": "aff"}).status_code == 200
