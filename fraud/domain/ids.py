"""Names for things: random ones that sort by time, and stable ones that follow from what they name."""

from __future__ import annotations

import hashlib
import os
import secrets
from datetime import datetime

import numpy as np

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u to misread


def new_id(prefix: str, at: datetime) -> str:
    """A new name such as `dec_01h…`: 48 bits of milliseconds, then 62 random bits, so names sort by their time."""
    value = (int(at.timestamp() * 1000) << 62) | secrets.randbits(62)
    return f"{prefix}_{_base32(value, 22)}"


def new_ids(prefix: str, at: datetime, count: int) -> list[str]:
    """As many new names of one moment, as `new_id` makes them."""
    first = new_id(prefix, at)
    if count < _FEW:
        same, time = first[:-_LAST_DIGITS], (int(at.timestamp() * 1000) & 255) << 62
        return [first, *(same + _base32(time | secrets.randbits(62), _LAST_DIGITS) for _ in range(count - 1))] if count else []
    start = first[:-_RANDOM_DIGITS]
    draws, few = np.frombuffer(os.urandom(8 * count), np.uint64), np.uint64((int(at.timestamp() * 1000) << 2) & 31)
    digits = np.empty((count, _RANDOM_DIGITS), np.uint8)
    digits[:, 0] = _DIGITS[few | draws >> np.uint64(62)]
    digits[:, 1:] = _DIGITS[(draws[:, None] >> _PLACES) & np.uint64(31)]
    text = digits.tobytes().decode()
    return [start + text[place : place + _RANDOM_DIGITS] for place in range(0, len(text), _RANDOM_DIGITS)]


def id_of_event(prefix: str, at: datetime, *parts: str) -> str:
    """The same name for the same event whoever names it: as `new_id`, of its own time and with 62 bits of the parts' hash."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    drawn = int.from_bytes(hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest(), "little") >> 2
    return f"{prefix}_{_base32((int(at.timestamp() * 1000) << 62) | drawn, 22)}"


def stable_id(prefix: str, *parts: str) -> str:
    """The same name for the same parts, for ever: rings, alert keys and anything that is found again."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return f"{prefix}_{_base32(int.from_bytes(digest[:10], 'big'), 16)}"


_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_LAST_DIGITS = 14
"""The random digits and one before them: an even number, in which eight bits are of the time."""

_SHIFTS = {length: tuple(range(5 * (length - 2), -1, -10)) for length in (_LAST_DIGITS, 16, 22)}
_FEW = 8
"""Names up to which one after the other is quicker."""

_RANDOM_DIGITS = 13
"""The last digits of a name: three bits of the time, then the random ones."""

_DIGITS = np.frombuffer(_ALPHABET.encode(), np.uint8)
_PLACES = np.arange(55, -1, -5, dtype=np.uint64)


def _base32(value: int, length: int) -> str:
    """Digits two at a time: names are made for every request."""
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in _SHIFTS[length]])
