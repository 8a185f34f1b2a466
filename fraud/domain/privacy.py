"""People in the data: by what they are found, which columns say who they are, and how long each class of data may be kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class PersonKind(StrEnum):
    """By what a person is named who asks for their data, or that it be erased."""

    EMAIL = "email"
    PHONE = "phone"
    IP = "ip"
    DEVICE = "device"
    CUSTOMER = "customer"
    PAYOUT_ACCOUNT = "payout_account"
    TAX_ID = "tax_id"
    APPLICANT = "applicant"


HASHED = frozenset({PersonKind.EMAIL, PersonKind.PHONE, PersonKind.PAYOUT_ACCOUNT, PersonKind.TAX_ID})
"""What is kept as keyed hashes only: found by hashing what was asked for."""

FOUND_BY: Mapping[PersonKind, Mapping[str, tuple[str, ...]]] = {
    PersonKind.EMAIL: {"conversions": ("customer_email",), "affiliates": ("email",)},
    PersonKind.PHONE: {"conversions": ("customer_phone",), "affiliates": ("phone",)},
    PersonKind.IP: {"clicks": ("ip",), "conversions": ("ip",), "affiliates": ("signup_ip",)},
    PersonKind.DEVICE: {"clicks": ("device_id",), "conversions": ("device_id",), "affiliates": ("signup_device_id",)},
    PersonKind.CUSTOMER: {"conversions": ("customer_id",)},
    PersonKind.PAYOUT_ACCOUNT: {"affiliates": ("payout_account",)},
    PersonKind.TAX_ID: {"affiliates": ("tax_id",)},
    PersonKind.APPLICANT: {},
}
"""The columns of each table in which a person is looked for."""

FOLLOWING: Mapping[str, tuple[str, str]] = {"visits": ("click_id", "clicks")}
"""Tables whose rows name nobody but belong to rows that do: the column by which, and the table to which."""

IDENTIFYING: Mapping[str, tuple[str, ...]] = {
    "clicks": ("ip", "user_agent", "device_id", "language", "viewport", "referrer", "landing_url"),
    "conversions": (
        *("customer_id", "customer_email", "customer_email_domain", "customer_email_kind", "customer_phone"),
        *("ip", "user_agent", "device_id"),
    ),
    "visits": (
        *("click_id", "final", "webdriver", "framed", "viewport_width", "viewport_height", "screen_width", "screen_height", "elapsed_ms"),
        *("visible_ms", "response_ms", "interactive_ms", "first_input_ms", "pointer_moves", "other_inputs"),
    ),
    "affiliates": (
        *("name", "email", "email_domain", "email_kind", "phone", "address", "payout_account", "tax_id"),
        *("signup_ip", "signup_device_id"),
    ),
}
"""The columns that become unknown in a row about an erased person. What counts and pays stays: time, affiliate, amount, status."""


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """What was erased about one person, in numbers; `proofs` are the SHA-256 of each decision as it stood before, by its id.

    `on_their_way` are events that were answered moments ago and stood in no store yet: what is left of them is erased by another time.
    """

    kind: PersonKind
    subject: str
    at: datetime
    rows: dict[str, int] = {}
    quarantined: int = 0
    proofs: dict[str, str] = {}
    applications: int = 0
    events: int = 0
    on_their_way: int = 0


class PersonalData(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept about one person: rows by table, decisions, and an applicant's application and dossiers."""

    kind: PersonKind
    subject: str
    at: datetime
    rows: dict[str, list[dict[str, Any]]] = {}
    decisions: list[Any] = []
    application: Any = None
    dossiers: list[Any] = []
