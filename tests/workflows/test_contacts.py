"""Phone, sign-up address and the program's lists: what does not fit is named, what is unknown stays unknown, and no country counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from fraud.checks.applicants.audience import Audience
from fraud.checks.applicants.contact import listed, phone, signup_address
from fraud.domain.networks import AddressFacts, EgressClass
from fraud.domain.programs import Application
from fraud.domain.signals import Severity, Signal, Status
from fraud.errors import InputError
from fraud.workflows.contacts import KnownList, phone_facts, signup_facts
from tests.checks.applicants.samples import facts, site

HEAD = "label,field,value,reason,expires\n"


class Reader:
    """Knows one kind of address."""

    def __init__(self, **known: Any) -> None:
        self._known = known

    def read(self, address: str) -> AddressFacts:
        return AddressFacts(address=address, known=True, **self._known)


def called(number: str, country: str = "DE") -> Signal:
    stated = phone_facts(Application(phone=number, country=country))
    return phone(msgspec.structs.replace(facts(site(), country=country), audience=Audience(phone=stated)), {})


@pytest.mark.parametrize(
    ("number", "country", "status"),
    [
        ("+49 30 901820", "DE", Status.CLEAR),
        ("0049 30 901820", "DE", Status.CLEAR),
        ("030 901820", "DE", Status.CLEAR),
        ("+1 202 456 1111", "US", Status.CLEAR),
        ("+1 202 456 1111", "DE", Status.FINDING),
        ("+49 800 1234567", "DE", Status.FINDING),
        ("+49 1", "DE", Status.FINDING),
        ("call me", "DE", Status.FINDING),
        ("+49 30 901820", "", Status.INCONCLUSIVE),
        ("", "DE", Status.NOT_APPLICABLE),
    ],
)
def test_a_phone_number_is_compared_with_what_is_declared(number: str, country: str, status: Status) -> None:
    signal = called(number, country)
    assert signal.status is status
    assert signal.severity.rank <= Severity.LOW.rank


def test_the_number_itself_is_not_kept() -> None:
    assert "901820" not in str(phone_facts(Application(phone="+49 30 901820", country="DE")))


def signed_up(declared: str = "DE", **known: Any) -> Signal:
    application: dict[str, Any] = {"signup_ip": "203.0.113.9", "country": declared}
    found = signup_facts(Application(**application), Reader(**known) if known else None)
    return signup_address(msgspec.structs.replace(facts(site(), **application), audience=Audience(signup=found)), {})


@pytest.mark.parametrize(
    ("known", "status", "severity"),
    [
        ({"country": "DE"}, Status.CLEAR, Severity.INFO),
        ({"country": "BR"}, Status.FINDING, Severity.LOW),
        ({"country": "BR", "egress_class": EgressClass.VPN}, Status.FINDING, Severity.INFO),
        ({"country": "DE", "egress_class": EgressClass.TOR}, Status.FINDING, Severity.LOW),
        ({"country": None}, Status.INCONCLUSIVE, Severity.INFO),
        ({}, Status.INCONCLUSIVE, Severity.INFO),
    ],
)
def test_the_address_is_compared_with_the_declared_country(known: dict[str, Any], status: Status, severity: Severity) -> None:
    signal = signed_up(**known)
    assert (signal.status, signal.severity) == (status, severity)


def test_no_country_weighs_more_than_another_and_the_address_is_not_kept() -> None:
    pairs = [("DE", "BR"), ("BR", "DE"), ("NG", "US"), ("US", "NG")]
    assert {signed_up(declared, country=seen).severity for declared, seen in pairs} == {Severity.LOW}
    assert "203.0.113" not in str(signed_up(country="BR"))


def known(folder: Path, text: str, **application: Any) -> Signal:
    path = folder / "default.csv"
    path.write_text(HEAD + text)
    entries = KnownList(path).of(Application(**({"application_id": "app-1", "email": "me@trailnotes.example"} | application)))
    return listed(msgspec.structs.replace(facts(site()), audience=Audience(listed=entries)), {})


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("bad,email,ME@trailnotes.example,Cookie stuffing in 2024,\n", Status.FINDING),
        ("bad,email_domain,trailnotes.example,Cookie stuffing in 2024,2027-01-01\n", Status.FINDING),
        ("bad,email,me@trailnotes.example,Cookie stuffing in 2024,2026-01-01\n", Status.CLEAR),
        ("good,email,me@trailnotes.example,Partner since 2019,\n", Status.CLEAR),
        ("good,email,me@trailnotes.example,Partner,\nbad,phone,+49 30 901820,Refunds,\n", Status.FINDING),
        ("bad,website,www.other.example,Malware,\n", Status.CLEAR),
    ],
)
def test_valid_entries_count_and_bad_ones_first(tmp_path: Path, text: str, status: Status) -> None:
    assert known(tmp_path, text, phone="+4930901820").status is status


@pytest.mark.parametrize(
    "text", ["bad,email,x@y.example,,\n", "ugly,email,x@y.example,why,\n", "bad,email,x@y.example,why,soon\n", "bad,shoe,41,why,\n"]
)
def test_an_entry_without_label_reason_or_day_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="line 2"):
        known(tmp_path, text)


def test_a_list_without_its_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="label"):
        KnownList(tmp_path / "x.csv")
