"""What comes out of each tracker's export, made by hand from the documented columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fraud.events.formats import formats

from .conftest import Read

SAMPLES = Path(__file__).parent / "samples"
UNKNOWN = None


def moment(text: str) -> str:
    return f"2026-03-01 {text}"


CLICKS: dict[str, list[dict[str, Any]]] = {
    "everflow-clicks.ndjson": [
        {"click_id": "9a1e", "clicked_at": moment("10:00:00"), "affiliate_id": "12", "offer_id": "7", "sub_id": "blog", "sub2": "top"}
        | {"ip": "203.0.113.9", "country": "DE", "device_id": "a1", "referrer": "https://blog.example/", "user_agent": UNKNOWN},
        {"click_id": "9a1f", "clicked_at": moment("10:00:01"), "affiliate_id": "13", "sub_id": "src", "country": UNKNOWN},
    ],
    "everflow-clicks.csv": [
        {"click_id": "9a1e", "clicked_at": moment("10:00:00"), "affiliate_id": "12", "offer_id": "7", "sub_id": "blog", "country": "DE"},
        {"click_id": "9a1f", "clicked_at": moment("10:00:01"), "affiliate_id": "13", "sub_id": "src", "country": UNKNOWN},
    ],
    "affise-clicks.json": [
        {"click_id": "k1", "clicked_at": moment("10:00:00"), "affiliate_id": "12", "offer_id": "7", "sub_id": "blog", "sub2": "top"}
        | {"ip": "203.0.113.9", "user_agent": "Mozilla/5.0", "country": "DE", "referrer": "https://blog.example/"},
    ],
    "impact-clicks.json": [
        {"click_id": "im1-2026-03-01T11:00:00+01:00", "clicked_at": moment("10:00:00"), "affiliate_id": "12", "offer_id": "55"}
        | {"sub_id": "blog", "sub2": "top", "ip": "979823c536b3e06e", "device_id": "p-1", "country": "DE"}
        | {"referrer": "https://blog.example/", "landing_url": "https://shop.example/?irgwc=1"},
        {"click_id": "im1-2026-03-01T11:00:01+01:00", "affiliate_id": "13", "country": UNKNOWN, "ip": UNKNOWN, "device_id": UNKNOWN},
    ],
    "voluum-clicks.csv": [
        {"click_id": "w1", "clicked_at": "2026-02-28 23:30:00", "affiliate_id": "12", "offer_id": "7", "sub_id": "zone4", "sub2": "x"}
        | {"ip": "203.0.113.9", "country": "DE", "referrer": "https://a.example/"},
    ],
    "cake-clicks.json": [
        {"click_id": "77", "clicked_at": moment("10:00:00"), "affiliate_id": "12", "offer_id": "7", "sub_id": "blog", "sub2": UNKNOWN}
        | {"ip": "203.0.113.9", "country": "DE", "landing_url": "https://shop.example/", "device_id": UNKNOWN},
    ],
    "access.log": [
        {"click_id": "w1", "clicked_at": moment("10:00:00"), "affiliate_id": "12", "offer_id": "7", "sub_id": "my blog x"}
        | {"ip": "203.0.113.9", "user_agent": "Mozilla/5.0 (X11)", "referrer": 'https://blog.example/a?b=\\"c\\"'},
        {"clicked_at": moment("10:00:02"), "affiliate_id": "13", "offer_id": "7", "ip": "2001:db8::1", "user_agent": UNKNOWN}
        | {"referrer": UNKNOWN, "landing_url": "/go?a=13&O=7"},
    ],
    "talkingdata.csv": [
        {"clicked_at": "2017-11-07 09:30:38", "affiliate_id": "497", "offer_id": "12", "ip": "87540", "device_id": UNKNOWN},
        {"clicked_at": "2017-11-07 13:40:27", "affiliate_id": "259", "offer_id": "25", "user_agent": "device 1 os 17"},
    ],
}

CONVERSIONS: dict[str, list[dict[str, Any]]] = {
    "everflow-conversions-network.json": [
        {"conversion_id": "c1", "converted_at": moment("11:00:00"), "affiliate_id": "12", "click_id": "9a1e", "offer_id": "7"}
        | {"sub_id": "blog", "goal": "Base", "order_id": "A-1", "customer_email_domain": "example.com", "ip": "198.51.100.4"}
        | {"country": UNKNOWN, "amount": "59.9000", "commission": "4.5000", "currency": "EUR", "coupon_code": "SAVE", "status": "approved"},
        {"conversion_id": "c2", "sub_id": "src", "goal": "Upsell", "country": "DE", "amount": UNKNOWN, "status": "rejected"},
    ],
    "everflow-conversions-advertiser.csv": [
        {"conversion_id": "c1", "affiliate_id": "12", "ip": "198.51.100.4", "user_agent": "Mozilla/5.0", "status": "pending"}
        | {"amount": "59.9000", "commission": UNKNOWN, "currency": "EUR"},
        {"conversion_id": "c2", "affiliate_id": "13", "ip": "203.0.113.10", "user_agent": UNKNOWN, "status": "rejected"},
    ],
    "tune.csv": [
        {"conversion_id": "5001", "converted_at": moment("11:00:00"), "affiliate_id": "1002", "click_id": "102a", "offer_id": "44"}
        | {"sub_id": "spring", "goal": "0", "ip": "198.51.100.4", "country": "US", "amount": "59.9000", "commission": "4.5000"}
        | {"currency": "USD", "status": "approved"},
        {"conversion_id": "5002", "sub_id": "fb", "ip": "203.0.113.10", "country": UNKNOWN, "amount": UNKNOWN, "status": "rejected"},
    ],
    "affise-conversions.json": [
        {"conversion_id": "5bd00d73", "converted_at": moment("11:00:00"), "affiliate_id": "12", "click_id": "k1", "offer_id": "7"}
        | {"sub_id": "blog", "order_id": "A-1", "commission": "4.5000", "amount": UNKNOWN, "currency": "EUR", "coupon_code": "SAVE"}
        | {"country": "DE", "status": "approved", "status_changed_at": "2026-03-02 08:00:00"},
        {"conversion_id": "5bd00d74", "affiliate_id": "13", "status": "pending", "commission": "0.0000", "status_changed_at": UNKNOWN},
        {"conversion_id": "5bd00d75", "status": "rejected"},
    ],
    "affise-export.csv": [
        {"conversion_id": "5bd00d73", "converted_at": moment("11:00:00"), "affiliate_id": "12", "click_id": "k1", "customer_id": "u1"}
        | {"commission": "4.5000", "amount": UNKNOWN, "currency": "EUR", "coupon_code": "SAVE", "country": UNKNOWN, "status": "approved"},
        {"conversion_id": "5bd00d74", "country": "DE", "status": "pending", "status_changed_at": UNKNOWN},
    ],
    "impact-brand.csv": [
        {"conversion_id": "1000.1", "converted_at": moment("11:00:00"), "affiliate_id": "12", "offer_id": "55", "sub_id": "blog"}
        | {"goal": "Sale", "order_id": "A-1", "amount": "59.9000", "commission": "4.5000", "currency": "EUR", "coupon_code": "SAVE"}
        | {"status": "approved", "status_changed_at": "2026-04-01 22:00:00", "country": UNKNOWN},
        {"conversion_id": "1000.2", "affiliate_id": "13", "amount": "0.0000", "status": "rejected", "status_changed_at": UNKNOWN},
    ],
    "impact-partner.json": [
        {"conversion_id": "1000.1", "converted_at": moment("11:00:00"), "affiliate_id": "12", "offer_id": "55", "status": "pending"}
        | {"order_id": "A-1", "sub_id": "blog", "commission": "4.5000"},
    ],
    "voluum-conversions.csv": [
        {"conversion_id": "w1-t1", "converted_at": moment("00:00:00"), "affiliate_id": "12", "click_id": "w1", "offer_id": "7"}
        | {"sub_id": "zone4", "goal": "lead", "order_id": "t1", "amount": "6.0000", "commission": "4.5000", "country": "DE"},
        {"conversion_id": "w2-2026-03-01 12:30:05 PM", "converted_at": moment("12:30:05"), "commission": "0.0100", "status": UNKNOWN},
    ],
    "appsflyer-installs.csv": [
        {"conversion_id": "1772-1-install-2026-03-01 10:00:00", "converted_at": moment("10:00:00"), "affiliate_id": "network_int"}
        | {"offer_id": "id99", "sub_id": "pub4", "goal": "install", "customer_id": "u1", "device_id": "IDFA-7", "country": "GB"}
        | {"commission": "1.5000", "currency": "USD", "status": UNKNOWN, "click_id": UNKNOWN},
    ],
    "appsflyer-blocked.csv": [
        {"conversion_id": "1772-3-install-2026-03-01 10:00:00", "affiliate_id": "network_int", "sub_id": "spring", "status": "rejected"},
    ],
    "cake-conversions.json": [
        {"conversion_id": "800", "converted_at": moment("11:00:00"), "affiliate_id": "12", "click_id": "77", "offer_id": "7"}
        | {"sub_id": "blog", "goal": "sale", "order_id": "A-1", "ip": "198.51.100.4", "user_agent": "Mozilla/5.0", "country": UNKNOWN}
        | {"commission": "4.5000", "amount": UNKNOWN, "currency": UNKNOWN, "status": "approved"},
    ],
    "talkingdata.csv": [
        {"converted_at": "2017-11-07 14:00:00", "affiliate_id": "259", "offer_id": "25"},
    ],
}


def _shown(row: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    return {name: None if row[name] is None else str(row[name]) for name in wanted}


@pytest.mark.parametrize("name", CLICKS)
def test_clicks(read: Read, name: str) -> None:
    _, rows = read((SAMPLES / name).read_bytes(), "clicks")
    assert [_shown(row, wanted) for row, wanted in zip(rows, CLICKS[name], strict=True)] == CLICKS[name]


@pytest.mark.parametrize("name", CONVERSIONS)
def test_conversions(read: Read, name: str) -> None:
    _, rows = read((SAMPLES / name).read_bytes(), "conversions")
    assert [_shown(row, wanted) for row, wanted in zip(rows, CONVERSIONS[name], strict=True)] == CONVERSIONS[name]


def test_every_sample_is_read_and_every_format_has_one(read: Read) -> None:
    assert {path.name for path in SAMPLES.iterdir()} == set(CLICKS) | set(CONVERSIONS)
    samples = " ".join([*CLICKS, *CONVERSIONS])
    assert [name for name in formats() if name != "contract" and name.partition("-")[0] not in samples] == []


def test_only_the_torn_line_of_the_log_is_set_aside_and_other_requests_are_no_clicks(read: Read) -> None:
    reading, _ = read((SAMPLES / "access.log").read_bytes())
    assert (reading.rows, reading.usable) == (3, 2)
    assert [(row.line, row.reason) for row in reading.rejected] == [(4, "the line is no record of an access log in the combined format")]
