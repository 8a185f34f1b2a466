"""E-mail addresses: what is kept of them."""

from __future__ import annotations

import pytest

from fraud.checks.applicants.mail import MailKind, domain_of, kind_of, normal_form


@pytest.mark.parametrize(
    ("domain", "kind"),
    [
        ("gmail.com", MailKind.FREE),
        ("yahoo.co.uk", MailKind.FREE),
        ("outlook.de", MailKind.FREE),
        ("yahoo.publisher.com", MailKind.OTHER),
        ("publisher.com", MailKind.OTHER),
        ("mailinator.com", MailKind.DISPOSABLE),
        ("inbox.mailinator.com", MailKind.DISPOSABLE),
        ("privaterelay.appleid.com", MailKind.RELAY),
        ("duck.com", MailKind.RELAY),
        ("appleid.com", MailKind.OTHER),
    ],
)
def test_the_kind_of_provider(domain: str, kind: MailKind) -> None:
    assert kind_of(domain) is kind


def test_addresses_are_compared_without_case_and_in_ascii() -> None:
    assert normal_form(" Me@Bücher.Example ") == "me@xn--bcher-kva.example"
    assert domain_of("Me@Bücher.Example") == "xn--bcher-kva.example"
    assert domain_of("nobody") == ""
    assert domain_of("@example.com") == ""
