"""What an application's phone number, sign-up address and the program's lists say, kept without the personal values."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec
import phonenumbers
from phonenumbers import PhoneNumberType

from fraud.checks.applicants.audience import ListEntry, PhoneFacts
from fraud.checks.applicants.mail import domain_of, normal_form
from fraud.checks.applicants.names import host_of, owner_of
from fraud.domain.networks import AddressFacts, AddressReader
from fraud.domain.programs import Application
from fraud.errors import InputError

_KINDS = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.VOIP: "voip",
}
LIST_COLUMNS = ("label", "field", "value", "reason", "expires")
_FIELDS = frozenset({"email", "email_domain", "phone", "payout_account", "tax_id", "website", "signup_ip", "name", "company"})


def phone_facts(application: Application) -> PhoneFacts | None:
    """What the phone number is; None without one. Without a country code it is read as one of the declared country."""
    text, country = application.phone.strip(), application.country.strip().upper()
    if not text:
        return None
    international = text.startswith(("+", "00"))
    spoken = f"+{text[2:]}" if text.startswith("00") else text
    try:
        number = phonenumbers.parse(spoken, None if international else country or None)
    except phonenumbers.NumberParseException:
        return PhoneFacts(valid=False, possible=False, assumed_country=not international and bool(country))
    regions = phonenumbers.region_codes_for_country_code(number.country_code or 0)
    exact = phonenumbers.region_code_for_number(number)
    return PhoneFacts(
        valid=phonenumbers.is_valid_number(number),
        possible=phonenumbers.is_possible_number(number),
        countries=tuple(code for code in ((exact,) if exact else regions) if code != "001"),
        kind=_KINDS.get(phonenumbers.number_type(number), "other"),
        assumed_country=not international,
    )


def signup_facts(application: Application, reader: AddressReader | None) -> AddressFacts | None:
    """What the sign-up address is known to be, without the address; None without one, or where there are no tables of networks."""
    if reader is None or not application.signup_ip.strip():
        return None
    return msgspec.structs.replace(reader.read(application.signup_ip.strip()), address="", evidence=())


class KnownList:
    """The program's own list, a CSV file with the columns label (`bad` or `good`), field, value, reason and expires (a day, may be empty).

    An InputError names the line that cannot be understood.
    """

    def __init__(self, path: Path) -> None:
        self._entries: dict[tuple[str, str], list[ListEntry]] = {}
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if missing := set(LIST_COLUMNS) - set(rows.fieldnames or ()):
                raise InputError(f"{path.name} has no column {', '.join(sorted(missing))}; it needs {', '.join(LIST_COLUMNS)}.")
            for row in rows:
                entry, value = _entry(row, f"{path.name}, line {rows.line_num}")
                self._entries.setdefault((entry.field, _normal(entry.field, value)), []).append(entry)

    def of(self, application: Application) -> tuple[ListEntry, ...]:
        """The entries about an applicant, valid or not."""
        stated = [(field, _normal(field, value)) for field, value in _stated(application) if value]
        return tuple(entry for key in dict.fromkeys(stated) for entry in self._entries.get(key, ()))


def _entry(row: dict[str, str], where: str) -> tuple[ListEntry, str]:
    told = {name: (row.get(name) or "").strip() for name in LIST_COLUMNS}
    if told["label"] not in {"bad", "good"} or told["field"] not in _FIELDS or not told["value"] or not told["reason"]:
        raise InputError(f"{where}: give a label (bad or good), a field ({', '.join(sorted(_FIELDS))}), a value and a reason.")
    try:
        expires = date.fromisoformat(told["expires"]).isoformat() if told["expires"] else ""
    except ValueError as fault:
        raise InputError(f"{where}: {told['expires']!r} is no day; write it as 2027-01-31, or leave it empty.") from fault
    return ListEntry(label=told["label"], field=told["field"], reason=told["reason"], expires=expires), told["value"]


def _stated(application: Application) -> Sequence[tuple[str, str]]:
    names = ("email", "phone", "payout_account", "tax_id", "signup_ip", "name", "company")
    single = [(name, str(getattr(application, name))) for name in names]
    return [*single, ("email_domain", domain_of(application.email)), *(("website", site) for site in application.websites)]


def _normal(field: str, value: str) -> str:
    if field == "email":
        return normal_form(value)
    if field == "website":
        return owner_of(host_of(value if "//" in value else f"https://{value}"))
    if field in {"email_domain", "signup_ip"}:
        return value.strip().lower()
    return "".join(letter for letter in value.casefold() if letter.isalnum())
