"""Refreshing tables of networks: from a registry, from the web, from files, and without any of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from fraud.app import enriching
from fraud.app.enriching import enrichment_artefacts, enrichment_folder, networks
from fraud.app.examining import TABLES_AGE_DAYS, examine
from fraud.app.parts import App
from fraud.app.refreshing import RefreshReport, forget, refresh
from fraud.domain.clock import FixedClock
from fraud.errors import InputError, NotFound, StorageError
from fraud.settings import Settings
from tests.app.conftest import Scanned
from tests.app.registry import Registry, packed, served

ASN, COUNTRY = "@ip-location-db/asn", "@ip-location-db/geo-whois-asn-country"
ASN_FILES = {
    "package/asn-ipv4.csv": "5.1.0.0,5.1.255.255,64500,Example Telecom\n5.2.0.0,5.2.255.255,64501,Example Hosting\n",
    "package/asn-ipv6.csv": "2400:1::,2400:1:ffff:ffff:ffff:ffff:ffff:ffff,64501,Example Hosting\n",
}


def country_files(code: str) -> dict[str, str]:
    return {
        "package/geo-whois-asn-country-ipv4.csv": f"5.1.0.0,5.1.255.255,{code}\n",
        "package/geo-whois-asn-country-ipv6.csv": f"2400:1::,2400:1::ffff,{code}\n",
    }


@pytest.fixture
def registry() -> Iterator[Registry]:
    with served() as running:
        yield running


@pytest.fixture
def app(tmp_path: Path, registry: Registry, clock: FixedClock) -> Iterator[App]:
    """The product with three sources on the test's server: two packages and one list."""
    sources = tmp_path / "sources.yaml"
    sources.write_text(
        dedent(f"""\
        sources:
          as-numbers: {{title: AS numbers, gives: asn, package: "{ASN}", licence: CC BY 4.0, attribution: "By the example registry",
                members: [package/asn-ipv4.csv, package/asn-ipv6.csv]}}
          countries: {{title: countries, gives: country, package: "{COUNTRY}", licence: CC0 1.0,
                members: [package/geo-whois-asn-country-ipv4.csv, package/geo-whois-asn-country-ipv6.csv]}}
          vpn-services: {{title: VPN services, gives: vpn, urls: ["{registry.url}/vpn.txt"], licence: MIT}}
        """)
    )
    settings = Settings(
        workspace=tmp_path / "workspace",
        enrichment_sources=sources,
        enrichment_npm_url=registry.url,
        crawl_allow_networks="127.0.0.1/32",
        _env_file=None,  # type: ignore[call-arg]  # pydantic-settings' own argument
    )
    opened = App(settings, clock)
    yield opened
    opened.close()


@pytest.fixture
def filled(registry: Registry) -> Registry:
    """The server with the newest of all three sources."""
    registry.publish(ASN, "1.0.0", ASN_FILES)
    registry.publish(COUNTRY, "1.0.0", country_files("US"))
    registry.bodies["/vpn.txt"] = b"5.1.7.0/24\n"
    return registry


def run(app: App, *given: str) -> RefreshReport:
    return refresh(app, given, lambda _: None)


def states(report: RefreshReport) -> dict[str, str]:
    return {outcome.source: outcome.state for outcome in report.sources}


def test_a_refresh_fetches_packages_and_lists_and_puts_tables_to_use(app: App, filled: Registry) -> None:
    report = run(app)
    tables = networks(app)
    assert tables is not None
    assert states(report) == {"as-numbers": "read", "countries": "read", "vpn-services": "read"}
    assert report.attributions == ("By the example registry",)
    facts = tables.read("5.1.7.7")
    assert (facts.country, facts.asn, facts.egress_class) == ("US", 64500, "vpn")
    assert tables.read("2400:1::1").egress_class == "hosting"
    assert tables.manifest.sources[0].kept.version == "1.0.0"
    assert tables.manifest.sources[0].kept.origin.endswith("/asn-1.0.0.tgz")


def test_what_is_the_newest_already_is_not_fetched_again(app: App, filled: Registry, clock: FixedClock) -> None:
    run(app)
    filled.asked.clear()
    clock.move_to(clock.now() + timedelta(days=1))
    filled.publish(COUNTRY, "1.0.1", country_files("CA"))
    assert states(run(app)) == {"as-numbers": "unchanged", "countries": "read", "vpn-services": "read"}
    assert not any(path.endswith("asn-1.0.0.tgz") for path in filled.asked)
    tables = networks(app)
    assert tables is not None
    assert tables.read("5.1.7.7").country == "CA"


def test_a_source_that_fails_keeps_its_copy_and_does_not_stop_the_others(app: App, filled: Registry) -> None:
    run(app)
    del filled.bodies[f"/{ASN}/latest"]
    filled.bodies["/vpn.txt"] = b"<html>maintenance</html>"
    filled.publish(COUNTRY, "1.0.1", country_files("CA"))
    report = run(app)
    assert states(report) == {"as-numbers": "kept", "countries": "read", "vpn-services": "kept"}
    assert "status 404" in report.sources[0].text
    tables = networks(app)
    assert tables is not None
    assert (tables.read("5.1.7.7").country, tables.read("5.1.7.7").egress_class) == ("CA", "vpn")


def test_a_source_that_was_never_read_is_missing_and_the_rest_serve(app: App, filled: Registry) -> None:
    del filled.bodies["/vpn.txt"]
    assert states(run(app)) == {"as-numbers": "read", "countries": "read", "vpn-services": "missing"}
    finding = {found.name: found for found in examine(app)}["networks"]
    assert finding.state == "ok"
    assert finding.text.endswith("; without vpn-services")


def test_where_nothing_can_be_reached_it_says_what_to_do_and_the_tables_stay(app: App, filled: Registry) -> None:
    filled.bodies.clear()
    with pytest.raises(InputError, match=r"None of the 3 sources .*npm pack .* --from FILE"):
        run(app)
    assert networks(app) is None
    filled.publish(ASN, "1.0.0", ASN_FILES)
    version = run(app).version
    filled.bodies.clear()
    with pytest.raises(InputError, match=f"{version} stay in use"):
        run(app)
    assert enrichment_folder(app).tables() is not None


def test_a_package_that_is_not_what_the_registry_says_is_refused(app: App, filled: Registry) -> None:
    filled.publish(ASN, "6.6.6", ASN_FILES, integrity="sha512-AAAA")
    report = run(app)
    assert states(report)["as-numbers"] == "missing"
    assert "SHA-512" in report.sources[0].text


@pytest.mark.parametrize("answer", [b"[]", b"{}", b"not json", b'{"version": "1", "dist": {}}', b'{"version": "1", "dist": null}'])
def test_what_does_not_answer_like_a_registry_is_refused(app: App, filled: Registry, answer: bytes) -> None:
    filled.bodies[f"/{ASN}/latest"] = answer
    assert "FRAUD_ENRICHMENT_NPM_URL" in run(app).sources[0].text


def test_a_registry_cannot_send_us_to_a_machine_inside(app: App, filled: Registry) -> None:
    inside = filled.bodies[f"/{ASN}/latest"].replace(filled.url.encode(), b"http://10.0.0.1:80")
    filled.bodies[f"/{ASN}/latest"] = inside
    report = run(app)
    assert states(report)["as-numbers"] == "missing"
    assert "10.0.0.1" in report.sources[0].text


def test_files_are_enough_where_there_is_no_web(app: App, registry: Registry, tmp_path: Path) -> None:
    package, listed = tmp_path / "asn-1.tgz", tmp_path / "exits.txt"
    package.write_bytes(packed(ASN, "1.2.3", ASN_FILES))
    listed.write_text("5.1.0.9\n")
    report = run(app, str(package), f"tor={listed}")
    assert states(report) == {"as-numbers": "read", "own-exits-txt": "read"}
    assert not registry.asked
    tables = networks(app)
    assert tables is not None
    assert [tables.read(address).egress_class for address in ("5.1.0.9", "5.1.0.8")] == ["tor", "residential"]
    assert tables.manifest.sources[1].kept.version == "1.2.3"


def test_a_file_may_stand_for_a_configured_source(app: App, tmp_path: Path) -> None:
    listed = tmp_path / "ipv4.txt"
    listed.write_text("5.1.0.0/24\n")
    assert states(run(app, f"vpn-services={listed}")) == {"vpn-services": "read"}
    tables = networks(app)
    assert tables is not None
    assert tables.explain("5.1.0.9").evidence[0].says == "vpn: VPN services"


def test_a_list_from_a_url_is_the_users_own_and_is_fetched_again(app: App, filled: Registry) -> None:
    filled.bodies["/mine.csv?a=b"] = b"network,class\n5.1.0.0/24,corporate\n"
    run(app, f"{filled.url}/mine.csv?a=b")
    filled.bodies["/mine.csv?a=b"] = b"network,class\n5.1.0.0/24,hosting\n"
    assert states(run(app))["own-mine-csv"] == "read"
    tables = networks(app)
    assert tables is not None
    assert tables.read("5.1.0.9").egress_class == "hosting"


def test_of_several_files_none_is_kept_when_one_is_wrong(app: App, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    good.write_text("5.1.0.0/24\n")
    bad.write_text("nothing here\n")
    with pytest.raises(InputError, match=r"bad\.txt"):
        run(app, f"vpn={good}", f"tor={bad}")
    assert networks(app) is None
    assert not enrichment_folder(app).sources()


@pytest.mark.parametrize(
    ("given", "says"),
    [("no-such-file.csv", "cannot be read"), ("nonsense=x.csv", "cannot be read"), ("http://127.0.0.1:1/x", "could not be fetched")],
)
def test_what_is_not_there_is_said_in_one_sentence(app: App, given: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        run(app, given)


def test_a_class_that_is_none_is_refused(app: App, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("5.1.0.0/24\n")
    with pytest.raises(InputError, match=r"'proxies' is nothing a source can give"):
        run(app, f"proxies={listed}")


def test_the_last_three_versions_are_kept(app: App, filled: Registry, clock: FixedClock) -> None:
    for number in range(5):
        filled.bodies["/vpn.txt"] = f"5.1.{number}.0/24\n".encode()
        clock.move_to(clock.now() + timedelta(hours=1))
        newest = run(app).version
    versions = enrichment_folder(app).versions()
    assert len(versions) == 3
    assert versions[-1] == newest


def test_a_source_can_be_forgotten(app: App, filled: Registry) -> None:
    run(app)
    forget(app, "vpn-services", lambda _: None)
    tables = networks(app)
    assert tables is not None
    assert tables.read("5.1.7.7").egress_class == "residential"
    with pytest.raises(NotFound, match="No source 'vpn-services'"):
        forget(app, "vpn-services", lambda _: None)


def test_the_doctor_says_how_old_the_tables_are(app: App, filled: Registry, clock: FixedClock) -> None:
    run(app)
    clock.move_to(clock.now() + timedelta(days=TABLES_AGE_DAYS + 1))
    text = {found.name: found for found in examine(app)}["networks"].text
    assert f"as-numbers ({TABLES_AGE_DAYS + 1} days old)" in text
    assert text.endswith("old: run `fraud enrichment refresh`")


def test_damaged_tables_are_failing_and_never_read(app: App, filled: Registry) -> None:
    run(app)
    folder = enrichment_folder(app).tables()
    assert folder is not None
    (folder / "asn.arrow").unlink()
    (folder / "asn.arrow").write_bytes(b"x")
    enriching._opened.cache_clear()
    with pytest.raises(StorageError, match="not as it was built"):
        networks(app)
    assert {found.name: found for found in examine(app)}["networks"].state == "failing"


def test_a_scan_names_what_read_its_addresses_and_user_agents(app: App, filled: Registry) -> None:
    names = [artefact.id.rpartition("-")[0] for artefact in enrichment_artefacts(app)]
    assert names == ["crawler-user-agents", "tldextract", "ua-parser-builtins"]
    version = run(app).version
    first = enrichment_artefacts(app)[0]
    assert first.id == version
    assert len(first.hash) == 64


def test_a_kept_scan_says_what_it_was_enriched_with(scanned: Scanned) -> None:
    result = scanned.run.result
    assert result.enrichment == enrichment_artefacts(scanned.app)
    assert scanned.app.stores.scans.get(result.program_id, result.scan_id).enrichment == result.enrichment
