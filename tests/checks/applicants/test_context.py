"""What is kept of an applicant: enough for the checks, and no personal value in the clear."""

from __future__ import annotations

import msgspec
import pytest

from fraud.checks.applicants.context import HASHED_FIELDS, VettingFacts, as_builtins, from_builtins, protected
from fraud.checks.applicants.mail import MailKind
from fraud.checks.applicants.summary import summary
from fraud.domain.programs import Application
from tests.checks.applicants.samples import NOW, PROFILE, facts, site

PERSON = Application(
    application_id="app-1",
    name="Kim Doe",
    email="Kim.Doe@gmail.com",
    phone="+49 30 1234567",
    address="Example Street 5, Berlin",
    payout_account="DE00 1234 5678",
    tax_id="12/345/678",
    signup_ip="198.51.100.7",
    websites=("https://trailnotes.example/",),
)


def test_personal_values_are_kept_as_keyed_hashes_only() -> None:
    kept = protected(PERSON, b"pepper")
    text = msgspec.json.encode(kept).decode()
    assert set(kept.hashes) == set(HASHED_FIELDS)
    assert (kept.email_domain, kept.email_kind) == ("gmail.com", MailKind.FREE)
    assert not any(getattr(PERSON, name) in text for name in HASHED_FIELDS)
    assert "kim.doe" not in text.lower()


def test_the_same_value_in_another_spelling_gives_the_same_hash() -> None:
    other = msgspec.structs.replace(PERSON, email=" kim.doe@GMAIL.com", phone="+49 (30) 12345-67", payout_account="de0012345678")
    ours, theirs = protected(PERSON, b"pepper").hashes, protected(other, b"pepper").hashes
    assert ours == theirs
    assert ours["email"] != protected(PERSON, b"another pepper").hashes["email"]


def test_an_empty_field_has_no_hash() -> None:
    kept = protected(Application(application_id="a", websites=("https://trailnotes.example/",)), b"pepper")
    assert kept.hashes == {}
    assert (kept.email_domain, kept.email_kind) == ("", None)


def test_facts_come_back_the_same_from_plain_json() -> None:
    seen = facts(site(), profile=PROFILE, email="me@gmail.com", social_profiles=("@trail",))
    assert from_builtins(msgspec.json.decode(msgspec.json.encode(as_builtins(seen)))) == seen


def test_facts_that_are_not_whole_are_refused() -> None:
    kept = as_builtins(facts(site()))
    del kept["application"]
    with pytest.raises(msgspec.ValidationError):
        from_builtins(kept)


def test_the_dossier_shows_visits_without_the_pages_texts() -> None:
    shown = summary(VettingFacts(application=protected(PERSON, b"pepper"), sites=(site(),), as_of=NOW))
    assert shown["as_of"] == "2026-03-01T12:00:00Z"
    assert shown["sites"][0]["pages"][0]["words"] == 270
    assert "text" not in shown["sites"][0]["pages"][0]
    assert msgspec.json.decode(msgspec.json.encode(shown)) == shown
