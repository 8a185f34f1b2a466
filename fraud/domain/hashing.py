"""One canonical spelling for anything that is hashed, signed, compared or replayed."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder(order="sorted")


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys and no spaces; the same value always gives the same bytes."""
    return _ENCODER.encode(value)


def readable_json(value: Any) -> bytes:
    """JSON for people and files: indented, keys in the order their types declare them."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2)


def sha256_of(value: Any) -> str:
    """The SHA-256 (hex) of a value's canonical JSON; bytes are hashed as they are."""
    data = value if isinstance(value, bytes) else canonical_json(value)
    return hashlib.sha256(data).hexdigest()


def keyed_hash(pepper: bytes, kind: str, value: str) -> str:
    """A keyed hash (32 hex digits) of a personal value, separated by kind so that an e-mail never matches a phone."""
    return hmac.new(pepper, f"{kind}\x1f{value}".encode(), hashlib.sha256).hexdigest()[:32]
