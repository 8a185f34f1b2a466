from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.events.personal import email_domain, email_kind, hash_values, normal_form

KINDS = ("email", "phone", "address", "payout_account", "tax_id")


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("email", "A.b.c+tag@GoogleMail.com", "abc@gmail.com"),
        ("email", " Jo@Example.org ", "jo@example.org"),
        ("phone", "+49 (0)30 / 12", "0049 03012"),
        ("address", "Main Street 5,  Berlin", "main street 5 berlin"),
        ("payout_account", "DE12 3456 7890", "de1234567890"),
        ("tax_id", "DE-123.456", "de123456"),
    ],
)
def test_two_spellings_of_one_value_meet(kind: str, one: str, other: str) -> None:
    assert normal_form(kind, one) == normal_form(kind, other)


def test_dots_count_where_the_provider_counts_them() -> None:
    assert normal_form("email", "a.b@example.org") != normal_form("email", "ab@example.org")


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("a@gmail.com", "free"),
        ("a@mailinator.com", "disposable"),
        ("a@x.mailinator.com", "disposable"),
        ("a@shop.example", "own"),
        ("5d41402abc4b2a76b9719d911017c592", None),
    ],
)
def test_kinds_of_providers(address: str, kind: str | None) -> None:
    assert email_kind(email_domain(address)) == kind


@given(st.sampled_from(KINDS), st.text(max_size=60))
def test_normal_forms_are_stable(kind: str, text: str) -> None:
    once = normal_form(kind, text)
    assert normal_form(kind, once) == once


def test_a_hash_depends_on_pepper_and_kind_alone() -> None:
    one = hash_values(b"p", "email", ["a@gmail.com", "A@gmail.com"])
    assert one["a@gmail.com"] == one["A@gmail.com"]
    assert hash_values(b"q", "email", ["a@gmail.com"])["a@gmail.com"].hash != one["a@gmail.com"].hash
    assert hash_values(b"p", "phone", ["a@gmail.com"])["a@gmail.com"].hash != one["a@gmail.com"].hash
