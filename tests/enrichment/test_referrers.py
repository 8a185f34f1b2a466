from __future__ import annotations

from importlib import resources

import duckdb
import pytest
import yaml

from fraud.enrichment.referrers import HOST_SQL, _listed, referrer_kind, referrer_kinds, registrable_domain


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


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("www.google.com", "search"),
        ("google.co.uk", "search"),
        ("mail.google.com", "mail"),
        ("googleads.g.doubleclick.net", "ad"),
        ("ads.google.com", "ad"),
        ("com.google.android.gm", "mail"),
        ("com.google.android.googlequicksearchbox", "search"),
        ("l.facebook.com", "social"),
        ("T.CO.", "social"),
        ("de.pinterest.com", "social"),
        ("pinterest.de", "social"),
        ("yandex.com.tr", "search"),
        ("mail.yandex.ru", "mail"),
        ("notgoogle.com", "other"),
        ("google.evil.example", "other"),
        ("facebook.com.evil.example", "other"),
        ("blog.example.com", "other"),
        ("192.0.2.7", "other"),
        ("localhost", "other"),
        ("", None),
        (" . ", None),
    ],
)
def test_the_kind_of_a_referrer(host: str, kind: str | None) -> None:
    assert referrer_kind(host) == kind


def test_the_affiliates_own_pages_are_its_own_even_on_a_listed_host() -> None:
    assert referrer_kind("www.example.com", {"example.com"}) == "own"
    assert referrer_kind("www.youtube.com", {"youtube.com"}) == "own"
    assert referrer_kinds(["www.example.com", "t.co"], {"example.com"}) == {"www.example.com": "own", "t.co": "social"}


def test_no_host_is_listed_under_two_kinds() -> None:
    content = yaml.safe_load((resources.files("fraud.enrichment") / "referrers.yaml").read_text(encoding="utf-8"))
    names = [name for listed in content.values() for name in listed]
    assert len(names) == len(set(names)) == len(_listed())
    assert all(name == name.lower().strip(".") for name in names)
