from __future__ import annotations

import duckdb
import pytest

from fraud.enrichment.referrers import HOST_SQL, registrable_domain


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("news.bbc.co.uk", "bbc.co.uk"),
        ("www.example.com.", "example.com"),
        ("me.github.io", "github.io"),
        ("münchen.de", "münchen.de"),
        ("192.0.2.7", "192.0.2.7"),
        ("www.shop.internal", "shop.internal"),
        ("localhost", None),
        ("co.uk", None),
        ("", None),
    ],
)
def test_registrable_domain(host: str, domain: str | None) -> None:
    assert registrable_domain(host) == domain


@pytest.mark.parametrize(
    ("referrer", "host"),
    [
        ("https://News.Example.com/a?b=https://other.example", "news.example.com"),
        ("http://user:pw@example.com:8080/x", "example.com"),
        ("//example.com/x", "example.com"),
        ("example.com/x", "example.com"),
        ("android-app://com.example.app/", "com.example.app"),
        ("", None),
        ("?x", None),
    ],
)
def test_the_host_of_a_referrer(referrer: str, host: str | None) -> None:
    con = duckdb.connect()
    assert con.execute(f"SELECT {HOST_SQL.format(column='?')}", [referrer]).fetchall() == [(host,)]
