"""Names for things: random ones that sort by time, and stable ones that follow from what they name."""

from __future__ import annotations

import hashlib
import os
import secrets
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u to misread


def new_id(prefix: str, at: datetime) -> str:
    """A new name such as `dec_01h…`: 48 bits of milliseconds, then 62 random bits, so names sort by their time."""
    value = (int(at.timestamp() * 1000) << 62) | secrets.randbits(62)
    return f"{prefix}_{_base32(value, 22)}"


def new_ids(prefix: str, at: datetime, count: int) -> list[str]:
    """As many new names of one moment, as `new_id` makes them."""
    moment, draws = int(at.timestamp() * 1000) << 62, os.urandom(8 * count)
    return [f"{prefix}_{_base32(moment | int.from_bytes(draws[at : at + 8], 'big') >> 2, 22)}" for at in range(0, 8 * count, 8)]


def stable_id(prefix: str, *parts: str) -> str:
    """The same name for the same parts, for ever: rings, alert keys and anything that is found again."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return f"{prefix}_{_base32(int.from_bytes(digest[:10], 'big'), 16)}"


_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)

_SHIFTS = {length: tuple(range(5 * (length - 2), -1, -10)) for length in (16, 22)}


def _base32(value: int, length: int) -> str:
    """An even number of digits, two at a time: names are made for every request."""
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in _SHIFTS[length]])
