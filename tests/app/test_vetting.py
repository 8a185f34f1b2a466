"""Vetting as it is wired: the settings of the crawler, the profile that serves, what is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawlers import CrawlSettings
from fraud.app.parts import App
from fraud.app.vetting import VettingMeans, crawl_settings, profile_for, vet_applications, write_vetted
from fraud.domain.actors import DEFAULT_PROGRAM, SYSTEM
from fraud.domain.hashing import sha256_of
from fraud.domain.programs import ProgramProfile
from fraud.errors import InputError
from fraud.settings import Settings
from fraud.simulation.sites.applications import FORCED, PROFILE, serve_sites

SHOES = ProgramProfile(name="Shoes")


def settings(**given: object) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[call-arg, arg-type]  # pydantic checks them field by field


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"crawl_connect_to": "nonsense"}, r"^FRAUD_CRAWL_CONNECT_TO: 'nonsense' has no '='; write PORT=HOST:PORT"),
        ({"crawl_connect_to": "80=host:99999"}, r"^FRAUD_CRAWL_CONNECT_TO: '99999' .* is not a port"),
        ({"crawl_dns": "resolver"}, r"^FRAUD_CRAWL_DNS: 'resolver' is not HOST:PORT"),
        ({"crawl_ca_file": Path("/nowhere.pem")}, r"^FRAUD_CRAWL_CA_FILE: /nowhere\.pem cannot be read"),
        ({"crawl_allow_networks": "10.0.0.0/99"}, r"^FRAUD_CRAWL_ALLOW_NETWORKS: .* Give CIDRs such as"),
    ],
)
def test_an_unusable_setting_is_named_as_its_user_knows_it(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        crawl_settings(settings(**given))


def test_the_defaults_go_straight_to_the_web() -> None:
    made = crawl_settings(settings())
    assert (dict(made.connect_to), made.delay, made.dns, made.allow_networks) == ({}, 1.0, None, ())


def test_a_profile_that_is_given_serves_from_then_on(app: App) -> None:
    assert profile_for(app, DEFAULT_PROGRAM, None, SYSTEM) is None
    assert profile_for(app, DEFAULT_PROGRAM, SHOES, SYSTEM) == SHOES
    assert profile_for(app, DEFAULT_PROGRAM, None, SYSTEM) == SHOES


def test_a_changed_profile_names_who_changed_it_and_the_same_one_is_no_change(app: App) -> None:
    for _ in range(2):
        profile_for(app, DEFAULT_PROGRAM, SHOES, SYSTEM)
    (entry,) = app.stores.audit.entries(DEFAULT_PROGRAM, 10)
    assert (entry["action"], entry["actor_id"]) == ("program.saved", "system")


def test_what_was_seen_and_decided_is_kept_and_written(app: App, tmp_path: Path) -> None:
    with serve_sites() as (host, port):
        means = VettingMeans(actor=SYSTEM, crawl=CrawlSettings(connect_to={80: (host, port)}, delay=0.0))
        (dossier,) = vet_applications(app, [FORCED], PROFILE, means)
    assert app.stores.applications.dossier(DEFAULT_PROGRAM, FORCED.application_id) == dossier
    assert app.stores.decisions.find(dossier.decision_id).subject_id == FORCED.application_id
    write_vetted(app, dossier, FORCED, tmp_path / "out")
    quoted = {evidence.sha256 for signal in dossier.signals for evidence in signal.evidence if evidence.sha256}
    pages = {path.name.removesuffix(".html.txt"): path.read_bytes() for path in (tmp_path / "out" / "evidence").iterdir()}
    assert quoted
    assert pages.keys() == quoted
    assert all(sha256_of(body) == name for name, body in pages.items())


def test_an_applicant_is_never_judged_by_another_programs_terms(app: App) -> None:
    elsewhere = ProgramProfile(name="Hats", program_id="hats")
    with pytest.raises(InputError, match="is for the program 'default', but this run judges by the terms of 'hats'"):
        vet_applications(app, [FORCED], elsewhere, VettingMeans(actor=SYSTEM))
    assert app.stores.applications.dossiers("hats", 5) == app.stores.applications.dossiers(DEFAULT_PROGRAM, 5) == []
