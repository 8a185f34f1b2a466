from __future__ import annotations

import pytest

from fraud.errors import InputError
from fraud.events.formats import choose, formats, parse_format

from .conftest import Read

TALKINGDATA = (
    "ip,app,device,os,channel,click_time,attributed_time,is_attributed\n"
    "87540,12,1,13,497,2017-11-07 09:30:38,,0\n"
    "105560,25,1,17,259,2017-11-07 13:40:27,2017-11-07 14:00:00,1\n"
)


def test_every_format_that_ships_is_whole() -> None:
    assert list(formats()) == ["contract", "talkingdata"]
    assert all(form.title and form.mappings for form in formats().values())


def test_talkingdata_clicks_and_the_installs_in_their_rows(read: Read) -> None:
    _, clicks = read(TALKINGDATA)
    _, conversions = read(TALKINGDATA, "conversions")
    assert [(c["affiliate_id"], c["offer_id"], c["ip"], c["user_agent"], c["device_id"]) for c in clicks] == [
        ("497", "12", "87540", "device 1 os 13", None),
        ("259", "25", "105560", "device 1 os 17", None),
    ]
    (install,) = conversions
    assert install["click_id"] == clicks[1]["click_id"]
    assert clicks[0]["click_id"].endswith("-1")


def test_the_contracts_own_columns_win_over_any_tracker() -> None:
    assert choose("auto", "clicks", ["click_id", "clicked_at", "affiliate_id", "ip"]).name == "contract"
    assert choose("auto", "clicks", TALKINGDATA.split("\n", maxsplit=1)[0].split(",")).name == "talkingdata"


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="Use one of: auto, contract, talkingdata"):
        choose("nothing", "clicks", [])
    with pytest.raises(InputError, match="no format 'talkingdata' for offers"):
        choose("talkingdata", "offers", [])


BASE = "format: x\ntitle: X\nrecognise: [a]\ntables:\n  clicks:\n    columns:\n      click_id: id\n      clicked_at: t\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BASE, "affiliate_id is required"),
        (BASE + "      affiliate_id: a\n      colour: c\n", "colour is no column"),
        (BASE + "      affiliate_id: {guess: 1}\n", "Give a column, constant"),
        ("format: x\ntitle: X\nrecognise: [a]\n", "lacks 'tables'"),
        (BASE.replace("clicks", "visits"), "which is no table"),
    ],
)
def test_a_format_that_does_not_hold_together_is_refused(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_format(text)


def test_values_and_constants() -> None:
    form = parse_format(
        "format: x\ntitle: X\nrecognise: [Id]\ntables:\n  conversions:\n    columns:\n      conversion_id: Id\n      converted_at: T\n"
        "      affiliate_id: {constant: it's me}\n      status: {column: State, values: {Confirmed: approved}}\n"
    )
    mapping = form.mapping("conversions")
    assert mapping is not None
    columns = dict(mapping.columns)
    assert columns["affiliate_id"].sql({}, "") == "'it''s me'"
    assert columns["status"].sql({"state": "c0"}, "") == "CASE lower(c0) WHEN 'confirmed' THEN 'approved' ELSE c0 END"
