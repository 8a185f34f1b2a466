"""Money: an exact amount in one currency."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import msgspec

_CENT = Decimal("0.01")


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """A decimal amount with its ISO 4217 code. Amounts of different currencies are never added."""

    amount: Decimal
    currency: str

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(amount=self.amount + other.amount, currency=self.currency)

    def __str__(self) -> str:
        return f"{cents(self.amount):,} {self.currency}"


def cents(amount: Decimal | float) -> Decimal:
    """The amount rounded half up to two places, the way statements show it."""
    return Decimal(str(amount)).quantize(_CENT, rounding=ROUND_HALF_UP)
