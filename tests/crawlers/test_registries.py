"""Name servers and registries: what they say, and what a failure of theirs says."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from crawlers import CrawlSettings, Rdap, Records, Registration, SettingsError
from crawlers.errors import LookupFailed
from crawlers.facts import DnsFacts, Fetched
from crawlers.fetch import Fetcher
from crawlers.rdap import bootstrap, operator_fetcher, registration
from tests.crawlers.servers import Answer, run, settings_to, site
from tests.sites.hosts import Host, internet

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DOMAIN = {
    "events": [
        {"eventAction": "registration", "eventDate": "2020-01-02T03:04:05Z"},
        {"eventAction": "expiration", "eventDate": "2027-01-02T03:04:05+00:00"},
    ],
    "status": ["Client Hold", "active"],
    "nameservers": [{"ldhName": "NS1.Example.Test."}],
}


def rdap(pages: dict[str, Answer], domain: str, path: str = "/") -> Registration:
    with site(pages) as server:
        url = f"http://127.0.0.1:{server.port}{path}"

        async def work() -> Registration:
            async with operator_fetcher(url, CrawlSettings(delay=0.0)) as asking, Fetcher(settings_to(server.port)) as fetcher:
                return await Rdap(url, asking, fetcher).of(domain)

        return run(work())


def test_a_registration_is_read() -> None:
    found = rdap({"/domain/shop.test": Answer(json.dumps(DOMAIN).encode())}, "shop.test")
    assert found.failure == ""
    assert found.registered_at == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert found.expires_at == datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (found.statuses, found.name_servers) == (("client hold", "active"), ("ns1.example.test",))


def test_a_bootstrap_file_leads_to_the_registry_of_the_suffix() -> None:
    services = {"services": [[["test"], ["http://rdap.registry.test/"]], [["example"], ["http://other.test/"]]]}
    pages = {"/dns.json": Answer(json.dumps(services).encode()), "/domain/shop.test": Answer(json.dumps(DOMAIN).encode())}
    assert rdap(pages, "shop.test", "/dns.json").registered_at is not None
    assert "No registry" in rdap(pages, "shop.nowhere", "/dns.json").failure


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(status=404), "knows no name"), (Answer(status=500), "status 500"),
        (Answer(b"<html>"), "did not answer with an RDAP document"),
        (Answer(b"[]"), "did not answer with an RDAP document"), (Answer(b'{"a":' * 100_000), "did not answer with an RDAP document"),
    ],
)  # fmt: skip
def test_a_registry_that_says_nothing_says_why(answer: Answer, why: str) -> None:
    assert why in rdap({"/domain/shop.test": answer}, "shop.test").failure


ODD: list[object] = [
    {"events": "x"},
    {"events": [1, {"eventAction": None, "eventDate": 5}]},
    {"status": "active"},
    {"entities": [{"roles": ["registrar"], "vcardArray": [1]}]},
    {"entities": [{"roles": 5}, {"roles": "registrar"}]},
]


@pytest.mark.parametrize("said", ODD)
def test_odd_documents_are_read_as_far_as_they_go(said: object) -> None:
    found = registration("shop.test", Fetched(requested_url="u", url="u", status=200, body=json.dumps(said).encode()))
    assert (found.registered_at, found.statuses, found.registrar) == (None, (), "")


@pytest.mark.parametrize(
    ("fields", "holder"),
    [
        ([["fn", {}, "text", "Jane Doe"], ["org", {}, "text", "Acme Media GmbH"]], "Acme Media GmbH"),
        ([["fn", {}, "text", "Jane Doe"], ["email", {}, "text", "jane@acme.example"]], "H-7"),
        ([["org", {}, "text", "REDACTED FOR PRIVACY"]], ""),
        ([["fn", {}, "text", "Registration Private"], ["org", {}, "text", "Domains By Proxy, LLC"]], ""),
    ],
)
def test_the_holder_is_an_organisation_or_a_number_and_never_a_person(fields: list[object], holder: str) -> None:
    said = {"entities": [{"roles": ["registrant"], "handle": "H-7", "vcardArray": ["vcard", fields]}]}
    found = registration("shop.test", Fetched(requested_url="u", url="u", status=200, body=json.dumps(said).encode()))
    assert found.holder == holder


def test_what_is_no_bootstrap_file_is_refused() -> None:
    with pytest.raises(LookupFailed, match="FRAUD_RDAP_URL"):
        bootstrap(Fetched(requested_url="u", url="u", status=200, body=b'{"services": []}'))


@pytest.mark.parametrize("url", ["ftp://a.test/", "not a url", "http://[::1"])
def test_an_unusable_address_is_named(url: str) -> None:
    with pytest.raises(SettingsError, match="rdap-url"):
        operator_fetcher(url, CrawlSettings())


def test_an_operators_own_address_opens_no_other_door() -> None:
    with site({"/": Answer(b"x")}) as inside, site({"/": Answer(b"y")}) as registry:

        async def work() -> None:
            async with operator_fetcher(f"http://127.0.0.1:{registry.port}/", CrawlSettings(delay=0.0)) as asking:
                await asking.fetch(f"http://127.0.0.1:{inside.port}/")

        with pytest.raises(LookupFailed):
            run(work())
        assert inside.requests == []


def records(name: str, hosts: dict[str, Host], tmp_path_factory: pytest.TempPathFactory) -> DnsFacts:
    from tests.crawlers.servers import make_authority  # noqa: PLC0415 -- the internet needs some certificate

    authority = make_authority(tmp_path_factory.mktemp("ca"), "openssl")
    with internet(hosts, NOW, authority.server_file) as web:
        return run(Records(("127.0.0.1", web.dns)).of(name))


def test_records_of_all_kinds_are_read(tmp_path_factory: pytest.TempPathFactory) -> None:
    host = Host(lambda asked: None, texts=("v=spf1 -all", "proof-1"))
    found = records("shop.test", {"shop.test": host}, tmp_path_factory)
    assert (found.addresses, found.name_servers, found.mail_servers) == (("127.0.0.1",), ("ns1.names.test",), ("mail.shop.test",))
    assert set(found.texts) == {"v=spf1 -all", "proof-1"}
    assert not records("nobody.test", {"shop.test": host}, tmp_path_factory).exists


def test_a_silent_name_server_is_a_failure_and_no_absence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawlers.records.SECONDS", 0.3)
    found = run(Records(("127.0.0.1", 9)).of("shop.test"))
    assert found.exists
    assert found.failure
