"""Conversions as trackers send them (CONTRACT 1), and as the product knows them: personal values are hashed on the way in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

import msgspec

from fraud.api.bodies import decoded
from fraud.api.clicks import EXPECTED_TIME, Name, Text, country_of, field_fault, kept_address, read_many, require_text, required_moment
from fraud.domain.events import Conversion
from fraud.domain.tables import TABLES
from fraud.events.personal import Hashed

PersonalHash = Callable[[str, str], Hashed]
"""The kind of a personal value (`email`, `phone`) and the value, to what is kept of it."""

Money = Annotated[str | int | float, msgspec.Meta(description="A decimal number")]
_MOST_DIGITS = 14
_PLACES = Decimal("0.0001")

STATUSES = next(column.choices for column in TABLES["conversions"].columns if column.name == "status")
"""The states of a conversion (CONTRACT 1)."""


class ConversionIn(msgspec.Struct, frozen=True, kw_only=True):
    """A conversion as it comes in. An absent field, `null` and an empty text mean unknown; fields that are not listed are ignored."""

    conversion_id: Name
    converted_at: Annotated[str | int | float, msgspec.Meta(description=EXPECTED_TIME)]
    affiliate_id: Name
    program_id: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    click_id: Text | None = None
    offer_id: Text | None = None
    sub_id: Text | None = None
    goal: Text | None = None
    order_id: Text | None = None
    customer_id: Text | None = None
    customer_email: Text | None = None
    customer_phone: Text | None = None
    new_customer: bool | Literal[""] | None = None
    ip: Text | None = None
    user_agent: Text | None = None
    device_id: Text | None = None
    country: Annotated[str, msgspec.Meta(max_length=100, description="ISO 3166-1 alpha-2")] | None = None
    form_ms: Annotated[int, msgspec.Meta(ge=0, le=2**53)] | Literal[""] | None = None
    amount: Money | None = None
    commission: Money | None = None
    currency: Annotated[str, msgspec.Meta(max_length=10, description="ISO 4217")] | None = None
    coupon_code: Text | None = None
    status: Annotated[str, msgspec.Meta(max_length=20, description=", ".join(STATUSES))] | None = None
    status_changed_at: Annotated[str | int | float, msgspec.Meta(description=EXPECTED_TIME)] | None = None


_ONE = msgspec.json.Decoder(ConversionIn)
_MANY = msgspec.json.Decoder(list[ConversionIn])
_READ_APART = frozenset({"converted_at", "new_customer", "form_ms", "amount", "commission", "status_changed_at"})
_TEXTS = tuple(name for name in ConversionIn.__struct_fields__ if name not in _READ_APART)
_AS_THEY_ARE = (
    *("click_id", "offer_id", "sub_id", "goal", "order_id", "customer_id", "new_customer"),
    *("user_agent", "device_id", "form_ms", "coupon_code"),
)


def read_conversion(body: bytes) -> ConversionIn:
    """One conversion from JSON; `InvalidFields` names what is wrong with it."""
    return decoded(body, _ONE.decode)


def read_conversions(body: bytes) -> list[ConversionIn]:
    """Up to 10,000 conversions from a JSON array or from NDJSON."""
    return read_many(body, _ONE, _MANY)


def conversion_of(sent: ConversionIn, program_id: str, personal: PersonalHash, place: str = "") -> Conversion:
    """The conversion in the product's own terms; `place` is where it stood in the body.

    Raises `InvalidFields` for times, amounts and states that cannot be read and for text that cannot be kept.
    """
    require_text(sent, _TEXTS, place)
    given: dict[str, Any] = {name: value for name in _AS_THEY_ARE if (value := getattr(sent, name)) not in {"", None}}
    changed = sent.status_changed_at
    return Conversion(
        conversion_id=sent.conversion_id,
        converted_at=required_moment(sent.converted_at, f"{place}converted_at"),
        affiliate_id=sent.affiliate_id,
        program_id=program_id,
        ip=kept_address(sent.ip),
        country=country_of(sent.country),
        amount=_money(sent.amount, f"{place}amount"),
        commission=_money(sent.commission, f"{place}commission"),
        currency=_currency(sent.currency),
        status=_status(sent.status, f"{place}status"),
        status_changed_at=None if changed in {None, ""} else required_moment(changed, f"{place}status_changed_at"),
        **given,
        **_customer(sent, personal),
    )


def conversions_of(sent: Sequence[ConversionIn], programs: Sequence[str], personal: PersonalHash) -> list[Conversion]:
    """Many conversions, each with its program, in order."""
    pairs = enumerate(zip(sent, programs, strict=True))
    return [conversion_of(conversion, program, personal, f"[{place}].") for place, (conversion, program) in pairs]


def _customer(sent: ConversionIn, personal: PersonalHash) -> dict[str, Any]:
    known: dict[str, Any] = {}
    if sent.customer_email and sent.customer_email.strip():
        email = personal("email", sent.customer_email)
        known |= {"customer_email": email.hash, "customer_email_domain": email.domain, "customer_email_kind": email.kind}
    if sent.customer_phone and sent.customer_phone.strip():
        known["customer_phone"] = personal("phone", sent.customer_phone).hash
    return known


def _money(value: str | float | None, field: str) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number.adjusted() >= _MOST_DIGITS:
        raise field_fault(field, f"Expected a decimal number of at most {_MOST_DIGITS} digits before the point")
    return number.quantize(_PLACES)


def _currency(text: str | None) -> str | None:
    """Three letters in capitals; anything else, such as a macro left unfilled, is unknown."""
    code = (text or "").strip().upper()
    return code if len(code) == 3 and code.isascii() and code.isalpha() else None


def _status(text: str | None, field: str) -> str | None:
    state = (text or "").strip().lower()
    if state and state not in STATUSES:
        raise field_fault(field, f"Expected one of {', '.join(STATUSES)}")
    return state or None
