"""The hash by which icons are compared: MurmurHash3 (x86, 32 bits, seed 0) of the base64 text with line breaks."""

from __future__ import annotations

import base64

WORD = 0xFFFFFFFF


def icon_hash(body: bytes) -> int:
    """Return the icon's hash as a signed number, as search engines for hosts show it."""
    return murmur3(base64.encodebytes(body))


def murmur3(data: bytes) -> int:
    """Return MurmurHash3_x86_32 with seed 0, signed (public-domain algorithm by Austin Appleby)."""
    state, whole = 0, len(data) & ~3
    for start in range(0, whole, 4):
        state ^= _mixed(int.from_bytes(data[start : start + 4], "little"))
        state = (_rotated(state, 13) * 5 + 0xE6546B64) & WORD
    if len(data) > whole:
        state ^= _mixed(int.from_bytes(data[whole:], "little"))
    state ^= len(data)
    for factor, shift in ((0x85EBCA6B, 16), (0xC2B2AE35, 13)):
        state = ((state ^ (state >> shift)) * factor) & WORD
    state ^= state >> 16
    return state - (1 << 32) if state >> 31 else state


def _mixed(word: int) -> int:
    return (_rotated((word * 0xCC9E2D51) & WORD, 15) * 0x1B873593) & WORD


def _rotated(word: int, by: int) -> int:
    return ((word << by) | (word >> (32 - by))) & WORD
