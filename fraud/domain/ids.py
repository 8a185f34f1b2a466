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
    """As many new names of one moment, as `new_id` makes them but for two bits, which are not drawn."""
    start = f"{prefix}_{_base32(int(at.timestamp() * 1000) << 2, 10)}"
    return [start + _drawn() for _ in range(count)]


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
_SHIFTS = {length: tuple(range(5 * (length - 2), -1, -10)) for length in (10, 16, 22)}

_DRAWN_DIGITS, _DRAWN_AT_ONCE = 12, 256
"""The last digits of a name, all of them random, and how often they are drawn at once: one by one they take ten times as long."""

_DIGITS = np.frombuffer(_ALPHABET.encode(), np.uint8)
_PLACES = np.arange(5 * (_DRAWN_DIGITS - 1), -1, -5, dtype=np.uint64)
_DRAWN: list[str] = []
os.register_at_fork(after_in_child=_DRAWN.clear)  # two processes must not give the same names


def _drawn() -> str:
    """The last digits of a new name. Threads may ask at once: each is taken by one."""
    while True:
        try:
            return _DRAWN.pop()
        except IndexError:
            draws = np.frombuffer(os.urandom(8 * _DRAWN_AT_ONCE), np.uint64)
            text = _DIGITS[(draws[:, None] >> _PLACES) & np.uint64(31)].tobytes().decode()
            _DRAWN.extend(text[place : place + _DRAWN_DIGITS] for place in range(0, len(text), _DRAWN_DIGITS))


def _base32(value: int, length: int) -> str:
    """Digits two at a time: names are made for every request."""
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in _SHIFTS[length]])
