from __future__ import annotations

from pathlib import Path

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
    assert set(formats()) == {
        *("contract", "access-log", "affise", "affise-export", "appsflyer", "cake", "everflow", "impact", "talkingdata", "tune", "voluum")
    }
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
    with pytest.raises(InputError, match=r"Use one of: auto, contract, .*talkingdata, .*or a mapping of your own"):
        choose("nothing", "clicks", [])
    with pytest.raises(InputError, match="no format 'talkingdata' for offers"):
        choose("talkingdata", "offers", [])


BASE = "format: x\ntitle: X\nrecognise: [a]\ntables:\n  clicks:\n    columns:\n      click_id: id\n      clicked_at: t\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BASE, "affiliate_id is required"),
        (BASE.replace("      clicked_at: t\n", ""), "affiliate_id, clicked_at are required"),
        (BASE + "      affiliate_id: a\n      colour: c\n", "colour is no column"),
        (BASE + "      affiliate_id: {guess: 1}\n", "Give a column, constant"),
        ("format: x\ntitle: X\nrecognise: [a]\n", "lacks 'tables'"),
        (BASE.replace("clicks", "sightings"), "which is no table"),
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


OWN = """
format: mine
title: My tracker
recognise: [Order, When]
tables:
  conversions:
    columns:
      conversion_id: Order
      converted_at: {column: When, times: "%d/%m/%Y %H:%M", zone: Europe/Berlin}
      affiliate_id: [Partner Code, Partner]
      country: {column: Land, find: "^([A-Z]{2})-"}
      status: {column: State, values: {ok: approved, "*": rejected}}
"""


def test_a_mapping_of_the_users_own_is_read_from_its_file(read: Read, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(OWN, encoding="utf-8")
    _, rows = read(
        "Order;When;Partner;Land;State\n1;01/07/2026 12:00;p;DE-TH;OK\n2;01/12/2026 12:00;p;Thuringia;lost\n3;2026-03-01;p;;\n",
        "conversions",
        str(mine),
    )
    assert [(str(row["converted_at"]), row["country"], row["status"]) for row in rows] == [
        ("2026-07-01 10:00:00", "DE", "approved"),
        ("2026-12-01 11:00:00", None, "rejected"),
        ("2026-03-01 00:00:00", None, None),
    ]


def test_a_mapping_that_cannot_be_read_says_which(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.yaml cannot be read: No such file or directory\. Check"):
        choose(str(tmp_path / "nowhere.yaml"), "clicks", [])
    broken = tmp_path / "broken.yaml"
    broken.write_text("format: [", encoding="utf-8")
    with pytest.raises(InputError, match=r"broken\.yaml: The format is no YAML"):
        choose(str(broken), "clicks", [])


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('{column: t, find: "("}', "no regular expression"),
        ('{column: t, times: "%Q"}', "times has '%Q'"),
        ("{column: t, zone: Mars/Base}", "no time zone 'Mars/Base'"),
        ("{column: t, values: [a]}", "Give the words"),
        ("{column: t, colour: red}", "Give a column, constant"),
        ("[]", "Give a column, constant"),
    ],
)
def test_a_source_that_cannot_work_is_refused(source: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_format(BASE + f"      affiliate_id: {source}\n")


def test_the_wrong_kind_of_an_export_is_told() -> None:
    with pytest.raises(InputError, match=r"has the columns of Everflow.*Ingest it as conversions"):
        choose("auto", "clicks", ["conversion_id", "conversion_unix_timestamp", "affiliate_id"])
    assert choose("auto", "conversions", ["conversion_id", "conversion_unix_timestamp", "affiliate_id"]).name == "everflow"


def test_a_missing_choice_of_columns_is_named(read: Read) -> None:
    with pytest.raises(InputError, match="missing: mediaid"):
        read("id,campaignid,eventdate,payout\n1,2,2026-03-01,1\n", "conversions", "impact")
    with pytest.raises(InputError, match=r"missing: .*network_affiliate_id or affiliate_id"):
        read("conversion_id,conversion_unix_timestamp\n1,1772359200\n", "conversions", "everflow")
