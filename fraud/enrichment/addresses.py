"""Internet addresses: from text to two halves of 128 bits and back. What is no address is unknown, never an error."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from fraud.enrichment.kernels import V4_PREFIX, Bits, Words, read_addresses

Half = int

_V4_TEXT = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}", re.ASCII)
_V6_TEXT = re.compile(r"[0-9A-Fa-f:.]{2,45}", re.ASCII)
_LOW_HALF = (1 << 64) - 1


@dataclass(frozen=True)
class Addresses:
    """Addresses (n): their halves, and which of them are addresses at all."""

    high: Words
    low: Words
    known: Bits


def read_column(texts: pa.Array | pa.ChunkedArray) -> Addresses:
    """The addresses of a column of text; nulls, hashes and anything else that is no IPv4 or IPv6 text are not known."""
    whole = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    column = whole.cast(pa.large_string())
    _, offsets_buffer, data_buffer = column.buffers()
    count = len(column)
    offsets = np.frombuffer(offsets_buffer, np.int64, count + 1, 8 * column.offset) if offsets_buffer else np.zeros(count + 1, np.int64)
    data = np.frombuffer(data_buffer, np.uint8) if data_buffer else np.zeros(0, np.uint8)
    high, low, known = read_addresses(data, offsets)
    if column.null_count:
        known &= column.is_valid().to_numpy(zero_copy_only=False)
    return Addresses(high, low, known)


def read_one(text: str) -> tuple[Half, Half] | None:
    """The halves of one address, as `read_column` reads it, in about a microsecond; `None` when it is none."""
    try:
        if _V4_TEXT.fullmatch(text):
            return 0, V4_PREFIX | int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big")
        if _V6_TEXT.fullmatch(text):
            whole = int.from_bytes(socket.inet_pton(socket.AF_INET6, text), "big")
            return whole >> 64, whole & _LOW_HALF
    except OSError:
        return None
    return None


def spell(high: Half, low: Half) -> str:
    """The text of an address; mapped IPv4 as IPv4."""
    if high == 0 and low >> 32 == V4_PREFIX >> 32:
        return str(ipaddress.IPv4Address(low & 0xFFFF_FFFF))
    return str(ipaddress.IPv6Address(high << 64 | low))
